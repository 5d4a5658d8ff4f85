-- name: page
-- Messages that could not be read, newest first; the payload is cut to what a page can show.
SELECT quarantine_id, area_id, lane, topic, device_id, reason, received_at, repeats, state, retries,
    settled_at, octet_length(payload) AS size_bytes,
    substring(payload FROM 1 FOR %(shown_bytes)s) AS payload
FROM quarantine
WHERE quarantine_id < %(before)s AND state = %(state)s
  AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
  AND (%(lane)s::text IS NULL OR lane = %(lane)s)
  AND (%(device_id)s::text IS NULL OR device_id = %(device_id)s)
ORDER BY quarantine_id DESC LIMIT %(limit)s;

-- name: one
SELECT quarantine_id, area_id, lane, topic, device_id, reason, received_at, repeats, state, retries,
    settled_at, octet_length(payload) AS size_bytes,
    substring(payload FROM 1 FOR %(shown_bytes)s) AS payload
FROM quarantine
WHERE quarantine_id = %(id)s AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s));

-- name: lock
-- The whole message, held until it is known that the broker has it: what the lane says of it next
-- waits for us and wins.
SELECT area_id, lane, topic, payload, received_at, state FROM quarantine
WHERE quarantine_id = %(id)s AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
FOR UPDATE;

-- name: settle
UPDATE quarantine SET state = %(state)s, settled_at = %(now)s,
    retries = retries + (%(state)s = 'retried')::integer
WHERE quarantine_id = %(id)s;

-- name: dead_letters
-- Notifications that were given up, newest first.
SELECT n.notification_id, n.area_id, n.incident_id, n.channel, n.recipient, n.kind, n.state,
    n.reason, n.attempts, n.created_at, n.settled_at, n.detail, i.state AS incident_state
FROM notification n LEFT JOIN incident i USING (incident_id)
WHERE n.state = ANY(%(states)s) AND n.state IN ('failed', 'poisoned', 'unconfirmed')
  AND n.notification_id < %(before)s
  AND (%(areas)s::text[] IS NULL OR n.area_id = ANY(%(areas)s))
ORDER BY n.notification_id DESC LIMIT %(limit)s;

-- name: unreached
-- Notifications whose recipient had no way to be told, newest first; by the index of the same name.
SELECT n.notification_id, n.area_id, n.incident_id, n.channel, n.recipient, n.kind, n.state,
    n.reason, n.attempts, n.created_at, n.settled_at, n.detail, i.state AS incident_state
FROM notification n LEFT JOIN incident i USING (incident_id)
WHERE n.state = 'nobody' AND n.notification_id < %(before)s
  AND (%(areas)s::text[] IS NULL OR n.area_id = ANY(%(areas)s))
ORDER BY n.notification_id DESC LIMIT %(limit)s;

-- name: lock_dead_letter
-- With what tells whether it is still true: the incident, and whether somebody is on the way of whom
-- nothing newer was said.
SELECT n.notification_id, n.area_id, n.incident_id, n.kind, n.state, i.state AS incident_state,
    (i.state IN ('acknowledged', 'attended') OR EXISTS (
        SELECT FROM incident_responder e
        WHERE e.incident_id = n.incident_id AND e.answer IN ('going', 'arrived')
    )) AND NOT EXISTS (
        SELECT FROM notification newer
        WHERE newer.incident_id = n.incident_id AND newer.recipient = n.recipient
          AND newer.kind = n.kind AND newer.notification_id > n.notification_id
    ) AS comes
FROM notification n LEFT JOIN incident i USING (incident_id)
WHERE n.notification_id = %(id)s
  AND (%(areas)s::text[] IS NULL OR n.area_id = ANY(%(areas)s))
FOR UPDATE OF n;

-- name: send_again
-- From the first attempt by its first channel, under a new key: it is a new sending. Ways that it
-- had left come after those that were tried. The insert trigger does not see it, so the courier is
-- woken here.
UPDATE notification n SET state = 'pending', attempts = 0, broken = 0, due_at = %(now)s,
    created_at = %(now)s, settled_at = NULL, leased_until = NULL, receipt_due_at = NULL,
    sent_at = NULL, delivered_at = NULL, provider_id = NULL, reason = 'sent_again', detail = '',
    round = (n.round + 1) %% 32000,
    channel = every.ways[1], channels = every.ways[2:]
FROM (
    SELECT array_agg(channel ORDER BY first) AS ways FROM (
        SELECT channel, min(first) AS first FROM (
            SELECT channel, delivery_id AS first FROM delivery WHERE notification_id = %(id)s
            UNION ALL
            SELECT way, 9000000000000000000 + place FROM notification,
                unnest(ARRAY[channel] || channels) WITH ORDINALITY AS left_over (way, place)
            WHERE notification_id = %(id)s
        ) AS known GROUP BY channel
    ) AS each_way
) AS every
WHERE n.notification_id = %(id)s;

-- name: wake_courier
NOTIFY notification_due;

-- name: give_up
UPDATE notification SET state = 'discarded', settled_at = %(now)s WHERE notification_id = %(id)s;

-- name: waiting
-- How much waits for an operator, for figures and the doctor.
SELECT
    (SELECT count(*) FROM quarantine WHERE state = 'waiting' AND lane = 'alarm') AS alarm,
    (SELECT count(*) FROM quarantine WHERE state = 'waiting' AND lane = 'telemetry') AS telemetry,
    (SELECT count(*) FROM notification WHERE state IN ('failed', 'poisoned')) AS dead_letters;
