-- History: hourly and daily aggregates, what every device said last, and room for rows that must
-- move. With the extension timescaledb in this database `observation` becomes a hypertable; without
-- it, it stays a table of native daily partitions. Compression, continuous aggregates and policies
-- depend on settings and on TimescaleDB's licence: hub/store/engine.py adds them after this file.
--
-- Nothing here reads or moves stored observations: old rows are set aside by changing the catalogue
-- only, and the worker moves them while the hub runs. The lock on `observation` is held for
-- milliseconds; if it cannot be had in time the migration fails and may simply be tried again.

SET LOCAL lock_timeout = '10s';

-- One row: how far the aggregates are, and the zone whose midnight begins a daily bucket. The zone
-- is fixed when the first hub starts on this database: buckets of two zones cannot be added up.
CREATE TABLE history_state (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    time_zone text,
    aggregated_batch_id bigint NOT NULL DEFAULT 0,
    aggregated_at timestamptz,
    positions_gone_until timestamptz
);
INSERT INTO history_state DEFAULT VALUES;

-- Rows on their way into `observation`: tables that were set aside inherit from this one, and
-- readers see both. It has no rows of its own.
CREATE TABLE observation_aside (LIKE observation);

DO $$
DECLARE
    part regclass;
    empty boolean;
BEGIN
    LOCK TABLE observation IN ACCESS EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        FOR part IN SELECT inhrelid::regclass FROM pg_inherits
            WHERE inhparent = 'observation'::regclass LOOP
            EXECUTE format('ALTER TABLE observation DETACH PARTITION %s', part);
            EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s)', part) INTO empty;
            IF empty THEN
                -- contracts: the partition is empty, and detached
                EXECUTE format('DROP TABLE %s', part);
            ELSE
                EXECUTE format('ALTER TABLE %s INHERIT observation_aside', part);
            END IF;
        END LOOP;
        -- contracts: no release before this one ran on TimescaleDB; it is made again below
        DROP TABLE observation;
        CREATE TABLE observation (LIKE observation_aside INCLUDING ALL);
        PERFORM create_hypertable('observation', 'observed_at',
            chunk_time_interval => interval '1 day', create_default_indexes => false);
        CREATE UNIQUE INDEX observation_key
            ON observation (device_id, measure, observed_at, message_key);
        CREATE INDEX observation_batch ON observation USING brin (batch_id);
        -- Devices without a clock: their rows all have the same observed_at.
        CREATE INDEX observation_undated ON observation (device_id, measure, received_at)
            WHERE observed_at = '1970-01-01 00:00:00+00';
    ELSE
        SELECT NOT EXISTS (SELECT FROM observation_default) INTO empty;
        IF NOT empty THEN
            ALTER TABLE observation DETACH PARTITION observation_default;
            -- contracts: writers know the parent only, and it gets a new default partition
            ALTER TABLE observation_default RENAME TO observation_aside_0001;
            ALTER TABLE observation_aside_0001 INHERIT observation_aside;
            CREATE TABLE observation_default PARTITION OF observation DEFAULT;
        END IF;
        -- Devices without a clock: all their rows are in this partition.
        CREATE TABLE observation_undated PARTITION OF observation
            FOR VALUES FROM ('1970-01-01 00:00:00+00') TO ('1970-01-02 00:00:00+00');
        CREATE INDEX observation_undated_received
            ON observation_undated (device_id, measure, received_at);
    END IF;
END $$;

-- What every reader of raw observations asks.
CREATE VIEW observation_all AS
    SELECT * FROM observation UNION ALL SELECT * FROM observation_aside;

-- One bucket of one device, person and measure. `usable` counts numbers of quality good or poor:
-- only they are in lowest, highest and total. The last_ columns are the newest usable number, or
-- the newest state. An unknown device time counts as its arrival.
CREATE TABLE history_hour (
    bucket_at timestamptz NOT NULL,
    device_id text NOT NULL,
    measure smallint NOT NULL,
    person_id text,
    area_id text NOT NULL,
    observations bigint NOT NULL,
    good bigint NOT NULL,
    usable bigint NOT NULL,
    lowest double precision,
    highest double precision,
    total double precision,
    last_at timestamptz,
    last_value double precision,
    last_state text
) PARTITION BY RANGE (bucket_at);
CREATE UNIQUE INDEX history_hour_key
    ON history_hour (device_id, measure, bucket_at, person_id, area_id) NULLS NOT DISTINCT;

CREATE TABLE history_day (LIKE history_hour) PARTITION BY RANGE (bucket_at);
CREATE UNIQUE INDEX history_day_key
    ON history_day (device_id, measure, bucket_at, person_id, area_id) NULLS NOT DISTINCT;
-- A report of an area is answered from the index alone: in the table its rows lie a page apart.
CREATE INDEX history_day_area ON history_day (area_id, measure, bucket_at)
    INCLUDE (device_id, observations, good, usable, lowest, highest, total);

-- What is asked. On TimescaleDB with continuous aggregates these views add them.
CREATE VIEW observation_hour AS SELECT * FROM history_hour;
CREATE VIEW observation_day AS SELECT * FROM history_day;

-- The newest observation of every device and measure as of history_state.aggregated_batch_id, so
-- that a list of devices need not look into every partition. Of positions, only that one came.
CREATE TABLE device_last (
    device_id text NOT NULL,
    measure smallint NOT NULL,
    area_id text NOT NULL,
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    value double precision,
    state text,
    quality smallint NOT NULL,
    PRIMARY KEY (device_id, measure)
);

-- When each device was heard last, by any measure: finds the silent without asking every one.
CREATE TABLE device_heard (
    device_id text PRIMARY KEY,
    area_id text NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX device_heard_received ON device_heard (received_at, device_id);

-- Which devices measured whom, and from when to when: a person's history is asked by device, also of
-- one that was swapped, and buckets need no second index.
CREATE TABLE device_wearer (
    person_id text NOT NULL,
    device_id text NOT NULL,
    area_id text NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (person_id, device_id)
);
CREATE INDEX device_wearer_last ON device_wearer (last_at);

-- Retention (hub/store/retention.py) finds what is old without reading what is not.
CREATE INDEX signal_window_received ON signal_window (received_at);
CREATE INDEX quarantine_received ON quarantine (received_at);
CREATE INDEX desk_action_recorded ON desk_action (recorded_at);
CREATE INDEX notification_settled ON notification (settled_at) WHERE state <> 'pending';
CREATE INDEX incident_resolved_at ON incident (resolved_at) WHERE state = 'resolved';
CREATE INDEX audit_log_at ON audit_log USING brin (at);

-- The log stays append-only. Retention alone takes away what is past its time, says so in its own
-- transaction, and even then never less than six months old (Cybersecurity Law of the PRC, article
-- 21: network logs are kept for at least six months).
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('carebell.retention', true) = 'on' THEN
        IF OLD.at < now() - interval '183 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only';
END $$;
