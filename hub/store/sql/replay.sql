-- name: person
SELECT person_id, premises_id FROM person WHERE person_id = %(person_id)s;

-- name: residents
SELECT person_id FROM person WHERE premises_id = %(premises_id)s ORDER BY person_id;

-- name: devices
-- Those the person wears, and those of their home; also revoked ones, which spoke then.
SELECT device_id FROM device
WHERE person_id = %(person_id)s OR premises_id = %(premises_id)s ORDER BY device_id;

-- name: observations
-- What these devices measured, in the order it arrived.
SELECT device_id, measure, observed_at, received_at, value, state, latitude, longitude, accuracy_m,
    quality, batch_id
FROM observation_all
WHERE device_id = ANY(%(devices)s) AND received_at >= %(since)s AND received_at < %(until)s
  AND (observed_at = 'epoch' OR (observed_at >= %(since)s - interval '3 days'
      AND observed_at < %(until)s + interval '400 days'))
ORDER BY received_at, batch_id;

-- name: windows
-- Raw motion round an impact, in the order it arrived.
SELECT w.device_id, w.received_at, a.observed_at, w.window_json::text AS content
FROM signal_window w JOIN alarm a USING (alarm_id)
WHERE w.device_id = ANY(%(devices)s) AND w.received_at >= %(since)s AND w.received_at < %(until)s
ORDER BY w.received_at LIMIT %(limit)s;

-- name: states
-- Where these people were said to be, in order of time; the row before the span is included.
SELECT person_id, state, since FROM person_state_change
WHERE person_id = ANY(%(people)s) AND since < %(until)s ORDER BY since, change_id;

-- name: incidents
-- Cases about a person or home that were open at some time of the span.
SELECT * FROM incident
WHERE category <> 'technical' AND opened_at < %(until)s
  AND (resolved_at IS NULL OR resolved_at > %(since)s)
  AND (premises_id = %(premises_id)s OR person_id = ANY(%(people)s))
ORDER BY opened_at LIMIT %(limit)s;

-- name: findings
-- What was recorded then of these devices, this person and this home.
SELECT finding_id, detector, kind, phase, priority, subject_kind, subject_id, key, at, text,
    evidence, reason, incident_id
FROM finding
WHERE at >= %(since)s AND at < %(until)s
  AND (device_id = ANY(%(devices)s) OR person_id = %(person_id)s OR premises_id = %(premises_id)s)
ORDER BY at, finding_id LIMIT %(limit)s;
