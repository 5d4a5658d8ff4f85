-- name: set_aside_tables
-- Tables whose rows wait to be moved, with their size in blocks.
SELECT c.relname AS name, pg_relation_size(c.oid) / current_setting('block_size')::bigint AS blocks
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'observation_aside'::regclass ORDER BY c.relname DESC;

-- name: native
-- Whether observations are in native partitions.
SELECT relkind = 'p' AS native FROM pg_class WHERE oid = 'observation'::regclass;

-- name: misplaced
-- Whether the default partition has rows of a time that may have a partition of its own.
SELECT EXISTS (
    SELECT FROM observation_default WHERE observed_at >= %(since)s AND observed_at < %(until)s
) AS misplaced;

-- name: detach_default
ALTER TABLE observation DETACH PARTITION observation_default;

-- name: attach_default
CREATE TABLE observation_default PARTITION OF observation DEFAULT;

-- name: days_between
-- The days of the rows in a span of blocks of one table that was set aside.
SELECT DISTINCT (observed_at AT TIME ZONE 'UTC')::date AS day FROM ONLY {table}
WHERE ctid >= %(first)s::tid AND ctid < %(after)s::tid;

-- name: move
-- Rows of a span of blocks go where they belong; what is there already is the same row.
WITH moved AS (
    DELETE FROM ONLY {table} WHERE ctid >= %(first)s::tid AND ctid < %(after)s::tid RETURNING *
)
INSERT INTO observation SELECT * FROM moved ON CONFLICT DO NOTHING;

-- name: is_empty
SELECT NOT EXISTS (SELECT FROM ONLY {table}) AS empty;

-- name: drop_aside
DROP TABLE {table};
