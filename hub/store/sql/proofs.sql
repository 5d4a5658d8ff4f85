-- name: ways
-- Where somebody of the register can be reached, as it stands there.
SELECT 'contact:' || c.contact_id AS recipient, c.area_id, c.name, c.phone, c.email,
    p.state NOT IN ('moved', 'service_ended') AS served
FROM person_contact c JOIN person p USING (person_id)
WHERE %(noun)s = 'contact' AND c.contact_id = %(id)s
UNION ALL
SELECT 'responder:' || responder_id, area_id, name, phone, NULL, true FROM responder
WHERE %(noun)s = 'responder' AND responder_id = %(id)s
UNION ALL
SELECT 'account:' || account_id, area_id, name, phone, email, NOT disabled FROM account
WHERE %(noun)s = 'account' AND account_id = %(id)s;

-- name: enqueue
-- A test message; it overtakes nothing.
INSERT INTO notification (area_id, incident_id, channel, recipient, kind, urgency, body, state,
    created_at, due_at)
VALUES (%(area_id)s, NULL, %(channel)s, %(recipient)s, 'test', %(urgency)s, %(body)s, 'pending',
    %(now)s, %(now)s)
RETURNING notification_id;

-- name: ask
-- Asked anew; what was proven or failed before stays until there is an answer.
INSERT INTO contact_proof (recipient, channel, area_id, address_sha256, asked_at, answer_due_at,
    notification_id, code)
VALUES (%(recipient)s, %(channel)s, %(area_id)s, %(address_sha256)s, %(now)s, %(due_at)s,
    %(notification_id)s, %(code)s)
ON CONFLICT (recipient, channel) DO UPDATE SET area_id = excluded.area_id,
    asked_at = excluded.asked_at, answer_due_at = excluded.answer_due_at,
    notification_id = excluded.notification_id, code = excluded.code,
    verified_at = CASE WHEN contact_proof.address_sha256 = excluded.address_sha256
        THEN contact_proof.verified_at END,
    verified_by = CASE WHEN contact_proof.address_sha256 = excluded.address_sha256
        THEN contact_proof.verified_by END,
    failed_at = CASE WHEN contact_proof.address_sha256 = excluded.address_sha256
        THEN contact_proof.failed_at END,
    failure = CASE WHEN contact_proof.address_sha256 = excluded.address_sha256
        THEN contact_proof.failure END,
    address_sha256 = excluded.address_sha256;

-- name: verify
-- Somebody answered: by reply, link, press of a digit, or by word to an operator.
UPDATE contact_proof SET verified_at = %(now)s, verified_by = %(how)s, answer_due_at = NULL,
    code = NULL, failed_at = NULL, failure = NULL
WHERE recipient = %(recipient)s AND channel = %(channel)s
RETURNING recipient, channel, area_id;

-- name: waiting_by_code
SELECT recipient, channel, area_id FROM contact_proof
WHERE code = %(code)s AND answer_due_at > %(now)s
  AND (%(recipients)s::text[] IS NULL OR recipient = ANY(%(recipients)s))
LIMIT 2;

-- name: waiting_by_notification
SELECT recipient, channel, area_id FROM contact_proof
WHERE notification_id = %(notification_id)s AND answer_due_at > %(now)s;

-- name: outcomes
-- Test messages that wait for an answer, and what became of them on their way.
SELECT f.recipient, f.channel, f.area_id, f.answer_due_at, n.state, n.reason, n.detail
FROM contact_proof f LEFT JOIN notification n USING (notification_id)
WHERE f.answer_due_at IS NOT NULL
ORDER BY f.answer_due_at LIMIT %(limit)s FOR UPDATE OF f SKIP LOCKED;

-- name: give_up
-- Nobody answered, or it cannot arrive; `failed`: the way itself does not work.
UPDATE contact_proof SET answer_due_at = NULL, code = NULL, failure = %(failure)s,
    failed_at = CASE WHEN %(failed)s THEN %(now)s::timestamptz ELSE failed_at END
WHERE recipient = %(recipient)s AND channel = %(channel)s;

-- name: forget_orphans
-- Of contacts that are not in the register any more.
DELETE FROM contact_proof f WHERE recipient LIKE 'contact:%%'
  AND NOT EXISTS (SELECT FROM person_contact c WHERE 'contact:' || c.contact_id = f.recipient);

-- name: overdue
-- Ways that are not proven since that day, a page by recipient, with what is known of them.
SELECT known.*, f.channel, f.asked_at, f.verified_at, f.verified_by, f.failed_at, f.failure,
    f.answer_due_at
FROM (
    SELECT 'contact:' || c.contact_id AS recipient, c.area_id, c.name, c.relation, p.person_id,
        p.name AS person_name, c.phone, c.email
    FROM person_contact c JOIN person p USING (person_id)
    WHERE p.state NOT IN ('moved', 'service_ended')
    UNION ALL
    SELECT 'responder:' || responder_id, area_id, name, kind, NULL, NULL, phone, NULL
    FROM responder WHERE phone IS NOT NULL
) AS known
LEFT JOIN LATERAL (
    SELECT * FROM contact_proof f WHERE f.recipient = known.recipient
      AND f.address_sha256 IN (encode(sha256(convert_to(coalesce(known.phone, ''), 'UTF8')), 'hex'),
          encode(sha256(convert_to(coalesce(known.email, ''), 'UTF8')), 'hex'))
    ORDER BY f.verified_at DESC NULLS LAST LIMIT 1
) AS f ON true
WHERE (%(areas)s::text[] IS NULL OR known.area_id = ANY(%(areas)s))
  AND (f.verified_at IS NULL OR f.verified_at <= %(since)s)
  AND known.recipient > %(after)s
ORDER BY known.recipient LIMIT %(limit)s;

-- name: proofs
-- What is known of somebody's ways.
SELECT channel, asked_at, answer_due_at, verified_at, verified_by, failed_at, failure
FROM contact_proof WHERE recipient = %(recipient)s ORDER BY channel;

-- name: proofs_of_person
-- What is known of the ways to somebody's contacts, where the address is the one that was asked.
SELECT c.contact_id, f.channel, f.asked_at, f.answer_due_at, f.verified_at, f.verified_by,
    f.failed_at, f.failure
FROM person_contact c
JOIN contact_proof f ON f.recipient = 'contact:' || c.contact_id
    AND f.address_sha256 = encode(sha256(convert_to(CASE f.channel
        WHEN 'email' THEN coalesce(c.email, '') WHEN 'push' THEN f.recipient
        ELSE coalesce(c.phone, '') END, 'UTF8')), 'hex')
WHERE c.person_id = %(person_id)s
ORDER BY c.contact_id, f.channel;

-- name: add_campaign
INSERT INTO proof_campaign (area_id, channels, per_minute, created_at, created_by)
VALUES (%(area_id)s, %(channels)s, %(per_minute)s, %(now)s, %(by)s)
RETURNING campaign_id;

-- name: campaigns
-- Under way, the oldest first.
SELECT * FROM proof_campaign WHERE ended_at IS NULL ORDER BY campaign_id FOR UPDATE SKIP LOCKED;

-- name: campaigns_page
SELECT * FROM proof_campaign
WHERE %(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s)
ORDER BY campaign_id DESC LIMIT %(limit)s;

-- name: stop_campaign
UPDATE proof_campaign SET ended_at = %(now)s WHERE campaign_id = %(id)s AND ended_at IS NULL
  AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
RETURNING area_id;

-- name: progressed
UPDATE proof_campaign SET asked = asked + %(asked)s,
    ended_at = CASE WHEN %(ended)s THEN %(now)s::timestamptz END
WHERE campaign_id = %(id)s;

-- name: next_of_campaign
-- Who was not asked since it began and is not proven, in its area and below.
WITH RECURSIVE below AS (
    SELECT area_id FROM area WHERE area_id = %(area_id)s
    UNION
    SELECT a.area_id FROM area a JOIN below b ON a.parent_id = b.area_id
),
known AS (
    SELECT 'contact:' || c.contact_id AS recipient, c.area_id, c.phone, c.email
    FROM person_contact c JOIN person p USING (person_id)
    WHERE p.state NOT IN ('moved', 'service_ended')
    UNION ALL
    SELECT 'responder:' || responder_id, area_id, phone, NULL FROM responder
)
SELECT k.recipient, v.channel FROM known k
JOIN below b USING (area_id)
CROSS JOIN LATERAL (
    SELECT 'sms' AS channel, k.phone AS address UNION ALL
    SELECT 'voice', k.phone UNION ALL
    SELECT 'email', k.email
) AS v
WHERE v.channel = ANY(%(channels)s) AND coalesce(v.address, '') <> ''
  AND NOT EXISTS (SELECT FROM contact_proof f WHERE f.recipient = k.recipient
      AND f.channel = v.channel
      AND f.address_sha256 = encode(sha256(convert_to(v.address, 'UTF8')), 'hex')
      AND (f.verified_at > %(since)s OR f.asked_at >= %(began_at)s))
ORDER BY k.recipient, v.channel LIMIT %(limit)s;

-- name: quiet_channels
-- When each of these channels last got something through.
SELECT c.channel, (SELECT max(at) FROM delivery d WHERE d.channel = c.channel
    AND d.at > %(since)s AND d.state IN ('sent', 'delivered', 'answered')) AS success_at
FROM unnest(%(channels)s::text[]) AS c (channel);
