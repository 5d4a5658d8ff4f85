-- name: plan
INSERT INTO maintenance (area_id, kinds, why, by_kind, by_id, by_name, from_at, until_at,
    created_at)
VALUES (%(area_id)s, %(kinds)s, %(why)s, %(by_kind)s, %(by_id)s, %(by_name)s, %(from_at)s,
    %(until_at)s, %(now)s)
RETURNING maintenance_id;

-- name: end
-- Early; one that is over already stays as it is.
UPDATE maintenance SET ended_at = %(now)s
WHERE maintenance_id = %(id)s AND ended_at IS NULL AND until_at > %(now)s
  AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
RETURNING area_id;

-- name: wake
-- The worker raises what is still true.
NOTIFY maintenance_over;

-- name: page
-- Newest first, with how much each mutes at the moment.
SELECT m.*, (SELECT count(*) FROM muted_condition c WHERE c.maintenance_id = m.maintenance_id)
    AS muted
FROM maintenance m
WHERE m.maintenance_id < %(before)s
  AND (%(areas)s::text[] IS NULL OR m.area_id = ANY(%(areas)s))
  AND (%(since)s::timestamptz IS NULL OR coalesce(m.ended_at, m.until_at) > %(since)s)
ORDER BY m.maintenance_id DESC LIMIT %(limit)s;

-- name: open_windows
-- What may be open now: few rows, read with every batch that has a technical alarm.
SELECT maintenance_id, area_id, from_at, until_at, kinds, ended_at FROM maintenance
WHERE from_at <= %(now)s AND until_at > %(now)s AND (ended_at IS NULL OR ended_at > %(now)s);

-- name: areas_above
-- Each of these areas with itself and everything it lies in. UNION ends a circle.
WITH RECURSIVE above AS (
    SELECT a.area_id AS of_id, a.area_id, a.parent_id FROM area a WHERE a.area_id = ANY(%(ids)s)
    UNION
    SELECT above.of_id, a.area_id, a.parent_id FROM area a JOIN above ON a.area_id = above.parent_id
)
SELECT of_id, area_id FROM above;

-- name: mute
-- The newest alarm of a condition is the one that raises later.
INSERT INTO muted_condition (subject_kind, subject_id, kind, area_id, maintenance_id, muted_at,
    alarm)
VALUES (%(subject_kind)s, %(subject_id)s, %(kind)s, %(area_id)s, %(maintenance_id)s, %(muted_at)s,
    %(alarm)s)
ON CONFLICT (subject_kind, subject_id, kind) DO UPDATE SET area_id = excluded.area_id,
    maintenance_id = excluded.maintenance_id, alarm = excluded.alarm;

-- name: forget
-- The conditions ended, or they ring now.
DELETE FROM muted_condition c
USING unnest(%(subject_kinds)s::text[], %(subject_ids)s::text[], %(kinds)s::text[])
    AS given (subject_kind, subject_id, kind)
WHERE c.subject_kind = given.subject_kind AND c.subject_id = given.subject_id
  AND c.kind = given.kind;

-- name: over
-- Conditions whose window is over, held until commit; the oldest first.
SELECT c.subject_kind, c.subject_id, c.kind, c.area_id, c.muted_at, c.alarm
FROM muted_condition c JOIN maintenance m USING (maintenance_id)
WHERE coalesce(m.ended_at, m.until_at) <= %(now)s
ORDER BY c.muted_at LIMIT %(limit)s FOR UPDATE OF c SKIP LOCKED;
