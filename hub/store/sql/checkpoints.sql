-- name: save_shard
-- One shard of detector state; every batch up to the watermark is in it.
INSERT INTO detector_shard (owner, shard, watermark, saved_at, state)
VALUES (%(owner)s, %(shard)s, %(watermark)s, %(saved_at)s, %(state)s)
ON CONFLICT (owner, shard) DO UPDATE SET watermark = excluded.watermark,
    saved_at = excluded.saved_at, state = excluded.state;

-- name: drop_kept
-- What the shard that was just saved holds as well.
DELETE FROM detector_state
WHERE owner = %(owner)s AND shard = %(shard)s AND batch_id <= %(watermark)s;

-- name: load_shards
SELECT shard, watermark, state FROM detector_shard WHERE owner = %(owner)s;

-- name: save_kept
-- States stored with the batch that changed them.
INSERT INTO detector_state (owner, detector, key, shard, batch_id, state)
SELECT %(owner)s, detector, key, shard, %(batch_id)s, state
FROM unnest(%(detectors)s::text[], %(keys)s::text[], %(shards)s::smallint[], %(states)s::bytea[])
    AS kept (detector, key, shard, state)
ON CONFLICT (owner, detector, key) DO UPDATE SET batch_id = excluded.batch_id,
    state = excluded.state;

-- name: load_kept
SELECT detector, key, shard, batch_id, state FROM detector_state WHERE owner = %(owner)s;
