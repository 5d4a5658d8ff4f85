-- name: cases
-- Incidents with whom, where and with what, and the newest alarm of each that says something.
SELECT i.*, p.name AS person_name, p.birth_year, p.phone AS person_phone, p.medical_notes,
    pr.address, pr.access_notes, pr.latitude, pr.longitude, pr.time_zone, pr.phone AS home_phone,
    d.label AS device_label, d.kind AS device_kind, d.voice_number, ar.name AS area_name,
    a.action AS alarm_action, a.evidence AS alarm_evidence, a.kind AS alarm_kind
FROM incident i
LEFT JOIN person p ON p.person_id = i.person_id
LEFT JOIN premises pr ON pr.premises_id = i.premises_id
LEFT JOIN device d ON d.device_id = i.device_id
LEFT JOIN area ar ON ar.area_id = i.area_id
LEFT JOIN LATERAL (
    SELECT action, evidence, kind FROM alarm
    WHERE alarm.incident_id = i.incident_id AND alarm.kind = i.kind
    ORDER BY received_at DESC LIMIT 1
) AS a ON true
WHERE i.incident_id = ANY(%(ids)s);

-- name: decisions
-- What the people of incidents decided.
SELECT i.incident_id, c.audience, c.data_type, c.allowed FROM incident i
JOIN consent c ON c.person_id = i.person_id
WHERE i.incident_id = ANY(%(ids)s);

-- name: subscriptions
-- The browsers of everybody asked about, the newest first.
SELECT w.kind, w.id, b.endpoint, b.p256dh, b.auth
FROM unnest(%(kinds)s::text[], %(ids)s::text[]) AS w (kind, id)
CROSS JOIN LATERAL (
    SELECT s.endpoint, s.p256dh, s.auth, s.since FROM push_subscription s
    JOIN account a ON a.account_id = s.account_id AND NOT a.disabled
    WHERE s.account_id = coalesce(
        CASE WHEN w.kind = 'account' THEN w.id END,
        (SELECT c.account_id FROM person_contact c
         WHERE w.kind = 'contact' AND c.contact_id = w.id),
        (SELECT r.account_id FROM responder r
         WHERE w.kind = 'responder' AND r.responder_id = w.id))
    ORDER BY s.since DESC LIMIT %(limit)s
) AS b
ORDER BY b.since DESC;

-- name: forget
-- A browser that took its permission back.
DELETE FROM push_subscription WHERE endpoint = %(endpoint)s;
