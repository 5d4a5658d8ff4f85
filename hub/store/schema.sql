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

CREATE FUNCTION consent_follows_person() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE consent SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    RETURN NULL;
END $$;

CREATE FUNCTION keep_hand_offs() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO hand_off (incident_id, area_id, service, number, reference, by_name, at)
    SELECT NEW.incident_id, NEW.area_id, h.service,
        coalesce(CASE h.service WHEN 'ambulance' THEN r.ambulance_number
            WHEN 'fire' THEN r.fire_number ELSE r.police_number END, h.number),
        coalesce(h.reference, ''), coalesce(h.by, ''), h.at
    FROM jsonb_to_recordset(NEW.hand_offs)
        AS h (service text, number text, reference text, by text, at timestamptz)
    CROSS JOIN reach_of_area(NEW.area_id) r
    ON CONFLICT (incident_id, service, at) DO NOTHING;
    RETURN NULL;
END $$;

CREATE FUNCTION keep_responders() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO incident_responder (incident_id, actor_kind, actor_id, area_id, name, answer, way,
        told_at, answered_at, expected_at, arrived_at)
    SELECT NEW.incident_id, r.who ->> 'kind', r.who ->> 'id', NEW.area_id, r.who ->> 'name',
        r.answer, r.way, r.told_at, r.answered_at, r.expected_at, r.arrived_at
    FROM jsonb_to_recordset(NEW.responders) AS r (who jsonb, answer text, way text,
        told_at timestamptz, answered_at timestamptz, expected_at timestamptz,
        arrived_at timestamptz)
    ON CONFLICT (incident_id, actor_kind, actor_id) DO UPDATE SET answer = excluded.answer,
        way = excluded.way, name = excluded.name, told_at = excluded.told_at,
        answered_at = excluded.answered_at, expected_at = excluded.expected_at,
        arrived_at = excluded.arrived_at;
    RETURN NULL;
END $$;

CREATE FUNCTION log_delivery() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION move_with_responder() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE responder_position SET area_id = NEW.area_id WHERE responder_id = NEW.responder_id;
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
        IF (NEW.kind, NEW.label, NEW.model) IS DISTINCT FROM (OLD.kind, OLD.label, OLD.model) THEN
            changes := changes || 'described'::text;
        END IF;
    END IF;
    IF changes = '{}' THEN
        RETURN NULL;
    END IF;
    INSERT INTO device_history (device_id, changes, area_id, premises_id, person_id, kind, label,
        revoked, other_device_id, model)
    VALUES (NEW.device_id, changes, NEW.area_id, NEW.premises_id, NEW.person_id, NEW.kind,
        NEW.label, NEW.revoked, CASE WHEN TG_OP = 'INSERT' THEN NEW.replaces END, NEW.model);
    IF TG_OP = 'INSERT' AND NEW.replaces IS NOT NULL THEN
        INSERT INTO device_history (device_id, changes, area_id, premises_id, person_id, kind,
            label, revoked, other_device_id, model)
        SELECT device_id, '{swapped_out}', area_id, premises_id, person_id, kind, label, revoked,
            NEW.device_id, model
        FROM device WHERE device_id = NEW.replaces;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION note_responder_account() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO context_change (noun, id)
    SELECT DISTINCT 'account', a.id FROM (VALUES
        (CASE WHEN TG_OP <> 'INSERT' THEN OLD.account_id END),
        (CASE WHEN TG_OP <> 'DELETE' THEN NEW.account_id END)) AS a (id)
    WHERE a.id IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION note_shared_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO context_change (noun, id)
    SELECT 'account', account_id FROM family_link
    WHERE person_id = CASE WHEN TG_OP = 'DELETE' THEN OLD.person_id ELSE NEW.person_id END;
    RETURN NULL;
END $$;

CREATE FUNCTION note_test_press() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION note_visit() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION pinyin_follows_person() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE person_pinyin SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
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

CREATE FUNCTION policy_follows_person() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE policy SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    RETURN NULL;
END $$;

CREATE FUNCTION push_follows_account() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE push_subscription SET area_id = NEW.area_id WHERE account_id = NEW.account_id;
    RETURN NULL;
END $$;

CREATE FUNCTION reach_of_area(sought text) RETURNS TABLE(arrive_within_min integer, settlement text, ambulance_number text, fire_number text, police_number text)
    LANGUAGE sql STABLE
    AS $$
    WITH RECURSIVE up AS (
        SELECT a.*, 1 AS height FROM area a WHERE a.area_id = sought
        UNION ALL
        SELECT a.*, up.height + 1 FROM area a JOIN up ON a.area_id = up.parent_id
        WHERE up.height < 10
    ), said AS (
        SELECT
            (array_agg(up.arrive_within_min ORDER BY up.height)
                FILTER (WHERE up.arrive_within_min IS NOT NULL))[1] AS within_min,
            coalesce((array_agg(up.settlement ORDER BY up.height)
                FILTER (WHERE up.settlement IS NOT NULL))[1], 'urban') AS settlement,
            (array_agg(up.ambulance_number ORDER BY up.height)
                FILTER (WHERE up.ambulance_number IS NOT NULL))[1] AS ambulance,
            (array_agg(up.fire_number ORDER BY up.height)
                FILTER (WHERE up.fire_number IS NOT NULL))[1] AS fire,
            (array_agg(up.police_number ORDER BY up.height)
                FILTER (WHERE up.police_number IS NOT NULL))[1] AS police
        FROM up
    )
    SELECT coalesce(within_min, CASE settlement WHEN 'rural' THEN 40 ELSE 15 END), settlement,
        ambulance, fire, police
    FROM said
$$;

CREATE FUNCTION refuse_block_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('carebell.retention', true) = 'on' THEN
        IF OLD.newest_at < now() - interval '183 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the seal of the audit log is append-only';
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

CREATE FUNCTION rounds_follow_person() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE visit SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    UPDATE care_round SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    RETURN NULL;
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

CREATE FUNCTION seconds_from(since timestamp with time zone, until timestamp with time zone) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT CASE WHEN until < since THEN 0 ELSE extract(epoch FROM until - since) END::double precision
$$;

CREATE FUNCTION set_arrival_target() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    within_min integer;
BEGIN
    -- Saving an incident again is an INSERT with ON CONFLICT: its target stands.
    IF EXISTS (SELECT FROM incident i WHERE i.incident_id = NEW.incident_id) THEN
        RETURN NEW;
    END IF;
    SELECT r.arrive_within_min INTO within_min FROM reach_of_area(NEW.area_id) r;
    NEW.arrive_by := NEW.opened_at + make_interval(mins => within_min);
    RETURN NEW;
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

CREATE FUNCTION zone_of_area(wanted text) RETURNS text
    LANGUAGE sql STABLE
    AS $$
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
    must_change_password boolean DEFAULT false NOT NULL,
    phone text,
    email text
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
    evidence jsonb DEFAULT '{}'::jsonb NOT NULL,
    drill boolean DEFAULT false NOT NULL
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
    time_zone text,
    arrive_within_min integer,
    settlement text,
    ambulance_number text,
    fire_number text,
    police_number text,
    CONSTRAINT area_arrive_within_min_check CHECK (((arrive_within_min >= 1) AND (arrive_within_min <= 240))),
    CONSTRAINT area_level CHECK ((level = ANY (ARRAY['city'::text, 'county'::text, 'street'::text, 'community'::text]))),
    CONSTRAINT area_settlement_check CHECK ((settlement = ANY (ARRAY['urban'::text, 'rural'::text])))
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

CREATE TABLE assurance_condition (
    concern text NOT NULL,
    subject_kind text NOT NULL,
    subject_id text NOT NULL,
    area_id text NOT NULL,
    since timestamp with time zone NOT NULL,
    raised_at timestamp with time zone,
    gone_since timestamp with time zone,
    evidence jsonb NOT NULL,
    about text DEFAULT ''::text NOT NULL,
    priority text
);

CREATE TABLE audit_awaited (
    first_id bigint NOT NULL,
    last_id bigint NOT NULL,
    since timestamp with time zone NOT NULL
);

CREATE TABLE audit_block (
    number bigint NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    root bytea NOT NULL,
    upto_entry_id bigint NOT NULL,
    newest_at timestamp with time zone NOT NULL,
    entry_ids bigint[] NOT NULL,
    digests bytea NOT NULL,
    CONSTRAINT audit_block_whole CHECK ((octet_length(digests) = (32 * cardinality(entry_ids))))
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

CREATE TABLE care_round (
    person_id text NOT NULL,
    area_id text NOT NULL,
    last_test_at timestamp with time zone,
    last_test_alarm_id text,
    last_test_device_id text,
    last_visit_at timestamp with time zone,
    last_visit_id text
);

CREATE TABLE consent (
    person_id text NOT NULL,
    audience text NOT NULL,
    data_type text NOT NULL,
    area_id text NOT NULL,
    allowed boolean NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    by_id text NOT NULL,
    by_name text,
    ground text DEFAULT ''::text NOT NULL
);

CREATE TABLE contact_proof (
    recipient text NOT NULL,
    channel text NOT NULL,
    area_id text NOT NULL,
    address_sha256 text NOT NULL,
    asked_at timestamp with time zone,
    answer_due_at timestamp with time zone,
    notification_id bigint,
    code text,
    verified_at timestamp with time zone,
    verified_by text,
    failed_at timestamp with time zone,
    failure text
);

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

CREATE TABLE delivery (
    delivery_id bigint NOT NULL,
    area_id text NOT NULL,
    notification_id bigint NOT NULL,
    incident_id text,
    channel text NOT NULL,
    recipient text NOT NULL,
    attempt integer NOT NULL,
    reference text NOT NULL,
    address text DEFAULT ''::text NOT NULL,
    provider_id text,
    state text DEFAULT 'sending'::text NOT NULL,
    began_at timestamp with time zone NOT NULL,
    at timestamp with time zone NOT NULL,
    receipt_at timestamp with time zone,
    detail text DEFAULT ''::text NOT NULL
);

ALTER TABLE delivery ALTER COLUMN delivery_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME delivery_delivery_id_seq
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
    refusal text,
    actor_kind text DEFAULT 'account'::text NOT NULL,
    way text DEFAULT 'desk'::text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL
);

CREATE TABLE desk_presence (
    feed_id text NOT NULL,
    account_id text NOT NULL,
    area_id text NOT NULL,
    role text NOT NULL,
    since timestamp with time zone NOT NULL
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
    mosquitto_hash text,
    model text,
    voice_number text,
    registered_at timestamp with time zone DEFAULT now()
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
    other_device_id text,
    model text
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
    by_id text NOT NULL,
    decides boolean DEFAULT false NOT NULL
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

CREATE TABLE hand_off (
    hand_off_id bigint NOT NULL,
    incident_id text NOT NULL,
    area_id text NOT NULL,
    service text NOT NULL,
    number text NOT NULL,
    reference text NOT NULL,
    by_name text NOT NULL,
    at timestamp with time zone NOT NULL,
    arrived_at timestamp with time zone,
    arrived_by text,
    CONSTRAINT hand_off_service_check CHECK ((service = ANY (ARRAY['ambulance'::text, 'fire'::text, 'police'::text])))
);

ALTER TABLE hand_off ALTER COLUMN hand_off_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME hand_off_hand_off_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE handover (
    handover_id text NOT NULL,
    area_id text NOT NULL,
    from_id text NOT NULL,
    from_name text NOT NULL,
    to_id text NOT NULL,
    to_name text NOT NULL,
    note text NOT NULL,
    state text DEFAULT 'offered'::text NOT NULL,
    offered_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    CONSTRAINT handover_state_check CHECK ((state = ANY (ARRAY['offered'::text, 'confirmed'::text, 'declined'::text, 'withdrawn'::text])))
);

CREATE TABLE handover_incident (
    handover_id text NOT NULL,
    incident_id text NOT NULL,
    area_id text NOT NULL,
    result text
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

CREATE TABLE home_call (
    call_id text NOT NULL,
    area_id text NOT NULL,
    incident_id text NOT NULL,
    kind text NOT NULL,
    number text NOT NULL,
    bridge_to text,
    prefix text DEFAULT ''::text NOT NULL,
    whom text NOT NULL,
    by_id text NOT NULL,
    by_name text NOT NULL,
    state text DEFAULT 'asked'::text NOT NULL,
    result text,
    provider_id text,
    asked_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    detail text DEFAULT ''::text NOT NULL,
    CONSTRAINT home_call_kind_check CHECK ((kind = ANY (ARRAY['talk'::text, 'check_in'::text]))),
    CONSTRAINT home_call_result_check CHECK ((result = ANY (ARRAY['answered'::text, 'well'::text, 'help'::text, 'no_reply'::text, 'busy'::text, 'failed'::text]))),
    CONSTRAINT home_call_state_check CHECK ((state = ANY (ARRAY['asked'::text, 'placed'::text, 'ringing'::text, 'answered'::text, 'ended'::text])))
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
    ladder jsonb,
    repeats integer DEFAULT 0 NOT NULL,
    lease_until timestamp with time zone,
    responders jsonb DEFAULT '[]'::jsonb NOT NULL,
    hand_offs jsonb DEFAULT '[]'::jsonb NOT NULL,
    same_address text,
    drill boolean DEFAULT false NOT NULL,
    arrive_by timestamp with time zone,
    CONSTRAINT incident_never_silent CHECK (((state = 'resolved'::text) = (next_deadline_at IS NULL))),
    CONSTRAINT incident_resolved_with_outcome CHECK (((state = 'resolved'::text) = (outcome IS NOT NULL)))
);

CREATE TABLE incident_fact (
    incident_id text NOT NULL,
    area_id text NOT NULL,
    day date NOT NULL,
    category text NOT NULL,
    priority text NOT NULL,
    kind text NOT NULL,
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
    detector text,
    device_firmware text
);

CREATE TABLE incident_fact_state (
    only_row boolean DEFAULT true NOT NULL,
    horizon xid8 DEFAULT '0'::xid8 NOT NULL,
    settled_until timestamp with time zone,
    as_of timestamp with time zone,
    CONSTRAINT incident_fact_state_only_row_check CHECK (only_row)
);

CREATE TABLE incident_link (
    token_sha256 text NOT NULL,
    area_id text NOT NULL,
    incident_id text NOT NULL,
    recipient text NOT NULL,
    name text NOT NULL,
    language text NOT NULL,
    channel text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    used_for text
);

CREATE TABLE incident_responder (
    incident_id text NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    area_id text NOT NULL,
    name text NOT NULL,
    answer text NOT NULL,
    way text,
    told_at timestamp with time zone,
    answered_at timestamp with time zone,
    expected_at timestamp with time zone,
    arrived_at timestamp with time zone,
    CONSTRAINT incident_responder_actor_kind_check CHECK ((actor_kind = ANY (ARRAY['account'::text, 'contact'::text, 'responder'::text]))),
    CONSTRAINT incident_responder_answer_check CHECK ((answer = ANY (ARRAY['told'::text, 'going'::text, 'declined'::text, 'arrived'::text])))
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

CREATE TABLE live_feed (
    feed_id text NOT NULL,
    area_id text NOT NULL,
    since timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    synthetic_id text,
    synthetic_at timestamp with time zone
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
    incident_id text,
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
    detail text DEFAULT ''::text NOT NULL,
    step smallint,
    repeats integer DEFAULT 0 NOT NULL,
    channels text[] DEFAULT '{}'::text[] NOT NULL,
    receipt_due_at timestamp with time zone,
    sent_at timestamp with time zone,
    delivered_at timestamp with time zone,
    provider_id text,
    reason text DEFAULT ''::text NOT NULL,
    broken smallint DEFAULT 0 NOT NULL,
    round smallint DEFAULT 0 NOT NULL
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
    registered_at timestamp with time zone DEFAULT now(),
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
    has_key boolean DEFAULT false NOT NULL,
    contact_id text DEFAULT (gen_random_uuid())::text NOT NULL,
    email text,
    language text,
    channels text[] DEFAULT '{}'::text[] NOT NULL,
    account_id text
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

CREATE TABLE person_pinyin (
    person_id text NOT NULL,
    area_id text NOT NULL,
    name text NOT NULL,
    letters text NOT NULL
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

CREATE TABLE policy (
    policy_id text NOT NULL,
    area_id text NOT NULL,
    kind text,
    category text,
    priority text,
    person_id text,
    ladder jsonb NOT NULL,
    revision integer DEFAULT 1 NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    changed_by text NOT NULL,
    CONSTRAINT policy_category_check CHECK ((category = ANY (ARRAY['personal'::text, 'physiological'::text, 'hazard'::text, 'technical'::text]))),
    CONSTRAINT policy_priority_check CHECK ((priority = ANY (ARRAY['high'::text, 'medium'::text, 'low'::text])))
);

CREATE TABLE premises (
    premises_id text NOT NULL,
    area_id text NOT NULL,
    address text NOT NULL,
    access_notes text,
    latitude double precision,
    longitude double precision,
    time_zone text,
    phone text,
    video_link text
);

CREATE TABLE proof_campaign (
    campaign_id bigint NOT NULL,
    area_id text NOT NULL,
    channels text[] NOT NULL,
    per_minute smallint NOT NULL,
    asked integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    ended_at timestamp with time zone
);

ALTER TABLE proof_campaign ALTER COLUMN campaign_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME proof_campaign_campaign_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE push_subscription (
    endpoint text NOT NULL,
    account_id text NOT NULL,
    area_id text NOT NULL,
    p256dh text NOT NULL,
    auth text NOT NULL,
    agent text DEFAULT ''::text NOT NULL,
    since timestamp with time zone NOT NULL,
    used_at timestamp with time zone
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

CREATE TABLE reply (
    reply_id bigint NOT NULL,
    area_id text NOT NULL,
    provider text NOT NULL,
    message_id text NOT NULL,
    way text NOT NULL,
    sender text NOT NULL,
    text text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    incident_id text,
    recipient text,
    verb text,
    result text NOT NULL,
    answer text DEFAULT ''::text NOT NULL,
    CONSTRAINT reply_way_check CHECK ((way = ANY (ARRAY['sms'::text, 'voice'::text])))
);

ALTER TABLE reply ALTER COLUMN reply_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME reply_reply_id_seq
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
    travel_mode text DEFAULT 'foot'::text NOT NULL,
    CONSTRAINT responder_availability_check CHECK ((availability = ANY (ARRAY['available'::text, 'busy'::text, 'off_duty'::text]))),
    CONSTRAINT responder_kind_check CHECK ((kind = ANY (ARRAY['person'::text, 'station'::text, 'team'::text]))),
    CONSTRAINT responder_travel_mode_check CHECK ((travel_mode = ANY (ARRAY['foot'::text, 'bicycle'::text, 'car'::text])))
);

CREATE TABLE responder_position (
    responder_id text NOT NULL,
    area_id text NOT NULL,
    latitude double precision NOT NULL,
    longitude double precision NOT NULL,
    accuracy_m double precision,
    fixed_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    CONSTRAINT responder_position_accuracy_m_check CHECK ((accuracy_m >= (0)::double precision)),
    CONSTRAINT responder_position_latitude_check CHECK (((latitude >= ('-90'::integer)::double precision) AND (latitude <= (90)::double precision))),
    CONSTRAINT responder_position_longitude_check CHECK (((longitude >= ('-180'::integer)::double precision) AND (longitude <= (180)::double precision)))
);

CREATE TABLE rota_change (
    change_id bigint NOT NULL,
    area_id text NOT NULL,
    duty text NOT NULL,
    account_id text,
    instead_of text,
    from_at timestamp with time zone NOT NULL,
    until_at timestamp with time zone NOT NULL,
    why text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    CONSTRAINT rota_change_duty_check CHECK ((duty = ANY (ARRAY['dispatcher'::text, 'second'::text, 'supervisor'::text]))),
    CONSTRAINT rota_change_in_order CHECK ((until_at > from_at)),
    CONSTRAINT rota_change_names_somebody CHECK (((account_id IS NOT NULL) OR (instead_of IS NOT NULL)))
);

ALTER TABLE rota_change ALTER COLUMN change_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rota_change_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE rota_weekly (
    weekly_id bigint NOT NULL,
    area_id text NOT NULL,
    duty text NOT NULL,
    account_id text NOT NULL,
    weekday smallint NOT NULL,
    from_min smallint NOT NULL,
    until_min smallint NOT NULL,
    time_zone text NOT NULL,
    valid_from date NOT NULL,
    valid_until date,
    created_at timestamp with time zone NOT NULL,
    created_by text NOT NULL,
    CONSTRAINT rota_weekly_duty_check CHECK ((duty = ANY (ARRAY['dispatcher'::text, 'second'::text, 'supervisor'::text]))),
    CONSTRAINT rota_weekly_from_min_check CHECK (((from_min >= 0) AND (from_min <= 1439))),
    CONSTRAINT rota_weekly_in_order CHECK (((valid_until IS NULL) OR (valid_until >= valid_from))),
    CONSTRAINT rota_weekly_until_min_check CHECK (((until_min >= 0) AND (until_min <= 1439))),
    CONSTRAINT rota_weekly_weekday_check CHECK (((weekday >= 0) AND (weekday <= 6)))
);

ALTER TABLE rota_weekly ALTER COLUMN weekly_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rota_weekly_weekly_id_seq
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

CREATE TABLE synthetic_press (
    press_id text NOT NULL,
    area_id text NOT NULL,
    alarm_id text NOT NULL,
    sent_at timestamp with time zone NOT NULL,
    receipt_s real,
    recorded_s real,
    shown_s real,
    took_s real
);

CREATE TABLE told_from_memory (
    call_id text NOT NULL,
    incident_id text NOT NULL,
    area_id text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE visit (
    visit_id text NOT NULL,
    area_id text NOT NULL,
    person_id text NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    visitor_name text NOT NULL,
    visitor_id text,
    note text,
    photo_sha256 text,
    latitude double precision,
    longitude double precision,
    accuracy_m double precision,
    signature_reference text,
    recorded_at timestamp with time zone NOT NULL,
    recorded_by text NOT NULL,
    withdrawn_at timestamp with time zone,
    withdrawn_by text,
    withdrawn_reason text,
    CONSTRAINT visit_kind_check CHECK ((kind = ANY (ARRAY['monthly'::text, 'device_check'::text, 'after_incident'::text, 'other'::text]))),
    CONSTRAINT visit_position_whole CHECK (((latitude IS NULL) = (longitude IS NULL)))
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

ALTER TABLE ONLY assurance_condition
    ADD CONSTRAINT assurance_condition_pkey PRIMARY KEY (concern, subject_kind, subject_id);

ALTER TABLE ONLY audit_awaited
    ADD CONSTRAINT audit_awaited_pkey PRIMARY KEY (first_id);

ALTER TABLE ONLY audit_block
    ADD CONSTRAINT audit_block_pkey PRIMARY KEY (number);

ALTER TABLE ONLY audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (entry_id);

ALTER TABLE ONLY care_round
    ADD CONSTRAINT care_round_pkey PRIMARY KEY (person_id);

ALTER TABLE ONLY consent
    ADD CONSTRAINT consent_pkey PRIMARY KEY (person_id, audience, data_type);

ALTER TABLE ONLY contact_proof
    ADD CONSTRAINT contact_proof_pkey PRIMARY KEY (recipient, channel);

ALTER TABLE ONLY context_change
    ADD CONSTRAINT context_change_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (delivery_id);

ALTER TABLE ONLY desk_action
    ADD CONSTRAINT desk_action_pkey PRIMARY KEY (action_id);

ALTER TABLE ONLY desk_presence
    ADD CONSTRAINT desk_presence_pkey PRIMARY KEY (feed_id, account_id);

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

ALTER TABLE ONLY hand_off
    ADD CONSTRAINT hand_off_incident_id_service_at_key UNIQUE (incident_id, service, at);

ALTER TABLE ONLY hand_off
    ADD CONSTRAINT hand_off_pkey PRIMARY KEY (hand_off_id);

ALTER TABLE ONLY handover_incident
    ADD CONSTRAINT handover_incident_pkey PRIMARY KEY (handover_id, incident_id);

ALTER TABLE ONLY handover
    ADD CONSTRAINT handover_pkey PRIMARY KEY (handover_id);

ALTER TABLE ONLY history_state
    ADD CONSTRAINT history_state_pkey PRIMARY KEY (only_one);

ALTER TABLE ONLY home_call
    ADD CONSTRAINT home_call_pkey PRIMARY KEY (call_id);

ALTER TABLE ONLY inactivity_day
    ADD CONSTRAINT inactivity_day_pkey PRIMARY KEY (premises_id, day);

ALTER TABLE ONLY inactivity_line
    ADD CONSTRAINT inactivity_line_pkey PRIMARY KEY (premises_id);

ALTER TABLE ONLY incident_fact
    ADD CONSTRAINT incident_fact_pkey PRIMARY KEY (incident_id);

ALTER TABLE ONLY incident_fact_state
    ADD CONSTRAINT incident_fact_state_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY incident_link
    ADD CONSTRAINT incident_link_pkey PRIMARY KEY (token_sha256);

ALTER TABLE ONLY incident
    ADD CONSTRAINT incident_pkey PRIMARY KEY (incident_id);

ALTER TABLE ONLY incident_responder
    ADD CONSTRAINT incident_responder_pkey PRIMARY KEY (incident_id, actor_kind, actor_id);

ALTER TABLE ONLY ingest_owner
    ADD CONSTRAINT ingest_owner_pkey PRIMARY KEY (owner);

ALTER TABLE ONLY key_safe
    ADD CONSTRAINT key_safe_pkey PRIMARY KEY (premises_id);

ALTER TABLE ONLY live_feed
    ADD CONSTRAINT live_feed_pkey PRIMARY KEY (feed_id);

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

ALTER TABLE ONLY person_pinyin
    ADD CONSTRAINT person_pinyin_pkey PRIMARY KEY (person_id);

ALTER TABLE ONLY person
    ADD CONSTRAINT person_pkey PRIMARY KEY (person_id);

ALTER TABLE ONLY person_state_change
    ADD CONSTRAINT person_state_change_pkey PRIMARY KEY (change_id);

ALTER TABLE ONLY policy
    ADD CONSTRAINT policy_pkey PRIMARY KEY (policy_id);

ALTER TABLE ONLY premises
    ADD CONSTRAINT premises_pkey PRIMARY KEY (premises_id);

ALTER TABLE ONLY proof_campaign
    ADD CONSTRAINT proof_campaign_pkey PRIMARY KEY (campaign_id);

ALTER TABLE ONLY push_subscription
    ADD CONSTRAINT push_subscription_pkey PRIMARY KEY (endpoint);

ALTER TABLE ONLY quarantine
    ADD CONSTRAINT quarantine_message_key_key UNIQUE (message_key);

ALTER TABLE ONLY quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (quarantine_id);

ALTER TABLE ONLY reply
    ADD CONSTRAINT reply_pkey PRIMARY KEY (reply_id);

ALTER TABLE ONLY reply
    ADD CONSTRAINT reply_provider_message_id_key UNIQUE (provider, message_id);

ALTER TABLE ONLY responder
    ADD CONSTRAINT responder_pkey PRIMARY KEY (responder_id);

ALTER TABLE ONLY responder_position
    ADD CONSTRAINT responder_position_pkey PRIMARY KEY (responder_id);

ALTER TABLE ONLY rota_change
    ADD CONSTRAINT rota_change_pkey PRIMARY KEY (change_id);

ALTER TABLE ONLY rota_weekly
    ADD CONSTRAINT rota_weekly_pkey PRIMARY KEY (weekly_id);

ALTER TABLE ONLY signal_window
    ADD CONSTRAINT signal_window_pkey PRIMARY KEY (alarm_id);

ALTER TABLE ONLY synthetic_press
    ADD CONSTRAINT synthetic_press_pkey PRIMARY KEY (press_id);

ALTER TABLE ONLY told_from_memory
    ADD CONSTRAINT told_from_memory_pkey PRIMARY KEY (call_id);

ALTER TABLE ONLY visit
    ADD CONSTRAINT visit_pkey PRIMARY KEY (visit_id);

CREATE INDEX account_area ON account USING btree (area_id);

CREATE INDEX account_phone ON account USING btree (regexp_replace(phone, '\D'::text, ''::text, 'g'::text));

CREATE INDEX alarm_device ON alarm USING btree (device_id, received_at);

CREATE INDEX alarm_incident ON alarm USING btree (incident_id, received_at);

CREATE INDEX alarm_received ON alarm USING btree (received_at);

CREATE INDEX api_token_area ON api_token USING btree (area_id);

CREATE INDEX area_outage_open ON area_outage USING btree (outage_id) WHERE (cleared_at IS NULL);

CREATE INDEX area_parent ON area USING btree (parent_id);

CREATE INDEX audit_block_upto ON audit_block USING btree (upto_entry_id);

CREATE INDEX audit_log_area ON audit_log USING btree (area_id, entry_id);

CREATE INDEX audit_log_at ON audit_log USING brin (at);

CREATE INDEX audit_log_incident ON audit_log USING btree (incident_id, entry_id);

CREATE INDEX care_round_area ON care_round USING btree (area_id, person_id);

CREATE INDEX contact_proof_code ON contact_proof USING btree (code) WHERE (code IS NOT NULL);

CREATE INDEX contact_proof_notification ON contact_proof USING btree (notification_id) WHERE (notification_id IS NOT NULL);

CREATE INDEX contact_proof_waiting ON contact_proof USING btree (answer_due_at) WHERE (answer_due_at IS NOT NULL);

CREATE INDEX context_change_txid ON context_change USING btree (txid);

CREATE INDEX delivery_at ON delivery USING btree (at);

CREATE INDEX delivery_incident ON delivery USING btree (incident_id);

CREATE INDEX delivery_notification ON delivery USING btree (notification_id);

CREATE INDEX delivery_provider ON delivery USING btree (provider_id) WHERE (provider_id IS NOT NULL);

CREATE INDEX delivery_reference ON delivery USING btree (reference);

CREATE INDEX desk_action_recorded ON desk_action USING btree (recorded_at);

CREATE INDEX desk_presence_account ON desk_presence USING btree (account_id);

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

CREATE INDEX handover_incident_incident ON handover_incident USING btree (incident_id);

CREATE INDEX handover_offered_at ON handover USING btree (offered_at);

CREATE INDEX handover_open ON handover USING btree (to_id) WHERE (state = 'offered'::text);

CREATE INDEX history_day_area ON ONLY history_day USING btree (area_id, measure, bucket_at) INCLUDE (device_id, observations, good, usable, lowest, highest, total);

CREATE UNIQUE INDEX history_day_key ON ONLY history_day USING btree (device_id, measure, bucket_at, person_id, area_id) NULLS NOT DISTINCT;

CREATE UNIQUE INDEX history_hour_key ON ONLY history_hour USING btree (device_id, measure, bucket_at, person_id, area_id) NULLS NOT DISTINCT;

CREATE INDEX home_call_due ON home_call USING btree (due_at) WHERE (state <> 'ended'::text);

CREATE INDEX home_call_incident ON home_call USING btree (incident_id, asked_at);

CREATE INDEX home_call_provider ON home_call USING btree (provider_id) WHERE (provider_id IS NOT NULL);

CREATE INDEX incident_changed ON incident USING btree (changed_txid);

CREATE INDEX incident_deadline ON incident USING btree (next_deadline_at) WHERE (state <> 'resolved'::text);

CREATE INDEX incident_fact_area ON incident_fact USING btree (area_id, day);

CREATE INDEX incident_fact_day ON incident_fact USING btree (day, area_id);

CREATE INDEX incident_fact_person ON incident_fact USING btree (person_id, day) WHERE (pressed AND (outcome = 'false_alarm'::text));

CREATE INDEX incident_link_expires ON incident_link USING btree (expires_at);

CREATE INDEX incident_link_incident ON incident_link USING btree (incident_id);

CREATE INDEX incident_open_premises ON incident USING btree (premises_id, opened_at) WHERE (state <> 'resolved'::text);

CREATE UNIQUE INDEX incident_open_subject ON incident USING btree (subject_kind, subject_id) WHERE (state <> 'resolved'::text);

CREATE INDEX incident_opened ON incident USING btree (opened_at DESC, incident_id);

CREATE INDEX incident_resolved ON incident USING btree (subject_kind, subject_id, resolved_at DESC) WHERE (state = 'resolved'::text);

CREATE INDEX incident_resolved_at ON incident USING btree (resolved_at) WHERE (state = 'resolved'::text);

CREATE INDEX incident_responder_actor ON incident_responder USING btree (actor_kind, actor_id);

CREATE INDEX maintenance_until ON maintenance USING btree (until_at);

CREATE INDEX notification_given_up ON notification USING btree (notification_id) WHERE (state = ANY (ARRAY['failed'::text, 'poisoned'::text, 'unconfirmed'::text]));

CREATE INDEX notification_incident ON notification USING btree (incident_id);

CREATE INDEX notification_settled ON notification USING btree (settled_at) WHERE (state <> 'pending'::text);

CREATE INDEX notification_unconfirmed ON notification USING btree (receipt_due_at) WHERE ((state = 'sent'::text) AND (receipt_due_at IS NOT NULL));

CREATE INDEX notification_unreached ON notification USING btree (notification_id, area_id) WHERE (state = 'nobody'::text);

CREATE INDEX notification_waiting ON notification USING btree (channel, urgency, due_at, notification_id) WHERE (state = 'pending'::text);

CREATE INDEX observation_batch ON ONLY observation USING brin (batch_id);

CREATE INDEX observation_default_batch_id_idx ON observation_default USING brin (batch_id);

CREATE UNIQUE INDEX observation_key ON ONLY observation USING btree (device_id, measure, observed_at, message_key);

CREATE UNIQUE INDEX observation_default_device_id_measure_observed_at_message_k_idx ON observation_default USING btree (device_id, measure, observed_at, message_key);

CREATE INDEX observation_undated_batch_id_idx ON observation_undated USING brin (batch_id);

CREATE UNIQUE INDEX observation_undated_device_id_measure_observed_at_message_k_idx ON observation_undated USING btree (device_id, measure, observed_at, message_key);

CREATE INDEX observation_undated_received ON observation_undated USING btree (device_id, measure, received_at);

CREATE INDEX person_area ON person USING btree (area_id);

CREATE INDEX person_contact_account ON person_contact USING btree (account_id) WHERE (account_id IS NOT NULL);

CREATE UNIQUE INDEX person_contact_id ON person_contact USING btree (contact_id);

CREATE INDEX person_contact_phone ON person_contact USING btree (regexp_replace(phone, '\D'::text, ''::text, 'g'::text));

CREATE INDEX person_pinyin_search ON person_pinyin USING gin (search_grams(letters));

CREATE INDEX person_premises ON person USING btree (premises_id);

CREATE INDEX person_search ON person USING gin (search_grams(((((person_id || ' '::text) || name) || ' '::text) || COALESCE(phone, ''::text))));

CREATE INDEX person_state_change_person ON person_state_change USING btree (person_id, change_id);

CREATE INDEX policy_person ON policy USING btree (person_id) WHERE (person_id IS NOT NULL);

CREATE UNIQUE INDEX policy_scope ON policy USING btree (area_id, COALESCE(kind, ''::text), COALESCE(category, ''::text), COALESCE(priority, ''::text), COALESCE(person_id, ''::text));

CREATE INDEX premises_area ON premises USING btree (area_id);

CREATE INDEX premises_search ON premises USING gin (search_grams(((((premises_id || ' '::text) || address) || ' '::text) || COALESCE(phone, ''::text))));

CREATE INDEX proof_campaign_area ON proof_campaign USING btree (area_id);

CREATE INDEX push_subscription_account ON push_subscription USING btree (account_id, since);

CREATE INDEX quarantine_device ON quarantine USING btree (device_id, quarantine_id) WHERE (device_id IS NOT NULL);

CREATE INDEX quarantine_lane ON quarantine USING btree (lane, quarantine_id);

CREATE INDEX quarantine_received ON quarantine USING btree (received_at);

CREATE INDEX quarantine_state ON quarantine USING btree (state, quarantine_id);

CREATE INDEX quarantine_state_lane ON quarantine USING btree (state, lane, quarantine_id);

CREATE INDEX reply_area ON reply USING btree (area_id, reply_id);

CREATE INDEX reply_incident ON reply USING btree (incident_id) WHERE (incident_id IS NOT NULL);

CREATE INDEX reply_received ON reply USING btree (received_at);

CREATE INDEX responder_account ON responder USING btree (account_id);

CREATE INDEX responder_area ON responder USING btree (area_id);

CREATE INDEX responder_phone ON responder USING btree (regexp_replace(phone, '\D'::text, ''::text, 'g'::text));

CREATE INDEX responder_registered_place ON responder USING gist (point(longitude, latitude)) WHERE ((latitude IS NOT NULL) AND (longitude IS NOT NULL));

CREATE INDEX responder_reported_place ON responder_position USING gist (point(longitude, latitude));

CREATE INDEX rota_change_account ON rota_change USING btree (account_id);

CREATE INDEX rota_change_area ON rota_change USING btree (area_id, until_at);

CREATE INDEX rota_change_instead_of ON rota_change USING btree (instead_of);

CREATE INDEX rota_weekly_account ON rota_weekly USING btree (account_id);

CREATE INDEX rota_weekly_area ON rota_weekly USING btree (area_id);

CREATE INDEX signal_window_received ON signal_window USING btree (received_at);

CREATE INDEX synthetic_press_sent ON synthetic_press USING btree (sent_at);

CREATE INDEX told_from_memory_incident ON told_from_memory USING btree (incident_id);

CREATE INDEX visit_area ON visit USING btree (area_id, at DESC, visit_id DESC);

CREATE INDEX visit_at ON visit USING btree (at);

CREATE INDEX visit_person ON visit USING btree (person_id, at DESC) WHERE (withdrawn_at IS NULL);

ALTER INDEX observation_batch ATTACH PARTITION observation_default_batch_id_idx;

ALTER INDEX observation_key ATTACH PARTITION observation_default_device_id_measure_observed_at_message_k_idx;

ALTER INDEX observation_batch ATTACH PARTITION observation_undated_batch_id_idx;

ALTER INDEX observation_key ATTACH PARTITION observation_undated_device_id_measure_observed_at_message_k_idx;

CREATE TRIGGER account_changed AFTER INSERT OR DELETE OR UPDATE ON account FOR EACH ROW EXECUTE FUNCTION note_context_change('account_id');

CREATE TRIGGER alarm_tested AFTER INSERT ON alarm FOR EACH ROW WHEN ((new.action = 'test'::text)) EXECUTE FUNCTION note_test_press();

CREATE TRIGGER api_token_changed AFTER INSERT OR DELETE OR UPDATE ON api_token FOR EACH ROW EXECUTE FUNCTION note_context_change('token_sha256');

CREATE TRIGGER area_changed AFTER INSERT OR DELETE OR UPDATE ON area FOR EACH ROW EXECUTE FUNCTION note_context_change('area_id');

CREATE TRIGGER area_placed BEFORE INSERT OR UPDATE OF parent_id, level ON area FOR EACH ROW EXECUTE FUNCTION place_area();

CREATE TRIGGER audit_block_append_only BEFORE DELETE OR UPDATE ON audit_block FOR EACH ROW EXECUTE FUNCTION refuse_block_change();

CREATE TRIGGER audit_block_never_emptied BEFORE TRUNCATE ON audit_block FOR EACH STATEMENT EXECUTE FUNCTION refuse_block_change();

CREATE TRIGGER audit_log_append_only BEFORE DELETE OR UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER audit_log_never_emptied BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER consent_changed AFTER INSERT OR DELETE OR UPDATE ON consent FOR EACH ROW EXECUTE FUNCTION note_shared_change();

CREATE TRIGGER consent_moved_area AFTER UPDATE OF area_id ON person FOR EACH ROW WHEN ((old.area_id IS DISTINCT FROM new.area_id)) EXECUTE FUNCTION consent_follows_person();

CREATE TRIGGER delivery_settled AFTER UPDATE OF state ON delivery FOR EACH ROW WHEN ((old.state IS DISTINCT FROM new.state)) EXECUTE FUNCTION log_delivery();

CREATE TRIGGER delivery_settled_at_once AFTER INSERT ON delivery FOR EACH ROW WHEN ((new.state <> 'sending'::text)) EXECUTE FUNCTION log_delivery();

CREATE TRIGGER desk_session_changed AFTER INSERT OR DELETE OR UPDATE ON desk_session FOR EACH ROW EXECUTE FUNCTION note_context_change('token_sha256');

CREATE TRIGGER device_changed AFTER INSERT OR DELETE OR UPDATE ON device FOR EACH ROW EXECUTE FUNCTION note_context_change('device_id');

CREATE TRIGGER device_has_history AFTER INSERT OR UPDATE ON device FOR EACH ROW EXECUTE FUNCTION note_device_history();

CREATE TRIGGER family_link_changed AFTER INSERT OR DELETE OR UPDATE ON family_link FOR EACH ROW EXECUTE FUNCTION note_account_change();

CREATE TRIGGER fence_changed AFTER INSERT OR DELETE OR UPDATE ON fence FOR EACH ROW EXECUTE FUNCTION note_care_change();

CREATE TRIGGER inactivity_line_changed AFTER INSERT OR DELETE ON inactivity_line FOR EACH ROW EXECUTE FUNCTION note_context_change('premises_id');

CREATE TRIGGER inactivity_line_learned AFTER UPDATE ON inactivity_line FOR EACH ROW WHEN ((old.minutes IS DISTINCT FROM new.minutes)) EXECUTE FUNCTION note_context_change('premises_id');

CREATE TRIGGER incident_added AFTER INSERT OR UPDATE OF next_deadline_at ON incident FOR EACH STATEMENT EXECUTE FUNCTION wake_escalator();

CREATE TRIGGER incident_arrival_target BEFORE INSERT ON incident FOR EACH ROW WHEN (((new.arrive_by IS NULL) AND (new.category <> 'technical'::text))) EXECUTE FUNCTION set_arrival_target();

CREATE TRIGGER incident_hand_offs_changed AFTER UPDATE OF hand_offs ON incident FOR EACH ROW WHEN ((old.hand_offs IS DISTINCT FROM new.hand_offs)) EXECUTE FUNCTION keep_hand_offs();

CREATE TRIGGER incident_has_hand_offs AFTER INSERT ON incident FOR EACH ROW WHEN ((new.hand_offs <> '[]'::jsonb)) EXECUTE FUNCTION keep_hand_offs();

CREATE TRIGGER incident_has_responders AFTER INSERT ON incident FOR EACH ROW WHEN ((new.responders <> '[]'::jsonb)) EXECUTE FUNCTION keep_responders();

CREATE TRIGGER incident_responders_changed AFTER UPDATE OF responders ON incident FOR EACH ROW WHEN ((old.responders IS DISTINCT FROM new.responders)) EXECUTE FUNCTION keep_responders();

CREATE TRIGGER notification_added AFTER INSERT ON notification FOR EACH STATEMENT EXECUTE FUNCTION wake_courier();

CREATE TRIGGER person_care_changed AFTER INSERT OR DELETE OR UPDATE ON person_care FOR EACH ROW EXECUTE FUNCTION note_care_change();

CREATE TRIGGER person_changed AFTER INSERT OR DELETE OR UPDATE ON person FOR EACH ROW EXECUTE FUNCTION note_context_change('person_id');

CREATE TRIGGER person_contact_changed AFTER INSERT OR DELETE OR UPDATE ON person_contact FOR EACH ROW EXECUTE FUNCTION note_context_change('person_id');

CREATE TRIGGER person_limit_changed AFTER INSERT OR DELETE OR UPDATE ON person_limit FOR EACH ROW EXECUTE FUNCTION note_care_change();

CREATE TRIGGER person_moved AFTER UPDATE OF premises_id, area_id ON person FOR EACH ROW WHEN (((old.premises_id IS DISTINCT FROM new.premises_id) OR (old.area_id IS DISTINCT FROM new.area_id))) EXECUTE FUNCTION move_with_person();

CREATE TRIGGER person_moved_area AFTER UPDATE OF area_id ON person FOR EACH ROW WHEN ((old.area_id IS DISTINCT FROM new.area_id)) EXECUTE FUNCTION care_follows_person();

CREATE TRIGGER person_moved_policies AFTER UPDATE OF area_id ON person FOR EACH ROW WHEN ((old.area_id IS DISTINCT FROM new.area_id)) EXECUTE FUNCTION policy_follows_person();

CREATE TRIGGER person_moved_rounds AFTER UPDATE OF area_id ON person FOR EACH ROW WHEN ((old.area_id IS DISTINCT FROM new.area_id)) EXECUTE FUNCTION rounds_follow_person();

CREATE TRIGGER person_pinyin_moved AFTER UPDATE OF area_id ON person FOR EACH ROW WHEN ((old.area_id IS DISTINCT FROM new.area_id)) EXECUTE FUNCTION pinyin_follows_person();

CREATE TRIGGER premises_changed AFTER INSERT OR DELETE OR UPDATE ON premises FOR EACH ROW EXECUTE FUNCTION note_context_change('premises_id');

CREATE TRIGGER premises_moved AFTER UPDATE OF area_id ON premises FOR EACH ROW WHEN ((old.area_id <> new.area_id)) EXECUTE FUNCTION move_with_home();

CREATE TRIGGER push_moved_area AFTER UPDATE OF area_id ON account FOR EACH ROW WHEN ((old.area_id IS DISTINCT FROM new.area_id)) EXECUTE FUNCTION push_follows_account();

CREATE TRIGGER responder_changed AFTER INSERT OR DELETE OR UPDATE ON responder FOR EACH ROW EXECUTE FUNCTION note_context_change('responder_id');

CREATE TRIGGER responder_linked AFTER INSERT OR DELETE ON responder FOR EACH ROW EXECUTE FUNCTION note_responder_account();

CREATE TRIGGER responder_moved AFTER UPDATE OF area_id ON responder FOR EACH ROW WHEN ((old.area_id <> new.area_id)) EXECUTE FUNCTION move_with_responder();

CREATE TRIGGER responder_relinked AFTER UPDATE OF account_id ON responder FOR EACH ROW WHEN ((old.account_id IS DISTINCT FROM new.account_id)) EXECUTE FUNCTION note_responder_account();

CREATE TRIGGER visit_noted AFTER INSERT OR UPDATE ON visit FOR EACH ROW EXECUTE FUNCTION note_visit();

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

ALTER TABLE ONLY care_round
    ADD CONSTRAINT care_round_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id) ON DELETE CASCADE;

ALTER TABLE ONLY consent
    ADD CONSTRAINT consent_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY consent
    ADD CONSTRAINT consent_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id) ON DELETE CASCADE;

ALTER TABLE ONLY delivery
    ADD CONSTRAINT delivery_notification_id_fkey FOREIGN KEY (notification_id) REFERENCES notification(notification_id) ON DELETE CASCADE;

ALTER TABLE ONLY desk_presence
    ADD CONSTRAINT desk_presence_feed_id_fkey FOREIGN KEY (feed_id) REFERENCES live_feed(feed_id) ON DELETE CASCADE;

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

ALTER TABLE ONLY hand_off
    ADD CONSTRAINT hand_off_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES incident(incident_id) ON DELETE CASCADE;

ALTER TABLE ONLY handover_incident
    ADD CONSTRAINT handover_incident_handover_id_fkey FOREIGN KEY (handover_id) REFERENCES handover(handover_id) ON DELETE CASCADE;

ALTER TABLE ONLY handover_incident
    ADD CONSTRAINT handover_incident_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES incident(incident_id) ON DELETE CASCADE;

ALTER TABLE ONLY home_call
    ADD CONSTRAINT home_call_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES incident(incident_id) ON DELETE CASCADE;

ALTER TABLE ONLY inactivity_day
    ADD CONSTRAINT inactivity_day_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY inactivity_day
    ADD CONSTRAINT inactivity_day_premises_id_fkey FOREIGN KEY (premises_id) REFERENCES premises(premises_id) ON DELETE CASCADE;

ALTER TABLE ONLY inactivity_line
    ADD CONSTRAINT inactivity_line_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY inactivity_line
    ADD CONSTRAINT inactivity_line_premises_id_fkey FOREIGN KEY (premises_id) REFERENCES premises(premises_id) ON DELETE CASCADE;

ALTER TABLE ONLY incident_fact
    ADD CONSTRAINT incident_fact_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES incident(incident_id) ON DELETE CASCADE;

ALTER TABLE ONLY incident_link
    ADD CONSTRAINT incident_link_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES incident(incident_id) ON DELETE CASCADE;

ALTER TABLE ONLY incident_responder
    ADD CONSTRAINT incident_responder_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES incident(incident_id) ON DELETE CASCADE;

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
    ADD CONSTRAINT person_contact_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id) ON DELETE SET NULL;

ALTER TABLE ONLY person_contact
    ADD CONSTRAINT person_contact_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id) ON DELETE CASCADE;

ALTER TABLE ONLY person_limit
    ADD CONSTRAINT person_limit_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY person_limit
    ADD CONSTRAINT person_limit_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id) ON DELETE CASCADE;

ALTER TABLE ONLY person_pinyin
    ADD CONSTRAINT person_pinyin_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY person_pinyin
    ADD CONSTRAINT person_pinyin_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id) ON DELETE CASCADE;

ALTER TABLE ONLY person
    ADD CONSTRAINT person_premises_id_fkey FOREIGN KEY (premises_id) REFERENCES premises(premises_id);

ALTER TABLE ONLY person_state_change
    ADD CONSTRAINT person_state_change_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id) ON DELETE CASCADE;

ALTER TABLE ONLY policy
    ADD CONSTRAINT policy_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY policy
    ADD CONSTRAINT policy_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id) ON DELETE CASCADE;

ALTER TABLE ONLY premises
    ADD CONSTRAINT premises_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY proof_campaign
    ADD CONSTRAINT proof_campaign_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id) ON DELETE CASCADE;

ALTER TABLE ONLY push_subscription
    ADD CONSTRAINT push_subscription_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id) ON DELETE CASCADE;

ALTER TABLE ONLY push_subscription
    ADD CONSTRAINT push_subscription_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY reply
    ADD CONSTRAINT reply_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES incident(incident_id) ON DELETE CASCADE;

ALTER TABLE ONLY responder
    ADD CONSTRAINT responder_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id);

ALTER TABLE ONLY responder
    ADD CONSTRAINT responder_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY responder_position
    ADD CONSTRAINT responder_position_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id);

ALTER TABLE ONLY responder_position
    ADD CONSTRAINT responder_position_responder_id_fkey FOREIGN KEY (responder_id) REFERENCES responder(responder_id) ON DELETE CASCADE;

ALTER TABLE ONLY rota_change
    ADD CONSTRAINT rota_change_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id) ON DELETE CASCADE;

ALTER TABLE ONLY rota_change
    ADD CONSTRAINT rota_change_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id) ON DELETE CASCADE;

ALTER TABLE ONLY rota_change
    ADD CONSTRAINT rota_change_instead_of_fkey FOREIGN KEY (instead_of) REFERENCES account(account_id) ON DELETE CASCADE;

ALTER TABLE ONLY rota_weekly
    ADD CONSTRAINT rota_weekly_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(account_id) ON DELETE CASCADE;

ALTER TABLE ONLY rota_weekly
    ADD CONSTRAINT rota_weekly_area_id_fkey FOREIGN KEY (area_id) REFERENCES area(area_id) ON DELETE CASCADE;

ALTER TABLE ONLY told_from_memory
    ADD CONSTRAINT told_from_memory_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES incident(incident_id) ON DELETE CASCADE;

ALTER TABLE ONLY visit
    ADD CONSTRAINT visit_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id) ON DELETE CASCADE;
