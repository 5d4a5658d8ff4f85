-- The register as a city keeps it: levels of areas, where a person is, key safes, responders,
-- contacts, families, programs' tokens; and what makes 100,000 people searchable.

-- ---- areas: city, county, street, community -------------------------------------------------

ALTER TABLE area ADD COLUMN level text;
WITH RECURSIVE tree AS (
    SELECT area_id, 1 AS depth FROM area WHERE parent_id IS NULL
    UNION ALL
    SELECT a.area_id, t.depth + 1 FROM area a JOIN tree t ON a.parent_id = t.area_id
)
UPDATE area a SET level = (ARRAY['city', 'county', 'street', 'community'])[least(t.depth, 4)]
FROM tree t WHERE t.area_id = a.area_id;
UPDATE area SET level = 'community' WHERE level IS NULL;
-- contracts: the trigger below fills it in for a release that does not know it
ALTER TABLE area ALTER COLUMN level SET NOT NULL,
    ADD CONSTRAINT area_level CHECK (level IN ('city', 'county', 'street', 'community'));
CREATE INDEX area_parent ON area (parent_id);

CREATE FUNCTION area_rank(level text) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT array_position(ARRAY['city', 'county', 'street', 'community'], level)
$$;

-- An area lies below its parent by level as well as by name, so there can be no cycle. Whoever says
-- no level (an older release) gets the one below the parent's. The parent is locked: two changes
-- at once must not both look right.
CREATE FUNCTION place_area() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER area_placed BEFORE INSERT OR UPDATE OF parent_id, level ON area
    FOR EACH ROW EXECUTE FUNCTION place_area();

-- ---- homes -----------------------------------------------------------------------------------

CREATE INDEX premises_area ON premises (area_id);

-- Apart from the home: no list, no snapshot and no desk's view ever reads this table. Only the
-- one route that logs who looked does.
CREATE TABLE key_safe (
    premises_id text PRIMARY KEY REFERENCES premises ON DELETE CASCADE,
    area_id text NOT NULL,
    code text NOT NULL,
    place text,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL
);

-- ---- people ----------------------------------------------------------------------------------

ALTER TABLE person
    ADD COLUMN lives_alone boolean,
    ADD COLUMN mobility text,
    ADD COLUMN state text NOT NULL DEFAULT 'home',
    ADD COLUMN state_since timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN state_by text,
    ADD COLUMN state_reason text,
    ADD CONSTRAINT person_state CHECK (
        state IN ('home', 'away', 'hospital', 'moved', 'service_ended')),
    ADD CONSTRAINT person_mobility CHECK (
        mobility IN ('independent', 'stick', 'walker', 'wheelchair', 'bedridden'));
CREATE INDEX person_area ON person (area_id);
CREATE INDEX person_premises ON person (premises_id);
CREATE INDEX device_premises ON device (premises_id);
CREATE INDEX device_area ON device (area_id);

CREATE TABLE person_state_change (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id text NOT NULL REFERENCES person ON DELETE CASCADE,
    area_id text NOT NULL,
    state text NOT NULL,
    since timestamptz NOT NULL,
    by_id text,
    by_name text,
    reason text
);
CREATE INDEX person_state_change_person ON person_state_change (person_id, change_id);

-- Whom to call for a person, in order; the ladder of a person climbs this list.
CREATE TABLE person_contact (
    person_id text NOT NULL REFERENCES person ON DELETE CASCADE,
    place smallint NOT NULL,
    area_id text NOT NULL,
    name text NOT NULL,
    relation text NOT NULL,
    phone text NOT NULL,
    has_key boolean NOT NULL DEFAULT false,
    PRIMARY KEY (person_id, place)
);
CREATE TRIGGER person_contact_changed AFTER INSERT OR UPDATE OR DELETE ON person_contact
    FOR EACH ROW EXECUTE FUNCTION note_context_change('person_id');

-- ---- responders ------------------------------------------------------------------------------

CREATE TABLE responder (
    responder_id text PRIMARY KEY,
    area_id text NOT NULL REFERENCES area,
    kind text NOT NULL CHECK (kind IN ('person', 'station', 'team')),
    name text NOT NULL,
    phone text,
    latitude double precision,
    longitude double precision,
    availability text NOT NULL DEFAULT 'available'
        CHECK (availability IN ('available', 'busy', 'off_duty')),
    notes text,
    account_id text REFERENCES account
);
CREATE INDEX responder_area ON responder (area_id);
CREATE INDEX responder_account ON responder (account_id);
CREATE TRIGGER responder_changed AFTER INSERT OR UPDATE OR DELETE ON responder
    FOR EACH ROW EXECUTE FUNCTION note_context_change('responder_id');

-- ---- what belongs to a home or person moves with them ----------------------------------------

CREATE FUNCTION move_with_home() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE person SET area_id = NEW.area_id WHERE premises_id = NEW.premises_id;
    UPDATE device SET area_id = NEW.area_id WHERE premises_id = NEW.premises_id;
    UPDATE key_safe SET area_id = NEW.area_id WHERE premises_id = NEW.premises_id;
    RETURN NULL;
END $$;
CREATE TRIGGER premises_moved AFTER UPDATE OF area_id ON premises
    FOR EACH ROW WHEN (OLD.area_id <> NEW.area_id) EXECUTE FUNCTION move_with_home();

-- ---- accounts, families, programs ------------------------------------------------------------

ALTER TABLE account
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN password_changed_at timestamptz,
    ADD COLUMN must_change_password boolean NOT NULL DEFAULT false;
CREATE INDEX account_area ON account (area_id);

-- Which people a family account may see. A change is a change of the account.
CREATE TABLE family_link (
    account_id text NOT NULL REFERENCES account ON DELETE CASCADE,
    person_id text NOT NULL REFERENCES person ON DELETE CASCADE,
    area_id text NOT NULL,
    relation text NOT NULL,
    since timestamptz NOT NULL,
    by_id text NOT NULL,
    PRIMARY KEY (account_id, person_id)
);
CREATE INDEX family_link_person ON family_link (person_id);

CREATE FUNCTION note_account_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO context_change (noun, id) VALUES ('account',
        CASE WHEN TG_OP = 'DELETE' THEN OLD.account_id ELSE NEW.account_id END);
    RETURN NULL;
END $$;
CREATE TRIGGER family_link_changed AFTER INSERT OR UPDATE OR DELETE ON family_link
    FOR EACH ROW EXECUTE FUNCTION note_account_change();

-- A linked person who moves changes what the family account may see.
CREATE FUNCTION move_with_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE person_contact SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    UPDATE person_state_change SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    UPDATE family_link SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    INSERT INTO context_change (noun, id)
    SELECT 'account', account_id FROM family_link WHERE person_id = NEW.person_id;
    RETURN NULL;
END $$;
CREATE TRIGGER person_moved AFTER UPDATE OF premises_id, area_id ON person
    FOR EACH ROW WHEN ((OLD.premises_id, OLD.area_id) IS DISTINCT FROM (NEW.premises_id, NEW.area_id))
    EXECUTE FUNCTION move_with_person();

ALTER TABLE desk_session ADD COLUMN address text, ADD COLUMN agent text;
CREATE INDEX desk_session_account ON desk_session (account_id);

-- What a program shows instead of a log-in: a role in an area, until it is revoked. Only the hash.
CREATE TABLE api_token (
    token_id text PRIMARY KEY,
    token_sha256 text NOT NULL UNIQUE,
    area_id text NOT NULL REFERENCES area,
    name text NOT NULL,
    role text NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX api_token_area ON api_token (area_id);
CREATE TRIGGER api_token_changed AFTER INSERT OR UPDATE OR DELETE ON api_token
    FOR EACH ROW EXECUTE FUNCTION note_context_change('token_sha256');

CREATE INDEX audit_log_area ON audit_log (area_id, entry_id);

-- ---- search ----------------------------------------------------------------------------------

-- Every pair of neighbouring characters, and every single one that is not ASCII. A Chinese name has
-- two or three characters, too few for the trigrams of pg_trgm, whose alphabet also depends on the
-- server's locale; pairs in an array need no extension and no locale.
CREATE FUNCTION search_grams(content text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT gram), '{}') FROM (
        SELECT substr(lower(content), i, 2) AS gram
        FROM generate_series(1, length(content) - 1) AS i
        UNION ALL
        SELECT c FROM string_to_table(lower(content), NULL) AS c WHERE octet_length(c) > 1
    ) AS grams
$$;

CREATE INDEX person_search ON person
    USING gin (search_grams(person_id || ' ' || name || ' ' || coalesce(phone, '')));
CREATE INDEX premises_search ON premises
    USING gin (search_grams(premises_id || ' ' || address || ' ' || coalesce(phone, '')));
