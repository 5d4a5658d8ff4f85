-- name: incidents
-- Open incidents whose deadline lies later than it could if it were set now. Only these are held,
-- in the order in which whoever records holds them; one that somebody just changed is left.
WITH open AS (
    SELECT incident_id, revision, next_deadline_at, lease_until, CASE
        WHEN state = 'checking' THEN %(now)s + (next_deadline_at - opened_at)
        WHEN state = 'raised' AND step = 0 OR lease_until IS NOT NULL THEN %(now)s
        WHEN state = 'raised' THEN %(now)s + make_interval(secs => coalesce(
            ladder->'steps'->(step - 1)->>'wait_s', ladder->'steps'->-1->>'wait_s')::float8)
    END AS due, %(now)s + greatest(
        make_interval(secs => (ladder->>CASE state WHEN 'attended' THEN 'attended_lease_s'
            ELSE 'acknowledged_lease_s' END)::float8),
        expected_at - acknowledged_at
    ) + %(slack)s AS lease
    FROM incident WHERE state <> 'resolved'
), late AS (
    SELECT o.* FROM open o JOIN incident i USING (incident_id)
    WHERE o.next_deadline_at > coalesce(o.due, o.lease) + %(jitter)s
       OR o.lease_until > o.lease + %(jitter)s
    ORDER BY incident_id FOR UPDATE OF i
)
UPDATE incident i SET next_deadline_at = least(late.next_deadline_at, coalesce(due, lease)),
    lease_until = CASE WHEN late.lease_until IS NOT NULL THEN least(late.lease_until, lease) END,
    revision = i.revision + 1, changed_txid = pg_current_xact_id()
FROM late
WHERE i.incident_id = late.incident_id AND i.revision = late.revision
RETURNING i.incident_id, i.area_id, late.next_deadline_at AS was, i.next_deadline_at AS due_at;

-- name: notifications
-- What waits beyond any wait of the courier's, was written in the future or is leased for longer
-- than a lease is, goes out now.
UPDATE notification SET due_at = least(due_at, %(now)s), created_at = least(created_at, %(now)s),
    leased_until = least(leased_until, %(leased_at_most)s)
WHERE state = 'pending'
  AND (due_at > %(beyond)s OR created_at > %(now)s + %(jitter)s
      OR leased_until > %(leased_at_most)s);

-- name: receipts
-- A receipt is waited for as long as it was to be.
UPDATE notification SET receipt_due_at = %(now)s + (receipt_due_at - settled_at),
    settled_at = %(now)s
WHERE state = 'sent' AND receipt_due_at IS NOT NULL AND settled_at > %(now)s + %(jitter)s;
