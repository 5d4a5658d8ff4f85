-- What people agreed to, browsers that want to be told, and calls to homes.

-- One row a decision that was made; where there is none the table of alerts/consent.py holds. Every
-- change stands in the log.
CREATE TABLE consent (
    person_id text NOT NULL REFERENCES person ON DELETE CASCADE,
    audience text NOT NULL,
    data_type text NOT NULL,
    area_id text NOT NULL REFERENCES area,
    allowed boolean NOT NULL,
    decided_at timestamptz NOT NULL,
    by_id text NOT NULL,
    by_name text,
    -- How it was given: a form's number, "by telephone", a relative with power of attorney.
    ground text NOT NULL DEFAULT '',
    PRIMARY KEY (person_id, audience, data_type)
);

CREATE FUNCTION consent_follows_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE consent SET area_id = NEW.area_id WHERE person_id = NEW.person_id;
    RETURN NULL;
END $$;
CREATE TRIGGER consent_moved_area AFTER UPDATE OF area_id ON person FOR EACH ROW
    WHEN (OLD.area_id IS DISTINCT FROM NEW.area_id) EXECUTE FUNCTION consent_follows_person();

-- A browser's subscription to web push. Gone as soon as its push service says so.
CREATE TABLE push_subscription (
    endpoint text PRIMARY KEY,
    account_id text NOT NULL REFERENCES account ON DELETE CASCADE,
    area_id text NOT NULL REFERENCES area,
    p256dh text NOT NULL,
    auth text NOT NULL,
    agent text NOT NULL DEFAULT '',
    since timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX push_subscription_account ON push_subscription (account_id, since);

CREATE FUNCTION push_follows_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE push_subscription SET area_id = NEW.area_id WHERE account_id = NEW.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER push_moved_area AFTER UPDATE OF area_id ON account FOR EACH ROW
    WHEN (OLD.area_id IS DISTINCT FROM NEW.area_id) EXECUTE FUNCTION push_follows_account();

-- The SIM or SIP number of a device one can talk through.
ALTER TABLE device ADD COLUMN voice_number text;

-- A call to a home: a dispatcher who wants to talk, or the robot that asks how somebody is.
CREATE TABLE home_call (
    call_id text PRIMARY KEY,
    area_id text NOT NULL,
    incident_id text NOT NULL REFERENCES incident ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('talk', 'check_in')),
    -- Dialled first: the dispatcher's telephone when somebody wants to talk, else the home's.
    number text NOT NULL,
    bridge_to text,
    -- The topic prefix of the device by which the person answers.
    prefix text NOT NULL DEFAULT '',
    whom text NOT NULL,
    by_id text NOT NULL,
    by_name text NOT NULL,
    state text NOT NULL DEFAULT 'asked'
        CHECK (state IN ('asked', 'placed', 'ringing', 'answered', 'ended')),
    -- Set once, when it is known how the call went.
    result text CHECK (result IN ('answered', 'well', 'help', 'no_reply', 'busy', 'failed')),
    provider_id text,
    asked_at timestamptz NOT NULL,
    -- Without a word from the gateway until then nobody replied.
    due_at timestamptz NOT NULL,
    ended_at timestamptz,
    detail text NOT NULL DEFAULT ''
);
CREATE INDEX home_call_incident ON home_call (incident_id, asked_at);
CREATE INDEX home_call_due ON home_call (due_at) WHERE state <> 'ended';
CREATE INDEX home_call_provider ON home_call (provider_id) WHERE provider_id IS NOT NULL;

-- Who of the family may decide for a person what is shared: the person's own log-in, a relative with
-- power of attorney.
ALTER TABLE family_link ADD COLUMN decides boolean NOT NULL DEFAULT false;

-- What a family account is shown follows the decision at once: it is a change of the account.
CREATE FUNCTION note_shared_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO context_change (noun, id)
    SELECT 'account', account_id FROM family_link
    WHERE person_id = CASE WHEN TG_OP = 'DELETE' THEN OLD.person_id ELSE NEW.person_id END;
    RETURN NULL;
END $$;
CREATE TRIGGER consent_changed AFTER INSERT OR UPDATE OR DELETE ON consent
    FOR EACH ROW EXECUTE FUNCTION note_shared_change();
