-- name: weekly
-- What repeats every week in these areas (NULL: in all), as far as it may touch the time. Whoever
-- may not log in any more is on duty nowhere.
SELECT w.weekly_id, w.area_id, w.duty, w.account_id, a.name AS account_name, w.weekday,
    w.from_min, w.until_min, w.time_zone, w.valid_from, w.valid_until
FROM rota_weekly w JOIN account a USING (account_id)
WHERE (%(areas)s::text[] IS NULL OR w.area_id = ANY(%(areas)s)) AND NOT a.disabled
  AND w.valid_from <= (%(until)s::timestamptz + interval '1 day')::date
  AND (w.valid_until IS NULL OR w.valid_until >= (%(since)s::timestamptz - interval '2 days')::date)
ORDER BY w.area_id, w.duty, w.weekday, w.from_min, w.weekly_id;

-- name: changes
-- What holds once in these areas and touches the time, in the order in which it was agreed.
SELECT c.change_id, c.area_id, c.duty, c.account_id, a.name AS account_name, c.instead_of,
    b.name AS instead_of_name, c.from_at, c.until_at, c.why
FROM rota_change c
LEFT JOIN account a ON a.account_id = c.account_id
LEFT JOIN account b ON b.account_id = c.instead_of
WHERE (%(areas)s::text[] IS NULL OR c.area_id = ANY(%(areas)s))
  AND c.until_at > %(since)s AND c.from_at < %(until)s
  AND (c.account_id IS NULL OR NOT a.disabled)
ORDER BY c.change_id;

-- name: planned
-- Which duties somebody ever planned, by area: only these can have holes.
SELECT DISTINCT area_id, duty FROM (
    SELECT area_id, duty FROM rota_weekly
    WHERE valid_until IS NULL OR valid_until >= (%(since)s::timestamptz - interval '7 days')::date
    UNION ALL
    SELECT area_id, duty FROM rota_change
    WHERE account_id IS NOT NULL AND until_at > %(since)s::timestamptz - interval '7 days'
) AS plans
WHERE %(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s)
ORDER BY area_id, duty;

-- name: account
-- Whoever is to be on duty: where they belong, and whether they may log in.
SELECT account_id, name, area_id, role, disabled FROM account WHERE account_id = %(id)s;

-- name: may_serve
-- Whether an account's area is this one or lies above it: only then its desk sees the area.
WITH RECURSIVE above AS (
    SELECT area_id, parent_id FROM area WHERE area_id = %(area_id)s
    UNION
    SELECT a.area_id, a.parent_id FROM area a JOIN above ON a.area_id = above.parent_id
)
SELECT EXISTS (SELECT FROM above WHERE area_id = %(seat)s) AS serves,
    EXISTS (SELECT FROM area WHERE area_id = %(area_id)s) AS known;

-- name: candidates
-- Who can be on duty for an area: whoever has a desk that sees it, found by name or username; up to
-- the area of whoever asks.
WITH RECURSIVE above AS (
    SELECT area_id, parent_id FROM area WHERE area_id = %(area_id)s
    UNION
    SELECT a.area_id, a.parent_id FROM area a JOIN above ON a.area_id = above.parent_id
    WHERE above.area_id <> %(up_to)s
)
SELECT account_id, name, role FROM account
WHERE area_id IN (SELECT area_id FROM above) AND role = ANY(%(roles)s) AND NOT disabled
  AND (%(like)s::text IS NULL OR name ILIKE %(like)s OR username ILIKE %(like)s)
ORDER BY name, account_id LIMIT %(limit)s;

-- name: add_weekly
INSERT INTO rota_weekly (area_id, duty, account_id, weekday, from_min, until_min, time_zone,
    valid_from, valid_until, created_at, created_by)
VALUES (%(area_id)s, %(duty)s, %(account_id)s, %(weekday)s, %(from_min)s, %(until_min)s,
    %(time_zone)s, %(valid_from)s, %(valid_until)s, %(now)s, %(by)s)
RETURNING weekly_id;

-- name: end_weekly
-- From a day on it is not repeated; one that never came to pass goes altogether.
WITH gone AS (
    DELETE FROM rota_weekly WHERE weekly_id = %(id)s AND valid_from > %(last_day)s
      AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
    RETURNING area_id, duty, account_id
),
ended AS (
    UPDATE rota_weekly SET valid_until = least(coalesce(valid_until, %(last_day)s), %(last_day)s)
    WHERE weekly_id = %(id)s AND valid_from <= %(last_day)s
      AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
    RETURNING area_id, duty, account_id
)
SELECT * FROM gone UNION ALL SELECT * FROM ended;

-- name: add_change
INSERT INTO rota_change (area_id, duty, account_id, instead_of, from_at, until_at, why,
    created_at, created_by)
VALUES (%(area_id)s, %(duty)s, %(account_id)s, %(instead_of)s, %(from_at)s, %(until_at)s,
    %(why)s, %(now)s, %(by)s)
RETURNING change_id;

-- name: drop_change
DELETE FROM rota_change WHERE change_id = %(id)s
  AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
RETURNING area_id, duty, account_id, instead_of, from_at, until_at;

-- name: forget_old
-- What was agreed once and is long over; the audit log keeps who planned it.
DELETE FROM rota_change WHERE until_at < %(before)s;

-- name: parents
SELECT area_id, parent_id FROM area;

-- name: owned
-- Open incidents that somebody is responsible for.
SELECT incident_id, area_id, kind, priority, state FROM incident
WHERE owner_id = %(owner_id)s AND state IN ('acknowledged', 'attended')
ORDER BY opened_at LIMIT %(limit)s;

-- name: offer
INSERT INTO handover (handover_id, area_id, from_id, from_name, to_id, to_name, note, offered_at)
VALUES (%(handover_id)s, %(area_id)s, %(from_id)s, %(from_name)s, %(to_id)s, %(to_name)s,
    %(note)s, %(now)s);

-- name: offer_incident
INSERT INTO handover_incident (handover_id, incident_id, area_id)
SELECT %(handover_id)s, i.incident_id, i.area_id FROM incident i
WHERE i.incident_id = %(incident_id)s AND i.owner_id = %(from_id)s
  AND i.state IN ('acknowledged', 'attended')
RETURNING incident_id;

-- name: handovers
-- Those of an account, or of these areas; open ones first, then the newest.
SELECT h.*, (SELECT coalesce(jsonb_agg(jsonb_build_object('incident_id', t.incident_id,
        'kind', i.kind, 'priority', i.priority, 'state', i.state, 'result', t.result)
        ORDER BY i.opened_at), '[]')
    FROM handover_incident t JOIN incident i USING (incident_id)
    WHERE t.handover_id = h.handover_id) AS incidents
FROM handover h
WHERE (h.from_id = %(account_id)s OR h.to_id = %(account_id)s
       OR %(areas)s::text[] IS NULL OR h.area_id = ANY(%(areas)s))
  AND (%(past)s OR h.state = 'offered')
ORDER BY h.state <> 'offered', h.offered_at DESC LIMIT %(limit)s;

-- name: handover
SELECT h.*, (SELECT coalesce(array_agg(t.incident_id ORDER BY t.incident_id), '{}')
    FROM handover_incident t WHERE t.handover_id = h.handover_id) AS incident_ids
FROM handover h WHERE h.handover_id = %(handover_id)s;

-- name: settle_handover
-- Whoever is asked says yes or no, whoever offered takes it back; once.
UPDATE handover SET state = %(state)s, settled_at = %(now)s
WHERE handover_id = %(handover_id)s AND state = 'offered'
  AND CASE WHEN %(state)s = 'withdrawn' THEN from_id ELSE to_id END = %(account_id)s
RETURNING *;

-- name: handover_result
UPDATE handover_incident SET result = %(result)s
WHERE handover_id = %(handover_id)s AND incident_id = %(incident_id)s;
