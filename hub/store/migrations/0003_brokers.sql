-- A device over its life, and which ingest process owns which areas.

-- `replaces`: the device this one was put in place of. `mosquitto_hash`: its secret as Mosquitto's
-- password file wants it, which cannot be made from the SHA-256 later.
ALTER TABLE device
    ADD COLUMN replaces text REFERENCES device,
    ADD COLUMN mosquitto_hash text;

-- What was so of a device from `at` on, whoever changed it and by which way (page, CSV, SQL): the
-- trigger writes it. Who did it stands in the audit log. Observations carry their owner themselves.
CREATE TABLE device_history (
    entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changes text[] NOT NULL,
    area_id text NOT NULL,
    premises_id text NOT NULL,
    person_id text,
    kind text NOT NULL,
    label text NOT NULL,
    revoked boolean NOT NULL,
    other_device_id text
);
CREATE INDEX device_history_device ON device_history (device_id, entry_id);

CREATE FUNCTION note_device_history() RETURNS trigger LANGUAGE plpgsql AS $$
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

INSERT INTO device_history (device_id, at, changes, area_id, premises_id, person_id, kind, label,
    revoked)
SELECT device_id, created_at, '{added}', area_id, premises_id, person_id, kind, label, revoked
FROM device;

CREATE TRIGGER device_has_history AFTER INSERT OR UPDATE ON device
    FOR EACH ROW EXECUTE FUNCTION note_device_history();

-- Who takes in which areas, by heartbeat. `area_ids` empty: everything. A row outlives its process:
-- its sessions at the broker still hold what came for those areas. `instance` is a data folder.
CREATE TABLE ingest_owner (
    owner text PRIMARY KEY,
    area_ids text[] NOT NULL,
    instance text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    since timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    has_sessions boolean NOT NULL DEFAULT false -- at the broker: from then on nothing gets lost
);
