-- name: person
SELECT person_id FROM person WHERE person_id = %(person_id)s;

-- name: decided
-- What a person decided, whoever wrote it down.
SELECT audience, data_type, allowed, decided_at, by_name, ground FROM consent
WHERE person_id = %(person_id)s ORDER BY audience, data_type;

-- name: decide
INSERT INTO consent (person_id, audience, data_type, area_id, allowed, decided_at, by_id, by_name,
    ground)
SELECT person_id, %(audience)s, %(data_type)s, area_id, %(allowed)s, %(at)s, %(by_id)s,
    %(by_name)s, %(ground)s
FROM person WHERE person_id = %(person_id)s
ON CONFLICT (person_id, audience, data_type) DO UPDATE SET allowed = excluded.allowed,
    decided_at = excluded.decided_at, by_id = excluded.by_id, by_name = excluded.by_name,
    ground = excluded.ground;

-- name: undecide
-- The default holds again.
DELETE FROM consent WHERE person_id = %(person_id)s AND audience = %(audience)s
    AND data_type = %(data_type)s;

-- name: subscribe
-- A browser belongs to whoever logged in on it last.
INSERT INTO push_subscription (endpoint, account_id, area_id, p256dh, auth, agent, since)
SELECT %(endpoint)s, account_id, area_id, %(p256dh)s, %(auth)s, %(agent)s, %(at)s
FROM account WHERE account_id = %(account_id)s AND NOT disabled
ON CONFLICT (endpoint) DO UPDATE SET account_id = excluded.account_id, area_id = excluded.area_id,
    p256dh = excluded.p256dh, auth = excluded.auth, agent = excluded.agent, since = excluded.since;

-- name: bound
-- The newest stay.
DELETE FROM push_subscription WHERE account_id = %(account_id)s AND endpoint NOT IN (
    SELECT endpoint FROM push_subscription WHERE account_id = %(account_id)s
    ORDER BY since DESC, endpoint LIMIT %(most)s);

-- name: unsubscribe
DELETE FROM push_subscription WHERE account_id = %(account_id)s AND endpoint = %(endpoint)s;

-- name: subscribed
SELECT endpoint, agent, since FROM push_subscription WHERE account_id = %(account_id)s
ORDER BY since DESC;

-- name: show_test
-- A test to all browsers of an account, through the courier like every message.
INSERT INTO notification (area_id, incident_id, channel, recipient, kind, urgency, body, created_at,
    due_at)
SELECT area_id, NULL, 'push', 'account:' || account_id, 'test', 14, '{}', %(at)s, %(at)s
FROM account WHERE account_id = %(account_id)s;
