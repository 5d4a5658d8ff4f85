-- name: homes_due
-- Homes nobody has looked at yet this night: those where somebody is served, or nobody is
-- registered; by id, so that a run that was ended goes on where it stopped.
SELECT p.premises_id, p.area_id, p.time_zone FROM premises p
LEFT JOIN inactivity_line l ON l.premises_id = p.premises_id
WHERE (l.learned_on IS NULL OR l.learned_on < %(today)s) AND p.premises_id > %(after)s
  AND (%(only)s::text IS NULL OR p.premises_id = %(only)s)
  AND EXISTS (SELECT FROM device d WHERE d.premises_id = p.premises_id AND NOT d.revoked)
  AND (NOT EXISTS (SELECT FROM person r WHERE r.premises_id = p.premises_id)
    OR EXISTS (SELECT FROM person r WHERE r.premises_id = p.premises_id
        AND r.state NOT IN ('moved', 'service_ended')))
ORDER BY p.premises_id LIMIT %(limit)s;

-- name: forget_unserved
-- What was learned of homes in which nobody is served any more.
WITH gone AS (
    SELECT p.premises_id FROM premises p
    WHERE EXISTS (SELECT FROM person r WHERE r.premises_id = p.premises_id)
      AND NOT EXISTS (SELECT FROM person r WHERE r.premises_id = p.premises_id
          AND r.state NOT IN ('moved', 'service_ended'))
), days AS (DELETE FROM inactivity_day WHERE premises_id IN (SELECT premises_id FROM gone))
DELETE FROM inactivity_line WHERE premises_id IN (SELECT premises_id FROM gone);

-- name: known_days
SELECT day, learned, tally FROM inactivity_day
WHERE premises_id = %(premises_id)s AND day >= %(since)s ORDER BY day;

-- name: devices
SELECT device_id, kind, label FROM device
WHERE premises_id = %(premises_id)s AND NOT revoked ORDER BY device_id;

-- name: signs
-- Signs of life of a home's devices in a span of time; an unknown device time is the arrival.
SELECT CASE WHEN observed_at = 'epoch' THEN received_at ELSE least(observed_at, received_at) END
    AS at, device_id, measure, value, state
FROM observation_all
WHERE device_id = ANY(%(devices)s) AND measure = ANY(%(measures)s)
  AND observed_at >= %(since)s AND observed_at < %(until)s AND quality < 2
  AND (state IS NULL OR state <> 'none') AND (value IS NULL OR value > 0)
ORDER BY at LIMIT %(limit)s;

-- name: presses
SELECT received_at AS at FROM alarm
WHERE premises_id = %(premises_id)s AND kind = 'press'
  AND received_at >= %(since)s AND received_at < %(until)s
ORDER BY received_at LIMIT %(limit)s;

-- name: gaps
-- When none of these devices was heard for longer than this, the ends of the span included.
SELECT began, ended FROM (
    SELECT lag(at, 1, %(since)s) OVER (ORDER BY at) AS began, at AS ended FROM (
        SELECT received_at AS at FROM observation_all
        WHERE device_id = ANY(%(devices)s) AND observed_at >= %(since)s AND observed_at < %(until)s
          AND received_at >= %(since)s AND received_at < %(until)s
        UNION ALL SELECT %(until)s
    ) AS heard
) AS pairs WHERE ended - began > %(longer)s ORDER BY began;

-- name: states_of_residents
-- Where the people of a home were: their states by time, the last one before the span included.
SELECT r.person_id, r.state AS now_state, c.state, c.since FROM person r
LEFT JOIN person_state_change c ON c.person_id = r.person_id AND c.since < %(until)s
WHERE r.premises_id = %(premises_id)s ORDER BY r.person_id, c.since, c.change_id;

-- name: confirmed_incident
-- Whether something happened to somebody of this home, by a human's word or still open.
SELECT EXISTS (
    SELECT FROM incident i
    WHERE i.category <> 'technical' AND i.opened_at >= %(since)s AND i.opened_at < %(until)s
      AND (i.premises_id = %(premises_id)s OR i.person_id IN (
          SELECT person_id FROM person WHERE premises_id = %(premises_id)s))
      AND (i.outcome IS NULL OR i.outcome IN ('helped', 'handed_off', 'no_reply'))
) AS found;

-- name: put_day
INSERT INTO inactivity_day (premises_id, day, area_id, learned, reason, tally)
VALUES (%(premises_id)s, %(day)s, %(area_id)s, %(learned)s, %(reason)s, %(tally)s)
ON CONFLICT (premises_id, day) DO UPDATE SET learned = excluded.learned, reason = excluded.reason,
    tally = excluded.tally;

-- name: put_line
WITH old AS (
    DELETE FROM inactivity_day WHERE premises_id = %(premises_id)s AND day < %(oldest)s
)
INSERT INTO inactivity_line (premises_id, area_id, minutes, days, learned_on, version)
VALUES (%(premises_id)s, %(area_id)s, %(minutes)s, %(days)s, %(learned_on)s, %(version)s)
ON CONFLICT (premises_id) DO UPDATE SET minutes = excluded.minutes, days = excluded.days,
    learned_on = excluded.learned_on, version = excluded.version, area_id = excluded.area_id;

-- name: line
SELECT p.premises_id, p.time_zone, l.minutes, l.days, l.learned_on,
    (SELECT min(c.inactivity_limit_percent) FROM person_care c JOIN person r USING (person_id)
        WHERE r.premises_id = p.premises_id) AS limit_percent
FROM premises p LEFT JOIN inactivity_line l USING (premises_id)
WHERE p.premises_id = %(premises_id)s;

-- name: forget_days
DELETE FROM inactivity_day WHERE premises_id = %(premises_id)s;

-- name: forget_line
DELETE FROM inactivity_line WHERE premises_id = %(premises_id)s;

-- name: bed_states
-- Everything stored of some detectors' states: single ones, and the shards they are in.
SELECT key, state, NULL::bytea AS shard_state FROM detector_state
WHERE detector = 'bed' AND key = ANY(%(keys)s)
UNION ALL
SELECT NULL, NULL, state FROM detector_shard WHERE shard = ANY(%(shards)s);
