-- name: open_outage
-- A batch that is tried again finds its own row.
INSERT INTO area_outage (outage_id, area_id, began_at, most)
VALUES (%(outage_id)s, %(area_id)s, %(began_at)s, %(most)s)
ON CONFLICT (outage_id) DO UPDATE SET cleared_at = NULL, most = excluded.most;

-- name: add_devices
INSERT INTO area_outage_device (outage_id, device_id, area_id, heard_at)
SELECT o.outage_id, d.device_id, o.area_id, d.heard_at FROM area_outage o
CROSS JOIN unnest(%(devices)s::text[], %(heard)s::timestamptz[]) AS d (device_id, heard_at)
WHERE o.outage_id = %(outage_id)s
ON CONFLICT (outage_id, device_id) DO UPDATE SET heard_at = excluded.heard_at, back_at = NULL;

-- name: devices_back
UPDATE area_outage_device SET back_at = %(at)s
WHERE outage_id = %(outage_id)s AND device_id = ANY(%(devices)s);

-- name: clear_outages
-- Over; those of the last quarter are kept for reports.
WITH old AS (DELETE FROM area_outage WHERE cleared_at < now() - interval '90 days')
UPDATE area_outage SET cleared_at = %(at)s WHERE outage_id = ANY(%(ids)s);

-- name: open_outages
SELECT o.outage_id, o.area_id, o.began_at, o.most,
    coalesce(array_agg(d.device_id ORDER BY d.device_id) FILTER (WHERE d.device_id IS NOT NULL),
        '{}') AS devices,
    coalesce(array_agg(d.heard_at ORDER BY d.device_id) FILTER (WHERE d.device_id IS NOT NULL),
        '{}') AS heard
FROM area_outage o
LEFT JOIN area_outage_device d ON d.outage_id = o.outage_id AND d.back_at IS NULL
WHERE o.cleared_at IS NULL AND (%(areas)s::text[] IS NULL OR o.area_id = ANY(%(areas)s))
GROUP BY o.outage_id ORDER BY o.began_at;

-- name: outages_page
-- Open ones and those of the last week, newest first, as a desk shows them.
SELECT o.outage_id, o.area_id, o.began_at, o.cleared_at, o.most,
    (SELECT count(*) FROM area_outage_device d
        WHERE d.outage_id = o.outage_id AND d.back_at IS NULL) AS silent
FROM area_outage o
WHERE (%(areas)s::text[] IS NULL OR o.area_id = ANY(%(areas)s))
  AND (o.cleared_at IS NULL OR o.cleared_at > %(since)s)
ORDER BY o.cleared_at IS NOT NULL, o.began_at DESC LIMIT %(limit)s;

-- name: outage_devices
-- A page of the devices of an outage, those still silent first, with where they are.
SELECT d.device_id, d.heard_at, d.back_at, v.kind, v.premises_id, v.person_id
FROM area_outage_device d LEFT JOIN device v ON v.device_id = d.device_id
WHERE d.outage_id = %(outage_id)s AND d.device_id > %(after)s
  AND (NOT %(silent)s OR d.back_at IS NULL)
ORDER BY d.device_id LIMIT %(limit)s;

-- name: outage_area
SELECT area_id FROM area_outage WHERE outage_id = %(outage_id)s;
