-- name: hold_incident
-- An incident by its own id or by that of an alarm that went into it, held until commit.
SELECT i.* FROM incident i
WHERE i.incident_id = coalesce(
    (SELECT a.incident_id FROM alarm a WHERE a.alarm_id = %(id)s), %(id)s)
FOR UPDATE OF i;

-- name: note_call
-- Once a call.
INSERT INTO told_from_memory (call_id, incident_id, area_id)
VALUES (%(call_id)s, %(incident_id)s, %(area_id)s) ON CONFLICT (call_id) DO NOTHING;

-- name: add_told
-- A notification that was sent, or failed, without the outbox.
INSERT INTO notification (area_id, incident_id, channel, recipient, kind, urgency, body, state,
    attempts, created_at, due_at, settled_at, sent_at, detail, step, reason)
VALUES (%(area_id)s, %(incident_id)s, %(channel)s, %(recipient)s, %(kind)s, %(urgency)s, %(body)s,
    %(state)s, 1, %(created_at)s, %(created_at)s, %(settled_at)s, %(sent_at)s, %(detail)s,
    %(step)s, 'from_memory');
