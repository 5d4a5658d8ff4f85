-- name: lock_grouping
-- One grouping transaction at a time, so that two lanes never open two incidents of one subject.
SELECT pg_advisory_xact_lock(%(key)s);

-- name: lock_open_by_subject
-- The open incidents of these subjects, held until commit.
SELECT i.* FROM incident i
JOIN unnest(%(kinds)s::text[], %(ids)s::text[]) AS s (kind, id)
  ON i.subject_kind = s.kind AND i.subject_id = s.id
WHERE i.state <> 'resolved'
ORDER BY i.incident_id FOR UPDATE OF i;

-- name: lock_by_id
-- These incidents, held until commit.
SELECT * FROM incident WHERE incident_id = ANY(%(ids)s) ORDER BY incident_id FOR UPDATE;

-- name: last_resolved_by_subject
-- The newest resolved incident of each subject.
SELECT last.* FROM unnest(%(kinds)s::text[], %(ids)s::text[]) AS s (kind, id)
CROSS JOIN LATERAL (
    SELECT * FROM incident i
    WHERE i.subject_kind = s.kind AND i.subject_id = s.id AND i.state = 'resolved'
    ORDER BY i.resolved_at DESC LIMIT 1
) AS last;

-- name: incident_of_alarm
-- Which incident an alarm went into; also resolves a provisional incident's id.
SELECT alarm_id, incident_id FROM alarm WHERE alarm_id = ANY(%(ids)s);

-- name: save_incident
-- Insert or replace one incident.
INSERT INTO incident (
    incident_id, area_id, subject_kind, subject_id, state, category, priority, kind, opened_at,
    last_alarm_at, alarm_count, person_id, premises_id, device_id, position, owner_id, owner_name,
    acknowledged_at, attended_at, resolved_at, expected_at, outcome, note, step, next_deadline_at,
    follows, silent, revision
) VALUES (
    %(incident_id)s, %(area_id)s, %(subject_kind)s, %(subject_id)s, %(state)s, %(category)s,
    %(priority)s, %(kind)s, %(opened_at)s, %(last_alarm_at)s, %(alarm_count)s, %(person_id)s,
    %(premises_id)s, %(device_id)s, %(position)s, %(owner_id)s, %(owner_name)s,
    %(acknowledged_at)s, %(attended_at)s, %(resolved_at)s, %(expected_at)s, %(outcome)s, %(note)s,
    %(step)s, %(next_deadline_at)s, %(follows)s, %(silent)s, %(revision)s
)
ON CONFLICT (incident_id) DO UPDATE SET
    state = excluded.state, category = excluded.category, priority = excluded.priority,
    last_alarm_at = excluded.last_alarm_at, alarm_count = excluded.alarm_count,
    person_id = excluded.person_id, position = excluded.position, owner_id = excluded.owner_id, owner_name = excluded.owner_name,
    acknowledged_at = excluded.acknowledged_at, attended_at = excluded.attended_at,
    resolved_at = excluded.resolved_at, expected_at = excluded.expected_at,
    outcome = excluded.outcome, note = excluded.note, step = excluded.step,
    next_deadline_at = excluded.next_deadline_at, silent = excluded.silent,
    revision = excluded.revision, changed_txid = pg_current_xact_id();

-- name: insert_alarm
-- One alarm; a repeat is known by its id before it comes here.
INSERT INTO alarm (
    alarm_id, area_id, incident_id, grouping_reason, subject_kind, subject_id, device_id,
    person_id, premises_id, kind, category, priority, action, message_id, observed_at,
    received_at, flags, position, text, reply_prefix, evidence
) VALUES (
    %(alarm_id)s, %(area_id)s, %(incident_id)s, %(grouping_reason)s, %(subject_kind)s,
    %(subject_id)s, %(device_id)s, %(person_id)s, %(premises_id)s, %(kind)s, %(category)s,
    %(priority)s, %(action)s, %(message_id)s, %(observed_at)s, %(received_at)s, %(flags)s,
    %(position)s, %(text)s, %(reply_prefix)s, %(evidence)s
);

-- name: insert_window
-- The raw acceleration behind an alarm.
INSERT INTO signal_window (alarm_id, area_id, device_id, received_at, window_json)
VALUES (%(alarm_id)s, %(area_id)s, %(device_id)s, %(received_at)s, %(window_json)s)
ON CONFLICT DO NOTHING;

-- name: count_repeats
-- The device said it again.
UPDATE alarm SET repeats = repeats + 1 WHERE alarm_id = ANY(%(ids)s);

-- name: occurrences
-- The last occurrence of presses without an id.
SELECT derived_id, area_id, occurrence, began_at FROM alarm_occurrence
WHERE derived_id = ANY(%(ids)s) FOR UPDATE;

-- name: save_occurrence
INSERT INTO alarm_occurrence (derived_id, area_id, occurrence, began_at)
VALUES (%(derived_id)s, %(area_id)s, %(occurrence)s, %(began_at)s)
ON CONFLICT (derived_id) DO UPDATE SET occurrence = excluded.occurrence,
    began_at = excluded.began_at;

-- name: log
-- One entry of the audit log.
INSERT INTO audit_log (
    at, area_id, incident_id, actor_kind, actor_id, actor_name, action, reason, detail
) VALUES (
    %(at)s, %(area_id)s, %(incident_id)s, %(actor_kind)s, %(actor_id)s, %(actor_name)s,
    %(action)s, %(reason)s, %(detail)s
);

-- name: add_notification
-- One row of the outbox.
INSERT INTO notification (
    area_id, incident_id, channel, recipient, kind, urgency, body, state, created_at, due_at,
    settled_at, detail
) VALUES (
    %(area_id)s, %(incident_id)s, %(channel)s, %(recipient)s, %(kind)s, %(urgency)s, %(body)s,
    %(state)s, %(at)s, %(at)s, %(settled_at)s, %(detail)s
);

-- name: supersede
-- A human acted: what has not been sent yet is not sent any more. Rings always; on a resolve also
-- what would tell the person that help is coming.
UPDATE notification SET state = 'superseded', settled_at = %(at)s, detail = %(verb)s,
    leased_until = NULL
WHERE incident_id = %(incident_id)s AND state = 'pending'
  AND (kind IN ('ring', 'check_in', 'calling') OR %(verb)s = 'resolve');

-- name: told_elsewhere
-- Whom other channels than desk and device have rung for this incident.
SELECT DISTINCT channel, recipient FROM notification
WHERE incident_id = %(incident_id)s AND kind = 'ring' AND state = 'sent'
  AND channel NOT IN ('desk', 'device');

-- name: known_actions
-- Desk actions that were already recorded.
SELECT action_id, refusal FROM desk_action WHERE action_id = ANY(%(ids)s);

-- name: save_action
INSERT INTO desk_action (action_id, area_id, incident_id, verb, account_id, at, refusal)
VALUES (%(action_id)s, %(area_id)s, %(incident_id)s, %(verb)s, %(account_id)s, %(at)s,
    %(refusal)s)
ON CONFLICT DO NOTHING;

-- name: reply_targets
-- Presses of an incident that wait for an answer, and the person's other devices.
SELECT a.device_id, a.message_id, a.reply_prefix, d.area_id, d.premises_id, p.language,
    pr.time_zone, max(a.received_at) AS received_at
FROM alarm a
LEFT JOIN device d ON d.device_id = a.device_id
LEFT JOIN person p ON p.person_id = a.person_id
LEFT JOIN premises pr ON pr.premises_id = a.premises_id
WHERE a.incident_id = %(incident_id)s AND a.reply_prefix IS NOT NULL
  AND a.action IS DISTINCT FROM 'cancel'
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY received_at DESC LIMIT 40;

-- name: devices_of_person
SELECT device_id, area_id, premises_id, kind FROM device
WHERE person_id = %(person_id)s AND NOT revoked ORDER BY device_id LIMIT 20;

-- name: due_incidents
-- Incidents whose deadline has passed, the most urgent first; held until commit.
SELECT * FROM incident
WHERE state <> 'resolved' AND next_deadline_at <= %(now)s
ORDER BY CASE priority WHEN 'high' THEN 0 WHEN 'medium' THEN 1 ELSE 2 END, next_deadline_at
LIMIT %(limit)s FOR UPDATE SKIP LOCKED;

-- name: open_incidents
-- Everything that still needs somebody, oldest first.
SELECT * FROM incident WHERE state <> 'resolved' ORDER BY opened_at LIMIT %(limit)s;

-- name: newest_alarms
-- The newest alarms of these incidents, at most `each` of each.
SELECT a.* FROM unnest(%(ids)s::text[]) AS i (id)
CROSS JOIN LATERAL (
    SELECT * FROM alarm WHERE alarm.incident_id = i.id
    ORDER BY received_at DESC LIMIT %(each)s
) AS a
ORDER BY a.received_at;

-- name: recent_alarms
-- The ids of the newest alarms, to know a repeat when it comes, and where they went.
SELECT alarm_id, incident_id FROM alarm ORDER BY received_at DESC LIMIT %(limit)s;

-- name: recent_occurrences
SELECT derived_id, occurrence, began_at FROM alarm_occurrence
ORDER BY began_at DESC LIMIT %(limit)s;

-- name: changed_incidents
-- What changed since a look, by transaction: rows of transactions that were still running then
-- come again, which is harmless.
SELECT * FROM incident WHERE changed_txid >= %(since)s::xid8;

-- name: horizon
-- The oldest transaction still running: the next look starts there.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS horizon;
