-- name: quarantine
-- A message that could not be read, with the reason; the same bytes again are counted.
INSERT INTO quarantine (area_id, lane, topic, device_id, message_key, reason, payload, received_at)
VALUES (%(area_id)s, %(lane)s, %(topic)s, %(device_id)s, %(message_key)s, %(reason)s, %(payload)s,
    %(received_at)s)
ON CONFLICT (message_key) DO UPDATE SET repeats = quarantine.repeats + 1, reason = excluded.reason,
    -- Retried and still unreadable: it waits again. Discarded telemetry stays so; an alarm waits.
    state = CASE WHEN quarantine.state = 'discarded' AND quarantine.lane = 'telemetry'
        THEN 'discarded' ELSE 'waiting' END;

-- name: trim_quarantine
-- Each lane keeps its own newest rows, so that broken telemetry never evicts an alarm.
DELETE FROM quarantine WHERE lane = %(lane)s AND quarantine_id <= (
    SELECT quarantine_id FROM quarantine WHERE lane = %(lane)s
    ORDER BY quarantine_id DESC OFFSET %(keep)s LIMIT 1
);

-- name: log_of
-- Of a long incident how it began and what is new; its report has all of it.
WITH shown AS (
    (SELECT * FROM audit_log WHERE incident_id = %(incident_id)s ORDER BY entry_id LIMIT 200)
    UNION
    (SELECT * FROM audit_log WHERE incident_id = %(incident_id)s ORDER BY entry_id DESC LIMIT 800)
)
SELECT at, actor_kind, actor_id, actor_name, action, reason, detail FROM shown ORDER BY entry_id;

-- name: incidents_page
-- Newest first; the cursor is the last row's opening time and id.
SELECT * FROM incident
WHERE (%(state)s = 'all' OR (state = 'resolved') = (%(state)s = 'resolved'))
  AND (opened_at, incident_id) < (%(before_at)s, %(before_id)s)
ORDER BY opened_at DESC, incident_id DESC LIMIT %(limit)s;

-- name: incident
SELECT i.* FROM incident i WHERE i.incident_id = coalesce(
    (SELECT a.incident_id FROM alarm a WHERE a.alarm_id = %(id)s), %(id)s);
