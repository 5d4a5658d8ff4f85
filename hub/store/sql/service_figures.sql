-- name: patience
-- Reports may take longer than a desk's question; they have connections of their own.
SET LOCAL statement_timeout = 15000;

-- name: as_of
SELECT as_of FROM incident_fact_state;

-- name: zone
SELECT zone_of_area(%(area_id)s) AS zone;

-- name: counted
-- Figures of incidents of a span of days, grouped; one row a group and a row before the first one
-- for all together is another query's. Incidents that somebody resolved as a test are counted apart.
WITH chosen AS (
    SELECT f.*, {key} AS key, {label} AS label FROM incident_fact f {join}
    WHERE f.day >= %(since)s AND f.day <= %(until)s
      AND (%(areas)s::text[] IS NULL OR f.area_id = ANY(%(areas)s))
      AND f.category = ANY(%(categories)s)
)
SELECT key, max(label) AS label,
    count(*) FILTER (WHERE counts) AS incidents,
    count(*) FILTER (WHERE NOT counts) AS tests,
    count(*) FILTER (WHERE counts AND priority = 'high') AS high,
    count(*) FILTER (WHERE counts AND is_open) AS open,
    count(*) FILTER (WHERE counts AND rang) AS rang,
    count(*) FILTER (WHERE counts AND rang AND answered_s IS NOT NULL) AS answered,
    count(*) FILTER (WHERE counts AND rang AND answered_s <= 60) AS answered_60,
    count(*) FILTER (WHERE counts AND rang AND answered_s <= 180) AS answered_180,
    percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY answered_s)
        FILTER (WHERE counts AND rang) AS answer_s,
    count(*) FILTER (WHERE counts AND attended_s IS NOT NULL) AS attended,
    count(*) FILTER (WHERE counts AND attended_s IS NOT NULL AND attend_within_s IS NOT NULL)
        AS attended_of,
    count(*) FILTER (WHERE counts AND attended_s <= attend_within_s) AS attended_within,
    percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY attended_s)
        FILTER (WHERE counts) AS attend_s,
    count(*) FILTER (WHERE counts AND dwell_s IS NOT NULL) AS sent_first,
    percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY dwell_s)
        FILTER (WHERE counts) AS dwell_s,
    count(*) FILTER (WHERE counts AND NOT is_open) AS resolved,
    count(*) FILTER (WHERE counts AND outcome = 'false_alarm') AS false_alarms,
    coalesce(sum(rerang) FILTER (WHERE counts), 0)::bigint AS rerang,
    coalesce(sum(told) FILTER (WHERE counts), 0)::bigint AS told,
    coalesce(sum(undelivered) FILTER (WHERE counts), 0)::bigint AS undelivered
FROM (SELECT *, outcome IS DISTINCT FROM 'test' AS counts FROM chosen) AS c
WHERE %(after)s::text IS NULL OR key > %(after)s
GROUP BY key ORDER BY key LIMIT %(limit)s;

-- name: join_areas
-- Every area counts what lies below it too.
JOIN (
    WITH RECURSIVE tree AS (
        SELECT area_id, area_id AS seat FROM area
        UNION ALL
        SELECT a.area_id, tree.seat FROM area a JOIN tree ON a.parent_id = tree.area_id
    )
    SELECT tree.area_id, tree.seat, s.name FROM tree JOIN area s ON s.area_id = tree.seat
    WHERE tree.seat = ANY(%(seats)s)
) AS t ON t.area_id = f.area_id

-- name: seats
-- The next areas of a page.
SELECT area_id FROM area
WHERE (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s)) AND area_id > %(after)s
ORDER BY area_id LIMIT %(limit)s;

-- name: false_alarms
-- By what raised them: kind, model and firmware of the device, and detector.
SELECT coalesce(device_kind, '') AS device_kind, coalesce(device_model, '') AS device_model,
    coalesce(device_firmware, '') AS firmware, coalesce(detector, '') AS detector,
    count(*) AS incidents,
    count(*) FILTER (WHERE outcome IS NOT NULL AND outcome NOT IN ('withdrawn', 'cleared'))
        AS judged,
    count(*) FILTER (WHERE outcome = 'false_alarm') AS false_alarms,
    count(*) FILTER (WHERE outcome = 'unfounded') AS unfounded,
    count(*) FILTER (WHERE outcome = 'withdrawn') AS withdrawn,
    count(DISTINCT device_id) AS devices
FROM incident_fact
WHERE day >= %(since)s AND day <= %(until)s
  AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
  AND category = ANY(%(categories)s) AND outcome IS DISTINCT FROM 'test'
GROUP BY 1, 2, 3, 4 ORDER BY false_alarms DESC, incidents DESC, 1, 2, 3, 4 LIMIT %(limit)s;

-- name: pressers
-- Who pressed falsely again and again, the most often first.
SELECT f.person_id, p.name, p.area_id, p.state, f.false_presses, f.last_day, f.device_id,
    (SELECT count(*) FROM incident_fact a WHERE a.person_id = f.person_id AND a.pressed
        AND a.day >= %(since)s AND a.day <= %(until)s AND a.outcome IS DISTINCT FROM 'test')
        AS presses
FROM (
    SELECT person_id, count(*) AS false_presses, max(day) AS last_day,
        mode() WITHIN GROUP (ORDER BY device_id) AS device_id
    FROM incident_fact
    WHERE pressed AND outcome = 'false_alarm' AND person_id IS NOT NULL
      AND day >= %(since)s AND day <= %(until)s
    GROUP BY person_id HAVING count(*) >= %(from)s
) AS f JOIN person p USING (person_id)
WHERE %(areas)s::text[] IS NULL OR p.area_id = ANY(%(areas)s)
ORDER BY f.false_presses DESC, f.person_id LIMIT %(limit)s;

-- name: undelivered
-- What did not reach anybody, by channel, state and reason.
SELECT n.channel, n.state, n.reason, n.kind, count(*) AS notifications,
    count(DISTINCT n.incident_id) AS incidents
FROM incident_fact f JOIN notification n USING (incident_id)
WHERE f.day >= %(since)s AND f.day <= %(until)s AND f.undelivered > 0
  AND (%(areas)s::text[] IS NULL OR f.area_id = ANY(%(areas)s))
  AND f.category = ANY(%(categories)s) AND f.outcome IS DISTINCT FROM 'test'
  AND n.state IN ('failed', 'poisoned', 'unconfirmed', 'nobody', 'discarded')
GROUP BY 1, 2, 3, 4 ORDER BY notifications DESC, 1, 2, 3, 4 LIMIT %(limit)s;
