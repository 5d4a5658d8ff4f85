-- name: devices_of_person
-- Whatever measured somebody in a span of time: what they have now, and what was swapped.
SELECT device_id FROM device WHERE person_id = %(person_id)s
UNION
SELECT device_id FROM device_wearer WHERE person_id = %(person_id)s
  AND last_at >= date_trunc('day', %(since)s::timestamptz, 'UTC') - interval '1 day'
  AND first_at < %(until)s;

-- name: spells_of_devices
-- With whom and in which area each device has been, from when on.
SELECT device_id, at, area_id, person_id FROM device_history
WHERE device_id = ANY(%(devices)s) ORDER BY device_id, entry_id;

-- name: observations
-- Single observations of some devices, newest first; without positions, which need consent
-- (promise 8). An unknown device time is shown at its arrival. Of a device: only what it measured in
-- the areas of whoever asks.
SELECT * FROM (
    SELECT observed_at AS at, message_key, device_id, measure, value, state, quality
    FROM observation_all
    WHERE device_id = ANY(%(devices)s) AND measure = ANY(%(measures)s)
      AND observed_at >= %(since)s AND observed_at < %(until)s
      AND (%(person_id)s::text IS NULL OR person_id = %(person_id)s)
      AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
    UNION ALL
    SELECT received_at, message_key, device_id, measure, value, state, quality
    FROM observation_all
    WHERE device_id = ANY(%(devices)s) AND measure = ANY(%(measures)s)
      AND observed_at = '1970-01-01 00:00:00+00'
      AND received_at >= %(since)s AND received_at < %(until)s
      AND (%(person_id)s::text IS NULL OR person_id = %(person_id)s)
      AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
) AS o ORDER BY at DESC, message_key LIMIT %(limit)s;

-- name: newest_place
-- Where somebody was measured last; 46 is the measure of places. Positions need consent.
SELECT latitude, longitude, accuracy_m, coalesce(state, 'gnss') AS source, observed_at AS fixed_at
FROM observation_all
WHERE device_id = ANY(%(devices)s) AND measure = 46 AND quality < 2
  AND observed_at >= %(since)s AND observed_at <= %(until)s AND person_id = %(person_id)s
ORDER BY observed_at DESC LIMIT 1;

-- name: hours
SELECT bucket_at AS at, sum(observations)::bigint AS count, sum(good)::bigint AS good,
    sum(usable)::bigint AS usable, min(lowest) AS lowest, max(highest) AS highest,
    sum(total) / nullif(sum(usable), 0) AS mean,
    (array_agg(last_value ORDER BY last_at DESC, device_id) FILTER (WHERE last_value IS NOT NULL))[1]
        AS last_value,
    (array_agg(last_state ORDER BY last_at DESC, device_id) FILTER (WHERE last_state IS NOT NULL))[1]
        AS last_state
FROM observation_hour
WHERE device_id = ANY(%(devices)s) AND measure = %(measure)s
  AND bucket_at >= date_trunc('hour', %(since)s::timestamptz, 'UTC') AND bucket_at < %(until)s
  AND (%(person_id)s::text IS NULL OR person_id = %(person_id)s)
  AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
GROUP BY bucket_at ORDER BY bucket_at LIMIT %(limit)s;

-- name: days
SELECT bucket_at AS at, sum(observations)::bigint AS count, sum(good)::bigint AS good,
    sum(usable)::bigint AS usable, min(lowest) AS lowest, max(highest) AS highest,
    sum(total) / nullif(sum(usable), 0) AS mean,
    (array_agg(last_value ORDER BY last_at DESC, device_id) FILTER (WHERE last_value IS NOT NULL))[1]
        AS last_value,
    (array_agg(last_state ORDER BY last_at DESC, device_id) FILTER (WHERE last_state IS NOT NULL))[1]
        AS last_state
FROM observation_day
WHERE device_id = ANY(%(devices)s) AND measure = %(measure)s
  AND bucket_at >= date_trunc('day', %(since)s::timestamptz, %(time_zone)s)
  AND bucket_at < %(until)s
  AND (%(person_id)s::text IS NULL OR person_id = %(person_id)s)
  AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
GROUP BY bucket_at ORDER BY bucket_at LIMIT %(limit)s;

-- name: newest_of_measures
-- The newest value of each of these measures of each device. What was known at the last round of
-- the aggregates is one look; only what came after is looked for among the single observations, and
-- of a device that is known only in the measures it has, battery and link besides. A measure that a
-- known device did not have at that round can only have come since: an hour before it is looked at,
-- not a week of partitions; what comes later than that is there after the next round. Times after
-- `until` come from clocks that are ahead. `since` alone says which partitions to plan for, `after_at`
-- which of them to open.
WITH known AS MATERIALIZED (
    SELECT device_id, measure, observed_at, received_at, value, state, quality
    FROM device_last WHERE device_id = ANY(%(ids)s)
),
asked AS MATERIALIZED (
    SELECT d.id AS device_id, m.code AS measure, l.observed_at, l.received_at, l.value, l.state,
        l.quality, CASE WHEN l.observed_at IS NOT NULL THEN l.observed_at
            WHEN is_known THEN greatest(%(since)s, coalesce(
                (SELECT aggregated_at FROM history_state) - interval '1 hour', %(since)s))
            ELSE %(since)s END AS after_at
    FROM unnest(%(ids)s::text[]) AS d (id)
    CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM known k WHERE k.device_id = d.id)) AS e (is_known)
    CROSS JOIN unnest(%(measures)s::smallint[]) AS m (code)
    LEFT JOIN known l ON l.device_id = d.id AND l.measure = m.code
    WHERE l.device_id IS NOT NULL OR m.code = ANY(%(always)s) OR NOT is_known
)
SELECT a.device_id, a.measure, newest.at, newest.received_at, newest.value, newest.state,
    newest.quality
FROM asked a
CROSS JOIN LATERAL (
    SELECT * FROM (
        SELECT a.observed_at AS at, a.received_at, a.value, a.state, a.quality
        WHERE a.received_at >= %(since)s
        UNION ALL
        (SELECT o.observed_at, o.received_at, o.value, o.state, o.quality
         FROM observation_all o
         WHERE o.device_id = a.device_id AND o.measure = a.measure
           AND o.observed_at > %(since)s AND o.observed_at <= %(until)s
           AND o.observed_at > a.after_at
         ORDER BY o.observed_at DESC LIMIT 1)
        UNION ALL
        (SELECT o.received_at, o.received_at, o.value, o.state, o.quality
         FROM observation_all o
         WHERE o.device_id = a.device_id AND o.measure = a.measure
           AND o.observed_at = '1970-01-01 00:00:00+00'
           AND o.received_at > %(since)s
           AND o.received_at > coalesce(a.received_at, %(since)s)
         ORDER BY o.received_at DESC LIMIT 1)
    ) AS found ORDER BY at DESC LIMIT 1
) AS newest;

-- name: newest_alarms_of_devices
-- A press is a sign of life too.
SELECT device_id, max(received_at) AS received_at FROM alarm
WHERE device_id = ANY(%(ids)s) AND received_at >= %(since)s GROUP BY device_id;

-- name: silent_devices
-- Devices that said nothing since, longest silent first, as of the last round of the aggregates.
SELECT d.device_id, d.kind, d.area_id, d.person_id, h.received_at
FROM device_heard h JOIN device d ON d.device_id = h.device_id
WHERE NOT d.revoked AND h.received_at < %(before)s
  AND (%(areas)s::text[] IS NULL OR d.area_id = ANY(%(areas)s))
ORDER BY h.received_at, h.device_id LIMIT %(limit)s;

-- name: report_days
-- For reports: one measure of everybody in some areas, day by day. Asked apart from everywhere, for
-- "any or these" is no bound of the index to a plan that is kept.
SELECT bucket_at AS at, count(DISTINCT device_id) AS devices,
    sum(observations)::bigint AS count, sum(good)::bigint AS good,
    sum(usable)::bigint AS usable, min(lowest) AS lowest, max(highest) AS highest,
    sum(total) / nullif(sum(usable), 0) AS mean
FROM observation_day
WHERE measure = %(measure)s AND bucket_at >= %(since)s AND bucket_at < %(until)s
  AND area_id = ANY(%(areas)s)
GROUP BY bucket_at ORDER BY bucket_at;

-- name: report_days_everywhere
SELECT bucket_at AS at, count(DISTINCT device_id) AS devices,
    sum(observations)::bigint AS count, sum(good)::bigint AS good,
    sum(usable)::bigint AS usable, min(lowest) AS lowest, max(highest) AS highest,
    sum(total) / nullif(sum(usable), 0) AS mean
FROM observation_day
WHERE measure = %(measure)s AND bucket_at >= %(since)s AND bucket_at < %(until)s
GROUP BY bucket_at ORDER BY bucket_at;
