-- name: claim_due
-- Lease the most urgent due notifications; a dead courier's leases run out.
UPDATE notification SET attempts = attempts + 1, leased_until = %(lease_until)s
WHERE notification_id IN (
    SELECT notification_id FROM notification
    WHERE state = 'pending' AND due_at <= %(now)s
      AND (leased_until IS NULL OR leased_until <= %(now)s)
    ORDER BY urgency, due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
RETURNING notification_id, incident_id, area_id, channel, recipient, kind, urgency, body,
    attempts, created_at;

-- name: settle
-- What became of an attempt.
UPDATE notification SET state = %(state)s, leased_until = NULL, detail = %(detail)s,
    due_at = coalesce(%(retry_at)s, due_at),
    settled_at = CASE WHEN %(state)s = 'pending' THEN NULL ELSE %(now)s END
WHERE notification_id = %(notification_id)s AND state = 'pending';
