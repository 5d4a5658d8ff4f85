-- name: care
-- Everything that is set for one person; one row, also where nothing is.
SELECT p.person_id, p.area_id,
    coalesce(c.oxygen_scale_2, false) AS oxygen_scale_2, coalesce(c.on_oxygen, false) AS on_oxygen,
    coalesce(c.inactivity_limit_percent, 100) AS inactivity_limit_percent,
    c.author AS settings_author, c.set_on AS settings_set_on
FROM person p LEFT JOIN person_care c USING (person_id) WHERE p.person_id = %(person_id)s;

-- name: limits
SELECT measure, low, high, author, set_on FROM person_limit
WHERE person_id = %(person_id)s ORDER BY measure;

-- name: fences
SELECT fence_id, label, shapes, active_from_min, active_until_min, author, set_on FROM fence
WHERE person_id = %(person_id)s ORDER BY fence_id;

-- name: put_limit
INSERT INTO person_limit (person_id, measure, area_id, low, high, author, set_on)
SELECT person_id, %(measure)s, area_id, %(low)s, %(high)s, %(author)s, %(set_on)s
FROM person WHERE person_id = %(person_id)s
ON CONFLICT (person_id, measure) DO UPDATE SET low = excluded.low, high = excluded.high,
    author = excluded.author, set_on = excluded.set_on;

-- name: drop_limit
DELETE FROM person_limit WHERE person_id = %(person_id)s AND measure = %(measure)s;

-- name: put_settings
INSERT INTO person_care (person_id, area_id, oxygen_scale_2, on_oxygen, inactivity_limit_percent,
    author, set_on)
SELECT person_id, area_id, %(oxygen_scale_2)s, %(on_oxygen)s, %(inactivity_limit_percent)s,
    %(author)s, %(set_on)s
FROM person WHERE person_id = %(person_id)s
ON CONFLICT (person_id) DO UPDATE SET oxygen_scale_2 = excluded.oxygen_scale_2,
    on_oxygen = excluded.on_oxygen,
    inactivity_limit_percent = excluded.inactivity_limit_percent,
    author = excluded.author, set_on = excluded.set_on;

-- name: put_fence
-- A new one only while the person has fewer than the most allowed; the row is locked meanwhile.
INSERT INTO fence (fence_id, person_id, area_id, label, shapes, active_from_min, active_until_min,
    author, set_on)
SELECT %(fence_id)s, person_id, area_id, %(label)s, %(shapes)s::jsonb, %(active_from_min)s,
    %(active_until_min)s, %(author)s, %(set_on)s
FROM (SELECT person_id, area_id FROM person WHERE person_id = %(person_id)s FOR UPDATE) AS p
WHERE (SELECT count(*) FROM fence f
    WHERE f.person_id = p.person_id AND f.fence_id <> %(fence_id)s) < %(most)s
ON CONFLICT (person_id, fence_id) DO UPDATE SET label = excluded.label, shapes = excluded.shapes,
    active_from_min = excluded.active_from_min, active_until_min = excluded.active_until_min,
    author = excluded.author, set_on = excluded.set_on;

-- name: drop_fence
DELETE FROM fence WHERE person_id = %(person_id)s AND fence_id = %(fence_id)s;

-- name: bed_devices
SELECT device_id FROM device WHERE person_id = %(person_id)s AND NOT revoked ORDER BY device_id;
