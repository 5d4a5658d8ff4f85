-- The ladder as data, who goes there, and practice apart from what is real.

-- ---- policies ----------------------------------------------------------------------------------

-- A ladder of an area's own and what it is for; NULL: for all. `ladder` is alerts.policy.Policy.
CREATE TABLE policy (
    policy_id text PRIMARY KEY,
    area_id text NOT NULL REFERENCES area,
    kind text,
    category text CHECK (category IN ('personal', 'physiological', 'hazard', 'technical')),
    priority text CHECK (priority IN ('high', 'medium', 'low')),
    person_id text REFERENCES person ON DELETE CASCADE,
    ladder jsonb NOT NULL,
    revision integer NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL
);
-- One a scope: between two of the same the choice would be chance.
CREATE UNIQUE INDEX policy_scope ON policy (area_id, coalesce(kind, ''), coalesce(category, ''),
    coalesce(priority, ''), coalesce(person_id, ''));
CREATE INDEX policy_person ON policy (person_id) WHERE person_id IS NOT NULL;

CREATE FUNCTION policy_follows_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE policy SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    RETURN NULL;
END $$;
CREATE TRIGGER person_moved_policies AFTER UPDATE OF area_id ON person
    FOR EACH ROW WHEN (OLD.area_id IS DISTINCT FROM NEW.area_id)
    EXECUTE FUNCTION policy_follows_person();

-- ---- incidents ---------------------------------------------------------------------------------

ALTER TABLE incident
    -- The steps as they were when the incident got them; NULL: opened by an earlier release.
    ADD COLUMN ladder jsonb,
    ADD COLUMN repeats integer NOT NULL DEFAULT 0,
    -- Whoever has it wants the next rung besides: until when they have it.
    ADD COLUMN lease_until timestamptz,
    -- Whoever was called to go there, and what they said (alerts.responders.Responding).
    ADD COLUMN responders jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN hand_offs jsonb NOT NULL DEFAULT '[]',
    -- The first of several incidents at one address, where this is a later one.
    ADD COLUMN same_address text,
    ADD COLUMN drill boolean NOT NULL DEFAULT false;
CREATE INDEX incident_open_premises ON incident (premises_id, opened_at) WHERE state <> 'resolved';

ALTER TABLE alarm ADD COLUMN drill boolean NOT NULL DEFAULT false;

-- The same as incident.responders, a row each, for whoever asks by responder. Written by the
-- trigger alone.
CREATE TABLE incident_responder (
    incident_id text NOT NULL REFERENCES incident ON DELETE CASCADE,
    actor_kind text NOT NULL CHECK (actor_kind IN ('account', 'contact', 'responder')),
    actor_id text NOT NULL,
    area_id text NOT NULL,
    name text NOT NULL,
    answer text NOT NULL CHECK (answer IN ('told', 'going', 'declined', 'arrived')),
    way text,
    told_at timestamptz,
    answered_at timestamptz,
    expected_at timestamptz,
    arrived_at timestamptz,
    PRIMARY KEY (incident_id, actor_kind, actor_id)
);
CREATE INDEX incident_responder_actor ON incident_responder (actor_kind, actor_id);

CREATE FUNCTION keep_responders() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER incident_has_responders AFTER INSERT ON incident
    FOR EACH ROW WHEN (NEW.responders <> '[]') EXECUTE FUNCTION keep_responders();
CREATE TRIGGER incident_responders_changed AFTER UPDATE OF responders ON incident
    FOR EACH ROW WHEN (OLD.responders IS DISTINCT FROM NEW.responders)
    EXECUTE FUNCTION keep_responders();

-- ---- what was told and done --------------------------------------------------------------------

ALTER TABLE notification
    -- The rung it belongs to; NULL: not a ring of the ladder.
    ADD COLUMN step smallint,
    -- How often the last rung was rung again: the same row, so that an incident nobody answers
    -- for a week does not fill the table.
    ADD COLUMN repeats integer NOT NULL DEFAULT 0;

ALTER TABLE desk_action
    ADD COLUMN actor_kind text NOT NULL DEFAULT 'account',
    ADD COLUMN way text NOT NULL DEFAULT 'desk',
    ADD COLUMN detail jsonb NOT NULL DEFAULT '{}';
