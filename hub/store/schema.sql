-- The schema as it is after every migration of hub/store/migrations: to be read, never applied.
-- Written by `python -m tests.schema_file`.

CREATE FUNCTION note_context_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    row_as_json jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
BEGIN
    INSERT INTO context_change (noun, id) VALUES (TG_TABLE_NAME, row_as_json ->> TG_ARGV[0]);
    RETURN NULL;
END $$;

CREATE FUNCTION refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END $$;

CREATE FUNCTION wake_courier() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NOTIFY notification_due;
    RETURN NULL;
END $$;

CREATE FUNCTION wake_escalator() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NOTIFY incident_due;
    RETURN NULL;
END $$;

CREATE TABLE account (
    account_id text NOT NULL,
    area_id text NOT NULL,
    username text NOT NULL,
    name text NOT NULL,
    password_hash text NOT NULL,
    role text NOT NULL,
    language text NOT NULL,
    disabled boolean DEFAULT false NOT NULL
);

CREATE TABLE alarm (
    alarm_id text NOT NULL,
    area_id text NOT NULL,
    incident_id text,
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
    observed_at timestamp with time zone,
    received_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    flags text[] NOT NULL,
    "position" jsonb,
    text text NOT NULL,
    reply_prefix text,
    repeats integer DEFAULT 0 NOT NULL
);

CREATE TABLE alarm_occurrence (
    derived_id text NOT NULL,
    area_id text NOT NULL,
    occurrence integer NOT NULL,
    began_at timestamp with time zone NOT NULL
);

CREATE TABLE area (
    area_id text NOT NULL,
    parent_id text,
    name text NOT NULL
);

CREATE TABLE audit_log (
    entry_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    area_id text NOT NULL,
    incident_id text,
    actor_kind text NOT NULL,
    actor_id text,
    actor_name text,
    action text NOT NULL,
    reason text,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL
);

ALTER TABLE audit_log ALTER COLUMN entry_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME audit_log_entry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE SEQUENCE batch_id
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE context_change (
    seq bigint NOT NULL,
    txid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    noun text NOT NULL,
    id text NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE context_change ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME context_change_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE desk_action (
    action_id text NOT NULL,
    area_id text NOT NULL,
    incident_id text NOT NULL,
    verb text NOT NULL,
    account_id text NOT NULL,
    at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    refusal text
);

CREATE TABLE desk_session (
    token_sha256 text NOT NULL,
    account_id text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE detector_shard (
    owner text NOT NULL,
    shard smallint NOT NULL,
    watermark bigint NOT NULL,
    saved_at timestamp with time zone NOT NULL,
    state bytea NOT NULL
);

CREATE TABLE device (
    device_id text NOT NULL,
    area_id text NOT NULL,
    premises_id text NOT NULL,
    person_id text,
    kind text NOT NULL,
    label text DEFAULT ''::text NOT NULL,
    secret_sha256 text NOT NULL,
    revoked boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE incident (
    incident_id text NOT NULL,
    area_id text NOT NULL,
    subject_kind text NOT NULL,
    subject_id text NOT NULL,
    state text NOT NULL,
    category text NOT NULL,
    priority text NOT NULL,
    kind text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    last_alarm_at timestamp with time zone NOT NULL,
    alarm_count integer NOT NULL,
    person_id text,
    premises_id text,
    device_id text,
    "position" jsonb,
    owner_id text,
    owner_name text,
    acknowledged_at timestamp with time zone,
    attended_at timestamp with time zone,
    resolved_at timestamp with time zone,
    expected_at timestamp with time zone,
    outcome text,
    note text,
    step integer NOT NULL,
    next_deadline_at timestamp with time zone,
    follows text,
    silent boolean NOT NULL,
    revision integer NOT NULL,
    changed_txid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT incident_never_silent CHECK (((state = 'resolved'::text) = (next_deadline_at IS NULL))),
    CONSTRAINT incident_resolved_with_outcome CHECK (((state = 'resolved'::text) = (outcome IS NOT NULL)))
);

CREATE TABLE notification (
    notification_id bigint NOT NULL,
    area_id text NOT NULL,
    incident_id text NOT NULL,
    channel text NOT NULL,
    recipient text NOT NULL,
    kind text NOT NULL,
    urgency smallint NOT NULL,
    body jsonb NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    leased_until timestamp with time zone,
    settled_at timestamp with time zone,
    detail text DEFAULT ''::text NOT NULL
);

ALTER TABLE notification ALTER COLUMN notification_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME notification_notification_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE observation (
    observed_at timestamp with time zone NOT NULL,
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
    received_at timestamp with time zone NOT NULL,
    batch_id bigint NOT NULL
)
PARTITION BY RANGE (observed_at);

CREATE TABLE observation_default (
    observed_at timestamp with time zone CONSTRAINT observation_observed_at_not_null NOT NULL,
    device_id text CONSTRAINT observation_device_id_not_null NOT NULL,
    measure smallint CONSTRAINT observation_measure_not_null NOT NULL,
    message_key bigint CONSTRAINT observation_message_key_not_null NOT NULL,
    area_id text CONSTRAINT observation_area_id_not_null NOT NULL,
    person_id text,
    value double precision,
    state text,
    latitude double precision,
    longitude double precision,
    accuracy_m double precision,
    quality smallint CONSTRAINT observation_quality_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT observation_received_at_not_null NOT NULL,
    batch_id bigint CONSTRAINT observation_batch_id_not_null NOT NULL
);

CREATE TABLE person (
    person_id text NOT NULL,
    area_id text NOT NULL,
    premises_id text,
    name text NOT NULL,
    birth_year integer,
    language text,
    phone text,
    medical_notes text
);

CREATE TABLE premises (
    premises_id text NOT NULL,
    area_id text NOT NULL,
    address text NOT NULL,
    access_notes text,
    latitude double precision,
    longitude double precision,
    time_zone text,
    phone text
);

CREATE TABLE quarantine (
    quarantine_id bigint NOT NULL,
    area_id text NOT NULL,
    lane text NOT NULL,
    topic text NOT NULL,
    device_id text,
    message_key bigint NOT NULL,
    reason text NOT NULL,
    payload bytea NOT NULL,
    received_at timestamp with time zone NOT NULL,
    repeats integer DEFAULT 0 NOT NULL
);

ALTER TABLE quarantine ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME quarantine_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE signal_window (
    alarm_id text NOT NULL,
    area_id text NOT NULL,
    device_id text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    window_json jsonb NOT NULL
);

ALTER TABLE ONLY observation ATTACH PARTITION observation_default DEFAULT;

ALTER TABLE ONLY account
    ADD CONSTRAINT account_pkey PRIMARY KEY (account_id);

ALTER TABLE ONLY account
    ADD CONSTRAINT account_username_key UNIQUE (username);

ALTER TABLE ONLY alarm_occurrence
    ADD CONSTRAINT alarm_occurrence_pkey PRIMARY KEY (derived_id);

ALTER TABLE ONLY alarm
    ADD CONSTRAINT alarm_pkey PRIMARY KEY (alarm_id);

ALTER TABLE ONLY area
    ADD CONSTRAINT area_pkey PRIMARY KEY (area_id);

ALTER TABLE ONLY audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (entry_id);

ALTER TABLE ONLY context_change
    ADD CONSTRAINT context_change_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY desk_action
    ADD CONSTRAINT desk_action_pkey PRIMARY KEY (action_id);

ALTER TABLE ONLY desk_session
    ADD CONSTRAINT desk_session_pkey PRIMARY KEY (token_sha256);

ALTER TABLE ONLY detector_shard
    ADD CONSTRAINT detector_shard_pkey PRIMARY KEY (owner, shard);

ALTER TABLE ONLY device
    ADD CONSTRAINT device_pkey PRIMARY KEY (device_id);

ALTER TABLE ONLY incident
    ADD CONSTRAINT incident_pkey PRIMARY KEY (incident_id);

ALTER TABLE ONLY notification
    ADD CONSTRAINT notification_pkey PRIMARY KEY (notification_id);

ALTER TABLE ONLY person
    ADD CONSTRAINT person_pkey PRIMARY KEY (person_id);

ALTER TABLE ONLY premises
    ADD CONSTRAINT premises_pkey PRIMARY KEY (premises_id);

ALTER TABLE ONLY quarantine
    ADD CONSTRAINT quarantine_message_key_key UNIQUE (message_key);

ALTER TABLE ONLY quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (quarantine_id);

ALTER TABLE ONLY signal_window
    ADD CONSTRAINT signal_window_pkey PRIMARY KEY (alarm_id);

CREATE INDEX alarm_device ON alarm USING btree (device_id, received_at);

CREATE INDEX alarm_incident ON alarm USING btree (incident_id, received_at);

CREATE INDEX alarm_received ON alarm USING btree (received_at);

CREATE INDEX audit_log_incident ON audit_log USING btree (incident_id, entry_id);

CREATE INDEX context_change_txid ON context_change USING btree (txid);

CREATE INDEX device_person ON device USING btree (person_id);

CREATE INDEX incident_changed ON incident USING btree (changed_txid);

CREATE INDEX incident_deadline ON incident USING btree (next_deadline_at) WHERE (state <> 'resolved'::text);

CREATE UNIQUE INDEX incident_open_subject ON incident USING btree (subject_kind, subject_id) WHERE (state <> 'resolved'::text);

CREATE INDEX incident_opened ON incident USING btree (opened_at DESC, incident_id);

CREATE INDEX incident_resolved ON incident USING btree (subject_kind, subject_id, resolved_at DESC) WHERE (state = 'resolved'::text);

CREATE INDEX notification_due ON notification USING btree (urgency, due_at) WHERE (state = 'pending'::text);

CREATE INDEX notification_incident ON notification USING btree (incident_id);

CREATE INDEX observation_batch ON ONLY observation USING brin (batch_id);

CREATE INDEX observation_default_batch_id_idx ON observation_default USING brin (batch_id);

CREATE UNIQUE INDEX observation_key ON ONLY observation USING btree (device_id, measure, observed_at, message_key);

CREATE UNIQUE INDEX observation_default_device_id_measure_observed_at_message_k_idx ON observation_default USING btree (device_id, measure, observed_at, message_key);

CREATE INDEX quarantine_lane ON quarantine USING btree (lane, quarantine_id);

ALTER INDEX observation_batch ATTACH PARTITION observation_default_batch_id_idx;

ALTER INDEX observation_key ATTACH PARTITION observation_default_device_id_measure_observed_at_message_k_idx;

CREATE TRIGGER account_changed AFTER INSERT OR DELETE OR UPDATE ON account FOR EACH ROW EXECUTE FUNCTION note_context_change('account_id');

CREATE TRIGGER area_changed AFTER INSERT OR DELETE OR UPDATE ON area FOR EACH ROW EXECUTE FUNCTION note_context_change('area_id');

CREATE TRIGGER audit_log_append_only BEFORE DELETE OR UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER audit_log_never_emptied BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER desk_session_changed AFTER INSERT OR DELETE OR UPDATE ON desk_session FOR EACH ROW EXECUTE FUNCTION note_context_change('token_sha256');

CREATE TRIGGER device_changed AFTER INSERT OR DELETE OR UPDATE ON device FOR EACH ROW EXECUTE FUNCTION note_context_change('device_id');

CREATE TRIGGER incident_added AFTER INSERT OR UPDATE OF next_deadline_at ON incident FOR EACH STATEMENT EXECUTE FUNCTION wake_escalator();

CREATE TRIGGER notification_added AFTER INSERT ON notification FOR EACH STATEMENT EXECUTE FUNCTION wake_courier();

CREATE TRIGGER person_changed AFTER INSERT OR DELETE OR UPDATE ON person FOR EACH ROW EXECUTE FUNCTION note_context_change('person_id');

CREATE TRIGGER premises_changed AFTER INSERT OR DELETE OR UPDATE ON premises FOR EACH ROW EXECUTE FUNCTION note_context_change('premises_id');

ALTER TABLE ONLY account
    ADD CONSTRAINT account_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY alarm
    ADD CONSTRAINT alarm_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES incident(incident_id);

ALTER TABLE ONLY area
    ADD CONSTRAINT area_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES area(area_id);

ALTER TABLE ONLY desk_session
    ADD CONSTRAINT desk_session_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id);

ALTER TABLE ONLY device
    ADD CONSTRAINT device_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY device
    ADD CONSTRAINT device_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id);

ALTER TABLE ONLY device
    ADD CONSTRAINT device_premises_id_fkey FOREIGN KEY (premises_id) REFERENCES premises(premises_id);

ALTER TABLE ONLY notification
    ADD CONSTRAINT notification_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES incident(incident_id);

ALTER TABLE ONLY person
    ADD CONSTRAINT person_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY person
    ADD CONSTRAINT person_premises_id_fkey FOREIGN KEY (premises_id) REFERENCES premises(premises_id);

ALTER TABLE ONLY premises
    ADD CONSTRAINT premises_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);
