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

-- name: open_at_premises
-- Open incidents at these homes, the oldest first.
SELECT * FROM incident WHERE premises_id = ANY(%(homes)s) AND state <> 'resolved'
ORDER BY premises_id, opened_at, incident_id LIMIT 1000;

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
    follows, silent, repeats, lease_until, ladder, responders, hand_offs, same_address, drill, revision
) VALUES (
    %(incident_id)s, %(area_id)s, %(subject_kind)s, %(subject_id)s, %(state)s, %(category)s,
    %(priority)s, %(kind)s, %(opened_at)s, %(last_alarm_at)s, %(alarm_count)s, %(person_id)s,
    %(premises_id)s, %(device_id)s, %(position)s, %(owner_id)s, %(owner_name)s,
    %(acknowledged_at)s, %(attended_at)s, %(resolved_at)s, %(expected_at)s, %(outcome)s, %(note)s,
    %(step)s, %(next_deadline_at)s, %(follows)s, %(silent)s, %(repeats)s, %(lease_until)s, %(ladder)s,
    %(responders)s, %(hand_offs)s, %(same_address)s, %(drill)s, %(revision)s
)
ON CONFLICT (incident_id) DO UPDATE SET
    state = excluded.state, category = excluded.category, priority = excluded.priority,
    last_alarm_at = excluded.last_alarm_at, alarm_count = excluded.alarm_count,
    person_id = excluded.person_id, position = excluded.position, owner_id = excluded.owner_id,
    owner_name = excluded.owner_name,
    acknowledged_at = excluded.acknowledged_at, attended_at = excluded.attended_at,
    resolved_at = excluded.resolved_at, expected_at = excluded.expected_at,
    outcome = excluded.outcome, note = excluded.note, step = excluded.step,
    next_deadline_at = excluded.next_deadline_at, silent = excluded.silent,
    repeats = excluded.repeats, lease_until = excluded.lease_until, ladder = excluded.ladder, responders = excluded.responders,
    hand_offs = excluded.hand_offs,
    revision = excluded.revision, changed_txid = pg_current_xact_id();

-- name: insert_alarm
-- One alarm; a repeat is known by its id before it comes here.
INSERT INTO alarm (
    alarm_id, area_id, incident_id, grouping_reason, subject_kind, subject_id, device_id,
    person_id, premises_id, kind, category, priority, action, message_id, observed_at,
    received_at, flags, position, text, reply_prefix, evidence, drill
) VALUES (
    %(alarm_id)s, %(area_id)s, %(incident_id)s, %(grouping_reason)s, %(subject_kind)s,
    %(subject_id)s, %(device_id)s, %(person_id)s, %(premises_id)s, %(kind)s, %(category)s,
    %(priority)s, %(action)s, %(message_id)s, %(observed_at)s, %(received_at)s, %(flags)s,
    %(position)s, %(text)s, %(reply_prefix)s, %(evidence)s, %(drill)s
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
    area_id, incident_id, channel, channels, recipient, kind, urgency, body, state, created_at,
    due_at, settled_at, detail, step
) VALUES (
    %(area_id)s, %(incident_id)s, %(channel)s, %(channels)s, %(recipient)s, %(kind)s, %(urgency)s,
    %(body)s, %(state)s, %(at)s, %(at)s, %(settled_at)s, %(detail)s, %(step)s
);

-- name: ring_again
-- The last rung once more: the row of its last ring, counted, goes out again under a new key. One
-- that still waits for its provider is only counted, one that was set apart too: for a quarter of an
-- hour, then there is a new one, so that no mistake in one row silences the last rung.
UPDATE notification n SET repeats = n.repeats + 1, urgency = %(urgency)s, body = %(body)s,
    state = CASE WHEN last.settled THEN 'pending' ELSE n.state END,
    channel = CASE WHEN last.settled THEN %(channel)s ELSE n.channel END,
    channels = CASE WHEN last.settled THEN %(channels)s ELSE n.channels END,
    due_at = CASE WHEN last.settled THEN %(at)s ELSE n.due_at END,
    attempts = CASE WHEN last.settled THEN 0 ELSE n.attempts END,
    round = CASE WHEN last.settled THEN (n.round + 1) %% 32000 ELSE n.round END,
    settled_at = CASE WHEN NOT last.settled THEN n.settled_at END,
    receipt_due_at = CASE WHEN NOT last.settled THEN n.receipt_due_at END
FROM (
    SELECT notification_id, state NOT IN ('pending', 'poisoned', 'discarded') AS settled
    FROM notification
    WHERE incident_id = %(incident_id)s AND recipient = %(recipient)s AND kind = 'ring'
      AND step = %(step)s
      AND NOT (state IN ('poisoned', 'discarded')
          AND created_at <= %(at)s - interval '15 minutes')
    ORDER BY notification_id DESC LIMIT 1
) AS last
WHERE n.notification_id = last.notification_id
RETURNING n.notification_id;

-- name: supersede
-- A human acted, or these ended by themselves: what has not been sent yet is not sent any more. A
-- responder whom a dispatcher picked is still called when somebody takes it (`over`: not when it is
-- over). Held by number, as the courier does.
WITH held AS (
    SELECT n.notification_id, given.at
    FROM unnest(%(incident_ids)s::text[], %(ats)s::timestamptz[]) AS given (incident_id, at)
    JOIN notification n USING (incident_id)
    WHERE n.state = 'pending' AND n.kind = ANY(%(kinds)s)
      AND (%(over)s OR n.body ->> 'reason' IS DISTINCT FROM 'add_responder')
    ORDER BY n.notification_id FOR UPDATE OF n
)
UPDATE notification n SET state = 'superseded', settled_at = held.at, detail = %(verb)s,
    reason = %(reason)s, leased_until = NULL
FROM held WHERE n.notification_id = held.notification_id AND n.state = 'pending';

-- name: told_elsewhere
-- Whom other channels than desk and device have rung for these incidents; first by the way that
-- reached them last, then by the others that were taken. Rows of the release before have no
-- attempts of their own.
WITH told AS (
    SELECT n.incident_id, n.recipient, d.channel, d.state IN ('delivered', 'answered') AS reached,
        d.delivery_id AS place
    FROM notification n JOIN delivery d USING (notification_id)
    WHERE n.incident_id = ANY(%(incident_ids)s) AND n.kind = 'ring'
      AND d.state IN ('sent', 'delivered', 'answered', 'unconfirmed')
    UNION ALL
    SELECT incident_id, recipient, channel, false, 0 FROM notification
    WHERE incident_id = ANY(%(incident_ids)s) AND kind = 'ring'
      AND state IN ('sent', 'unconfirmed')
), ways AS (
    SELECT incident_id, recipient, channel, bool_or(reached) AS reached, max(place) AS place
    FROM told WHERE channel NOT IN ('desk', 'device') AND recipient <> %(but)s
    GROUP BY incident_id, recipient, channel
)
SELECT incident_id, recipient,
    (array_agg(channel ORDER BY reached DESC, place DESC))[1] AS channel,
    (array_agg(channel ORDER BY reached DESC, place DESC))[2:] AS channels
FROM ways GROUP BY incident_id, recipient ORDER BY incident_id, recipient;

-- name: known_actions
-- Desk actions that were already recorded.
SELECT action_id, refusal FROM desk_action WHERE action_id = ANY(%(ids)s);

-- name: save_action
INSERT INTO desk_action (action_id, area_id, incident_id, verb, account_id, at, refusal,
    actor_kind, way, detail)
VALUES (%(action_id)s, %(area_id)s, %(incident_id)s, %(verb)s, %(account_id)s, %(at)s,
    %(refusal)s, %(actor_kind)s, %(way)s, %(detail)s)
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

-- name: arrival_targets
-- What the database made of the areas' service circles when these were opened.
SELECT incident_id, arrive_by FROM incident
WHERE incident_id = ANY(%(ids)s) AND arrive_by IS NOT NULL;

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
