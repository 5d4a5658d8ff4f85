-- name: glance_open
-- Everything that still needs somebody, oldest first; just enough to tell what is news.
SELECT incident_id, revision, alarm_count, true AS open FROM incident
WHERE state <> 'resolved' ORDER BY opened_at LIMIT %(limit)s;

-- name: glance_changed
-- What changed since a look, by transaction; rows of long transactions come again, harmlessly.
SELECT incident_id, revision, alarm_count, state <> 'resolved' AS open FROM incident
WHERE changed_txid >= %(since)s::xid8 ORDER BY opened_at LIMIT %(limit)s;

-- name: glances_asked_for
-- The same glance of incidents by id, found as `incidents_asked_for` finds them.
SELECT asked.id AS asked_id, i.incident_id, i.revision, i.alarm_count, i.state <> 'resolved' AS open
FROM unnest(%(ids)s::text[]) AS asked (id)
LEFT JOIN alarm a ON a.alarm_id = asked.id
JOIN incident i ON i.incident_id = coalesce(a.incident_id, asked.id);

-- name: incidents_asked_for
-- Incidents by id; the id of any alarm finds its incident too, also one that was merged away.
SELECT asked.id AS asked_id, i.* FROM unnest(%(ids)s::text[]) AS asked (id)
LEFT JOIN alarm a ON a.alarm_id = asked.id
JOIN incident i ON i.incident_id = coalesce(a.incident_id, asked.id);

-- name: incidents_page
-- A page of what somebody may see (NULL: not limited by that), newest first.
SELECT * FROM incident
WHERE (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
  AND (%(people)s::text[] IS NULL OR person_id = ANY(%(people)s)
       OR (person_id IS NULL AND premises_id = ANY(%(homes)s::text[]))
       OR (%(recipients)s::text[] IS NOT NULL AND EXISTS (
           SELECT FROM incident_responder e WHERE e.incident_id = incident.incident_id
             AND e.actor_kind || ':' || e.actor_id = ANY(%(recipients)s))))
  AND (%(state)s = 'all' OR (state = 'resolved') = (%(state)s = 'resolved'))
  AND (opened_at, incident_id) < (%(before_at)s, %(before_id)s)
ORDER BY opened_at DESC, incident_id DESC LIMIT %(limit)s;

-- name: devices_page
-- Devices of the areas somebody may see, by id, found by what people call them.
SELECT d.device_id, d.kind, d.label, d.area_id, d.premises_id, d.person_id,
    p.name AS person_name, pr.address, d.model, d.voice_number, d.revoked
FROM device d
LEFT JOIN person p ON p.person_id = d.person_id
LEFT JOIN premises pr ON pr.premises_id = d.premises_id
WHERE (NOT d.revoked OR d.device_id = %(device_id)s) AND d.device_id > %(after)s
  AND (%(device_id)s::text IS NULL OR d.device_id = %(device_id)s)
  AND (%(premises_id)s::text IS NULL OR d.premises_id = %(premises_id)s)
  AND (%(areas)s::text[] IS NULL OR d.area_id = ANY(%(areas)s))
  AND (%(like)s::text IS NULL OR d.device_id ILIKE %(like)s OR d.label ILIKE %(like)s
       OR p.name ILIKE %(like)s OR pr.address ILIKE %(like)s)
ORDER BY d.device_id LIMIT %(limit)s;

-- name: area_of_device
SELECT area_id FROM device WHERE device_id = %(id)s;

-- name: area_of_person
SELECT area_id FROM person WHERE person_id = %(id)s;

-- name: area_of_account
SELECT area_id FROM account WHERE account_id = %(id)s;

-- name: area_of_responder
SELECT area_id FROM responder WHERE responder_id = %(id)s;

-- name: area_of_premises
SELECT area_id FROM premises WHERE premises_id = %(id)s;

