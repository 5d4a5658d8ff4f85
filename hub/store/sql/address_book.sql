-- name: contact
-- Contacts of people, as of now.
SELECT c.contact_id AS id, c.name, c.relation, c.language, c.phone, c.email, c.account_id, p.person_id,
    p.state AS person_state, a.language AS account_language, a.email AS account_email,
    NOT coalesce(a.disabled, true) AS has_account
FROM person_contact c
JOIN person p USING (person_id)
LEFT JOIN account a ON a.account_id = c.account_id
WHERE c.contact_id = ANY(%(ids)s);

-- name: account
-- Those who can log in.
SELECT account_id AS id, name, role AS relation, language, phone, email, account_id
FROM account WHERE account_id = ANY(%(ids)s) AND NOT disabled;

-- name: responder
-- Those who go there.
SELECT r.responder_id AS id, r.name, r.kind AS relation, a.language, coalesce(r.phone, a.phone) AS phone, a.email,
    a.account_id
FROM responder r
LEFT JOIN account a ON a.account_id = r.account_id AND NOT a.disabled
WHERE r.responder_id = ANY(%(ids)s);

-- name: incident_people
-- Whom incidents are about, and whether they are served.
SELECT i.incident_id, p.state AS person_state
FROM incident i JOIN person p USING (person_id)
WHERE i.incident_id = ANY(%(ids)s);

-- name: by_phone
-- Everybody this number belongs to, as recipients.
SELECT 'contact:' || contact_id AS recipient, name, language, area_id FROM person_contact
WHERE regexp_replace(phone, '\D', '', 'g') = ANY(%(numbers)s)
UNION ALL
SELECT 'responder:' || responder_id, name, NULL, area_id FROM responder
WHERE regexp_replace(phone, '\D', '', 'g') = ANY(%(numbers)s)
UNION ALL
SELECT 'account:' || account_id, name, language, area_id FROM account
WHERE regexp_replace(phone, '\D', '', 'g') = ANY(%(numbers)s) AND NOT disabled
LIMIT 50;
