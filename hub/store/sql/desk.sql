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
-- A page of the areas somebody may see (NULL: all), newest first.
SELECT * FROM incident
WHERE (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
  AND (%(state)s = 'all' OR (state = 'resolved') = (%(state)s = 'resolved'))
  AND (opened_at, incident_id) < (%(before_at)s, %(before_id)s)
ORDER BY opened_at DESC, incident_id DESC LIMIT %(limit)s;

-- name: devices_page
-- Devices of the areas somebody may see, by id, found by what people call them.
SELECT d.device_id, d.kind, d.label, d.area_id, d.premises_id, d.person_id,
    p.name AS person_name, pr.address
FROM device d
LEFT JOIN person p ON p.person_id = d.person_id
LEFT JOIN premises pr ON pr.premises_id = d.premises_id
WHERE NOT d.revoked AND d.device_id > %(after)s
  AND (%(areas)s::text[] IS NULL OR d.area_id = ANY(%(areas)s))
  AND (%(like)s::text IS NULL OR d.device_id ILIKE %(like)s OR d.label ILIKE %(like)s
       OR p.name ILIKE %(like)s OR pr.address ILIKE %(like)s)
ORDER BY d.device_id LIMIT %(limit)s;

-- name: newest_of_measures
-- The newest value of each of these measures of each device: what it said last, and when.
SELECT d.id AS device_id, m.code AS measure, o.received_at, o.value, o.state
FROM unnest(%(ids)s::text[]) AS d (id)
CROSS JOIN unnest(%(measures)s::smallint[]) AS m (code)
CROSS JOIN LATERAL (
    SELECT received_at, value, state FROM observation o
    WHERE o.device_id = d.id AND o.measure = m.code AND o.observed_at >= %(since)s
    ORDER BY o.observed_at DESC LIMIT 1
) AS o;

-- name: newest_alarms_of_devices
-- A press is a sign of life too.
SELECT device_id, max(received_at) AS received_at FROM alarm
WHERE device_id = ANY(%(ids)s) AND received_at >= %(since)s GROUP BY device_id;

-- name: area_of_device
SELECT area_id FROM device WHERE device_id = %(id)s;

-- name: area_of_person
SELECT area_id FROM person WHERE person_id = %(id)s;

-- name: area_of_premises
SELECT area_id FROM premises WHERE premises_id = %(id)s;

-- name: observations
-- What one device measured, newest first; without positions, which need consent (promise 8).
SELECT observed_at, device_id, measure, value, state, quality FROM observation
WHERE device_id = %(device_id)s AND measure <> %(position)s
  AND (%(measure)s::smallint IS NULL OR measure = %(measure)s)
  AND observed_at >= %(since)s AND observed_at < %(until)s
ORDER BY observed_at DESC, message_key LIMIT %(limit)s;

-- name: observations_of_person
-- What the devices somebody has today measured of them; a device's earlier wearer is not shown.
SELECT o.observed_at, o.device_id, o.measure, o.value, o.state, o.quality FROM observation o
WHERE o.person_id = %(person_id)s AND o.measure <> %(position)s
  AND o.device_id IN (SELECT device_id FROM device WHERE person_id = %(person_id)s)
  AND (%(measure)s::smallint IS NULL OR o.measure = %(measure)s)
  AND o.observed_at >= %(since)s AND o.observed_at < %(until)s
ORDER BY o.observed_at DESC, o.message_key LIMIT %(limit)s;

-- name: quarantine_page
-- Messages that could not be read, newest first; the payload is cut to what a page can show.
SELECT quarantine_id, area_id, lane, topic, device_id, reason, received_at, repeats,
    octet_length(payload) AS size_bytes, substring(payload FROM 1 FOR %(shown_bytes)s) AS payload
FROM quarantine
WHERE quarantine_id < %(before)s AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
ORDER BY quarantine_id DESC LIMIT %(limit)s;

-- name: add_premises
-- Fails if the id is taken, unlike the register's own.
INSERT INTO premises (premises_id, area_id, address, access_notes, latitude, longitude, time_zone,
    phone)
VALUES (%(id)s, %(area_id)s, %(address)s, %(access_notes)s, %(latitude)s, %(longitude)s,
    %(time_zone)s, %(phone)s);

-- name: add_person
INSERT INTO person (person_id, area_id, premises_id, name, birth_year, language, phone,
    medical_notes)
VALUES (%(id)s, %(area_id)s, %(premises_id)s, %(name)s, %(birth_year)s, %(language)s, %(phone)s,
    %(medical_notes)s);

-- name: add_device
INSERT INTO device (device_id, area_id, premises_id, person_id, kind, label, secret_sha256)
VALUES (%(id)s, %(area_id)s, %(premises_id)s, %(person_id)s, %(kind)s, %(label)s,
    %(secret_sha256)s);

-- name: credential
-- Whoever has this name, also if disabled: the answer must take as long.
SELECT account_id, area_id, name, role, language, password_hash, disabled FROM account
WHERE username = %(username)s;

-- name: session
-- A log-in that still counts, with its account as it is today.
SELECT s.token_sha256, s.expires_at, a.account_id, a.area_id, a.name, a.role, a.language
FROM desk_session s JOIN account a USING (account_id)
WHERE s.token_sha256 = %(token_sha256)s AND s.expires_at > %(now)s AND NOT a.disabled;

-- name: open_session
INSERT INTO desk_session (token_sha256, account_id, created_at, expires_at)
VALUES (%(token_sha256)s, %(account_id)s, %(now)s, %(expires_at)s) ON CONFLICT DO NOTHING;

-- name: close_session
DELETE FROM desk_session WHERE token_sha256 = %(token_sha256)s;

-- name: close_sessions_run_out
DELETE FROM desk_session WHERE expires_at <= %(now)s;
