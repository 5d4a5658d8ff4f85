-- name: whom_to_call
-- How the home of an incident is called, and who may be asked how they are.
SELECT i.incident_id, i.area_id, i.state, i.silent, i.drill, i.person_id,
    coalesce(d.voice_number, pr.phone, p.phone) AS number,
    coalesce(p.name, pr.address, i.subject_id) AS whom,
    coalesce(p.language, '') AS language, own.device_id, own.premises_id,
    own.area_id AS device_area_id
FROM incident i
LEFT JOIN device d ON d.device_id = i.device_id AND NOT d.revoked
LEFT JOIN LATERAL (
    SELECT o.device_id, o.premises_id, o.area_id FROM device o
    WHERE o.person_id = i.person_id AND NOT o.revoked
    ORDER BY (o.device_id = i.device_id) DESC, o.device_id LIMIT 1
) AS own ON true
LEFT JOIN premises pr ON pr.premises_id = i.premises_id
LEFT JOIN person p ON p.person_id = i.person_id
WHERE i.incident_id = %(incident_id)s;

-- name: own_number
-- The telephone of whoever wants to talk.
SELECT phone FROM account WHERE account_id = %(account_id)s AND NOT disabled;

-- name: add
INSERT INTO home_call (call_id, area_id, incident_id, kind, number, bridge_to, prefix, whom, by_id, by_name,
    asked_at, due_at)
VALUES (%(call_id)s, %(area_id)s, %(incident_id)s, %(kind)s, %(number)s, %(bridge_to)s, %(prefix)s,
    %(whom)s,
    %(by_id)s, %(by_name)s, %(asked_at)s, %(due_at)s)
ON CONFLICT (call_id) DO NOTHING;

-- name: under_way
-- Calls of an incident that have not ended.
SELECT count(*) AS calls FROM home_call WHERE incident_id = %(incident_id)s AND state <> 'ended';

-- name: placed
UPDATE home_call SET state = 'placed', provider_id = %(provider_id)s, detail = %(detail)s
WHERE call_id = %(call_id)s AND state = 'asked';

-- name: lock
-- The call a word of the gateway is about, held until it is settled.
SELECT * FROM home_call
WHERE call_id = %(reference)s OR (%(provider_id)s::text IS NOT NULL AND provider_id = %(provider_id)s)
ORDER BY asked_at DESC LIMIT 1 FOR UPDATE;

-- name: settle
UPDATE home_call SET state = %(state)s, result = %(result)s, ended_at = %(ended_at)s
WHERE call_id = %(call_id)s;

-- name: overdue
-- Calls whose gateway said nothing more in time.
SELECT * FROM home_call WHERE state <> 'ended' AND due_at <= %(now)s
ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- name: of_incident
SELECT call_id, kind, whom, by_name, state, result, asked_at, ended_at, detail FROM home_call
WHERE incident_id = %(incident_id)s ORDER BY asked_at DESC LIMIT 50;

-- name: set_voice_number
UPDATE device SET voice_number = %(voice_number)s WHERE device_id = %(device_id)s AND NOT revoked;
