-- name: credential
-- Whoever has this name, also if disabled: the answer must take as long.
SELECT a.account_id, a.area_id, a.name, a.role, a.language, a.password_hash, a.disabled,
    a.must_change_password, k.people, k.homes, k.decides_for,
    (SELECT array_agg(c.person_id || ' ' || c.data_type || ' ' || c.allowed::text)
        FROM family_link l JOIN consent c USING (person_id)
        WHERE l.account_id = a.account_id AND c.audience = 'family') AS decided,
    (SELECT array_agg(r.responder_id) FROM responder r WHERE r.account_id = a.account_id)
        AS responders
FROM account a
LEFT JOIN LATERAL (
    SELECT array_agg(p.person_id) AS people, array_remove(array_agg(p.premises_id), NULL) AS homes,
        array_agg(p.person_id) FILTER (WHERE l.decides) AS decides_for
    FROM family_link l JOIN person p USING (person_id) WHERE l.account_id = a.account_id
) AS k ON true
WHERE a.username = %(username)s;

-- name: session
-- A log-in or a program's token that still counts, with its account as it is today.
SELECT s.token_sha256, s.expires_at, a.account_id, a.area_id, a.name, a.role, a.language,
    a.must_change_password, k.people, k.homes, k.decides_for,
    (SELECT array_agg(c.person_id || ' ' || c.data_type || ' ' || c.allowed::text)
        FROM family_link l JOIN consent c USING (person_id)
        WHERE l.account_id = a.account_id AND c.audience = 'family') AS decided,
    (SELECT array_agg(r.responder_id) FROM responder r WHERE r.account_id = a.account_id)
        AS responders, false AS by_token
FROM desk_session s JOIN account a USING (account_id)
LEFT JOIN LATERAL (
    SELECT array_agg(p.person_id) AS people, array_remove(array_agg(p.premises_id), NULL) AS homes,
        array_agg(p.person_id) FILTER (WHERE l.decides) AS decides_for
    FROM family_link l JOIN person p USING (person_id) WHERE l.account_id = a.account_id
) AS k ON true
WHERE s.token_sha256 = %(token_sha256)s AND s.expires_at > %(now)s AND NOT a.disabled
UNION ALL
SELECT token_sha256, expires_at, token_id, area_id, name, role, 'en', false, NULL, NULL,
    NULL, NULL, NULL, true
FROM api_token
WHERE token_sha256 = %(token_sha256)s AND expires_at > %(now)s AND revoked_at IS NULL;

-- name: open_session
-- Only where the password has not been changed since it was proved.
INSERT INTO desk_session (token_sha256, account_id, created_at, expires_at, address, agent)
SELECT %(token_sha256)s, account_id, %(created_at)s, %(expires_at)s, %(address)s, %(agent)s
FROM account
WHERE account_id = %(account_id)s AND NOT disabled
  AND (password_changed_at IS NULL OR password_changed_at <= %(created_at)s)
ON CONFLICT DO NOTHING;

-- name: close_session
DELETE FROM desk_session WHERE token_sha256 = %(token_sha256)s;

-- name: close_sessions_run_out
DELETE FROM desk_session WHERE expires_at <= %(now)s;

-- name: sessions_of
-- Where an account is logged in, newest first.
SELECT token_sha256, created_at, expires_at, address, agent FROM desk_session
WHERE account_id = %(account_id)s AND expires_at > %(now)s
ORDER BY created_at DESC LIMIT %(limit)s;

-- name: close_sessions_of
-- Log-ins of an account: the one whose hash begins so, or all but one.
DELETE FROM desk_session
WHERE account_id = %(account_id)s AND starts_with(token_sha256, %(prefix)s)
  AND token_sha256 <> coalesce(%(keep)s, '')
RETURNING token_sha256;

-- name: account_changes
-- Accounts, log-ins and tokens that changed since a look, by transaction.
SELECT DISTINCT noun, id FROM context_change
WHERE txid >= %(since)s::xid8 AND noun IN ('account', 'desk_session', 'api_token', 'area');

-- name: horizon
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS horizon;

-- name: password
SELECT username, name, password_hash FROM account WHERE account_id = %(account_id)s FOR UPDATE;

-- name: set_password
UPDATE account SET password_hash = %(password_hash)s, password_changed_at = %(at)s,
    must_change_password = %(must_change_password)s
WHERE account_id = %(account_id)s;

-- name: account_page
-- Accounts of what somebody may see, by id; never a hash.
SELECT account_id, area_id, username, name, role, language, disabled, created_at,
    must_change_password
FROM account
WHERE account_id > %(after)s AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
  AND (%(role)s::text IS NULL OR role = %(role)s)
  AND (%(like)s::text IS NULL OR username ILIKE %(like)s OR name ILIKE %(like)s)
ORDER BY account_id LIMIT %(limit)s;

-- name: account_card
SELECT account_id, area_id, username, name, role, language, disabled, created_at,
    must_change_password, phone, email
FROM account WHERE account_id = %(id)s;

-- name: change_account
UPDATE account SET area_id = %(area_id)s, name = %(name)s, role = %(role)s,
    language = %(language)s, disabled = %(disabled)s, phone = %(phone)s, email = %(email)s
WHERE account_id = %(id)s;

-- name: account_holds
SELECT (SELECT count(*) FROM incident WHERE owner_id = %(id)s AND state <> 'resolved')
        AS open_incidents,
    (SELECT count(*) FROM responder WHERE account_id = %(id)s) AS responders;

-- name: remove_account
WITH gone AS (DELETE FROM desk_session WHERE account_id = %(id)s)
DELETE FROM account WHERE account_id = %(id)s;

-- name: administrators
-- Who may administer an area, held until the end of the transaction.
SELECT account_id FROM account
WHERE area_id = %(area_id)s AND role = 'administrator' AND NOT disabled
ORDER BY account_id FOR UPDATE;

-- name: account_by_username
SELECT account_id, area_id, username, name, role, language, disabled, phone, email FROM account
WHERE username = %(username)s FOR UPDATE;

-- name: add_token
INSERT INTO api_token (token_id, token_sha256, area_id, name, role, created_at, created_by,
    expires_at)
VALUES (%(token_id)s, %(token_sha256)s, %(area_id)s, %(name)s, %(role)s, %(created_at)s,
    %(created_by)s, %(expires_at)s);

-- name: tokens
-- Newest first, the revoked too; never a hash.
SELECT token_id, area_id, name, role, created_at, created_by, expires_at, revoked_at FROM api_token
WHERE (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s)) AND token_id > %(after)s
ORDER BY token_id LIMIT %(limit)s;

-- name: token_area
SELECT area_id, token_sha256, name FROM api_token WHERE token_id = %(id)s;

-- name: revoke_token
UPDATE api_token SET revoked_at = %(at)s WHERE token_id = %(id)s AND revoked_at IS NULL;
