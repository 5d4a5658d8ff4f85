-- Reach: who is nearest and how they move, when somebody should be at the door, hand-offs to the
-- emergency services, and what was told from memory while the database was away.

-- ---- areas: service circle, kind of settlement, emergency numbers --------------------------------

-- NULL: as the area above.
ALTER TABLE area
    ADD COLUMN arrive_within_min integer CHECK (arrive_within_min BETWEEN 1 AND 240),
    ADD COLUMN settlement text CHECK (settlement IN ('urban', 'rural')),
    ADD COLUMN ambulance_number text,
    ADD COLUMN fire_number text,
    ADD COLUMN police_number text;

-- What holds for an area: its own word, else that of the nearest area above that has one, else 40
-- minutes in the country and 15 elsewhere (alerts.reach.DEFAULT_WITHIN_MIN).
CREATE FUNCTION reach_of_area(sought text)
RETURNS TABLE (arrive_within_min integer, settlement text, ambulance_number text,
    fire_number text, police_number text) LANGUAGE sql STABLE AS $$
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

-- ---- responders: how they move, where they are --------------------------------------------------

ALTER TABLE responder ADD COLUMN travel_mode text NOT NULL DEFAULT 'foot'
    CHECK (travel_mode IN ('foot', 'bicycle', 'car'));

-- Apart from `responder`: a team that reports every half minute is no news for the register.
CREATE TABLE responder_position (
    responder_id text PRIMARY KEY REFERENCES responder ON DELETE CASCADE,
    area_id text NOT NULL REFERENCES area,
    latitude double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    accuracy_m double precision CHECK (accuracy_m >= 0),
    fixed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL
);
-- GiST over core PostgreSQL points (x = longitude, y = latitude, degrees): "within this box".
CREATE INDEX responder_registered_place ON responder USING gist (point(longitude, latitude))
    WHERE latitude IS NOT NULL AND longitude IS NOT NULL;
CREATE INDEX responder_reported_place ON responder_position
    USING gist (point(longitude, latitude));

CREATE FUNCTION move_with_responder() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE responder_position SET area_id = NEW.area_id WHERE responder_id = NEW.responder_id;
    RETURN NULL;
END $$;
CREATE TRIGGER responder_moved AFTER UPDATE OF area_id ON responder
    FOR EACH ROW WHEN (OLD.area_id <> NEW.area_id) EXECUTE FUNCTION move_with_responder();

-- Who a responder's account is belongs to the account: log-ins of it see other incidents from now on.
CREATE FUNCTION note_responder_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO context_change (noun, id)
    SELECT DISTINCT 'account', a.id FROM (VALUES
        (CASE WHEN TG_OP <> 'INSERT' THEN OLD.account_id END),
        (CASE WHEN TG_OP <> 'DELETE' THEN NEW.account_id END)) AS a (id)
    WHERE a.id IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER responder_linked AFTER INSERT OR DELETE ON responder
    FOR EACH ROW EXECUTE FUNCTION note_responder_account();
CREATE TRIGGER responder_relinked AFTER UPDATE OF account_id ON responder
    FOR EACH ROW WHEN (OLD.account_id IS DISTINCT FROM NEW.account_id)
    EXECUTE FUNCTION note_responder_account();

-- ---- incidents: the arrival target --------------------------------------------------------------

-- The circle of the area when the incident opened, so that a later change judges nobody anew. NULL:
-- nobody has to go there (technical).
ALTER TABLE incident ADD COLUMN arrive_by timestamptz;

CREATE FUNCTION set_arrival_target() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER incident_arrival_target BEFORE INSERT ON incident
    FOR EACH ROW WHEN (NEW.arrive_by IS NULL AND NEW.category <> 'technical')
    EXECUTE FUNCTION set_arrival_target();

-- ---- hand-offs to the public emergency services -------------------------------------------------

-- A row for each of incident.hand_offs, with what the area dials and when help arrived. Written by
-- the trigger; arrivals by whoever sees them. It never loses one that the incident forgot.
CREATE TABLE hand_off (
    hand_off_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_id text NOT NULL REFERENCES incident ON DELETE CASCADE,
    area_id text NOT NULL,
    service text NOT NULL CHECK (service IN ('ambulance', 'fire', 'police')),
    number text NOT NULL,
    reference text NOT NULL,
    by_name text NOT NULL,
    at timestamptz NOT NULL,
    arrived_at timestamptz,
    arrived_by text,
    UNIQUE (incident_id, service, at)
);

CREATE FUNCTION keep_hand_offs() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER incident_has_hand_offs AFTER INSERT ON incident
    FOR EACH ROW WHEN (NEW.hand_offs <> '[]') EXECUTE FUNCTION keep_hand_offs();
CREATE TRIGGER incident_hand_offs_changed AFTER UPDATE OF hand_offs ON incident
    FOR EACH ROW WHEN (OLD.hand_offs IS DISTINCT FROM NEW.hand_offs)
    EXECUTE FUNCTION keep_hand_offs();

-- ---- told from memory ---------------------------------------------------------------------------

-- Which calls to the fallback contact that ingest made while the database was away are recorded; the
-- id makes the record of one idempotent.
CREATE TABLE told_from_memory (
    call_id text PRIMARY KEY,
    incident_id text NOT NULL REFERENCES incident ON DELETE CASCADE,
    area_id text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX told_from_memory_incident ON told_from_memory (incident_id);
