-- name: claim_due
-- Lease the most urgent due notifications of one channel, and begin an attempt of each; a dead
-- courier's leases run out. Of what is less urgent than `most_urgent` no more than `ordinary` are
-- begun, the urgent ones of this claim counted in. Read in the order of the index
-- notification_waiting.
WITH urgent AS (
    SELECT notification_id FROM notification
    WHERE state = 'pending' AND channel = %(channel)s AND urgency <= %(most_urgent)s
      AND due_at <= %(now)s AND (leased_until IS NULL OR leased_until <= %(now)s)
    ORDER BY urgency, due_at, notification_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), others AS (
    SELECT notification_id FROM notification
    WHERE state = 'pending' AND channel = %(channel)s AND urgency > %(most_urgent)s
      AND due_at <= %(now)s AND (leased_until IS NULL OR leased_until <= %(now)s)
    ORDER BY urgency, due_at, notification_id
    LIMIT greatest(0, %(ordinary)s - (SELECT count(*) FROM urgent)) FOR UPDATE SKIP LOCKED
), due AS (
    SELECT notification_id FROM urgent UNION ALL SELECT notification_id FROM others
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

-- name: alone
-- Whether no other courier of this database lives; until `on_shift` and `not_alone` nobody else can
-- find out.
SELECT pg_try_advisory_lock(%(key)s);

-- name: on_shift
-- For as long as this connection lives.
SELECT pg_advisory_lock_shared(%(key)s);

-- name: not_alone
SELECT pg_advisory_unlock(%(key)s);

-- name: leased_by_the_dead
-- Nobody lives who could settle these: they are due at once. What has seen two couriers die may be
-- why they did: spread over some seconds, so that those beside it get their word before it.
UPDATE notification SET leased_until = CASE WHEN broken >= 2
    THEN %(now)s + notification_id %% 8 * interval '1 second' END
WHERE state = 'pending' AND leased_until > %(now)s;

-- name: unreadable
-- A row that this release cannot read is set apart, so that it does not stop the others.
UPDATE notification SET state = 'poisoned', reason = 'unreadable', settled_at = %(now)s,
    leased_until = NULL, detail = %(detail)s
WHERE notification_id = %(notification_id)s AND state IN ('pending', 'sent');

-- name: channels_due
-- Of these channels those that have something to do.
SELECT c.channel FROM unnest(%(channels)s::text[]) AS c (channel)
WHERE EXISTS (
    SELECT FROM notification n
    WHERE n.state = 'pending' AND n.channel = c.channel AND n.due_at <= %(now)s
      AND (n.leased_until IS NULL OR n.leased_until <= %(now)s)
);

-- name: hold_attempts
SELECT FROM delivery WHERE delivery_id = ANY(%(delivery_id)s) ORDER BY delivery_id FOR UPDATE;

-- name: hold
SELECT FROM notification WHERE notification_id = ANY(%(notification_id)s)
ORDER BY notification_id FOR UPDATE;

-- name: settle
-- What became of attempts. Somebody's receipt may have overtaken the provider's own answer, and a
-- human the sending: a notification that does not wait any more stays as it is.
WITH given AS (
    SELECT g.*, string_to_array(g.others, ',') AS channels
    FROM unnest(%(notification_id)s::bigint[], %(delivery_id)s::bigint[], %(state)s::text[],
        %(channel)s::text[], %(channels)s::text[], %(reason)s::text[], %(delivery)s::text[],
        %(due_at)s::timestamptz[], %(attempts)s::integer[], %(broken)s::smallint[],
        %(detail)s::text[], %(address)s::text[], %(provider_id)s::text[],
        %(sent_at)s::timestamptz[], %(receipt_due_at)s::timestamptz[])
    AS g (notification_id, delivery_id, state, channel, others, reason, delivery, due_at, attempts,
        broken, detail, address, provider_id, sent_at, receipt_due_at)
), attempt AS (
    UPDATE delivery d SET at = %(now)s, address = given.address, detail = given.detail,
        provider_id = coalesce(given.provider_id, d.provider_id),
        state = CASE WHEN d.state IN ('delivered', 'answered', 'unconfirmed', 'failed')
            THEN d.state ELSE given.delivery END
    FROM given WHERE d.delivery_id = given.delivery_id
    RETURNING d.delivery_id, d.receipt_at
)
UPDATE notification n SET state = given.state, channel = given.channel,
    channels = given.channels, reason = given.reason, detail = given.detail,
    due_at = given.due_at, attempts = given.attempts, broken = given.broken, leased_until = NULL,
    sent_at = coalesce(n.sent_at, given.sent_at), provider_id = given.provider_id,
    delivered_at = coalesce(n.delivered_at, attempt.receipt_at),
    receipt_due_at = CASE WHEN attempt.receipt_at IS NULL THEN given.receipt_due_at END,
    settled_at = CASE WHEN given.state = 'pending' THEN NULL ELSE %(now)s::timestamptz END
FROM given JOIN attempt USING (delivery_id)
WHERE n.notification_id = given.notification_id AND n.state = 'pending';

-- name: sent_after_all
-- These were under way when a human acted: they went out, whatever the row says. Whoever got one
-- learns what everybody else was told meanwhile.
WITH told AS (
    UPDATE notification SET sent_at = coalesce(sent_at, %(now)s),
        reason = 'sent_before_it_was_superseded'
    WHERE notification_id = ANY(%(ids)s) AND state = 'superseded' AND kind = 'ring'
      AND channel NOT IN ('desk', 'device')
    RETURNING incident_id, area_id, channel, recipient, urgency
)
INSERT INTO notification (area_id, incident_id, channel, recipient, kind, urgency, body, state,
    created_at, due_at, detail)
SELECT DISTINCT ON (told.incident_id, told.recipient)
    told.area_id, told.incident_id, told.channel, told.recipient,
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
  )
ORDER BY told.incident_id, told.recipient, told.urgency;

-- name: supersede_waiting_rings
-- Who was just rung does not get the rings that waited behind the same provider's trouble as well.
UPDATE notification waiting SET state = 'superseded', reason = 'rung_just_now',
    settled_at = %(now)s, detail = 'another ring reached them by the same way'
FROM notification rung
WHERE rung.notification_id = ANY(%(ids)s) AND rung.state = 'sent' AND rung.kind = 'ring'
  AND waiting.incident_id = rung.incident_id AND waiting.recipient = rung.recipient
  AND waiting.kind = 'ring' AND waiting.channel = rung.channel AND waiting.state = 'pending'
  AND waiting.notification_id <> rung.notification_id AND waiting.attempts > 0
  AND (waiting.leased_until IS NULL OR waiting.leased_until <= %(now)s);

-- name: overdue
-- Taken by a provider whose receipt did not come, with what tells whether it is needed still.
SELECT n.*, 0::bigint AS delivery_id, i.state AS incident_state,
    EXISTS (
        SELECT FROM incident_responder e
        WHERE e.incident_id = n.incident_id AND e.actor_kind || ':' || e.actor_id = n.recipient
          AND e.answer <> 'told'
    ) AS answered
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
