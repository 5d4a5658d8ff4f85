-- Assurance: who is on duty and at a desk, what is wrong before anybody presses, the hub's own
-- press every minute, and which ways to people are proven.

-- ---- who is at a desk --------------------------------------------------------------------------

-- One row an API process that runs; what it has not renewed for some seconds does not count.
CREATE TABLE live_feed (
    feed_id text PRIMARY KEY,
    area_id text NOT NULL,
    since timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    -- The hub's own press that it showed last, and when.
    synthetic_id text,
    synthetic_at timestamptz
);

CREATE TABLE desk_presence (
    feed_id text NOT NULL REFERENCES live_feed ON DELETE CASCADE,
    account_id text NOT NULL,
    area_id text NOT NULL,
    role text NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (feed_id, account_id)
);
CREATE INDEX desk_presence_account ON desk_presence (account_id);

-- ---- rota --------------------------------------------------------------------------------------

-- Every week again, in local time: a shift whose end is not after its beginning ends the next day.
CREATE TABLE rota_weekly (
    weekly_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id text NOT NULL REFERENCES area ON DELETE CASCADE,
    duty text NOT NULL CHECK (duty IN ('dispatcher', 'second', 'supervisor')),
    account_id text NOT NULL REFERENCES account ON DELETE CASCADE,
    -- 0 is Monday.
    weekday smallint NOT NULL CHECK (weekday BETWEEN 0 AND 6),
    from_min smallint NOT NULL CHECK (from_min BETWEEN 0 AND 1439),
    until_min smallint NOT NULL CHECK (until_min BETWEEN 0 AND 1439),
    time_zone text NOT NULL,
    valid_from date NOT NULL,
    valid_until date,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    CONSTRAINT rota_weekly_in_order CHECK (valid_until IS NULL OR valid_until >= valid_from)
);
CREATE INDEX rota_weekly_area ON rota_weekly (area_id);
CREATE INDEX rota_weekly_account ON rota_weekly (account_id);

-- Once: an additional shift (account_id alone), a swap (account_id instead of somebody), somebody
-- who is away (instead_of alone).
CREATE TABLE rota_change (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id text NOT NULL REFERENCES area ON DELETE CASCADE,
    duty text NOT NULL CHECK (duty IN ('dispatcher', 'second', 'supervisor')),
    account_id text REFERENCES account ON DELETE CASCADE,
    instead_of text REFERENCES account ON DELETE CASCADE,
    from_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    why text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    CONSTRAINT rota_change_names_somebody CHECK (account_id IS NOT NULL OR instead_of IS NOT NULL),
    CONSTRAINT rota_change_in_order CHECK (until_at > from_at)
);
CREATE INDEX rota_change_area ON rota_change (area_id, until_at);
CREATE INDEX rota_change_account ON rota_change (account_id);
CREATE INDEX rota_change_instead_of ON rota_change (instead_of);

-- ---- hand-over ---------------------------------------------------------------------------------

CREATE TABLE handover (
    handover_id text PRIMARY KEY,
    area_id text NOT NULL,
    from_id text NOT NULL,
    from_name text NOT NULL,
    to_id text NOT NULL,
    to_name text NOT NULL,
    note text NOT NULL,
    state text NOT NULL DEFAULT 'offered'
        CHECK (state IN ('offered', 'confirmed', 'declined', 'withdrawn')),
    offered_at timestamptz NOT NULL,
    settled_at timestamptz
);
CREATE INDEX handover_open ON handover (to_id) WHERE state = 'offered';
CREATE INDEX handover_offered_at ON handover (offered_at);

CREATE TABLE handover_incident (
    handover_id text NOT NULL REFERENCES handover ON DELETE CASCADE,
    incident_id text NOT NULL REFERENCES incident ON DELETE CASCADE,
    area_id text NOT NULL,
    -- What became of it when the other one confirmed: taken, pending, or why not.
    result text,
    PRIMARY KEY (handover_id, incident_id)
);
CREATE INDEX handover_incident_incident ON handover_incident (incident_id);

-- ---- what is wrong -----------------------------------------------------------------------------

-- A condition that holds just now, from the first time it was seen until it is over.
CREATE TABLE assurance_condition (
    concern text NOT NULL,
    subject_kind text NOT NULL,
    subject_id text NOT NULL,
    area_id text NOT NULL,
    since timestamptz NOT NULL,
    raised_at timestamptz,
    gone_since timestamptz,
    evidence jsonb NOT NULL,
    about text NOT NULL DEFAULT '',
    priority text,
    PRIMARY KEY (concern, subject_kind, subject_id)
);

-- The hub's own press, minute by minute; times are seconds from the sending.
CREATE TABLE synthetic_press (
    press_id text PRIMARY KEY,
    area_id text NOT NULL,
    alarm_id text NOT NULL,
    sent_at timestamptz NOT NULL,
    receipt_s real,
    recorded_s real,
    shown_s real,
    took_s real
);
CREATE INDEX synthetic_press_sent ON synthetic_press (sent_at);

-- ---- which ways are proven ---------------------------------------------------------------------

-- One row a recipient and channel; it counts for the address whose hash it has.
CREATE TABLE contact_proof (
    recipient text NOT NULL,
    channel text NOT NULL,
    area_id text NOT NULL,
    address_sha256 text NOT NULL,
    asked_at timestamptz,
    answer_due_at timestamptz,
    notification_id bigint,
    code text,
    verified_at timestamptz,
    verified_by text,
    failed_at timestamptz,
    failure text,
    PRIMARY KEY (recipient, channel)
);
CREATE INDEX contact_proof_waiting ON contact_proof (answer_due_at)
    WHERE answer_due_at IS NOT NULL;
CREATE INDEX contact_proof_notification ON contact_proof (notification_id)
    WHERE notification_id IS NOT NULL;
CREATE INDEX contact_proof_code ON contact_proof (code) WHERE code IS NOT NULL;

-- Many at a time, at a bounded rate.
CREATE TABLE proof_campaign (
    campaign_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id text NOT NULL REFERENCES area ON DELETE CASCADE,
    channels text[] NOT NULL,
    per_minute smallint NOT NULL,
    asked integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    ended_at timestamptz
);

CREATE INDEX proof_campaign_area ON proof_campaign (area_id);

-- A test message belongs to no incident.
ALTER TABLE notification ALTER COLUMN incident_id DROP NOT NULL;

-- How a channel did in the last quarter of an hour is asked every few seconds.
CREATE INDEX delivery_at ON delivery (at);
