-- Devices and areas described in full: model and firmware in history and figures, and since when
-- somebody is served, so that nobody is behind with tests and visits on their first day.

-- ---- what a device is -----------------------------------------------------------------------

ALTER TABLE device_history ADD COLUMN model text;

CREATE OR REPLACE FUNCTION note_device_history() RETURNS trigger LANGUAGE plpgsql AS $$
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

-- ---- figures by firmware --------------------------------------------------------------------

-- What the device said last of itself when the incident was looked at first.
ALTER TABLE incident_fact ADD COLUMN device_firmware text;

-- ---- since when -----------------------------------------------------------------------------

-- NULL: from before anybody wrote it down, which counts as long ago.
ALTER TABLE person ADD COLUMN registered_at timestamptz;
ALTER TABLE person ALTER COLUMN registered_at SET DEFAULT now();
ALTER TABLE device ADD COLUMN registered_at timestamptz;
ALTER TABLE device ALTER COLUMN registered_at SET DEFAULT now();
