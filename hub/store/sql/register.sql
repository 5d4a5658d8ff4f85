-- name: area
SELECT area_id, parent_id, name FROM area WHERE %(ids)s::text[] IS NULL OR area_id = ANY(%(ids)s);

-- name: premises
SELECT premises_id, area_id, address, access_notes, latitude, longitude, time_zone, phone
FROM premises WHERE %(ids)s::text[] IS NULL OR premises_id = ANY(%(ids)s);

-- name: person
SELECT person_id, area_id, premises_id, name, birth_year, language, phone, medical_notes
FROM person WHERE %(ids)s::text[] IS NULL OR person_id = ANY(%(ids)s);

-- name: device
SELECT device_id, area_id, premises_id, person_id, kind, label, secret_sha256, revoked
FROM device WHERE %(ids)s::text[] IS NULL OR device_id = ANY(%(ids)s);

-- name: account
SELECT account_id, area_id, username, name, password_hash, role, language, disabled
FROM account WHERE %(ids)s::text[] IS NULL OR account_id = ANY(%(ids)s);

-- name: desk_session
SELECT token_sha256, account_id, expires_at FROM desk_session
WHERE (%(ids)s::text[] IS NULL OR token_sha256 = ANY(%(ids)s)) AND expires_at > now();

-- name: changes
-- What changed since a look, by transaction.
SELECT DISTINCT noun, id FROM context_change WHERE txid >= %(since)s::xid8;

-- name: horizon
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS horizon;

-- name: add_premises
INSERT INTO premises (premises_id, area_id, address, access_notes, latitude, longitude, time_zone,
    phone)
VALUES (%(premises_id)s, %(area_id)s, %(address)s, %(access_notes)s, %(latitude)s, %(longitude)s,
    %(time_zone)s, %(phone)s)
ON CONFLICT DO NOTHING;

-- name: add_person
INSERT INTO person (person_id, area_id, premises_id, name, birth_year, language, phone,
    medical_notes)
VALUES (%(person_id)s, %(area_id)s, %(premises_id)s, %(name)s, %(birth_year)s, %(language)s,
    %(phone)s, %(medical_notes)s)
ON CONFLICT DO NOTHING;

-- name: add_device
INSERT INTO device (device_id, area_id, premises_id, person_id, kind, label, secret_sha256)
VALUES (%(device_id)s, %(area_id)s, %(premises_id)s, %(person_id)s, %(kind)s, %(label)s,
    %(secret_sha256)s);

-- name: put_device
-- A device with a new secret, whether or not it was there.
INSERT INTO device (device_id, area_id, premises_id, person_id, kind, label, secret_sha256)
VALUES (%(device_id)s, %(area_id)s, %(premises_id)s, %(person_id)s, %(kind)s, %(label)s,
    %(secret_sha256)s)
ON CONFLICT (device_id) DO UPDATE SET secret_sha256 = excluded.secret_sha256;

-- name: add_account
INSERT INTO account (account_id, area_id, username, name, password_hash, role, language)
VALUES (%(account_id)s, %(area_id)s, %(username)s, %(name)s, %(password_hash)s, %(role)s,
    %(language)s);

-- name: premises_area
SELECT area_id FROM premises WHERE premises_id = %(premises_id)s;

-- name: forget_old
-- Sessions that ran out, and register changes every reader has seen.
WITH gone AS (DELETE FROM desk_session WHERE expires_at < now())
DELETE FROM context_change WHERE at < now() - interval '7 days';
