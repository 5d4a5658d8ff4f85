-- name: renew
-- This process runs, and so far it has shown that press of the hub's own.
INSERT INTO live_feed (feed_id, area_id, since, seen_at, synthetic_id, synthetic_at)
VALUES (%(feed_id)s, %(area_id)s, %(now)s, %(now)s, %(synthetic_id)s, %(synthetic_at)s)
ON CONFLICT (feed_id) DO UPDATE SET seen_at = excluded.seen_at,
    synthetic_id = coalesce(excluded.synthetic_id, live_feed.synthetic_id),
    synthetic_at = coalesce(excluded.synthetic_at, live_feed.synthetic_at);

-- name: gone
-- Desks that hung up.
DELETE FROM desk_presence WHERE feed_id = %(feed_id)s AND NOT account_id = ANY(%(accounts)s);

-- name: come
INSERT INTO desk_presence (feed_id, account_id, area_id, role, since)
SELECT %(feed_id)s, d.account_id, d.area_id, d.role, %(now)s
FROM unnest(%(accounts)s::text[], %(areas)s::text[], %(roles)s::text[])
    AS d (account_id, area_id, role)
ON CONFLICT (feed_id, account_id) DO UPDATE SET area_id = excluded.area_id, role = excluded.role;

-- name: leave
-- The process ends in good order.
DELETE FROM live_feed WHERE feed_id = %(feed_id)s;

-- name: forget
-- Processes that ended in no order.
DELETE FROM live_feed WHERE seen_at < %(before)s;

-- name: present
-- Who is at a desk that sees one of these areas (NULL: anywhere); pass an area with all above it.
SELECT p.account_id, p.area_id, p.role, min(p.since) AS since
FROM desk_presence p JOIN live_feed f USING (feed_id)
WHERE f.seen_at > %(alive_since)s
  AND (%(areas)s::text[] IS NULL OR p.area_id = ANY(%(areas)s))
GROUP BY p.account_id, p.area_id, p.role ORDER BY p.account_id;

-- name: desks
-- The same with their names, for people.
SELECT p.account_id, a.name AS account_name, p.area_id, p.role, min(p.since) AS since
FROM desk_presence p JOIN live_feed f USING (feed_id) JOIN account a USING (account_id)
WHERE f.seen_at > %(alive_since)s
  AND (%(areas)s::text[] IS NULL OR p.area_id = ANY(%(areas)s))
GROUP BY p.account_id, a.name, p.area_id, p.role ORDER BY a.name, p.account_id;

-- name: feeds
-- The processes that run.
SELECT count(*) AS feeds FROM live_feed WHERE seen_at > %(alive_since)s;

-- name: shown
-- When a desk's feed first showed that press of the hub's own.
SELECT min(synthetic_at) AS shown_at FROM live_feed WHERE synthetic_id = %(press_id)s;
