-- name: lock
-- One claim at a time.
LOCK TABLE ingest_owner IN SHARE ROW EXCLUSIVE MODE;

-- name: overlapping
-- Living owners whose areas lie above, below or among those asked for (empty: everything).
WITH RECURSIVE below (top, area_id) AS (
    SELECT area_id, area_id FROM area
    UNION
    SELECT b.top, a.area_id FROM area a JOIN below b ON a.parent_id = b.area_id
), wanted AS (
    SELECT area_id FROM below WHERE top = ANY(%(area_ids)s)
    UNION SELECT unnest(%(area_ids)s::text[])
)
SELECT o.owner, o.area_ids, o.host, o.pid, o.since, o.seen_at, o.instance,
    extract(epoch FROM now() - o.seen_at)::float8 AS silent_s
FROM ingest_owner o
WHERE (o.owner <> %(owner)s OR o.instance <> %(instance)s)
  AND o.seen_at > now() - make_interval(secs => %(alive_s)s)
  AND (cardinality(%(area_ids)s::text[]) = 0 OR cardinality(o.area_ids) = 0 OR EXISTS (
    SELECT FROM wanted w
    WHERE w.area_id IN (SELECT b.area_id FROM below b WHERE b.top = ANY(o.area_ids))
       OR w.area_id = ANY(o.area_ids)));

-- name: claim
INSERT INTO ingest_owner (owner, area_ids, instance, host, pid, since, seen_at)
VALUES (%(owner)s, %(area_ids)s, %(instance)s, %(host)s, %(pid)s, now(), now())
ON CONFLICT (owner) DO UPDATE SET area_ids = excluded.area_ids, instance = excluded.instance,
    host = excluded.host, pid = excluded.pid, since = excluded.since, seen_at = excluded.seen_at;

-- name: beat
-- Still here. No row: somebody else has taken it over.
UPDATE ingest_owner SET seen_at = now(), has_sessions = has_sessions OR %(has_sessions)s
WHERE owner = %(owner)s AND instance = %(instance)s AND pid = %(pid)s RETURNING owner;

-- name: others
-- The living. What a dead owner would take rings here meanwhile; its session keeps it all the same,
-- and what it then finds recorded is a repeat.
SELECT owner, area_ids FROM ingest_owner WHERE owner <> %(owner)s
  AND seen_at > now() - make_interval(secs => %(alive_s)s);

-- name: unknown_areas
SELECT a.id FROM unnest(%(area_ids)s::text[]) AS a (id)
WHERE NOT EXISTS (SELECT FROM area WHERE area_id = a.id);

-- name: forget
DELETE FROM ingest_owner WHERE owner = %(owner)s AND seen_at < now() - make_interval(secs =>
    %(alive_s)s) RETURNING owner;
