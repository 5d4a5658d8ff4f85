-- name: claim
-- One worker at a time; the others find it taken and go on with their day.
SELECT pg_try_advisory_xact_lock(%(key)s) AS ours;

-- name: newest_batch
-- The last batch number anybody was given.
SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS batch_id FROM batch_id;

-- name: now
SELECT clock_timestamp() AS at;

-- name: settled
-- Whether every transaction that may hold a batch number given out before `at` has ended. Batches
-- do not commit in the order of their numbers. One that writes is waited for, however long; one
-- that has not written within a minute is none of ingest's (which gives up after 30 s) but, say, a
-- dump.
SELECT NOT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start <= %(at)s
      AND (backend_xid IS NOT NULL OR %(at)s > clock_timestamp() - interval '60 s')
) AS settled;

-- name: aggregate
-- Adds a span of batches to hourly and daily buckets and to what every device said last. Each row
-- is added once: the progress is saved in the same transaction. Rows do not change, and a late one
-- lies in a later batch, so adding is exact. Where continuous aggregates do the dated rows, only
-- those without a device time are added here. Quality 0 is good and 1 is poor.
WITH told AS MATERIALIZED (
    SELECT area_id, device_id, person_id, measure, value, state, quality, received_at,
        CASE WHEN observed_at = %(unknown)s THEN received_at ELSE observed_at END AS at,
        observed_at = %(unknown)s AS undated,
        (value IS NOT NULL AND quality <= 1) AS usable
    FROM observation_all WHERE batch_id > %(after)s AND batch_id <= %(until)s
),
parts AS MATERIALIZED (
    SELECT area_id, device_id, person_id, measure,
        date_trunc('hour', at, 'UTC') AS hour_at, date_trunc('day', at, %(time_zone)s) AS day_at,
        count(*) AS observations, count(*) FILTER (WHERE quality = 0) AS good,
        count(*) FILTER (WHERE usable) AS usable,
        min(value) FILTER (WHERE usable) AS lowest, max(value) FILTER (WHERE usable) AS highest,
        sum(value) FILTER (WHERE usable) AS total,
        max(at) FILTER (WHERE usable OR state IS NOT NULL) AS last_at,
        (array_agg(value ORDER BY at DESC) FILTER (WHERE usable))[1] AS last_value,
        (array_agg(state ORDER BY at DESC) FILTER (WHERE state IS NOT NULL))[1] AS last_state
    FROM told
    WHERE measure <> %(position)s AND at >= %(oldest)s AND at < %(newest)s
      AND (undated OR NOT %(continuous)s)
    GROUP BY 1, 2, 3, 4, 5, 6
),
hours AS (
    INSERT INTO history_hour AS h
    SELECT hour_at, device_id, measure, person_id, area_id, sum(observations), sum(good),
        sum(usable), min(lowest), max(highest), sum(total), max(last_at),
        (array_agg(last_value ORDER BY last_at DESC) FILTER (WHERE last_value IS NOT NULL))[1],
        (array_agg(last_state ORDER BY last_at DESC) FILTER (WHERE last_state IS NOT NULL))[1]
    FROM parts WHERE hour_at >= %(oldest_hour)s GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (device_id, measure, bucket_at, person_id, area_id) DO UPDATE SET
        observations = h.observations + excluded.observations, good = h.good + excluded.good,
        usable = h.usable + excluded.usable, lowest = least(h.lowest, excluded.lowest),
        highest = greatest(h.highest, excluded.highest),
        total = coalesce(h.total + excluded.total, h.total, excluded.total),
        last_at = greatest(h.last_at, excluded.last_at),
        last_value = CASE WHEN excluded.last_at < h.last_at
            THEN coalesce(h.last_value, excluded.last_value)
            ELSE coalesce(excluded.last_value, h.last_value) END,
        last_state = CASE WHEN excluded.last_at < h.last_at
            THEN coalesce(h.last_state, excluded.last_state)
            ELSE coalesce(excluded.last_state, h.last_state) END
    RETURNING 1
),
days AS (
    INSERT INTO history_day AS h
    SELECT day_at, device_id, measure, person_id, area_id, sum(observations), sum(good),
        sum(usable), min(lowest), max(highest), sum(total), max(last_at),
        (array_agg(last_value ORDER BY last_at DESC) FILTER (WHERE last_value IS NOT NULL))[1],
        (array_agg(last_state ORDER BY last_at DESC) FILTER (WHERE last_state IS NOT NULL))[1]
    FROM parts GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (device_id, measure, bucket_at, person_id, area_id) DO UPDATE SET
        observations = h.observations + excluded.observations, good = h.good + excluded.good,
        usable = h.usable + excluded.usable, lowest = least(h.lowest, excluded.lowest),
        highest = greatest(h.highest, excluded.highest),
        total = coalesce(h.total + excluded.total, h.total, excluded.total),
        last_at = greatest(h.last_at, excluded.last_at),
        last_value = CASE WHEN excluded.last_at < h.last_at
            THEN coalesce(h.last_value, excluded.last_value)
            ELSE coalesce(excluded.last_value, h.last_value) END,
        last_state = CASE WHEN excluded.last_at < h.last_at
            THEN coalesce(h.last_state, excluded.last_state)
            ELSE coalesce(excluded.last_state, h.last_state) END
    RETURNING 1
),
newest AS (
    INSERT INTO device_last AS l (device_id, measure, area_id, observed_at, received_at, value,
        state, quality)
    SELECT DISTINCT ON (device_id, measure) device_id, measure, area_id, at,
        max(received_at) OVER (PARTITION BY device_id, measure), value, state, quality
    FROM told WHERE at <= received_at + %(clock_ahead)s
    ORDER BY device_id, measure, at DESC
    ON CONFLICT (device_id, measure) DO UPDATE SET
        area_id = CASE WHEN excluded.observed_at < l.observed_at THEN l.area_id
            ELSE excluded.area_id END,
        received_at = greatest(l.received_at, excluded.received_at),
        value = CASE WHEN excluded.observed_at < l.observed_at THEN l.value
            ELSE excluded.value END,
        state = CASE WHEN excluded.observed_at < l.observed_at THEN l.state
            ELSE excluded.state END,
        quality = CASE WHEN excluded.observed_at < l.observed_at THEN l.quality
            ELSE excluded.quality END,
        observed_at = greatest(l.observed_at, excluded.observed_at)
    RETURNING 1
),
heard AS (
    INSERT INTO device_heard AS h (device_id, area_id, received_at)
    SELECT device_id, min(area_id), max(received_at) FROM told GROUP BY 1
    ON CONFLICT (device_id) DO UPDATE SET area_id = excluded.area_id,
        received_at = greatest(h.received_at, excluded.received_at)
    RETURNING 1
),
worn AS (
    INSERT INTO device_wearer AS w (person_id, device_id, area_id, first_at, last_at)
    SELECT person_id, device_id, min(area_id), min(at), max(at) FROM told
    WHERE person_id IS NOT NULL AND at >= %(oldest)s AND at < %(newest)s GROUP BY 1, 2
    ON CONFLICT (person_id, device_id) DO UPDATE SET area_id = excluded.area_id,
        first_at = least(w.first_at, excluded.first_at),
        last_at = greatest(w.last_at, excluded.last_at)
    RETURNING 1
)
SELECT (SELECT count(*) FROM told) AS rows, (SELECT count(*) FROM heard) AS devices,
    (SELECT count(*) FROM worn) AS wearers, (SELECT count(*) FROM hours) AS hours,
    (SELECT count(*) FROM days) AS days, (SELECT count(*) FROM newest) AS newest;

-- name: advance
UPDATE history_state SET aggregated_batch_id = %(until)s;

-- name: caught_up
UPDATE history_state SET aggregated_at = %(at)s;

-- name: history_partitions
SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = to_regclass(%(table)s);
