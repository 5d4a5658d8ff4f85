-- The ground: register, observations, alarms, incidents, outbox, log, quarantine, checkpoints.
-- Every table that can belong to an area carries area_id, so that owners and readers can be split.

CREATE TABLE area (
    area_id text PRIMARY KEY,
    parent_id text REFERENCES area,
    name text NOT NULL
);

CREATE TABLE premises (
    premises_id text PRIMARY KEY,
    area_id text NOT NULL REFERENCES area,
    address text NOT NULL,
    access_notes text,
    latitude double precision,
    longitude double precision,
    time_zone text,
    phone text
);

CREATE TABLE person (
    person_id text PRIMARY KEY,
    area_id text NOT NULL REFERENCES area,
    premises_id text REFERENCES premises,
    name text NOT NULL,
    birth_year integer,
    language text,
    phone text,
    medical_notes text
);

CREATE TABLE device (
    device_id text PRIMARY KEY,
    area_id text NOT NULL REFERENCES area,
    premises_id text NOT NULL REFERENCES premises,
    person_id text REFERENCES person,
    kind text NOT NULL,
    label text NOT NULL DEFAULT '',
    secret_sha256 text NOT NULL,
    revoked boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX device_person ON device (person_id);

CREATE TABLE account (
    account_id text PRIMARY KEY,
    area_id text NOT NULL REFERENCES area,
    username text NOT NULL UNIQUE,
    name text NOT NULL,
    password_hash text NOT NULL,
    role text NOT NULL,
    language text NOT NULL,
    disabled boolean NOT NULL DEFAULT false
);

-- Only a hash of the cookie is kept: a copy of this table signs nobody in.
CREATE TABLE desk_session (
    token_sha256 text PRIMARY KEY,
    account_id text NOT NULL REFERENCES account,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

-- What changed in the register, in an order that survives concurrent commits: readers take every
-- row whose transaction was not yet visible to their last look (pg_snapshot_xmin).
CREATE TABLE context_change (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    noun text NOT NULL,
    id text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX context_change_txid ON context_change (txid);

CREATE FUNCTION note_context_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    row_as_json jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
BEGIN
    INSERT INTO context_change (noun, id) VALUES (TG_TABLE_NAME, row_as_json ->> TG_ARGV[0]);
    RETURN NULL;
END $$;

CREATE TRIGGER area_changed AFTER INSERT OR UPDATE OR DELETE ON area
    FOR EACH ROW EXECUTE FUNCTION note_context_change('area_id');
CREATE TRIGGER premises_changed AFTER INSERT OR UPDATE OR DELETE ON premises
    FOR EACH ROW EXECUTE FUNCTION note_context_change('premises_id');
CREATE TRIGGER person_changed AFTER INSERT OR UPDATE OR DELETE ON person
    FOR EACH ROW EXECUTE FUNCTION note_context_change('person_id');
CREATE TRIGGER device_changed AFTER INSERT OR UPDATE OR DELETE ON device
    FOR EACH ROW EXECUTE FUNCTION note_context_change('device_id');
CREATE TRIGGER account_changed AFTER INSERT OR UPDATE OR DELETE ON account
    FOR EACH ROW EXECUTE FUNCTION note_context_change('account_id');
CREATE TRIGGER desk_session_changed AFTER INSERT OR UPDATE OR DELETE ON desk_session
    FOR EACH ROW EXECUTE FUNCTION note_context_change('token_sha256');

-- One row a sample. `measure` is a code of schemas/vocabulary.py, `quality` likewise. An unknown
-- device time is stored as 1970-01-01 so that a redelivery meets the same key; received_at tells
-- when it came. `batch_id` is the order in which an owner committed: recovery replays by it.
CREATE TABLE observation (
    observed_at timestamptz NOT NULL,
    device_id text NOT NULL,
    measure smallint NOT NULL,
    message_key bigint NOT NULL,
    area_id text NOT NULL,
    person_id text,
    value double precision,
    state text,
    latitude double precision,
    longitude double precision,
    accuracy_m double precision,
    quality smallint NOT NULL,
    received_at timestamptz NOT NULL,
    batch_id bigint NOT NULL
) PARTITION BY RANGE (observed_at);
CREATE UNIQUE INDEX observation_key
    ON observation (device_id, measure, observed_at, message_key);
CREATE INDEX observation_batch ON observation USING brin (batch_id);
CREATE TABLE observation_default PARTITION OF observation DEFAULT;
CREATE SEQUENCE batch_id;

-- Raw acceleration round an impact; three axes in milli-g as they came.
CREATE TABLE signal_window (
    alarm_id text PRIMARY KEY,
    area_id text NOT NULL,
    device_id text NOT NULL,
    received_at timestamptz NOT NULL,
    window_json jsonb NOT NULL
);

CREATE TABLE incident (
    incident_id text PRIMARY KEY,
    area_id text NOT NULL,
    subject_kind text NOT NULL,
    subject_id text NOT NULL,
    state text NOT NULL,
    category text NOT NULL,
    priority text NOT NULL,
    kind text NOT NULL,
    opened_at timestamptz NOT NULL,
    last_alarm_at timestamptz NOT NULL,
    alarm_count integer NOT NULL,
    person_id text,
    premises_id text,
    device_id text,
    position jsonb,
    owner_id text,
    owner_name text,
    acknowledged_at timestamptz,
    attended_at timestamptz,
    resolved_at timestamptz,
    expected_at timestamptz,
    outcome text,
    note text,
    step integer NOT NULL,
    next_deadline_at timestamptz,
    follows text,
    silent boolean NOT NULL,
    revision integer NOT NULL,
    changed_txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    -- Promise 2: an unresolved incident always has a next deadline.
    CONSTRAINT incident_never_silent CHECK ((state = 'resolved') = (next_deadline_at IS NULL)),
    CONSTRAINT incident_resolved_with_outcome CHECK ((state = 'resolved') = (outcome IS NOT NULL))
);
CREATE UNIQUE INDEX incident_open_subject
    ON incident (subject_kind, subject_id) WHERE state <> 'resolved';
CREATE INDEX incident_deadline ON incident (next_deadline_at) WHERE state <> 'resolved';
CREATE INDEX incident_resolved ON incident (subject_kind, subject_id, resolved_at DESC)
    WHERE state = 'resolved';
CREATE INDEX incident_opened ON incident (opened_at DESC, incident_id);
CREATE INDEX incident_changed ON incident (changed_txid);

CREATE TABLE alarm (
    alarm_id text PRIMARY KEY,
    area_id text NOT NULL,
    incident_id text REFERENCES incident,
    grouping_reason text NOT NULL,
    subject_kind text NOT NULL,
    subject_id text NOT NULL,
    device_id text NOT NULL,
    person_id text,
    premises_id text,
    kind text NOT NULL,
    category text NOT NULL,
    priority text NOT NULL,
    action text,
    message_id text,
    observed_at timestamptz,
    received_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    flags text[] NOT NULL,
    position jsonb,
    text text NOT NULL,
    reply_prefix text,
    repeats integer NOT NULL DEFAULT 0
);
CREATE INDEX alarm_incident ON alarm (incident_id, received_at);
CREATE INDEX alarm_device ON alarm (device_id, received_at);
CREATE INDEX alarm_received ON alarm (received_at);

-- Presses without a message_id: which occurrence of the same bytes was the last one.
CREATE TABLE alarm_occurrence (
    derived_id text PRIMARY KEY,
    area_id text NOT NULL,
    occurrence integer NOT NULL,
    began_at timestamptz NOT NULL
);

-- The transactional outbox. `leased_until` lets another courier take over a dead one's claims.
CREATE TABLE notification (
    notification_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id text NOT NULL,
    incident_id text NOT NULL REFERENCES incident,
    channel text NOT NULL,
    recipient text NOT NULL,
    kind text NOT NULL,
    urgency smallint NOT NULL,
    body jsonb NOT NULL,
    state text NOT NULL DEFAULT 'pending',
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    leased_until timestamptz,
    settled_at timestamptz,
    detail text NOT NULL DEFAULT ''
);
CREATE INDEX notification_due ON notification (urgency, due_at) WHERE state = 'pending';
CREATE INDEX notification_incident ON notification (incident_id);

CREATE FUNCTION wake_courier() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY notification_due;
    RETURN NULL;
END $$;
CREATE TRIGGER notification_added AFTER INSERT ON notification
    FOR EACH STATEMENT EXECUTE FUNCTION wake_courier();

CREATE FUNCTION wake_escalator() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY incident_due;
    RETURN NULL;
END $$;
CREATE TRIGGER incident_added AFTER INSERT OR UPDATE OF next_deadline_at ON incident
    FOR EACH STATEMENT EXECUTE FUNCTION wake_escalator();

-- What dispatchers did; the id makes a redelivered action harmless.
CREATE TABLE desk_action (
    action_id text PRIMARY KEY,
    area_id text NOT NULL,
    incident_id text NOT NULL,
    verb text NOT NULL,
    account_id text NOT NULL,
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    refusal text
);

CREATE TABLE audit_log (
    entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    area_id text NOT NULL,
    incident_id text,
    actor_kind text NOT NULL,
    actor_id text,
    actor_name text,
    action text NOT NULL,
    reason text,
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_incident ON audit_log (incident_id, entry_id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END $$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_log_never_emptied BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Messages that could not be read, with the reason. Bounded per lane, so that broken telemetry
-- never evicts an alarm.
CREATE TABLE quarantine (
    quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id text NOT NULL,
    lane text NOT NULL,
    topic text NOT NULL,
    device_id text,
    message_key bigint NOT NULL,
    reason text NOT NULL,
    payload bytea NOT NULL,
    received_at timestamptz NOT NULL,
    repeats integer NOT NULL DEFAULT 0,
    UNIQUE (message_key)
);
CREATE INDEX quarantine_lane ON quarantine (lane, quarantine_id);

-- Detector state, a shard of scopes per row; every batch up to the watermark is in it.
CREATE TABLE detector_shard (
    owner text NOT NULL,
    shard smallint NOT NULL,
    watermark bigint NOT NULL,
    saved_at timestamptz NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (owner, shard)
);
