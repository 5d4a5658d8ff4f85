-- name: patience
-- A file of 20,000 visits, or a count over a city; these connections are not the desk's.
SET LOCAL statement_timeout = 15000;

-- name: add
INSERT INTO visit (visit_id, area_id, person_id, at, kind, visitor_name, visitor_id, note,
    photo_sha256, latitude, longitude, accuracy_m, signature_reference, recorded_at, recorded_by)
SELECT %(visit_id)s, p.area_id, p.person_id, %(at)s, %(kind)s, %(visitor_name)s, %(visitor_id)s,
    %(note)s, %(photo_sha256)s, %(latitude)s, %(longitude)s, %(accuracy_m)s,
    %(signature_reference)s, %(recorded_at)s, %(recorded_by)s
FROM person p WHERE p.person_id = %(person_id)s
ON CONFLICT (visit_id) DO NOTHING
RETURNING *;

-- name: area_of
SELECT area_id FROM visit WHERE visit_id = %(visit_id)s;

-- name: withdraw
UPDATE visit SET withdrawn_at = %(at)s, withdrawn_by = %(by)s, withdrawn_reason = %(reason)s
WHERE visit_id = %(visit_id)s AND withdrawn_at IS NULL RETURNING *;

-- name: people_known
-- Of these people, those within the areas.
SELECT person_id FROM person WHERE person_id = ANY(%(ids)s)
  AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s));

-- name: known
SELECT visit_id FROM visit WHERE visit_id = ANY(%(ids)s);

-- name: page
-- The newest first.
SELECT * FROM visit
WHERE (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
  AND (%(person_id)s::text IS NULL OR person_id = %(person_id)s)
  AND (at, visit_id) < (%(before_at)s, %(before_id)s)
ORDER BY at DESC, visit_id DESC LIMIT %(limit)s;

-- name: rounds
-- Who is served, with their last test press and last visit. Who is away or in hospital is not
-- overdue: nobody can be visited who is not there. A test counts where there is a button to press,
-- from the day the first one was handed out; a visit from the day the person was registered.
SELECT p.person_id, p.name, p.area_id, p.premises_id, p.state, r.last_test_at,
    r.last_test_alarm_id, r.last_test_device_id, r.last_visit_at, r.last_visit_id,
    v.kind AS visit_kind, v.visitor_name, v.photo_sha256, v.latitude, v.longitude, v.accuracy_m,
    v.signature_reference, b.button AS has_button, d.test_overdue, d.visit_overdue
FROM person p
LEFT JOIN care_round r ON r.person_id = p.person_id
LEFT JOIN visit v ON v.visit_id = r.last_visit_id
CROSS JOIN LATERAL (
    SELECT coalesce(bool_or(NOT d.revoked), false) AS button,
        greatest(p.registered_at, min(coalesce(d.registered_at, '-infinity'))) AS since
    FROM device d WHERE d.kind IN ('button', 'wristband', 'phone')
      AND (d.person_id = p.person_id OR (d.person_id IS NULL AND d.premises_id = p.premises_id))
) AS b
CROSS JOIN LATERAL (SELECT
    b.button AND p.state = 'home'
        AND coalesce(greatest(r.last_test_at, b.since) < %(tests_before)s, true) AS test_overdue,
    p.state = 'home' AND coalesce(
        greatest(r.last_visit_at, p.registered_at) < %(visits_before)s, true) AS visit_overdue
) AS d
WHERE p.state NOT IN ('moved', 'service_ended') AND p.person_id > %(after)s
  AND (%(areas)s::text[] IS NULL OR p.area_id = ANY(%(areas)s))
  AND CASE %(overdue)s::text WHEN 'test' THEN d.test_overdue WHEN 'visit' THEN d.visit_overdue
      WHEN 'any' THEN d.test_overdue OR d.visit_overdue ELSE true END
ORDER BY p.person_id LIMIT %(limit)s;

-- name: summary
-- How many are up to date, by area; each area counts what lies below it too. Who is so new that
-- nothing is due yet is up to date.
WITH RECURSIVE tree AS (
    SELECT area_id, area_id AS seat FROM area
    WHERE (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s)) AND area_id > %(after)s
    UNION ALL
    SELECT a.area_id, tree.seat FROM area a JOIN tree ON a.parent_id = tree.area_id
),
seats AS (SELECT DISTINCT seat FROM tree ORDER BY seat LIMIT %(limit)s),
own AS (
    SELECT p.area_id, count(*) AS people,
        count(*) FILTER (WHERE p.state <> 'home') AS excused,
        count(*) FILTER (WHERE b.button AND p.state = 'home') AS with_button,
        count(*) FILTER (WHERE b.button AND p.state = 'home'
            AND greatest(r.last_test_at, b.since) >= %(tests_before)s) AS tested,
        count(*) FILTER (WHERE p.state = 'home'
            AND greatest(r.last_visit_at, p.registered_at) >= %(visits_before)s) AS visited
    FROM person p
    LEFT JOIN care_round r ON r.person_id = p.person_id
    CROSS JOIN LATERAL (
        SELECT coalesce(bool_or(NOT d.revoked), false) AS button,
            greatest(p.registered_at, min(coalesce(d.registered_at, '-infinity'))) AS since
        FROM device d WHERE d.kind IN ('button', 'wristband', 'phone')
          AND (d.person_id = p.person_id
               OR (d.person_id IS NULL AND d.premises_id = p.premises_id))
    ) AS b
    WHERE p.state NOT IN ('moved', 'service_ended')
      AND (%(areas)s::text[] IS NULL OR p.area_id = ANY(%(areas)s))
    GROUP BY p.area_id
)
SELECT s.seat AS area_id, a.name, coalesce(sum(o.people), 0)::integer AS people,
    coalesce(sum(o.excused), 0)::integer AS excused,
    coalesce(sum(o.with_button), 0)::integer AS with_button,
    coalesce(sum(o.tested), 0)::integer AS tested,
    coalesce(sum(o.people - o.excused), 0)::integer AS to_visit,
    coalesce(sum(o.visited), 0)::integer AS visited
FROM seats s JOIN area a ON a.area_id = s.seat
JOIN tree t ON t.seat = s.seat LEFT JOIN own o ON o.area_id = t.area_id
GROUP BY s.seat, a.name ORDER BY s.seat;
