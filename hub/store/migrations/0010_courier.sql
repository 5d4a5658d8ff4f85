-- The courier: every attempt a row, the next channel when a receipt is missing, where people can be
-- reached, what they answered, and the one-time links they were sent.

-- ---- the outbox --------------------------------------------------------------------------------

ALTER TABLE notification
    -- What is tried after `channel`, in order.
    ADD COLUMN channels text[] NOT NULL DEFAULT '{}',
    -- Taken by the provider, which owes a receipt until then.
    ADD COLUMN receipt_due_at timestamptz,
    ADD COLUMN sent_at timestamptz,
    ADD COLUMN delivered_at timestamptz,
    ADD COLUMN provider_id text,
    -- Why it is in its state: a name, not a text.
    ADD COLUMN reason text NOT NULL DEFAULT '',
    -- Claims in a row without an ordinary word: the process died over it, or a mistake was raised.
    ADD COLUMN broken smallint NOT NULL DEFAULT 0,
    -- An operator's "send it again" is a new sending; a repeated attempt is not.
    ADD COLUMN round smallint NOT NULL DEFAULT 0;

-- The claim of one channel reads it in its order and stops at its limit.
CREATE INDEX notification_waiting ON notification (channel, urgency, due_at, notification_id)
    WHERE state = 'pending';
DROP INDEX notification_due;
CREATE INDEX notification_unconfirmed ON notification (receipt_due_at)
    WHERE state = 'sent' AND receipt_due_at IS NOT NULL;
CREATE INDEX notification_given_up ON notification (notification_id)
    WHERE state IN ('failed', 'poisoned', 'unconfirmed');
DROP INDEX notification_failed;

-- One attempt. It stands from the claim on, so that a call-back finds it however fast it comes.
CREATE TABLE delivery (
    delivery_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id text NOT NULL,
    notification_id bigint NOT NULL REFERENCES notification ON DELETE CASCADE,
    incident_id text,
    channel text NOT NULL,
    recipient text NOT NULL,
    attempt integer NOT NULL,
    -- The same for every attempt by this channel: what the provider sees as idempotency key.
    reference text NOT NULL,
    -- Masked: enough to recognise, too little to use.
    address text NOT NULL DEFAULT '',
    provider_id text,
    state text NOT NULL DEFAULT 'sending',
    began_at timestamptz NOT NULL,
    at timestamptz NOT NULL,
    receipt_at timestamptz,
    detail text NOT NULL DEFAULT ''
);
CREATE INDEX delivery_notification ON delivery (notification_id);
CREATE INDEX delivery_incident ON delivery (incident_id);
CREATE INDEX delivery_reference ON delivery (reference);
CREATE INDEX delivery_provider ON delivery (provider_id) WHERE provider_id IS NOT NULL;

-- ---- where people can be reached ---------------------------------------------------------------

ALTER TABLE person_contact
    ADD COLUMN contact_id text NOT NULL DEFAULT gen_random_uuid()::text,
    ADD COLUMN email text,
    ADD COLUMN language text,
    -- In the order in which they want to be tried; empty: as the ladder says.
    ADD COLUMN channels text[] NOT NULL DEFAULT '{}',
    ADD COLUMN account_id text REFERENCES account ON DELETE SET NULL;
CREATE UNIQUE INDEX person_contact_id ON person_contact (contact_id);
CREATE INDEX person_contact_account ON person_contact (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX person_contact_phone ON person_contact (regexp_replace(phone, '\D', '', 'g'));
CREATE INDEX responder_phone ON responder (regexp_replace(phone, '\D', '', 'g'));

ALTER TABLE account
    ADD COLUMN phone text,
    ADD COLUMN email text;
CREATE INDEX account_phone ON account (regexp_replace(phone, '\D', '', 'g'));

-- ---- one-time links ----------------------------------------------------------------------------

CREATE TABLE incident_link (
    token_sha256 text PRIMARY KEY,
    area_id text NOT NULL,
    incident_id text NOT NULL REFERENCES incident ON DELETE CASCADE,
    recipient text NOT NULL,
    name text NOT NULL,
    language text NOT NULL,
    channel text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    used_for text
);
CREATE INDEX incident_link_incident ON incident_link (incident_id);
CREATE INDEX incident_link_expires ON incident_link (expires_at);

-- ---- what people answered ----------------------------------------------------------------------

-- An SMS that came back, digits pressed in a call. From an unknown number it is kept as well.
CREATE TABLE reply (
    reply_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id text NOT NULL,
    provider text NOT NULL,
    message_id text NOT NULL,
    way text NOT NULL CHECK (way IN ('sms', 'voice')),
    sender text NOT NULL,
    text text NOT NULL,
    received_at timestamptz NOT NULL,
    incident_id text REFERENCES incident ON DELETE CASCADE,
    recipient text,
    verb text,
    result text NOT NULL,
    answer text NOT NULL DEFAULT '',
    UNIQUE (provider, message_id)
);
CREATE INDEX reply_area ON reply (area_id, reply_id);
CREATE INDEX reply_incident ON reply (incident_id) WHERE incident_id IS NOT NULL;
CREATE INDEX reply_received ON reply (received_at);
