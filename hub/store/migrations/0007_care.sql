-- Care: what clinicians and carers set for one person, what was learned of a home, area outages.

-- One row a measure; the measure is a key of the vocabulary or one of hub/detect/bed_hours.py.
CREATE TABLE person_limit (
    person_id text NOT NULL REFERENCES person ON DELETE CASCADE,
    measure text NOT NULL,
    area_id text NOT NULL REFERENCES area,
    low double precision,
    high double precision,
    author text NOT NULL,
    set_on date NOT NULL,
    PRIMARY KEY (person_id, measure),
    CONSTRAINT person_limit_says_something CHECK (low IS NOT NULL OR high IS NOT NULL),
    CONSTRAINT person_limit_in_order CHECK (low < high)
);

CREATE TABLE person_care (
    person_id text PRIMARY KEY REFERENCES person ON DELETE CASCADE,
    area_id text NOT NULL REFERENCES area,
    oxygen_scale_2 boolean NOT NULL DEFAULT false,
    on_oxygen boolean NOT NULL DEFAULT false,
    -- Share of the usual time after which an inactivity is asked about.
    inactivity_limit_percent smallint NOT NULL DEFAULT 100,
    author text NOT NULL,
    set_on date NOT NULL
);

-- Shapes are circles and polygons in WGS-84 (hub/detect/fence.py); hours are local minutes of the
-- day, NULL: always; a span may run over midnight.
CREATE TABLE fence (
    fence_id text NOT NULL,
    person_id text NOT NULL REFERENCES person ON DELETE CASCADE,
    area_id text NOT NULL REFERENCES area,
    label text NOT NULL,
    shapes jsonb NOT NULL,
    active_from_min smallint,
    active_until_min smallint,
    author text NOT NULL,
    set_on date NOT NULL,
    PRIMARY KEY (person_id, fence_id),
    CONSTRAINT fence_hours_both CHECK ((active_from_min IS NULL) = (active_until_min IS NULL))
);

-- The alert line of a home: 98 small integers (hub/detect/inactivity_line.py), empty while it is
-- still being learned.
CREATE TABLE inactivity_line (
    premises_id text PRIMARY KEY REFERENCES premises ON DELETE CASCADE,
    area_id text NOT NULL REFERENCES area,
    minutes smallint[] NOT NULL,
    days integer NOT NULL,
    learned_on date NOT NULL,
    version smallint NOT NULL
);

-- One day of one home, counted: what the nightly learning keeps instead of reading it all again.
CREATE TABLE inactivity_day (
    premises_id text NOT NULL REFERENCES premises ON DELETE CASCADE,
    day date NOT NULL,
    area_id text NOT NULL REFERENCES area,
    learned boolean NOT NULL,
    reason text NOT NULL,
    tally bytea NOT NULL,
    PRIMARY KEY (premises_id, day)
);

-- An area whose devices fell silent together; outage_id is the id of its alarm.
CREATE TABLE area_outage (
    outage_id text PRIMARY KEY,
    area_id text NOT NULL,
    began_at timestamptz NOT NULL,
    cleared_at timestamptz,
    most integer NOT NULL
);
CREATE INDEX area_outage_open ON area_outage (outage_id) WHERE cleared_at IS NULL;

CREATE TABLE area_outage_device (
    outage_id text NOT NULL REFERENCES area_outage ON DELETE CASCADE,
    device_id text NOT NULL,
    area_id text NOT NULL,
    heard_at timestamptz NOT NULL,
    back_at timestamptz,
    PRIMARY KEY (outage_id, device_id)
);

-- Limits, settings and fences of a person are read together: one noun for the three.
CREATE FUNCTION note_care_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO context_change (noun, id)
    VALUES ('person_care', CASE WHEN TG_OP = 'DELETE' THEN OLD.person_id ELSE NEW.person_id END);
    RETURN NULL;
END $$;
CREATE TRIGGER person_limit_changed AFTER INSERT OR UPDATE OR DELETE ON person_limit
    FOR EACH ROW EXECUTE FUNCTION note_care_change();
CREATE TRIGGER person_care_changed AFTER INSERT OR UPDATE OR DELETE ON person_care
    FOR EACH ROW EXECUTE FUNCTION note_care_change();
CREATE TRIGGER fence_changed AFTER INSERT OR UPDATE OR DELETE ON fence
    FOR EACH ROW EXECUTE FUNCTION note_care_change();
-- Only a line that differs: the nightly look at every home must not reload the whole register.
CREATE TRIGGER inactivity_line_changed AFTER INSERT OR DELETE ON inactivity_line
    FOR EACH ROW EXECUTE FUNCTION note_context_change('premises_id');
CREATE TRIGGER inactivity_line_learned AFTER UPDATE ON inactivity_line
    FOR EACH ROW WHEN (OLD.minutes IS DISTINCT FROM NEW.minutes)
    EXECUTE FUNCTION note_context_change('premises_id');

-- Who moves to another area takes their care along.
CREATE FUNCTION care_follows_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE person_limit SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    UPDATE person_care SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    UPDATE fence SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    RETURN NULL;
END $$;
CREATE TRIGGER person_moved_area AFTER UPDATE OF area_id ON person
    FOR EACH ROW WHEN (OLD.area_id IS DISTINCT FROM NEW.area_id)
    EXECUTE FUNCTION care_follows_person();
