-- name: issue
INSERT INTO incident_link (token_sha256, area_id, incident_id, recipient, name, language, channel,
    created_at, expires_at)
SELECT * FROM unnest(%(token_sha256)s::text[], %(area_id)s::text[], %(incident_id)s::text[],
    %(recipient)s::text[], %(name)s::text[], %(language)s::text[], %(channel)s::text[],
    %(created_at)s::timestamptz[], %(expires_at)s::timestamptz[]);

-- name: link
-- A link with what its page shows of the incident.
SELECT l.token_sha256, l.area_id, l.incident_id, l.recipient, l.name, l.language, l.expires_at,
    l.used_at, l.used_for, i.state, i.kind, i.category, i.owner_name, i.expected_at, i.responders,
    i.opened_at, i.drill, p.name AS person_name, pr.address, pr.time_zone, a.role
FROM incident_link l
JOIN incident i USING (incident_id)
LEFT JOIN person p ON p.person_id = i.person_id
LEFT JOIN premises pr ON pr.premises_id = i.premises_id
LEFT JOIN account a ON 'account:' || a.account_id = l.recipient
    AND a.account_id = substr(l.recipient, 9) AND NOT a.disabled
WHERE l.token_sha256 = %(token_sha256)s;

-- name: take
-- The one action; nobody else gets it.
UPDATE incident_link SET used_at = %(now)s, used_for = %(verb)s
WHERE token_sha256 = %(token_sha256)s AND used_at IS NULL AND expires_at > %(now)s
RETURNING token_sha256;

-- name: give_back
-- It could not be done after all.
UPDATE incident_link SET used_at = NULL, used_for = NULL WHERE token_sha256 = %(token_sha256)s;
