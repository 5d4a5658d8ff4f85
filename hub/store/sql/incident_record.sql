-- name: incident
SELECT * FROM incident WHERE incident_id = coalesce(
    (SELECT incident_id FROM alarm WHERE alarm_id = %(id)s), %(id)s);

-- name: area_path
-- Names from the root down.
WITH RECURSIVE above AS (
    SELECT area_id, parent_id, name, 0 AS height FROM area WHERE area_id = %(area_id)s
    UNION ALL
    SELECT a.area_id, a.parent_id, a.name, above.height + 1
    FROM area a JOIN above ON a.area_id = above.parent_id
)
SELECT name FROM above ORDER BY height DESC;

-- name: person
SELECT person_id, name, birth_year, language, phone FROM person WHERE person_id = %(id)s;

-- name: premises
SELECT premises_id, address, time_zone, latitude, longitude FROM premises
WHERE premises_id = %(id)s;

-- name: device
SELECT device_id, kind, label, model FROM device WHERE device_id = %(id)s;

-- name: zone
SELECT coalesce((SELECT time_zone FROM premises WHERE premises_id = %(premises_id)s),
    zone_of_area(%(area_id)s)) AS zone;

-- name: alarms
SELECT alarm_id, device_id, kind, category, priority, action, message_id, observed_at, received_at,
    recorded_at, flags, position, text, grouping_reason, evidence, repeats
FROM alarm WHERE incident_id = %(id)s ORDER BY received_at, alarm_id LIMIT %(limit)s;

-- name: findings
SELECT finding_id, detector, kind, phase, priority, at, evidence, text, reason FROM finding
WHERE incident_id = %(id)s ORDER BY at, finding_id LIMIT %(limit)s;

-- name: notifications
SELECT notification_id, channel, channels, recipient, kind, urgency, step, repeats, state, reason,
    attempts, created_at, sent_at, delivered_at, settled_at, provider_id, detail
FROM notification WHERE incident_id = %(id)s ORDER BY notification_id LIMIT %(limit)s;

-- name: deliveries
SELECT delivery_id, notification_id, channel, recipient, attempt, address, provider_id, state,
    began_at, at, receipt_at, detail
FROM delivery WHERE notification_id = ANY(%(ids)s) ORDER BY delivery_id LIMIT 5000;

-- name: names
-- What those who were told are called.
SELECT 'contact:' || contact_id AS recipient, name || ' (' || relation || ')' AS name
FROM person_contact WHERE contact_id = ANY(%(ids)s)
UNION ALL SELECT 'responder:' || responder_id, name FROM responder
WHERE responder_id = ANY(%(ids)s)
UNION ALL SELECT 'account:' || account_id, name FROM account WHERE account_id = ANY(%(ids)s)
UNION ALL SELECT device_id, label FROM device WHERE device_id = ANY(%(devices)s) AND label <> '';

-- name: responders
SELECT actor_kind, actor_id, name, answer, way, told_at, answered_at, expected_at, arrived_at
FROM incident_responder WHERE incident_id = %(id)s ORDER BY told_at NULLS LAST, actor_id;

-- name: hand_offs
SELECT service, number, reference, at, by_name, arrived_at, arrived_by
FROM hand_off WHERE incident_id = %(id)s ORDER BY at;

-- name: calls
SELECT kind, whom, by_name, state, result, asked_at, ended_at FROM home_call
WHERE incident_id = %(id)s ORDER BY asked_at LIMIT 200;

-- name: observations
-- Of the person's devices and the incident's own, without positions.
SELECT o.observed_at AS at, o.received_at, o.device_id, o.measure, o.value, o.state, o.quality
FROM observation_all o
WHERE o.observed_at >= %(since)s AND o.observed_at < %(until)s AND o.measure <> %(position)s
  AND (o.device_id = %(device_id)s OR o.device_id IN (
      SELECT device_id FROM device WHERE person_id = %(person_id)s))
ORDER BY o.observed_at, o.device_id, o.measure LIMIT %(limit)s;
