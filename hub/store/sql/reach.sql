-- name: place_of_incident
-- Where an incident is: the newest fix that came with an alarm, else the home; with what holds for
-- its area.
SELECT i.incident_id, i.area_id, i.state, i.arrive_by, i.opened_at, i.attended_at, i.resolved_at,
    coalesce((i.position ->> 'latitude')::double precision, h.latitude) AS latitude,
    coalesce((i.position ->> 'longitude')::double precision, h.longitude) AS longitude,
    r.arrive_within_min, r.settlement
FROM incident i
LEFT JOIN premises h ON h.premises_id = i.premises_id
CROSS JOIN LATERAL reach_of_area(i.area_id) r
WHERE i.incident_id = %(id)s;

-- name: place_of_premises
SELECT NULL AS incident_id, h.area_id, h.latitude, h.longitude, r.arrive_within_min, r.settlement
FROM premises h CROSS JOIN LATERAL reach_of_area(h.area_id) r
WHERE h.premises_id = %(id)s;

-- name: reach_of_area
SELECT r.* FROM reach_of_area(%(area_id)s) r;

-- name: serving_areas
-- Whose responders may be sent to an area: those of its county, and those of every area above it.
WITH RECURSIVE up AS (
    SELECT area_id, parent_id, level FROM area WHERE area_id = %(area_id)s
    UNION
    SELECT a.area_id, a.parent_id, a.level FROM area a JOIN up ON a.area_id = up.parent_id
), seat AS (
    SELECT area_id FROM up
    ORDER BY level = 'county' DESC, area_rank(level) LIMIT 1
), below AS (
    SELECT area_id FROM seat
    UNION
    SELECT a.area_id FROM area a JOIN below ON a.parent_id = below.area_id
)
SELECT area_id FROM below UNION SELECT area_id FROM up;

-- name: goers_within
-- Responders registered or last heard of inside a box (degrees), the nearest first by the flat
-- distance with longitude shrunk to the latitude. An engaged one is told of, arrived at or on the
-- way to another open incident.
WITH near AS (
    SELECT responder_id FROM responder
    WHERE latitude IS NOT NULL AND longitude IS NOT NULL
      AND point(longitude, latitude)
          <@ box(point(%(west)s, %(south)s), point(%(east)s, %(north)s))
    UNION
    SELECT responder_id FROM responder_position
    WHERE point(longitude, latitude)
          <@ box(point(%(west)s, %(south)s), point(%(east)s, %(north)s))
)
SELECT r.responder_id, r.area_id, r.name, r.kind, r.phone, r.travel_mode, r.availability,
    r.account_id, r.latitude, r.longitude,
    p.latitude AS reported_latitude, p.longitude AS reported_longitude, p.accuracy_m, p.fixed_at,
    EXISTS (
        SELECT FROM incident_responder e JOIN incident i USING (incident_id)
        WHERE e.actor_kind = 'responder' AND e.actor_id = r.responder_id
          AND e.answer IN ('going', 'arrived') AND i.state <> 'resolved'
          AND i.incident_id IS DISTINCT FROM %(incident_id)s
    ) AS engaged
FROM near JOIN responder r USING (responder_id)
LEFT JOIN responder_position p USING (responder_id)
WHERE r.area_id = ANY(%(areas)s)
  AND (NOT %(free_only)s OR r.availability = 'available')
ORDER BY (coalesce(p.latitude, r.latitude) - %(latitude)s) ^ 2
    + ((coalesce(p.longitude, r.longitude) - %(longitude)s) * %(shrink)s) ^ 2, r.responder_id
LIMIT %(limit)s;

-- name: unplaced_goers
-- Responders of whom nobody knows where they are: shown last, never the nearest.
SELECT r.responder_id, r.name, r.kind, r.phone, r.availability, r.account_id
FROM responder r LEFT JOIN responder_position p USING (responder_id)
WHERE r.area_id = ANY(%(areas)s) AND r.latitude IS NULL AND p.responder_id IS NULL
ORDER BY r.responder_id LIMIT %(limit)s;

-- name: answers
-- Who was told of an incident, and what they said.
SELECT actor_kind, actor_id, name, answer, told_at, answered_at, expected_at, arrived_at
FROM incident_responder WHERE incident_id = %(incident_id)s ORDER BY told_at NULLS LAST, actor_id;

-- name: own_responder
-- The responder an account is.
SELECT r.responder_id, r.area_id, r.kind, r.name, r.phone, r.availability, r.travel_mode,
    r.latitude AS registered_latitude, r.longitude AS registered_longitude,
    p.latitude, p.longitude, p.accuracy_m, p.fixed_at, p.received_at
FROM responder r LEFT JOIN responder_position p USING (responder_id)
WHERE r.account_id = %(account_id)s ORDER BY r.responder_id LIMIT 1;

-- name: hold_responder
SELECT r.responder_id, r.area_id, r.availability, r.travel_mode, p.received_at, p.fixed_at
FROM responder r LEFT JOIN responder_position p USING (responder_id)
WHERE r.account_id = %(account_id)s ORDER BY r.responder_id LIMIT 1 FOR UPDATE OF r;

-- name: put_position
-- The newer fix stands, in whichever order they come.
INSERT INTO responder_position (responder_id, area_id, latitude, longitude, accuracy_m, fixed_at,
    received_at)
VALUES (%(responder_id)s, %(area_id)s, %(latitude)s, %(longitude)s, %(accuracy_m)s, %(fixed_at)s,
    %(received_at)s)
ON CONFLICT (responder_id) DO UPDATE SET latitude = excluded.latitude,
    longitude = excluded.longitude, accuracy_m = excluded.accuracy_m,
    fixed_at = excluded.fixed_at, received_at = excluded.received_at
WHERE responder_position.fixed_at <= excluded.fixed_at;

-- name: set_availability
UPDATE responder SET availability = %(availability)s,
    travel_mode = coalesce(%(travel_mode)s, travel_mode)
WHERE responder_id = %(responder_id)s;

-- name: forget_position
-- Whoever goes off duty is not followed any more.
DELETE FROM responder_position WHERE responder_id = %(responder_id)s;

-- name: area_reach
-- What an area says itself.
SELECT area_id, arrive_within_min, settlement, ambulance_number, fire_number, police_number
FROM area WHERE area_id = %(area_id)s;

-- name: hold_area
SELECT area_id, arrive_within_min, settlement, ambulance_number, fire_number, police_number
FROM area WHERE area_id = %(area_id)s FOR UPDATE;

-- name: set_area_reach
UPDATE area SET arrive_within_min = %(arrive_within_min)s, settlement = %(settlement)s,
    ambulance_number = %(ambulance_number)s, fire_number = %(fire_number)s,
    police_number = %(police_number)s
WHERE area_id = %(area_id)s;

-- name: hand_offs
SELECT hand_off_id, service, number, reference, at, by_name, arrived_at, arrived_by
FROM hand_off WHERE incident_id = %(incident_id)s ORDER BY at, hand_off_id;

-- name: hand_off_arrived
UPDATE hand_off SET arrived_at = %(at)s, arrived_by = %(by_name)s
WHERE incident_id = %(incident_id)s AND hand_off_id = %(hand_off_id)s AND arrived_at IS NULL;

-- name: now
SELECT clock_timestamp() AS now;
