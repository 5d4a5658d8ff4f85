-- The schema as it is after every migration of hub/store/migrations: to be read, never applied.
-- Written by `python -m tests.schema_file`.

CREATE FUNCTION area_rank(level text) RETURNS integer
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT array_position(ARRAY['city', 'county', 'street', 'community'], level)
$$;

CREATE FUNCTION care_follows_person() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE person_limit SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    UPDATE person_care SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    UPDATE fence SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    RETURN NULL;
END $$;

CREATE FUNCTION move_with_home() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE person SET area_id = NEW.area_id WHERE premises_id = NEW.premises_id;
    UPDATE device SET area_id = NEW.area_id WHERE premises_id = NEW.premises_id;
    UPDATE key_safe SET area_id = NEW.area_id WHERE premises_id = NEW.premises_id;
    RETURN NULL;
END $$;

CREATE FUNCTION move_with_person() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE person_contact SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    UPDATE person_state_change SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    UPDATE family_link SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    INSERT INTO context_change (noun, id)
    SELECT 'account', account_id FROM family_link WHERE person_id = NEW.person_id;
    RETURN NULL;
END $$;

CREATE FUNCTION note_account_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO context_change (noun, id) VALUES ('account',
        CASE WHEN TG_OP = 'DELETE' THEN OLD.account_id ELSE NEW.account_id END);
    RETURN NULL;
END $$;

CREATE FUNCTION note_care_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO context_change (noun, id)
    VALUES ('person_care', CASE WHEN TG_OP = 'DELETE' THEN OLD.person_id ELSE NEW.person_id END);
    RETURN NULL;
END $$;

CREATE FUNCTION note_context_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    row_as_json jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
BEGIN
    INSERT INTO context_change (noun, id) VALUES (TG_TABLE_NAME, row_as_json ->> TG_ARGV[0]);
    RETURN NULL;
END $$;

CREATE FUNCTION note_device_history() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    changes text[] := '{}';
BEGIN
    IF TG_OP = 'INSERT' THEN
        changes := CASE WHEN NEW.replaces IS NULL THEN '{added}' ELSE '{added,swapped_in}' END;
    ELSE
        IF NEW.secret_sha256 <> OLD.secret_sha256 THEN changes := changes || 'rotated'::text; END IF;
        IF NEW.revoked AND NOT OLD.revoked THEN changes := changes || 'revoked'::text; END IF;
        IF OLD.revoked AND NOT NEW.revoked THEN changes := changes || 'restored'::text; END IF;
        IF (NEW.area_id, NEW.premises_id, NEW.person_id)
            IS DISTINCT FROM (OLD.area_id, OLD.premises_id, OLD.person_id) THEN
            changes := changes || 'moved'::text;
        END IF;
        IF (NEW.kind, NEW.label) IS DISTINCT FROM (OLD.kind, OLD.label) THEN
            changes := changes || 'described'::text;
        END IF;
    END IF;
    IF changes = '{}' THEN
        RETURN NULL;
    END IF;
    INSERT INTO device_history (device_id, changes, area_id, premises_id, person_id, kind, label,
        revoked, other_device_id)
    VALUES (NEW.device_id, changes, NEW.area_id, NEW.premises_id, NEW.person_id, NEW.kind,
        NEW.label, NEW.revoked, CASE WHEN TG_OP = 'INSERT' THEN NEW.replaces END);
    IF TG_OP = 'INSERT' AND NEW.replaces IS NOT NULL THEN
        INSERT INTO device_history (device_id, changes, area_id, premises_id, person_id, kind,
            label, revoked, other_device_id)
        SELECT device_id, '{swapped_out}', area_id, premises_id, person_id, kind, label, revoked,
            NEW.device_id
        FROM device WHERE device_id = NEW.replaces;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION place_area() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    above integer := 0;
BEGIN
    IF NEW.parent_id IS NOT NULL THEN
        SELECT area_rank(level) INTO above FROM area WHERE area_id = NEW.parent_id FOR SHARE;
    END IF;
    NEW.level := coalesce(NEW.level,
        (ARRAY['city', 'county', 'street', 'community'])[least(coalesce(above, 0) + 1, 4)]);
    IF area_rank(NEW.level) <= above
        OR EXISTS (SELECT FROM area WHERE parent_id = NEW.area_id
                   AND area_rank(level) <= area_rank(NEW.level)) THEN
        RAISE EXCEPTION 'an area must lie below its parent'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'area_below_parent';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('carebell.retention', true) = 'on' THEN
        IF OLD.at < now() - interval '183 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only';
END $$;

CREATE FUNCTION search_grams(content text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT coalesce(array_agg(DISTINCT gram), '{}') FROM (
        SELECT substr(lower(content), i, 2) AS gram
        FROM generate_series(1, length(content) - 1) AS i
        UNION ALL
        SELECT c FROM string_to_table(lower(content), NULL) AS c WHERE octet_length(c) > 1
    ) AS grams
$$;

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
    disabled boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    password_changed_at timestamp with time zone,
    must_change_password boolean DEFAULT false NOT NULL
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
    repeats integer DEFAULT 0 NOT NULL,
    evidence jsonb DEFAULT '{}'::jsonb NOT NULL
);

CREATE TABLE alarm_occurrence (
    derived_id text NOT NULL,
    area_id text NOT NULL,
    occurrence integer NOT NULL,
    began_at timestamp with time zone NOT NULL
);

CREATE TABLE alarm_state (
    detector text NOT NULL,
    scope_id text NOT NULL,
    area_id text NOT NULL,
    device_id text NOT NULL,
    state jsonb NOT NULL,
    saved_at timestamp with time zone NOT NULL
);

CREATE TABLE api_token (
    token_id text NOT NULL,
    token_sha256 text NOT NULL,
    area_id text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone
);

CREATE TABLE area (
    area_id text NOT NULL,
    parent_id text,
    name text NOT NULL,
    level text NOT NULL,
    CONSTRAINT area_level CHECK ((level = ANY (ARRAY['city'::text, 'county'::text, 'street'::text, 'community'::text])))
);

CREATE TABLE area_outage (
    outage_id text NOT NULL,
    area_id text NOT NULL,
    began_at timestamp with time zone NOT NULL,
    cleared_at timestamp with time zone,
    most integer NOT NULL
);

CREATE TABLE area_outage_device (
    outage_id text NOT NULL,
    device_id text NOT NULL,
    area_id text NOT NULL,
    heard_at timestamp with time zone NOT NULL,
    back_at timestamp with time zone
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
    expires_at timestamp with time zone NOT NULL,
    address text,
    agent text
);

CREATE TABLE detector_shard (
    owner text NOT NULL,
    shard smallint NOT NULL,
    watermark bigint NOT NULL,
    saved_at timestamp with time zone NOT NULL,
    state bytea NOT NULL
);

CREATE TABLE detector_state (
    owner text NOT NULL,
    detector text NOT NULL,
    key text NOT NULL,
    shard smallint NOT NULL,
    batch_id bigint NOT NULL,
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
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    replaces text,
    mosquitto_hash text
);

CREATE TABLE device_heard (
    device_id text NOT NULL,
    area_id text NOT NULL,
    received_at timestamp with time zone NOT NULL
);

CREATE TABLE device_history (
    entry_id bigint NOT NULL,
    device_id text NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    changes text[] NOT NULL,
    area_id text NOT NULL,
    premises_id text NOT NULL,
    person_id text,
    kind text NOT NULL,
    label text NOT NULL,
    revoked boolean NOT NULL,
    other_device_id text
);

ALTER TABLE device_history ALTER COLUMN entry_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME device_history_entry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE device_last (
    device_id text NOT NULL,
    measure smallint NOT NULL,
    area_id text NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    value double precision,
    state text,
    quality smallint NOT NULL
);

CREATE TABLE device_wearer (
    person_id text NOT NULL,
    device_id text NOT NULL,
    area_id text NOT NULL,
    first_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL
);

CREATE TABLE family_link (
    account_id text NOT NULL,
    person_id text NOT NULL,
    area_id text NOT NULL,
    relation text NOT NULL,
    since timestamp with time zone NOT NULL,
    by_id text NOT NULL
);

CREATE TABLE fence (
    fence_id text NOT NULL,
    person_id text NOT NULL,
    area_id text NOT NULL,
    label text NOT NULL,
    shapes jsonb NOT NULL,
    active_from_min smallint,
    active_until_min smallint,
    author text NOT NULL,
    set_on date NOT NULL,
    CONSTRAINT fence_hours_both CHECK (((active_from_min IS NULL) = (active_until_min IS NULL)))
);

CREATE TABLE finding (
    finding_id text NOT NULL,
    area_id text NOT NULL,
    detector text NOT NULL,
    kind text NOT NULL,
    phase text NOT NULL,
    category text NOT NULL,
    priority text NOT NULL,
    subject_kind text NOT NULL,
    subject_id text NOT NULL,
    key text NOT NULL,
    device_id text NOT NULL,
    person_id text,
    premises_id text,
    at timestamp with time zone NOT NULL,
    ask_s integer NOT NULL,
    evidence jsonb NOT NULL,
    text text NOT NULL,
    incident_id text,
    reason text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE history_day (
    bucket_at timestamp with time zone CONSTRAINT history_hour_bucket_at_not_null NOT NULL,
    device_id text CONSTRAINT history_hour_device_id_not_null NOT NULL,
    measure smallint CONSTRAINT history_hour_measure_not_null NOT NULL,
    person_id text,
    area_id text CONSTRAINT history_hour_area_id_not_null NOT NULL,
    observations bigint CONSTRAINT history_hour_observations_not_null NOT NULL,
    good bigint CONSTRAINT history_hour_good_not_null NOT NULL,
    usable bigint CONSTRAINT history_hour_usable_not_null NOT NULL,
    lowest double precision,
    highest double precision,
    total double precision,
    last_at timestamp with time zone,
    last_value double precision,
    last_state text
)
PARTITION BY RANGE (bucket_at);

CREATE TABLE history_hour (
    bucket_at timestamp with time zone NOT NULL,
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
    last_at timestamp with time zone,
    last_value double precision,
    last_state text
)
PARTITION BY RANGE (bucket_at);

CREATE TABLE history_state (
    only_one boolean DEFAULT true NOT NULL,
    time_zone text,
    aggregated_batch_id bigint DEFAULT 0 NOT NULL,
    aggregated_at timestamp with time zone,
    positions_gone_until timestamp with time zone,
    CONSTRAINT history_state_only_one_check CHECK (only_one)
);

CREATE TABLE inactivity_day (
    premises_id text NOT NULL,
    day date NOT NULL,
    area_id text NOT NULL,
    learned boolean NOT NULL,
    reason text NOT NULL,
    tally bytea NOT NULL
);

CREATE TABLE inactivity_line (
    premises_id text NOT NULL,
    area_id text NOT NULL,
    minutes smallint[] NOT NULL,
    days integer NOT NULL,
    learned_on date NOT NULL,
    version smallint NOT NULL
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

CREATE TABLE ingest_owner (
    owner text NOT NULL,
    area_ids text[] NOT NULL,
    instance text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    since timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    has_sessions boolean DEFAULT false NOT NULL
);

CREATE TABLE key_safe (
    premises_id text NOT NULL,
    area_id text NOT NULL,
    code text NOT NULL,
    place text,
    changed_at timestamp with time zone NOT NULL,
    changed_by text NOT NULL
);

CREATE TABLE maintenance (
    maintenance_id bigint NOT NULL,
    area_id text NOT NULL,
    kinds text[] NOT NULL,
    why text NOT NULL,
    by_kind text NOT NULL,
    by_id text NOT NULL,
    by_name text,
    from_at timestamp with time zone NOT NULL,
    until_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT maintenance_has_an_end CHECK ((until_at > from_at))
);

ALTER TABLE maintenance ALTER COLUMN maintenance_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME maintenance_maintenance_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE muted_condition (
    subject_kind text NOT NULL,
    subject_id text NOT NULL,
    kind text NOT NULL,
    area_id text NOT NULL,
    maintenance_id bigint NOT NULL,
    muted_at timestamp with time zone NOT NULL,
    alarm jsonb NOT NULL
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

CREATE TABLE observation_aside (
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

CREATE VIEW observation_all AS
 SELECT observation.observed_at,
    observation.device_id,
    observation.measure,
    observation.message_key,
    observation.area_id,
    observation.person_id,
    observation.value,
    observation.state,
    observation.latitude,
    observation.longitude,
    observation.accuracy_m,
    observation.quality,
    observation.received_at,
    observation.batch_id
   FROM observation
UNION ALL
 SELECT observation_aside.observed_at,
    observation_aside.device_id,
    observation_aside.measure,
    observation_aside.message_key,
    observation_aside.area_id,
    observation_aside.person_id,
    observation_aside.value,
    observation_aside.state,
    observation_aside.latitude,
    observation_aside.longitude,
    observation_aside.accuracy_m,
    observation_aside.quality,
    observation_aside.received_at,
    observation_aside.batch_id
   FROM observation_aside;

CREATE VIEW observation_day AS
 SELECT bucket_at,
    device_id,
    measure,
    person_id,
    area_id,
    observations,
    good,
    usable,
    lowest,
    highest,
    total,
    last_at,
    last_value,
    last_state
   FROM history_day;

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

CREATE VIEW observation_hour AS
 SELECT bucket_at,
    device_id,
    measure,
    person_id,
    area_id,
    observations,
    good,
    usable,
    lowest,
    highest,
    total,
    last_at,
    last_value,
    last_state
   FROM history_hour;

CREATE TABLE observation_undated (
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
    medical_notes text,
    lives_alone boolean,
    mobility text,
    state text DEFAULT 'home'::text NOT NULL,
    state_since timestamp with time zone DEFAULT now() NOT NULL,
    state_by text,
    state_reason text,
    CONSTRAINT person_mobility CHECK ((mobility = ANY (ARRAY['independent'::text, 'stick'::text, 'walker'::text, 'wheelchair'::text, 'bedridden'::text]))),
    CONSTRAINT person_state CHECK ((state = ANY (ARRAY['home'::text, 'away'::text, 'hospital'::text, 'moved'::text, 'service_ended'::text])))
);

CREATE TABLE person_care (
    person_id text NOT NULL,
    area_id text NOT NULL,
    oxygen_scale_2 boolean DEFAULT false NOT NULL,
    on_oxygen boolean DEFAULT false NOT NULL,
    inactivity_limit_percent smallint DEFAULT 100 NOT NULL,
    author text NOT NULL,
    set_on date NOT NULL
);

CREATE TABLE person_contact (
    person_id text NOT NULL,
    place smallint NOT NULL,
    area_id text NOT NULL,
    name text NOT NULL,
    relation text NOT NULL,
    phone text NOT NULL,
    has_key boolean DEFAULT false NOT NULL
);

CREATE TABLE person_limit (
    person_id text NOT NULL,
    measure text NOT NULL,
    area_id text NOT NULL,
    low double precision,
    high double precision,
    author text NOT NULL,
    set_on date NOT NULL,
    CONSTRAINT person_limit_in_order CHECK ((low < high)),
    CONSTRAINT person_limit_says_something CHECK (((low IS NOT NULL) OR (high IS NOT NULL)))
);

CREATE TABLE person_state_change (
    change_id bigint NOT NULL,
    person_id text NOT NULL,
    area_id text NOT NULL,
    state text NOT NULL,
    since timestamp with time zone NOT NULL,
    by_id text,
    by_name text,
    reason text
);

ALTER TABLE person_state_change ALTER COLUMN change_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME person_state_change_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
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
    repeats integer DEFAULT 0 NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    retries integer DEFAULT 0 NOT NULL,
    settled_at timestamp with time zone,
    CONSTRAINT quarantine_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'retried'::text, 'discarded'::text])))
);

ALTER TABLE quarantine ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME quarantine_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE responder (
    responder_id text NOT NULL,
    area_id text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    phone text,
    latitude double precision,
    longitude double precision,
    availability text DEFAULT 'available'::text NOT NULL,
    notes text,
    account_id text,
    CONSTRAINT responder_availability_check CHECK ((availability = ANY (ARRAY['available'::text, 'busy'::text, 'off_duty'::text]))),
    CONSTRAINT responder_kind_check CHECK ((kind = ANY (ARRAY['person'::text, 'station'::text, 'team'::text])))
);

CREATE TABLE signal_window (
    alarm_id text NOT NULL,
    area_id text NOT NULL,
    device_id text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    window_json jsonb NOT NULL
);

ALTER TABLE ONLY observation ATTACH PARTITION observation_default DEFAULT;

ALTER TABLE ONLY observation ATTACH PARTITION observation_undated FOR VALUES FROM ('1970-01-01 00:00:00+00') TO ('1970-01-02 00:00:00+00');

ALTER TABLE ONLY account
    ADD CONSTRAINT account_pkey PRIMARY KEY (account_id);

ALTER TABLE ONLY account
    ADD CONSTRAINT account_username_key UNIQUE (username);

ALTER TABLE ONLY alarm_occurrence
    ADD CONSTRAINT alarm_occurrence_pkey PRIMARY KEY (derived_id);

ALTER TABLE ONLY alarm
    ADD CONSTRAINT alarm_pkey PRIMARY KEY (alarm_id);

ALTER TABLE ONLY alarm_state
    ADD CONSTRAINT alarm_state_pkey PRIMARY KEY (detector, scope_id);

ALTER TABLE ONLY api_token
    ADD CONSTRAINT api_token_pkey PRIMARY KEY (token_id);

ALTER TABLE ONLY api_token
    ADD CONSTRAINT api_token_token_sha256_key UNIQUE (token_sha256);

ALTER TABLE ONLY area_outage_device
    ADD CONSTRAINT area_outage_device_pkey PRIMARY KEY (outage_id, device_id);

ALTER TABLE ONLY area_outage
    ADD CONSTRAINT area_outage_pkey PRIMARY KEY (outage_id);

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

ALTER TABLE ONLY detector_state
    ADD CONSTRAINT detector_state_pkey PRIMARY KEY (owner, detector, key);

ALTER TABLE ONLY device_heard
    ADD CONSTRAINT device_heard_pkey PRIMARY KEY (device_id);

ALTER TABLE ONLY device_history
    ADD CONSTRAINT device_history_pkey PRIMARY KEY (entry_id);

ALTER TABLE ONLY device_last
    ADD CONSTRAINT device_last_pkey PRIMARY KEY (device_id, measure);

ALTER TABLE ONLY device
    ADD CONSTRAINT device_pkey PRIMARY KEY (device_id);

ALTER TABLE ONLY device_wearer
    ADD CONSTRAINT device_wearer_pkey PRIMARY KEY (person_id, device_id);

ALTER TABLE ONLY family_link
    ADD CONSTRAINT family_link_pkey PRIMARY KEY (account_id, person_id);

ALTER TABLE ONLY fence
    ADD CONSTRAINT fence_pkey PRIMARY KEY (person_id, fence_id);

ALTER TABLE ONLY finding
    ADD CONSTRAINT finding_pkey PRIMARY KEY (finding_id);

ALTER TABLE ONLY history_state
    ADD CONSTRAINT history_state_pkey PRIMARY KEY (only_one);

ALTER TABLE ONLY inactivity_day
    ADD CONSTRAINT inactivity_day_pkey PRIMARY KEY (premises_id, day);

ALTER TABLE ONLY inactivity_line
    ADD CONSTRAINT inactivity_line_pkey PRIMARY KEY (premises_id);

ALTER TABLE ONLY incident
    ADD CONSTRAINT incident_pkey PRIMARY KEY (incident_id);

ALTER TABLE ONLY ingest_owner
    ADD CONSTRAINT ingest_owner_pkey PRIMARY KEY (owner);

ALTER TABLE ONLY key_safe
    ADD CONSTRAINT key_safe_pkey PRIMARY KEY (premises_id);

ALTER TABLE ONLY maintenance
    ADD CONSTRAINT maintenance_pkey PRIMARY KEY (maintenance_id);

ALTER TABLE ONLY muted_condition
    ADD CONSTRAINT muted_condition_pkey PRIMARY KEY (subject_kind, subject_id, kind);

ALTER TABLE ONLY notification
    ADD CONSTRAINT notification_pkey PRIMARY KEY (notification_id);

ALTER TABLE ONLY person_care
    ADD CONSTRAINT person_care_pkey PRIMARY KEY (person_id);

ALTER TABLE ONLY person_contact
    ADD CONSTRAINT person_contact_pkey PRIMARY KEY (person_id, place);

ALTER TABLE ONLY person_limit
    ADD CONSTRAINT person_limit_pkey PRIMARY KEY (person_id, measure);

ALTER TABLE ONLY person
    ADD CONSTRAINT person_pkey PRIMARY KEY (person_id);

ALTER TABLE ONLY person_state_change
    ADD CONSTRAINT person_state_change_pkey PRIMARY KEY (change_id);

ALTER TABLE ONLY premises
    ADD CONSTRAINT premises_pkey PRIMARY KEY (premises_id);

ALTER TABLE ONLY quarantine
    ADD CONSTRAINT quarantine_message_key_key UNIQUE (message_key);

ALTER TABLE ONLY quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (quarantine_id);

ALTER TABLE ONLY responder
    ADD CONSTRAINT responder_pkey PRIMARY KEY (responder_id);

ALTER TABLE ONLY signal_window
    ADD CONSTRAINT signal_window_pkey PRIMARY KEY (alarm_id);

CREATE INDEX account_area ON account USING btree (area_id);

CREATE INDEX alarm_device ON alarm USING btree (device_id, received_at);

CREATE INDEX alarm_incident ON alarm USING btree (incident_id, received_at);

CREATE INDEX alarm_received ON alarm USING btree (received_at);

CREATE INDEX api_token_area ON api_token USING btree (area_id);

CREATE INDEX area_outage_open ON area_outage USING btree (outage_id) WHERE (cleared_at IS NULL);

CREATE INDEX area_parent ON area USING btree (parent_id);

CREATE INDEX audit_log_area ON audit_log USING btree (area_id, entry_id);

CREATE INDEX audit_log_at ON audit_log USING brin (at);

CREATE INDEX audit_log_incident ON audit_log USING btree (incident_id, entry_id);

CREATE INDEX context_change_txid ON context_change USING btree (txid);

CREATE INDEX desk_action_recorded ON desk_action USING btree (recorded_at);

CREATE INDEX desk_session_account ON desk_session USING btree (account_id);

CREATE INDEX detector_state_shard ON detector_state USING btree (owner, shard);

CREATE INDEX device_area ON device USING btree (area_id);

CREATE INDEX device_heard_received ON device_heard USING btree (received_at, device_id);

CREATE INDEX device_history_device ON device_history USING btree (device_id, entry_id);

CREATE INDEX device_person ON device USING btree (person_id);

CREATE INDEX device_premises ON device USING btree (premises_id);

CREATE INDEX device_wearer_last ON device_wearer USING btree (last_at);

CREATE INDEX family_link_person ON family_link USING btree (person_id);

CREATE INDEX finding_episode ON finding USING btree (detector, subject_id, key);

CREATE INDEX finding_incident ON finding USING btree (incident_id) WHERE (incident_id IS NOT NULL);

CREATE INDEX finding_newest ON finding USING btree (at DESC, finding_id);

CREATE INDEX finding_person ON finding USING btree (person_id, at DESC);

CREATE INDEX history_day_area ON ONLY history_day USING btree (area_id, measure, bucket_at) INCLUDE (device_id, observations, good, usable, lowest, highest, total);

CREATE UNIQUE INDEX history_day_key ON ONLY history_day USING btree (device_id, measure, bucket_at, person_id, area_id) NULLS NOT DISTINCT;

CREATE UNIQUE INDEX history_hour_key ON ONLY history_hour USING btree (device_id, measure, bucket_at, person_id, area_id) NULLS NOT DISTINCT;

CREATE INDEX incident_changed ON incident USING btree (changed_txid);

CREATE INDEX incident_deadline ON incident USING btree (next_deadline_at) WHERE (state <> 'resolved'::text);

CREATE UNIQUE INDEX incident_open_subject ON incident USING btree (subject_kind, subject_id) WHERE (state <> 'resolved'::text);

CREATE INDEX incident_opened ON incident USING btree (opened_at DESC, incident_id);

CREATE INDEX incident_resolved ON incident USING btree (subject_kind, subject_id, resolved_at DESC) WHERE (state = 'resolved'::text);

CREATE INDEX incident_resolved_at ON incident USING btree (resolved_at) WHERE (state = 'resolved'::text);

CREATE INDEX maintenance_until ON maintenance USING btree (until_at);

CREATE INDEX notification_due ON notification USING btree (urgency, due_at) WHERE (state = 'pending'::text);

CREATE INDEX notification_failed ON notification USING btree (notification_id) WHERE (state = 'failed'::text);

CREATE INDEX notification_incident ON notification USING btree (incident_id);

CREATE INDEX notification_settled ON notification USING btree (settled_at) WHERE (state <> 'pending'::text);

CREATE INDEX observation_batch ON ONLY observation USING brin (batch_id);

CREATE INDEX observation_default_batch_id_idx ON observation_default USING brin (batch_id);

CREATE UNIQUE INDEX observation_key ON ONLY observation USING btree (device_id, measure, observed_at, message_key);

CREATE UNIQUE INDEX observation_default_device_id_measure_observed_at_message_k_idx ON observation_default USING btree (device_id, measure, observed_at, message_key);

CREATE INDEX observation_undated_batch_id_idx ON observation_undated USING brin (batch_id);

CREATE UNIQUE INDEX observation_undated_device_id_measure_observed_at_message_k_idx ON observation_undated USING btree (device_id, measure, observed_at, message_key);

CREATE INDEX observation_undated_received ON observation_undated USING btree (device_id, measure, received_at);

CREATE INDEX person_area ON person USING btree (area_id);

CREATE INDEX person_premises ON person USING btree (premises_id);

CREATE INDEX person_search ON person USING gin (search_grams(((((person_id || ' '::text) || name) || ' '::text) || COALESCE(phone, ''::text))));

CREATE INDEX person_state_change_person ON person_state_change USING btree (person_id, change_id);

CREATE INDEX premises_area ON premises USING btree (area_id);

CREATE INDEX premises_search ON premises USING gin (search_grams(((((premises_id || ' '::text) || address) || ' '::text) || COALESCE(phone, ''::text))));

CREATE INDEX quarantine_lane ON quarantine USING btree (lane, quarantine_id);

CREATE INDEX quarantine_received ON quarantine USING btree (received_at);

CREATE INDEX quarantine_state ON quarantine USING btree (state, quarantine_id);

CREATE INDEX responder_account ON responder USING btree (account_id);

CREATE INDEX responder_area ON responder USING btree (area_id);

CREATE INDEX signal_window_received ON signal_window USING btree (received_at);

ALTER INDEX observation_batch ATTACH PARTITION observation_default_batch_id_idx;

ALTER INDEX observation_key ATTACH PARTITION observation_default_device_id_measure_observed_at_message_k_idx;

ALTER INDEX observation_batch ATTACH PARTITION observation_undated_batch_id_idx;

ALTER INDEX observation_key ATTACH PARTITION observation_undated_device_id_measure_observed_at_message_k_idx;

CREATE TRIGGER account_changed AFTER INSERT OR DELETE OR UPDATE ON account FOR EACH ROW EXECUTE FUNCTION note_context_change('account_id');

CREATE TRIGGER api_token_changed AFTER INSERT OR DELETE OR UPDATE ON api_token FOR EACH ROW EXECUTE FUNCTION note_context_change('token_sha256');

CREATE TRIGGER area_changed AFTER INSERT OR DELETE OR UPDATE ON area FOR EACH ROW EXECUTE FUNCTION note_context_change('area_id');

CREATE TRIGGER area_placed BEFORE INSERT OR UPDATE OF parent_id, level ON area FOR EACH ROW EXECUTE FUNCTION place_area();

CREATE TRIGGER audit_log_append_only BEFORE DELETE OR UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER audit_log_never_emptied BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER desk_session_changed AFTER INSERT OR DELETE OR UPDATE ON desk_session FOR EACH ROW EXECUTE FUNCTION note_context_change('token_sha256');

CREATE TRIGGER device_changed AFTER INSERT OR DELETE OR UPDATE ON device FOR EACH ROW EXECUTE FUNCTION note_context_change('device_id');

CREATE TRIGGER device_has_history AFTER INSERT OR UPDATE ON device FOR EACH ROW EXECUTE FUNCTION note_device_history();

CREATE TRIGGER family_link_changed AFTER INSERT OR DELETE OR UPDATE ON family_link FOR EACH ROW EXECUTE FUNCTION note_account_change();

CREATE TRIGGER fence_changed AFTER INSERT OR DELETE OR UPDATE ON fence FOR EACH ROW EXECUTE FUNCTION note_care_change();

CREATE TRIGGER inactivity_line_changed AFTER INSERT OR DELETE ON inactivity_line FOR EACH ROW EXECUTE FUNCTION note_context_change('premises_id');

CREATE TRIGGER inactivity_line_learned AFTER UPDATE ON inactivity_line FOR EACH ROW WHEN ((old.minutes IS DISTINCT FROM new.minutes)) EXECUTE FUNCTION note_context_change('premises_id');

CREATE TRIGGER incident_added AFTER INSERT OR UPDATE OF next_deadline_at ON incident FOR EACH STATEMENT EXECUTE FUNCTION wake_escalator();

CREATE TRIGGER notification_added AFTER INSERT ON notification FOR EACH STATEMENT EXECUTE FUNCTION wake_courier();

CREATE TRIGGER person_care_changed AFTER INSERT OR DELETE OR UPDATE ON person_care FOR EACH ROW EXECUTE FUNCTION note_care_change();

CREATE TRIGGER person_changed AFTER INSERT OR DELETE OR UPDATE ON person FOR EACH ROW EXECUTE FUNCTION note_context_change('person_id');

CREATE TRIGGER person_contact_changed AFTER INSERT OR DELETE OR UPDATE ON person_contact FOR EACH ROW EXECUTE FUNCTION note_context_change('person_id');

CREATE TRIGGER person_limit_changed AFTER INSERT OR DELETE OR UPDATE ON person_limit FOR EACH ROW EXECUTE FUNCTION note_care_change();

CREATE TRIGGER person_moved AFTER UPDATE OF premises_id, area_id ON person FOR EACH ROW WHEN (((old.premises_id IS DISTINCT FROM new.premises_id) OR (old.area_id IS DISTINCT FROM new.area_id))) EXECUTE FUNCTION move_with_person();

CREATE TRIGGER person_moved_area AFTER UPDATE OF area_id ON person FOR EACH ROW WHEN ((old.area_id IS DISTINCT FROM new.area_id)) EXECUTE FUNCTION care_follows_person();

CREATE TRIGGER premises_changed AFTER INSERT OR DELETE OR UPDATE ON premises FOR EACH ROW EXECUTE FUNCTION note_context_change('premises_id');

CREATE TRIGGER premises_moved AFTER UPDATE OF area_id ON premises FOR EACH ROW WHEN ((old.area_id <> new.area_id)) EXECUTE FUNCTION move_with_home();

CREATE TRIGGER responder_changed AFTER INSERT OR DELETE OR UPDATE ON responder FOR EACH ROW EXECUTE FUNCTION note_context_change('responder_id');

ALTER TABLE ONLY account
    ADD CONSTRAINT account_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY alarm
    ADD CONSTRAINT alarm_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES incident(incident_id);

ALTER TABLE ONLY api_token
    ADD CONSTRAINT api_token_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY area_outage_device
    ADD CONSTRAINT area_outage_device_outage_id_fkey FOREIGN KEY (outage_id) REFERENCES area_outage(outage_id) ON DELETE CASCADE;

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

ALTER TABLE ONLY device
    ADD CONSTRAINT device_replaces_fkey FOREIGN KEY (replaces) REFERENCES device(device_id);

ALTER TABLE ONLY family_link
    ADD CONSTRAINT family_link_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id) ON DELETE CASCADE;

ALTER TABLE ONLY family_link
    ADD CONSTRAINT family_link_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id) ON DELETE CASCADE;

ALTER TABLE ONLY fence
    ADD CONSTRAINT fence_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY fence
    ADD CONSTRAINT fence_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id) ON DELETE CASCADE;

ALTER TABLE ONLY finding
    ADD CONSTRAINT finding_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES incident(incident_id);

ALTER TABLE ONLY inactivity_day
    ADD CONSTRAINT inactivity_day_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY inactivity_day
    ADD CONSTRAINT inactivity_day_premises_id_fkey FOREIGN KEY (premises_id) REFERENCES premises(premises_id) ON DELETE CASCADE;

ALTER TABLE ONLY inactivity_line
    ADD CONSTRAINT inactivity_line_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY inactivity_line
    ADD CONSTRAINT inactivity_line_premises_id_fkey FOREIGN KEY (premises_id) REFERENCES premises(premises_id) ON DELETE CASCADE;

ALTER TABLE ONLY key_safe
    ADD CONSTRAINT key_safe_premises_id_fkey FOREIGN KEY (premises_id) REFERENCES premises(premises_id) ON DELETE CASCADE;

ALTER TABLE ONLY maintenance
    ADD CONSTRAINT maintenance_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY muted_condition
    ADD CONSTRAINT muted_condition_maintenance_id_fkey FOREIGN KEY (maintenance_id) REFERENCES maintenance(maintenance_id);

ALTER TABLE ONLY notification
    ADD CONSTRAINT notification_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES incident(incident_id);

ALTER TABLE ONLY person
    ADD CONSTRAINT person_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY person_care
    ADD CONSTRAINT person_care_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY person_care
    ADD CONSTRAINT person_care_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id) ON DELETE CASCADE;

ALTER TABLE ONLY person_contact
    ADD CONSTRAINT person_contact_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id) ON DELETE CASCADE;

ALTER TABLE ONLY person_limit
    ADD CONSTRAINT person_limit_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY person_limit
    ADD CONSTRAINT person_limit_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id) ON DELETE CASCADE;

ALTER TABLE ONLY person
    ADD CONSTRAINT person_premises_id_fkey FOREIGN KEY (premises_id) REFERENCES premises(premises_id);

ALTER TABLE ONLY person_state_change
    ADD CONSTRAINT person_state_change_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id) ON DELETE CASCADE;

ALTER TABLE ONLY premises
    ADD CONSTRAINT premises_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY responder
    ADD CONSTRAINT responder_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id);

ALTER TABLE ONLY responder
    ADD CONSTRAINT responder_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);
