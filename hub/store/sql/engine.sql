-- name: engine
-- Which engine keeps the observations, and under which licence.
SELECT (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS version,
    current_setting('timescaledb.license', true) AS licence,
    (SELECT relkind = 'r' FROM pg_class WHERE oid = 'observation'::regclass) AS hypertable;

-- name: fix_zone
-- The first hub on this database decides where its days begin.
UPDATE history_state SET time_zone = coalesce(time_zone, %(time_zone)s) RETURNING time_zone;

-- name: state
SELECT time_zone, aggregated_batch_id, aggregated_at, positions_gone_until,
    to_regclass('history_hour_auto') IS NOT NULL AS continuous
FROM history_state;

-- name: chunk_interval
SELECT set_chunk_time_interval('observation', make_interval(hours => %(chunk_hours)s));

-- name: compression
-- Rows of one device and measure lie together, as they are asked for.
ALTER TABLE observation SET (timescaledb.compress,
    timescaledb.compress_segmentby = 'device_id, measure',
    timescaledb.compress_orderby = 'observed_at DESC, message_key');

-- name: sparse_index
-- Recovery and aggregates ask by batch: compressed chunks then skip what is older (2.22 and newer).
ALTER TABLE observation SET (timescaledb.sparse_index = 'minmax(batch_id)');

-- name: policy
-- What is set now of a policy; no row: it is missing.
SELECT (config ->> %(key)s)::interval AS is_set, schedule_interval
FROM timescaledb_information.jobs j
WHERE j.proc_name = %(policy)s AND (config ->> 'hypertable_id' = %(table_id)s
    OR config ->> 'mat_hypertable_id' = %(table_id)s);

-- name: hypertable_id
SELECT h.id::text AS table_id FROM _timescaledb_catalog.hypertable h
WHERE h.schema_name = 'public' AND h.table_name = %(table)s
UNION ALL
SELECT c.mat_hypertable_id::text FROM _timescaledb_catalog.continuous_agg c
WHERE c.user_view_name = %(table)s;

-- name: drop_compression_policy
-- Of an older release. It would also take the chunk of 1970.
SELECT remove_compression_policy('observation', if_exists => true);

-- name: compression_action
-- A chunk at a time, each in its own transaction. Not the chunk of 1970: devices without a clock
-- write there today, and every one of their rows would be looked for among all the compressed ones;
-- an older release compressed it. A chunk that got late rows is compressed again.
CREATE OR REPLACE PROCEDURE compress_observations(job_id int, config jsonb) LANGUAGE plpgsql AS $$
DECLARE
    part record;
BEGIN
    FOR part IN SELECT format('%I.%I', chunk_schema, chunk_name)::regclass AS chunk,
            range_end, is_compressed
        FROM timescaledb_information.chunks
        WHERE format('%I.%I', hypertable_schema, hypertable_name)::regclass = 'observation'::regclass
          AND range_end <= now() - (config ->> 'compress_after')::interval
        ORDER BY range_start
    LOOP
        IF part.range_end > '2000-01-01 00:00:00+00' THEN
            PERFORM compress_chunk(part.chunk, true);
        ELSIF part.is_compressed THEN
            PERFORM decompress_chunk(part.chunk);
        END IF;
        COMMIT;
    END LOOP;
END $$;

-- name: compression_job
-- What is set now of it; no row: it is missing.
SELECT job_id, (config ->> 'compress_after')::interval AS is_set
FROM timescaledb_information.jobs WHERE proc_name = 'compress_observations';

-- name: drop_job
SELECT delete_job(%(job_id)s);

-- name: add_compression_job
SELECT add_job('compress_observations', interval '12 hours',
    config => jsonb_build_object('compress_after', make_interval(days => %(days)s)));

-- name: hour_aggregate
-- Quality 0 is good and 1 is poor; 46 is a position. Rows without a device time have no bucket
-- here: the worker counts them at their arrival.
CREATE MATERIALIZED VIEW history_hour_auto
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT time_bucket('1 hour', observed_at) AS bucket_at, device_id, measure, person_id, area_id,
    count(*) AS observations,
    count(*) FILTER (WHERE quality = 0) AS good,
    count(value) FILTER (WHERE quality <= 1) AS usable,
    min(value) FILTER (WHERE quality <= 1) AS lowest,
    max(value) FILTER (WHERE quality <= 1) AS highest,
    sum(value) FILTER (WHERE quality <= 1) AS total,
    max(observed_at) FILTER (WHERE state IS NOT NULL OR (value IS NOT NULL AND quality <= 1))
        AS last_at,
    last(value, observed_at) FILTER (WHERE value IS NOT NULL AND quality <= 1) AS last_value,
    last(state, observed_at) FILTER (WHERE state IS NOT NULL) AS last_state
FROM observation
WHERE measure <> 46 AND observed_at >= '2000-01-01 00:00:00+00'
GROUP BY 1, 2, 3, 4, 5 WITH NO DATA;

-- name: day_aggregate
-- The same by day. The zone is written into the definition, hence the place to fill in.
CREATE MATERIALIZED VIEW history_day_auto
WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT time_bucket('1 day', observed_at, {time_zone}) AS bucket_at, device_id, measure, person_id,
    area_id,
    count(*) AS observations,
    count(*) FILTER (WHERE quality = 0) AS good,
    count(value) FILTER (WHERE quality <= 1) AS usable,
    min(value) FILTER (WHERE quality <= 1) AS lowest,
    max(value) FILTER (WHERE quality <= 1) AS highest,
    sum(value) FILTER (WHERE quality <= 1) AS total,
    max(observed_at) FILTER (WHERE state IS NOT NULL OR (value IS NOT NULL AND quality <= 1))
        AS last_at,
    last(value, observed_at) FILTER (WHERE value IS NOT NULL AND quality <= 1) AS last_value,
    last(state, observed_at) FILTER (WHERE state IS NOT NULL) AS last_state
FROM observation
WHERE measure <> 46 AND observed_at >= '2000-01-01 00:00:00+00'
GROUP BY 1, 2, 3, 4, 5 WITH NO DATA;

-- name: ask_hour_aggregate
CREATE OR REPLACE VIEW observation_hour AS
SELECT * FROM history_hour UNION ALL SELECT bucket_at, device_id, measure, person_id, area_id,
    observations, good, usable, lowest, highest, total, last_at, last_value, last_state
FROM history_hour_auto;

-- name: ask_day_aggregate
CREATE OR REPLACE VIEW observation_day AS
SELECT * FROM history_day UNION ALL SELECT bucket_at, device_id, measure, person_id, area_id,
    observations, good, usable, lowest, highest, total, last_at, last_value, last_state
FROM history_day_auto;

-- name: drop_refresh_policy
SELECT remove_continuous_aggregate_policy(%(table)s, if_exists => true);

-- name: add_refresh_policy
-- Never as far back as raw observations are dropped: a refresh there would empty the aggregate.
SELECT add_continuous_aggregate_policy(%(table)s, start_offset => make_interval(days => %(days)s),
    end_offset => %(end_offset)s::interval,
    schedule_interval => make_interval(secs => %(every_s)s));

-- name: drop_retention_policy
SELECT remove_retention_policy(%(table)s, if_exists => true);

-- name: add_retention_policy
SELECT add_retention_policy(%(table)s, make_interval(days => %(days)s));
