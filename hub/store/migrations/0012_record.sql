-- The record: blocks that seal the audit log, every send in the log, facts of incidents for figures,
-- tests and visits of people.

-- ---- the log is sealed -------------------------------------------------------------------------

-- A block holds the digests of entries that were committed when it was made, by ascending id, and
-- the hash of the block before it (hub/audit_chain.py). Entries commit in another order than their
-- ids were given out: one that was still missing when its id was passed is sealed by a later block.
CREATE TABLE audit_block (
    number bigint PRIMARY KEY,
    sealed_at timestamptz NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    root bytea NOT NULL,
    -- No id up to this one is new to a later block, except the awaited ones.
    upto_entry_id bigint NOT NULL,
    -- The `at` of its newest entry: what retention goes by.
    newest_at timestamptz NOT NULL,
    entry_ids bigint[] NOT NULL,
    digests bytea NOT NULL,
    CONSTRAINT audit_block_whole CHECK (octet_length(digests) = 32 * cardinality(entry_ids))
);
CREATE INDEX audit_block_upto ON audit_block (upto_entry_id);

-- Ids that were passed without an entry: of a transaction that is still running, or was rolled back.
-- `since` is the database's clock; when every transaction from before has ended the ids are dropped.
CREATE TABLE audit_awaited (
    first_id bigint PRIMARY KEY,
    last_id bigint NOT NULL,
    since timestamptz NOT NULL
);

CREATE FUNCTION refuse_block_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('carebell.retention', true) = 'on' THEN
        IF OLD.newest_at < now() - interval '183 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the seal of the audit log is append-only';
END $$;
CREATE TRIGGER audit_block_append_only BEFORE UPDATE OR DELETE ON audit_block
    FOR EACH ROW EXECUTE FUNCTION refuse_block_change();
CREATE TRIGGER audit_block_never_emptied BEFORE TRUNCATE ON audit_block
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_block_change();

-- ---- every send is in the log ------------------------------------------------------------------

-- In the transaction that settles the attempt, whoever settles it.
CREATE FUNCTION log_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_log (at, area_id, incident_id, actor_kind, actor_id, action, reason, detail)
    VALUES (NEW.at, NEW.area_id, NEW.incident_id, 'hub', 'courier', 'send', NEW.state,
        jsonb_strip_nulls(jsonb_build_object(
            'notification_id', NEW.notification_id, 'delivery_id', NEW.delivery_id,
            'channel', NEW.channel, 'recipient', NEW.recipient, 'address', NEW.address,
            'attempt', NEW.attempt, 'provider_id', NEW.provider_id,
            'detail', nullif(left(NEW.detail, 300), ''))));
    RETURN NULL;
END $$;
CREATE TRIGGER delivery_settled AFTER UPDATE OF state ON delivery
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION log_delivery();
CREATE TRIGGER delivery_settled_at_once AFTER INSERT ON delivery
    FOR EACH ROW WHEN (NEW.state <> 'sending') EXECUTE FUNCTION log_delivery();

-- ---- figures -----------------------------------------------------------------------------------

ALTER TABLE device ADD COLUMN model text;
ALTER TABLE area ADD COLUMN time_zone text;

-- The zone an area's days are counted in: its own, else that of the nearest area above, else the
-- hub's.
CREATE FUNCTION zone_of_area(wanted text) RETURNS text LANGUAGE sql STABLE AS $$
    WITH RECURSIVE above AS (
        SELECT a.area_id, a.parent_id, a.time_zone, 0 AS height FROM area a WHERE a.area_id = wanted
        UNION ALL
        SELECT a.area_id, a.parent_id, a.time_zone, above.height + 1
        FROM area a JOIN above ON a.area_id = above.parent_id
    )
    SELECT coalesce(
        (SELECT time_zone FROM above WHERE time_zone IS NOT NULL ORDER BY height LIMIT 1),
        (SELECT time_zone FROM history_state), 'Asia/Shanghai')
$$;

-- Seconds between two times, never below 0 (clocks of two processes differ a little); NULL where one
-- is unknown.
CREATE FUNCTION seconds_from(since timestamptz, until timestamptz) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN until < since THEN 0 ELSE extract(epoch FROM until - since) END::double precision
$$;

-- One row an incident that counts: what figures are added up from, so that a question over a year
-- reads one narrow table. Times are seconds since the incident rang first; drills are not in it.
CREATE TABLE incident_fact (
    incident_id text PRIMARY KEY REFERENCES incident ON DELETE CASCADE,
    area_id text NOT NULL,
    day date NOT NULL,
    category text NOT NULL,
    priority text NOT NULL,
    kind text NOT NULL,
    -- A human was called, not only the person asked.
    rang boolean NOT NULL,
    is_open boolean NOT NULL,
    outcome text,
    answered_s double precision,
    attended_s double precision,
    attend_within_s integer,
    resolved_s double precision,
    dwell_s double precision,
    dispatcher_id text,
    dispatcher_name text,
    rerang integer NOT NULL,
    told integer NOT NULL,
    undelivered integer NOT NULL,
    pressed boolean NOT NULL,
    person_id text,
    device_id text,
    device_kind text,
    device_model text,
    detector text
);
CREATE INDEX incident_fact_day ON incident_fact (day, area_id);
CREATE INDEX incident_fact_area ON incident_fact (area_id, day);
CREATE INDEX incident_fact_person ON incident_fact (person_id, day)
    WHERE pressed AND outcome = 'false_alarm';

-- How far the facts are: incidents that changed in transactions from `horizon` on are looked at
-- again, and those of which a notification was settled since `settled_until`.
CREATE TABLE incident_fact_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    horizon xid8 NOT NULL DEFAULT '0',
    settled_until timestamptz,
    as_of timestamptz
);
INSERT INTO incident_fact_state DEFAULT VALUES;

-- ---- tests and visits --------------------------------------------------------------------------

CREATE TABLE visit (
    visit_id text PRIMARY KEY,
    area_id text NOT NULL,
    person_id text NOT NULL REFERENCES person ON DELETE CASCADE,
    at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('monthly', 'device_check', 'after_incident', 'other')),
    visitor_name text NOT NULL,
    visitor_id text,
    note text,
    photo_sha256 text,
    latitude double precision,
    longitude double precision,
    accuracy_m double precision,
    signature_reference text,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    withdrawn_at timestamptz,
    withdrawn_by text,
    withdrawn_reason text,
    CONSTRAINT visit_position_whole CHECK ((latitude IS NULL) = (longitude IS NULL))
);
CREATE INDEX visit_person ON visit (person_id, at DESC) WHERE withdrawn_at IS NULL;
CREATE INDEX visit_area ON visit (area_id, at DESC, visit_id DESC);
CREATE INDEX visit_at ON visit (at);

-- The last test press and the last visit of each person: who is overdue is one look at this table.
CREATE TABLE care_round (
    person_id text PRIMARY KEY REFERENCES person ON DELETE CASCADE,
    area_id text NOT NULL,
    last_test_at timestamptz,
    last_test_alarm_id text,
    last_test_device_id text,
    last_visit_at timestamptz,
    last_visit_id text
);
CREATE INDEX care_round_area ON care_round (area_id, person_id);

-- A test press of a device that somebody wears is theirs; of one that hangs in a home it is
-- everybody's who lives there.
CREATE FUNCTION note_test_press() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO care_round (person_id, area_id, last_test_at, last_test_alarm_id,
        last_test_device_id)
    SELECT p.person_id, p.area_id, NEW.received_at, NEW.alarm_id, NEW.device_id
    FROM person p
    WHERE p.person_id = NEW.person_id
       OR (NEW.person_id IS NULL AND p.premises_id = NEW.premises_id)
    ORDER BY p.person_id
    -- Somebody who is being removed just now is passed over: a press never fails on that.
    FOR KEY SHARE OF p
    ON CONFLICT (person_id) DO UPDATE SET last_test_at = excluded.last_test_at,
        last_test_alarm_id = excluded.last_test_alarm_id,
        last_test_device_id = excluded.last_test_device_id
    WHERE care_round.last_test_at IS NULL OR care_round.last_test_at < excluded.last_test_at;
    RETURN NULL;
END $$;
CREATE TRIGGER alarm_tested AFTER INSERT ON alarm
    FOR EACH ROW WHEN (NEW.action = 'test') EXECUTE FUNCTION note_test_press();

CREATE FUNCTION note_visit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO care_round (person_id, area_id, last_visit_at, last_visit_id)
    SELECT p.person_id, p.area_id, v.at, v.visit_id
    FROM person p LEFT JOIN LATERAL (
        SELECT at, visit_id FROM visit
        WHERE person_id = NEW.person_id AND withdrawn_at IS NULL ORDER BY at DESC LIMIT 1
    ) AS v ON true
    WHERE p.person_id = NEW.person_id
    ON CONFLICT (person_id) DO UPDATE SET last_visit_at = excluded.last_visit_at,
        last_visit_id = excluded.last_visit_id;
    RETURN NULL;
END $$;
CREATE TRIGGER visit_noted AFTER INSERT OR UPDATE ON visit
    FOR EACH ROW EXECUTE FUNCTION note_visit();

INSERT INTO care_round (person_id, area_id, last_test_at, last_test_alarm_id, last_test_device_id)
SELECT DISTINCT ON (p.person_id) p.person_id, p.area_id, a.received_at, a.alarm_id, a.device_id
FROM alarm a JOIN person p ON p.person_id = a.person_id
WHERE a.action = 'test' ORDER BY p.person_id, a.received_at DESC;

CREATE FUNCTION rounds_follow_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE visit SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    UPDATE care_round SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    RETURN NULL;
END $$;
CREATE TRIGGER person_moved_rounds AFTER UPDATE OF area_id ON person
    FOR EACH ROW WHEN (OLD.area_id IS DISTINCT FROM NEW.area_id)
    EXECUTE FUNCTION rounds_follow_person();
