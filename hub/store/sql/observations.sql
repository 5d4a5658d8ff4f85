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
SELECT device_id, measure, observed_at, received_at, value, state, latitude, longitude,
    accuracy_m, quality, batch_id
FROM observation_all WHERE batch_id > %(after)s AND batch_id <= %(until)s
ORDER BY batch_id, received_at;

-- name: last_batch_id
-- From the sequence: looking for the largest in the table would read all of it.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS batch_id FROM batch_id;

-- name: partitions
-- The partitions that exist.
SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'observation'::regclass
  AND (SELECT relkind FROM pg_class WHERE oid = 'observation'::regclass) = 'p';
