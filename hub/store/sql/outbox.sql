-- name: claim_due
-- Lease the most urgent due notifications of one channel, and begin an attempt of each; a dead
-- courier's leases run out. Read in the order of the index notification_waiting.
WITH due AS (
    SELECT notification_id FROM notification
    WHERE state = 'pending' AND channel = %(channel)s AND urgency <= %(least_urgent)s
      AND due_at <= %(now)s AND (leased_until IS NULL OR leased_until <= %(now)s)
    ORDER BY urgency, due_at, notification_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE notification n SET attempts = attempts + 1, broken = broken + 1,
        leased_until = %(lease_until)s
    FROM due WHERE n.notification_id = due.notification_id
    RETURNING n.*
), begun AS (
    INSERT INTO delivery (area_id, notification_id, incident_id, channel, recipient, attempt,
        reference, began_at, at)
    SELECT area_id, notification_id, incident_id, channel, recipient, attempts,
        'n' || notification_id || '-' || channel || '-' || round, %(now)s, %(now)s
    FROM claimed
    RETURNING delivery_id, notification_id
)
SELECT claimed.*, begun.delivery_id FROM claimed JOIN begun USING (notification_id)
ORDER BY urgency, due_at, notification_id;

-- name: unreadable
-- A row that this release cannot read is set apart, so that it does not stop the others.
UPDATE notification SET state = 'poisoned', reason = 'unreadable', settled_at = %(now)s,
    leased_until = NULL, detail = %(detail)s
WHERE notification_id = %(notification_id)s AND state = 'pending';

-- name: settle
-- What became of an attempt; whether the notification still waited for it. Somebody's receipt may
-- have overtaken the provider's own answer.
WITH attempt AS (
    UPDATE delivery SET at = %(now)s, address = %(address)s, detail = %(detail)s,
        provider_id = coalesce(%(provider_id)s, provider_id),
        state = CASE WHEN state IN ('delivered', 'answered', 'unconfirmed', 'failed')
            THEN state ELSE %(delivery)s END
    WHERE delivery_id = %(delivery_id)s
    RETURNING receipt_at, state
)
UPDATE notification n SET state = %(state)s, channel = %(channel)s, channels = %(channels)s,
    reason = %(reason)s, detail = %(detail)s, due_at = %(due_at)s, attempts = %(attempts)s,
    broken = %(broken)s, leased_until = NULL,
    sent_at = coalesce(n.sent_at, %(sent_at)s), provider_id = %(provider_id)s,
    delivered_at = coalesce(n.delivered_at, attempt.receipt_at),
    receipt_due_at = CASE WHEN attempt.receipt_at IS NULL THEN %(receipt_due_at)s::timestamptz END,
    settled_at = CASE WHEN %(state)s = 'pending' THEN NULL ELSE %(now)s END
FROM attempt
WHERE n.notification_id = %(notification_id)s AND n.state = 'pending'
RETURNING n.notification_id;

-- name: supersede_waiting_rings
-- Who was just rung does not get the rings that waited behind the same provider's trouble as well.
UPDATE notification SET state = 'superseded', reason = 'rung_just_now', settled_at = %(now)s,
    detail = 'another ring reached them by the same way'
WHERE incident_id = %(incident_id)s AND recipient = %(recipient)s AND kind = 'ring'
  AND channel = %(was)s AND state = 'pending' AND notification_id <> %(notification_id)s
  AND attempts > 0 AND (leased_until IS NULL OR leased_until <= %(now)s);

-- name: sent_after_all
-- It was under way when a human acted: it went out, whatever the row says. They learn what
-- everybody else was told meanwhile.
WITH told AS (
    UPDATE notification SET sent_at = coalesce(sent_at, %(now)s),
        reason = 'sent_before_it_was_superseded'
    WHERE notification_id = %(notification_id)s AND state = 'superseded' AND kind = 'ring'
      AND channel NOT IN ('desk', 'device')
    RETURNING incident_id, area_id, channel, recipient, urgency
)
INSERT INTO notification (area_id, incident_id, channel, recipient, kind, urgency, body, state,
    created_at, due_at, detail)
SELECT told.area_id, told.incident_id, told.channel, told.recipient,
    CASE WHEN i.state = 'resolved' THEN 'over' ELSE 'coming' END, told.urgency + 1,
    jsonb_build_object('state', i.state, 'who', i.owner_name, 'expected_at', i.expected_at,
        'outcome', i.outcome),
    'pending', %(now)s, %(now)s, 'missed while it was under way'
FROM told JOIN incident i USING (incident_id)
WHERE i.state IN ('acknowledged', 'attended', 'resolved')
  AND NOT EXISTS (
    SELECT 1 FROM notification o
    WHERE o.incident_id = told.incident_id AND o.recipient = told.recipient
      AND o.kind = CASE WHEN i.state = 'resolved' THEN 'over' ELSE 'coming' END
      AND o.state IN ('pending', 'sent')
  );

-- name: overdue
-- Taken by a provider whose receipt did not come; `needed`: nobody has taken the incident yet.
SELECT n.*, 0::bigint AS delivery_id,
    coalesce(i.state IN ('checking', 'raised'), true) AS needed
FROM notification n LEFT JOIN incident i USING (incident_id)
WHERE n.state = 'sent' AND n.receipt_due_at <= %(now)s
ORDER BY n.receipt_due_at LIMIT %(limit)s FOR UPDATE OF n SKIP LOCKED;

-- name: moved_on
-- What follows from a receipt that did not come, or said that it did not arrive.
UPDATE notification SET state = %(state)s, channel = %(channel)s, channels = %(channels)s,
    reason = %(reason)s, detail = %(detail)s, due_at = %(due_at)s, attempts = %(attempts)s,
    broken = %(broken)s, receipt_due_at = NULL,
    settled_at = CASE WHEN %(state)s = 'pending' THEN NULL ELSE %(now)s END
WHERE notification_id = %(notification_id)s AND state = 'sent';

-- name: attempt_unconfirmed
UPDATE delivery SET state = 'unconfirmed', at = %(now)s
WHERE notification_id = %(notification_id)s AND channel = %(was)s AND state = 'sent';

-- name: wake_courier
NOTIFY notification_due;
