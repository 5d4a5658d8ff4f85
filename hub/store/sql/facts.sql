-- name: lock_facts
-- One worker at a time.
SELECT pg_try_advisory_xact_lock(%(key)s) AS ours;

-- name: state
-- How far the facts are, and how far they can be now.
SELECT horizon::text AS horizon, settled_until, clock_timestamp() AS at,
    pg_snapshot_xmin(pg_current_snapshot())::text AS next_horizon
FROM incident_fact_state;

-- name: changed
-- Incidents that changed since a look, or of which a notification was settled since. A notification
-- of no incident is a channel's test.
SELECT incident_id FROM incident WHERE changed_txid >= %(horizon)s::xid8
UNION
SELECT incident_id FROM notification
WHERE incident_id IS NOT NULL AND state <> 'pending' AND settled_at >= %(settled_since)s;

-- name: advance
UPDATE incident_fact_state SET horizon = %(horizon)s::xid8, settled_until = %(settled_until)s,
    as_of = %(as_of)s;

-- name: forget_drills
-- Practice never counts, also where it was marked late.
DELETE FROM incident_fact f USING incident i
WHERE f.incident_id = ANY(%(ids)s) AND i.incident_id = f.incident_id AND i.drill;

-- name: refresh
-- The facts of these incidents, from the case, its alarms, its log and its notifications; each is
-- found by its index. An incident that asked its person first rang when that question was over. The
-- firmware is what was known of the device at the first look, half a minute after the incident.
INSERT INTO incident_fact AS f (incident_id, area_id, day, category, priority, kind, rang, is_open,
    outcome, answered_s, attended_s, attend_within_s, resolved_s, dwell_s, dispatcher_id,
    dispatcher_name, rerang, told, undelivered, pressed, person_id, device_id, device_kind,
    device_model, device_firmware, detector)
SELECT i.incident_id, i.area_id, (i.opened_at AT TIME ZONE zone.name)::date, i.category,
    i.priority, i.kind, rang.at IS NOT NULL, i.state <> 'resolved', i.outcome,
    seconds_from(rang.at, answer.at),
    seconds_from(i.opened_at, coalesce(said.attended_at, i.attended_at)),
    extract(epoch FROM i.arrive_by - i.opened_at)::integer,
    seconds_from(i.opened_at, i.resolved_at),
    seconds_from(first.received_at, told.first_at),
    answer.actor_id, answer.actor_name, coalesce(said.rerang, 0), told.sent, told.undelivered,
    coalesce(first.kind = 'press', false), i.person_id, coalesce(first.device_id, i.device_id),
    d.kind, d.model,
    (SELECT l.state FROM device_last l WHERE l.device_id = d.device_id
        AND l.measure = %(firmware)s),
    coalesce((SELECT detector FROM finding WHERE finding.incident_id = i.incident_id
        ORDER BY at LIMIT 1), first.kind, i.kind)
FROM incident i
CROSS JOIN LATERAL (SELECT zone_of_area(i.area_id) AS name OFFSET 0) AS zone
LEFT JOIN LATERAL (
    SELECT a.device_id, a.kind, a.received_at, a.grouping_reason FROM alarm a
    WHERE a.incident_id = i.incident_id ORDER BY a.received_at, a.alarm_id LIMIT 1
) AS first ON true
LEFT JOIN LATERAL (
    SELECT
        min(l.at) FILTER (WHERE l.action = 'escalate' OR (l.action = 'alarm' AND l.reason IN (
            'opened', 'follows', 'same_address', 'joined', 'raises_priority', 'realarms',
            'cannot_ask', 'unanswered'))) AS called_at,
        min(l.at) FILTER (WHERE l.action = 'attend') AS attended_at,
        count(*) FILTER (WHERE l.action = 'reopen' OR (l.action = 'escalate'
            AND l.reason = 'lease_lapsed') OR (l.action = 'alarm' AND l.reason IN (
            'joined', 'raises_priority', 'realarms')))::integer AS rerang
    FROM audit_log l WHERE l.incident_id = i.incident_id
) AS said ON true
LEFT JOIN LATERAL (
    SELECT l.at, l.actor_id, l.actor_name FROM audit_log l
    WHERE l.incident_id = i.incident_id AND l.actor_kind IN ('account', 'contact', 'responder')
      AND l.action IN ('acknowledge', 'take_over', 'attend', 'resolve')
    ORDER BY l.at, l.entry_id LIMIT 1
) AS answer ON true
CROSS JOIN LATERAL (
    SELECT CASE WHEN first.grouping_reason IS DISTINCT FROM 'asked' THEN i.opened_at
        ELSE least(said.called_at, answer.at) END AS at
) AS rang
CROSS JOIN LATERAL (
    SELECT min(coalesce(n.sent_at, n.settled_at)) FILTER (WHERE n.kind = 'ring'
            AND n.state IN ('sent', 'unconfirmed')) AS first_at,
        count(*) FILTER (WHERE n.state IN ('sent', 'unconfirmed'))::integer AS sent,
        count(*) FILTER (WHERE n.state IN ('failed', 'poisoned', 'unconfirmed', 'nobody',
            'discarded'))::integer AS undelivered
    FROM notification n WHERE n.incident_id = i.incident_id
) AS told
LEFT JOIN device d ON d.device_id = coalesce(first.device_id, i.device_id)
WHERE i.incident_id = ANY(%(ids)s) AND NOT i.drill
ON CONFLICT (incident_id) DO UPDATE SET area_id = excluded.area_id, day = excluded.day,
    category = excluded.category, priority = excluded.priority, kind = excluded.kind,
    rang = excluded.rang, is_open = excluded.is_open, outcome = excluded.outcome,
    answered_s = coalesce(excluded.answered_s, f.answered_s),
    attended_s = coalesce(excluded.attended_s, f.attended_s),
    attend_within_s = excluded.attend_within_s, resolved_s = excluded.resolved_s,
    dwell_s = coalesce(f.dwell_s, excluded.dwell_s),
    dispatcher_id = coalesce(excluded.dispatcher_id, f.dispatcher_id),
    dispatcher_name = coalesce(excluded.dispatcher_name, f.dispatcher_name),
    rerang = greatest(excluded.rerang, f.rerang), told = greatest(excluded.told, f.told),
    undelivered = greatest(excluded.undelivered, f.undelivered), pressed = excluded.pressed,
    person_id = excluded.person_id, device_id = excluded.device_id,
    device_kind = excluded.device_kind, device_model = excluded.device_model,
    device_firmware = coalesce(f.device_firmware, excluded.device_firmware),
    detector = excluded.detector;
