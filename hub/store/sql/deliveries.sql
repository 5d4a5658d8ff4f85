-- name: by_reference
-- The newest attempt under a reference, with its notification as it is now; held until commit.
SELECT d.delivery_id, d.state AS attempt_state, d.channel AS attempt_channel, d.reference,
    n.*, i.state AS incident_state,
    EXISTS (
        SELECT FROM incident_responder e
        WHERE e.incident_id = n.incident_id AND e.actor_kind || ':' || e.actor_id = n.recipient
          AND e.answer <> 'told'
    ) AS answered
FROM delivery d JOIN notification n USING (notification_id)
LEFT JOIN incident i ON i.incident_id = n.incident_id
WHERE d.reference = %(reference)s
ORDER BY d.delivery_id DESC LIMIT 1 FOR UPDATE OF d, n;

-- name: by_provider_id
-- The same by the provider's own id; of a channel, for two providers may count alike.
SELECT d.delivery_id, d.state AS attempt_state, d.channel AS attempt_channel, d.reference,
    n.*, i.state AS incident_state,
    EXISTS (
        SELECT FROM incident_responder e
        WHERE e.incident_id = n.incident_id AND e.actor_kind || ':' || e.actor_id = n.recipient
          AND e.answer <> 'told'
    ) AS answered
FROM delivery d JOIN notification n USING (notification_id)
LEFT JOIN incident i ON i.incident_id = n.incident_id
WHERE d.provider_id = %(provider_id)s AND d.channel = %(channel)s
ORDER BY d.delivery_id DESC LIMIT 1 FOR UPDATE OF d, n;

-- name: receipt
UPDATE delivery SET state = %(state)s, at = %(now)s, receipt_at = coalesce(receipt_at, %(now)s),
    provider_id = coalesce(provider_id, %(provider_id)s)
WHERE delivery_id = %(delivery_id)s;

-- name: confirmed
-- The attempt that stands has its receipt; one that was missed on the last way has come after all.
UPDATE notification SET delivered_at = coalesce(delivered_at, %(now)s), receipt_due_at = NULL,
    state = CASE WHEN state = 'unconfirmed' THEN 'sent' ELSE state END,
    reason = CASE WHEN state IN ('sent', 'unconfirmed') THEN 'receipt' ELSE reason END
WHERE notification_id = %(notification_id)s;

-- name: failed
UPDATE delivery SET state = 'failed', at = %(now)s, detail = %(detail)s,
    provider_id = coalesce(provider_id, %(provider_id)s)
WHERE delivery_id = %(delivery_id)s;

-- name: known_reply
SELECT result, answer FROM reply WHERE provider = %(provider)s AND message_id = %(message_id)s;

-- name: replies_since
SELECT count(*) AS count FROM reply WHERE sender = %(sender)s AND received_at > %(since)s;

-- name: keep_reply
INSERT INTO reply (area_id, provider, message_id, way, sender, text, received_at, incident_id,
    recipient, verb, result, answer)
VALUES (%(area_id)s, %(provider)s, %(message_id)s, %(way)s, %(sender)s, %(text)s, %(now)s,
    %(incident_id)s, %(recipient)s, %(verb)s, %(result)s, %(answer)s)
ON CONFLICT (provider, message_id) DO NOTHING;

-- name: told_open
-- Open incidents of which these were told, and when last.
SELECT i.incident_id, i.area_id, d.recipient, max(d.began_at) AS told_at
FROM delivery d JOIN notification n USING (notification_id)
JOIN incident i ON i.incident_id = d.incident_id
WHERE d.recipient = ANY(%(recipients)s) AND i.state <> 'resolved'
  AND n.kind IN ('ring', 'coming') AND d.channel NOT IN ('desk', 'device')
  AND d.state IN ('sending', 'sent', 'delivered', 'answered', 'unconfirmed')
  AND d.began_at > %(since)s
GROUP BY i.incident_id, i.area_id, d.recipient
ORDER BY told_at DESC LIMIT 20;

-- name: who
-- A recipient as one who acts: name, role of an account, language.
SELECT name, NULL AS role, language, area_id FROM person_contact
WHERE 'contact:' || contact_id = %(recipient)s AND contact_id = %(id)s
UNION ALL
SELECT name, NULL, NULL, area_id FROM responder
WHERE 'responder:' || responder_id = %(recipient)s AND responder_id = %(id)s
UNION ALL
SELECT name, role, language, area_id FROM account
WHERE 'account:' || account_id = %(recipient)s AND account_id = %(id)s AND NOT disabled;

-- name: replies_page
-- Newest first.
SELECT reply_id, area_id, provider, way, sender, text, received_at, incident_id, recipient, verb,
    result, answer
FROM reply
WHERE reply_id < %(before)s AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
  AND (%(result)s::text IS NULL OR result = %(result)s)
ORDER BY reply_id DESC LIMIT %(limit)s;

-- name: deliveries_of
-- Every attempt for an incident, oldest first.
SELECT d.delivery_id, d.notification_id, n.kind, d.channel, d.recipient, d.attempt, d.address,
    d.state, d.began_at, d.at, d.receipt_at, d.detail, n.state AS notification_state, n.reason
FROM delivery d JOIN notification n USING (notification_id)
WHERE d.incident_id = %(incident_id)s ORDER BY d.delivery_id LIMIT %(limit)s;
