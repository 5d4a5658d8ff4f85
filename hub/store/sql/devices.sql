-- name: for_change
-- The device as it is, held until the change is committed.
SELECT device_id, area_id, premises_id, person_id, kind, label, model, voice_number, revoked,
    replaces
FROM device WHERE device_id = %(id)s FOR UPDATE;

-- name: rotate
UPDATE device SET secret_sha256 = %(secret_sha256)s, mosquitto_hash = %(mosquitto_hash)s
WHERE device_id = %(id)s;

-- name: revoke
UPDATE device SET revoked = true WHERE device_id = %(id)s;

-- name: move
-- The area is the new home's. What was observed so far keeps its owner: it stands in the rows.
UPDATE device SET premises_id = %(premises_id)s, person_id = %(person_id)s,
    area_id = (SELECT area_id FROM premises WHERE premises_id = %(premises_id)s)
WHERE device_id = %(id)s;

-- name: home
SELECT area_id FROM premises WHERE premises_id = %(premises_id)s;

-- name: person
SELECT person_id FROM person WHERE person_id = %(person_id)s;

-- name: add
INSERT INTO device (device_id, area_id, premises_id, person_id, kind, label, model, voice_number,
    secret_sha256, mosquitto_hash, replaces)
VALUES (%(id)s, %(area_id)s, %(premises_id)s, %(person_id)s, %(kind)s, %(label)s, %(model)s,
    %(voice_number)s, %(secret_sha256)s, %(mosquitto_hash)s, %(replaces)s);

-- name: describe
UPDATE device SET label = %(label)s, model = %(model)s, voice_number = %(voice_number)s
WHERE device_id = %(id)s;

-- name: history
-- What was so of a device, newest first; who had it elsewhere is the business of those there.
SELECT entry_id, at, changes, area_id, premises_id, person_id, kind, label, model, revoked,
    other_device_id
FROM device_history WHERE device_id = %(id)s AND entry_id < %(before)s
  AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
ORDER BY entry_id DESC LIMIT %(limit)s;

-- name: listed
SELECT device_id, kind, label, model, area_id, premises_id, person_id, revoked, replaces
FROM device
WHERE (%(premises_id)s::text IS NULL OR premises_id = %(premises_id)s) AND device_id > %(after)s
ORDER BY device_id LIMIT %(limit)s;
