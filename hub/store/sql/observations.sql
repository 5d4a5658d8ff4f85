-- name: copy_observations
-- The fast way in: fails whole if one row is known already.
COPY observation (observed_at, device_id, measure, message_key, area_id, person_id, value, state,
    latitude, longitude, accuracy_m, quality, received_at, batch_id) FROM STDIN (FORMAT binary);

-- name: create_incoming
-- The careful way in, after a redelivery: known rows are left out.
CREATE TEMPORARY TABLE incoming (LIKE observation) ON COMMIT DROP;

-- name: copy_incoming
COPY incoming (observed_at, device_id, measure, message_key, area_id, person_id, value, state,
    latitude, longitude, accuracy_m, quality, received_at, batch_id) FROM STDIN (FORMAT binary);

-- name: insert_incoming
INSERT INTO observation SELECT * FROM incoming ON CONFLICT DO NOTHING;

-- name: next_batch_id
SELECT nextval('batch_id') AS batch_id;

-- name: replay
-- What an owner committed after a checkpoint, in commit order; one row a message and measure.
SELECT device_id, measure, observed_at, received_at, value, state, quality, batch_id
FROM observation WHERE batch_id > %(after)s AND batch_id <= %(until)s
ORDER BY batch_id, received_at;

-- name: last_batch_id
SELECT coalesce(max(batch_id), 0) AS batch_id FROM observation;

-- name: partitions
-- The partitions that exist.
SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'observation'::regclass;

-- name: history
-- Observations of a device or person in a span of time, newest first. An unknown device time is
-- shown at its arrival.
SELECT CASE WHEN observed_at = 'epoch' THEN received_at ELSE observed_at END AS observed_at,
    received_at, device_id, measure, value, state, latitude, longitude, accuracy_m, quality
FROM observation
WHERE (%(device_id)s::text IS NULL OR device_id = %(device_id)s)
  AND (%(devices)s::text[] IS NULL OR device_id = ANY(%(devices)s))
  AND (%(measure)s::smallint IS NULL OR measure = %(measure)s)
  AND observed_at >= %(since)s AND observed_at < %(until)s
ORDER BY observed_at DESC, message_key LIMIT %(limit)s;
