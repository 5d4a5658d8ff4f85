-- name: known
-- Findings that were recorded before, and the incident each belongs to.
SELECT finding_id, incident_id FROM finding WHERE finding_id = ANY(%(ids)s);

-- name: incidents_of_episodes
-- Which incident each episode opened, joined or was noted on.
SELECT DISTINCT ON (f.detector, f.subject_id, f.key)
    f.detector, f.subject_id, f.key, f.incident_id
FROM finding f
JOIN unnest(%(detectors)s::text[], %(subjects)s::text[], %(keys)s::text[])
    AS e (detector, subject_id, key) USING (detector, subject_id, key)
WHERE f.incident_id IS NOT NULL AND f.phase <> 'withdrawn'
ORDER BY f.detector, f.subject_id, f.key, f.at DESC;

-- name: holding
-- Episodes of these incidents that were not taken back.
SELECT incident_id, detector, subject_id, key FROM finding
WHERE incident_id = ANY(%(ids)s)
GROUP BY 1, 2, 3, 4 HAVING NOT bool_or(phase = 'withdrawn');

-- name: save
-- One finding; the same one again changes nothing.
INSERT INTO finding (
    finding_id, area_id, detector, kind, phase, category, priority, subject_kind, subject_id,
    key, device_id, person_id, premises_id, at, ask_s, evidence, text, incident_id, reason
) VALUES (
    %(finding_id)s, %(area_id)s, %(detector)s, %(kind)s, %(phase)s, %(category)s, %(priority)s,
    %(subject_kind)s, %(subject_id)s, %(key)s, %(device_id)s, %(person_id)s, %(premises_id)s,
    %(at)s, %(ask_s)s, %(evidence)s, %(text)s, %(incident_id)s, %(reason)s
)
ON CONFLICT DO NOTHING;

-- name: states
-- Where people are, by themselves and by home.
SELECT person_id, premises_id, state FROM person
WHERE person_id = ANY(%(people)s) OR premises_id = ANY(%(premises)s);

-- name: askable
-- Devices of people and of homes that may ask: in use and not known to be silent.
SELECT d.device_id, d.area_id, d.premises_id, d.person_id, d.kind, p.language
FROM device d LEFT JOIN person p USING (person_id)
WHERE (d.person_id = ANY(%(people)s) OR d.premises_id = ANY(%(premises)s)) AND NOT d.revoked
  AND NOT EXISTS (
    SELECT 1 FROM incident i
    WHERE i.subject_kind = 'device' AND i.subject_id = d.device_id
      AND i.kind = 'device_silent' AND i.state <> 'resolved'
  )
ORDER BY d.device_id LIMIT 200;

-- name: asked
-- The devices that asked about an incident, and what their person speaks.
SELECT DISTINCT d.device_id, d.area_id, d.premises_id, p.language, pr.time_zone
FROM notification n
JOIN device d ON d.device_id = n.recipient
LEFT JOIN person p ON p.person_id = d.person_id
LEFT JOIN premises pr ON pr.premises_id = d.premises_id
WHERE n.incident_id = %(incident_id)s AND n.kind = 'check_in' AND n.channel = 'device'
ORDER BY d.device_id;

-- name: supersede_questions
-- The question is settled: what has not been asked yet is not asked any more.
UPDATE notification SET state = 'superseded', settled_at = %(at)s, detail = 'question settled',
    reason = 'question_settled', leased_until = NULL
WHERE incident_id = ANY(%(ids)s) AND state = 'pending' AND kind = 'check_in';

-- name: save_state
-- What a detector of the alarm lane remembers about one scope.
INSERT INTO alarm_state (detector, scope_id, area_id, device_id, state, saved_at)
VALUES (%(detector)s, %(scope_id)s, %(area_id)s, %(device_id)s, %(state)s, %(saved_at)s)
ON CONFLICT (detector, scope_id) DO UPDATE SET
    area_id = excluded.area_id, device_id = excluded.device_id, state = excluded.state, saved_at = excluded.saved_at;

-- name: states_saved
-- Everything the detectors of the alarm lane remembered.
SELECT detector, scope_id, area_id, device_id, state::text AS state FROM alarm_state
ORDER BY saved_at DESC LIMIT %(limit)s;

-- name: page
-- Findings newest first; by area, person and whether they woke anybody.
SELECT f.* FROM finding f
WHERE (%(areas)s::text[] IS NULL OR f.area_id = ANY(%(areas)s))
  AND (%(people)s::text[] IS NULL OR f.person_id = ANY(%(people)s)
       OR (f.person_id IS NULL AND f.premises_id = ANY(%(homes)s::text[])))
  AND (%(person_id)s::text IS NULL OR f.person_id = %(person_id)s)
  AND (%(premises_id)s::text IS NULL OR f.premises_id = %(premises_id)s)
  AND (%(reason)s::text IS NULL OR f.reason = %(reason)s)
  AND (f.at, f.finding_id) < (%(before_at)s, %(before_id)s)
ORDER BY f.at DESC, f.finding_id DESC LIMIT %(limit)s;
