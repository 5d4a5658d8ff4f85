-- name: lock_seal
-- One sealer at a time; the others find it taken and come back.
SELECT pg_try_advisory_xact_lock(%(key)s) AS ours;

-- name: head
-- The newest block.
SELECT number, hash, upto_entry_id, sealed_at FROM audit_block ORDER BY number DESC LIMIT 1;

-- name: oldest_transaction
-- Since when the oldest transaction that may still write is running: an id that was passed after
-- that may yet come. One that has not written within ten minutes is not of ours but, say, a dump.
SELECT coalesce(min(xact_start), clock_timestamp()) AS at FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND (backend_xid IS NOT NULL OR xact_start > clock_timestamp() - interval '10 min');

-- name: awaited
SELECT first_id, last_id, since FROM audit_awaited ORDER BY first_id;

-- name: forget_awaited
DELETE FROM audit_awaited WHERE first_id = ANY(%(first_ids)s);

-- name: await
INSERT INTO audit_awaited (first_id, last_id, since)
VALUES (%(first_id)s, %(last_id)s, %(since)s);

-- name: clock
SELECT clock_timestamp() AS at;

-- name: entries_awaited
-- Those of the awaited ids that have come meanwhile.
SELECT l.entry_id, round(extract(epoch FROM l.at) * 1000000)::text, l.area_id, l.incident_id,
    l.actor_kind, l.actor_id, l.actor_name, l.action, l.reason, l.detail::text
FROM audit_awaited w JOIN audit_log l ON l.entry_id BETWEEN w.first_id AND w.last_id
ORDER BY l.entry_id LIMIT %(limit)s;

-- name: entries_after
-- The next entries by id.
SELECT entry_id, round(extract(epoch FROM at) * 1000000)::text, area_id, incident_id,
    actor_kind, actor_id, actor_name, action, reason, detail::text
FROM audit_log WHERE entry_id > %(after)s ORDER BY entry_id LIMIT %(limit)s;

-- name: add_block
INSERT INTO audit_block (number, sealed_at, previous_hash, hash, root, upto_entry_id, newest_at,
    entry_ids, digests)
VALUES (%(number)s, %(sealed_at)s, %(previous_hash)s, %(hash)s, %(root)s, %(upto_entry_id)s,
    %(newest_at)s, %(entry_ids)s, %(digests)s);

-- name: blocks
-- The whole chain in order.
SELECT number, round(extract(epoch FROM sealed_at) * 1000000)::text, previous_hash, hash, root,
    upto_entry_id, round(extract(epoch FROM newest_at) * 1000000)::text, entry_ids, digests
FROM audit_block ORDER BY number;

-- name: entries
-- The whole log by id.
SELECT entry_id, round(extract(epoch FROM at) * 1000000)::text, area_id, incident_id,
    actor_kind, actor_id, actor_name, action, reason, detail::text
FROM audit_log ORDER BY entry_id;

-- name: state
-- How far the log is sealed. Of what waits at most 100,000 are counted.
SELECT h.number, h.hash, h.sealed_at, w.count AS waiting,
    extract(epoch FROM %(now)s - w.oldest_at) AS waiting_s
FROM (SELECT 1) AS one
LEFT JOIN (SELECT number, hash, sealed_at, upto_entry_id FROM audit_block
           ORDER BY number DESC LIMIT 1) AS h ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS count, min(at) AS oldest_at FROM (
        (SELECT at FROM audit_log WHERE entry_id > coalesce(h.upto_entry_id, 0)
            ORDER BY entry_id LIMIT 100000)
        UNION ALL
        (SELECT l.at FROM audit_awaited a
            JOIN audit_log l ON l.entry_id BETWEEN a.first_id AND a.last_id LIMIT 1000)
    ) AS waits
) AS w;

-- name: block_of
-- The block that sealed an entry. Its id was passed by the first of these blocks; where it came too
-- late for that one, one of the next has it.
SELECT number, sealed_at, previous_hash, hash, root, entry_ids, digests FROM (
    SELECT * FROM audit_block WHERE upto_entry_id >= %(entry_id)s ORDER BY number LIMIT 1000
) AS near
WHERE %(entry_id)s = ANY(entry_ids) ORDER BY number LIMIT 1;

-- name: oldest_blocks
-- What retention may take next: from the beginning, never the head.
SELECT number, hash, newest_at, entry_ids FROM audit_block
WHERE number < (SELECT max(number) FROM audit_block) ORDER BY number LIMIT %(limit)s;

-- name: still_told_of
-- Whether an entry belongs to an incident that is still kept.
SELECT EXISTS (
    SELECT FROM audit_log l JOIN incident i USING (incident_id)
    WHERE l.entry_id = ANY(%(entry_ids)s)
) AS kept;

-- name: remove_entries
DELETE FROM audit_log WHERE entry_id = ANY(%(entry_ids)s);

-- name: remove_blocks
DELETE FROM audit_block WHERE number <= %(upto)s;

-- name: let_retention
-- For this transaction the log and its seal let go of what is past its time.
SET LOCAL carebell.retention = 'on';

-- name: log_of_incident
-- Everything the log says of an incident, oldest first.
SELECT entry_id, round(extract(epoch FROM at) * 1000000)::text AS at_us, area_id, incident_id,
    actor_kind, actor_id, actor_name, action, reason, detail::text AS detail_text, at, detail
FROM audit_log WHERE incident_id = %(incident_id)s ORDER BY entry_id LIMIT %(limit)s;
