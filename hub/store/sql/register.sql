-- name: area
SELECT area_id, parent_id, name, level FROM area WHERE %(ids)s::text[] IS NULL OR area_id = ANY(%(ids)s);

-- name: premises
SELECT premises_id, area_id, address, access_notes, latitude, longitude, time_zone, phone
FROM premises WHERE %(ids)s::text[] IS NULL OR premises_id = ANY(%(ids)s);

-- name: person
SELECT person_id, area_id, premises_id, name, birth_year, language, phone, medical_notes, state
FROM person WHERE %(ids)s::text[] IS NULL OR person_id = ANY(%(ids)s);

-- name: device
SELECT device_id, area_id, premises_id, person_id, kind, label, voice_number, secret_sha256, revoked
FROM device WHERE %(ids)s::text[] IS NULL OR device_id = ANY(%(ids)s);

-- name: account
-- With the people a family account may see, and their homes.
SELECT a.account_id, a.area_id, a.username, a.name, a.password_hash, a.role, a.language, a.disabled,
    coalesce(k.people, '{}') AS people, coalesce(k.homes, '{}') AS homes,
    coalesce(k.decides_for, '{}') AS decides_for,
    coalesce((SELECT array_agg(c.person_id || ' ' || c.data_type || ' ' || c.allowed::text)
        FROM family_link l JOIN consent c USING (person_id)
        WHERE l.account_id = a.account_id AND c.audience = 'family'),
        '{}') AS decided,
    ARRAY(SELECT r.responder_id FROM responder r WHERE r.account_id = a.account_id) AS responders
FROM account a
LEFT JOIN LATERAL (
    SELECT array_agg(p.person_id) AS people, array_remove(array_agg(p.premises_id), NULL) AS homes,
        array_agg(p.person_id) FILTER (WHERE l.decides) AS decides_for
    FROM family_link l JOIN person p USING (person_id) WHERE l.account_id = a.account_id
) AS k ON true
WHERE %(ids)s::text[] IS NULL OR a.account_id = ANY(%(ids)s);

-- name: desk_session
SELECT token_sha256, account_id, expires_at FROM desk_session
WHERE (%(ids)s::text[] IS NULL OR token_sha256 = ANY(%(ids)s)) AND expires_at > now();

-- name: person_care
-- One row a person for whom somebody set a limit, a fence or anything else.
SELECT p.person_id, c.oxygen_scale_2, c.on_oxygen, c.inactivity_limit_percent,
    (SELECT jsonb_agg(jsonb_build_object('measure', l.measure, 'low', l.low, 'high', l.high,
            'author', l.author, 'set_on', l.set_on) ORDER BY l.measure)
        FROM person_limit l WHERE l.person_id = p.person_id) AS limits,
    (SELECT jsonb_agg(jsonb_build_object('id', f.fence_id, 'label', f.label, 'shapes', f.shapes,
            'active_from_min', f.active_from_min, 'active_until_min', f.active_until_min)
            ORDER BY f.fence_id)
        FROM fence f WHERE f.person_id = p.person_id) AS fences
FROM (SELECT person_id FROM person_care UNION SELECT person_id FROM person_limit
    UNION SELECT person_id FROM fence) p
LEFT JOIN person_care c USING (person_id)
WHERE %(ids)s::text[] IS NULL OR p.person_id = ANY(%(ids)s);

-- name: inactivity_line
SELECT premises_id, minutes FROM inactivity_line
WHERE %(ids)s::text[] IS NULL OR premises_id = ANY(%(ids)s);

-- name: changes
-- What changed since a look, by transaction.
SELECT DISTINCT noun, id FROM context_change WHERE txid >= %(since)s::xid8;

-- name: horizon
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS horizon;

-- name: add_premises
-- Nothing happens where the id is taken.
INSERT INTO premises (premises_id, area_id, address, access_notes, latitude, longitude, time_zone,
    phone, video_link)
VALUES (%(premises_id)s, %(area_id)s, %(address)s, %(access_notes)s, %(latitude)s, %(longitude)s,
    %(time_zone)s, %(phone)s, %(video_link)s)
ON CONFLICT DO NOTHING;

-- name: add_person
-- Nothing happens where the id is taken.
INSERT INTO person (person_id, area_id, premises_id, name, birth_year, language, phone,
    medical_notes, lives_alone, mobility)
VALUES (%(person_id)s, %(area_id)s, %(premises_id)s, %(name)s, %(birth_year)s, %(language)s,
    %(phone)s, %(medical_notes)s, %(lives_alone)s, %(mobility)s)
ON CONFLICT DO NOTHING;

-- name: add_device
-- Nothing happens where the id is taken.
INSERT INTO device (device_id, area_id, premises_id, person_id, kind, label, secret_sha256,
    mosquitto_hash)
VALUES (%(device_id)s, %(area_id)s, %(premises_id)s, %(person_id)s, %(kind)s, %(label)s,
    %(secret_sha256)s, %(mosquitto_hash)s)
ON CONFLICT DO NOTHING;

-- name: new_secret
UPDATE device SET secret_sha256 = %(secret_sha256)s, mosquitto_hash = %(mosquitto_hash)s
WHERE device_id = %(device_id)s;

-- name: add_account
-- Nothing happens where the id or the username is taken.
INSERT INTO account (account_id, area_id, username, name, password_hash, role, language,
    must_change_password)
VALUES (%(account_id)s, %(area_id)s, %(username)s, %(name)s, %(password_hash)s, %(role)s,
    %(language)s, %(must_change_password)s)
ON CONFLICT DO NOTHING;

-- name: premises_area
SELECT area_id FROM premises WHERE premises_id = %(premises_id)s;

-- name: forget_old
-- Findings of a year ago that came to nothing, and what no detector of the alarm lane would still go
-- by. What has a setting of its own is the business of hub.store.retention.
WITH nothing AS (DELETE FROM finding WHERE incident_id IS NULL AND at < now() - interval '1 year')
DELETE FROM alarm_state WHERE saved_at < now() - interval '7 days';
