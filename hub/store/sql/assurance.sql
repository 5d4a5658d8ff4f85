-- name: take_turn
-- One worker looks at a time; the next one comes in a few seconds.
SELECT pg_try_advisory_xact_lock(%(key)s) AS mine;

-- name: needed
-- Areas in which somebody is served or a device could call.
SELECT area_id FROM person WHERE state NOT IN ('moved', 'service_ended')
UNION
SELECT area_id FROM device WHERE NOT revoked AND device_id <> %(synthetic)s;

-- name: owned
-- Open incidents that somebody is responsible for.
SELECT incident_id, area_id, owner_id, coalesce(owner_name, owner_id) AS owner_name FROM incident
WHERE state IN ('acknowledged', 'attended') AND owner_id IS NOT NULL
ORDER BY opened_at LIMIT 10000;

-- name: named_and_gone
-- Accounts and responders that policies name and that cannot be called: disabled, or removed.
SELECT DISTINCT p.policy_id, p.area_id, t.target ->> 'who' AS who, a.name, nullif(p.ladder ->> 'name', '') AS policy_name
FROM policy p
CROSS JOIN LATERAL jsonb_array_elements(p.ladder -> 'steps') AS s (step)
CROSS JOIN LATERAL jsonb_array_elements(s.step -> 'targets') AS t (target)
LEFT JOIN account a ON 'account:' || a.account_id = t.target ->> 'who'
LEFT JOIN responder r ON 'responder:' || r.responder_id = t.target ->> 'who'
WHERE (t.target ->> 'who' LIKE 'account:%%' AND coalesce(a.disabled, true))
   OR (t.target ->> 'who' LIKE 'responder:%%' AND r.responder_id IS NULL)
ORDER BY p.area_id, p.policy_id, who LIMIT %(limit)s;

-- name: account_names
SELECT account_id, name FROM account WHERE account_id = ANY(%(accounts)s);

-- name: area_names
SELECT area_id, name FROM area WHERE area_id = ANY(%(ids)s) AND name <> '';

-- name: by_channel
-- Of these accounts, those that may log in and have an address for one of the configured channels.
SELECT account_id FROM account a
WHERE account_id = ANY(%(accounts)s) AND NOT disabled
  AND ((%(by_phone)s AND coalesce(a.phone, '') <> '') OR (%(by_email)s AND coalesce(a.email, '') <> '')
    OR (%(by_push)s AND EXISTS (SELECT FROM push_subscription s WHERE s.account_id = a.account_id)));

-- name: alone
-- People whom nobody could be sent to, by area: no contact whose number or address may work, no
-- family account that a channel reaches, no responder for where they live.
WITH RECURSIVE covered AS (
    SELECT area_id FROM responder
    WHERE availability <> 'off_duty' AND (phone IS NOT NULL OR account_id IS NOT NULL)
    UNION
    SELECT a.area_id FROM area a JOIN covered c ON a.parent_id = c.area_id
),
failed AS (
    SELECT recipient, address_sha256 FROM contact_proof
    GROUP BY recipient, address_sha256
    HAVING max(failed_at) > coalesce(max(verified_at), '-infinity')
)
SELECT p.area_id, array_agg(p.person_id ORDER BY p.person_id) AS ids
FROM person p
WHERE p.state IN ('home', 'away')
  AND NOT EXISTS (SELECT FROM covered c WHERE c.area_id = p.area_id)
  AND NOT EXISTS (
    SELECT FROM person_contact c
    CROSS JOIN LATERAL (VALUES (c.phone), (c.email)) AS v (address)
    WHERE c.person_id = p.person_id AND coalesce(v.address, '') <> ''
      AND NOT EXISTS (SELECT FROM failed f WHERE f.recipient = 'contact:' || c.contact_id
          AND f.address_sha256 = encode(sha256(convert_to(v.address, 'UTF8')), 'hex')))
  AND NOT EXISTS (
    SELECT FROM family_link l JOIN account a USING (account_id)
    WHERE l.person_id = p.person_id AND NOT a.disabled
      AND (coalesce(a.phone, '') <> '' OR coalesce(a.email, '') <> ''))
GROUP BY p.area_id;

-- name: unproven
-- Contacts and responders whose every way was proven last before that day, or never, by area.
SELECT area_id, array_agg(recipient ORDER BY recipient) AS ids FROM (
    SELECT c.area_id, 'contact:' || c.contact_id AS recipient, c.phone, c.email
    FROM person_contact c JOIN person p USING (person_id)
    WHERE p.state NOT IN ('moved', 'service_ended')
    UNION ALL
    SELECT area_id, 'responder:' || responder_id, phone, NULL FROM responder
    WHERE phone IS NOT NULL
) AS known
WHERE NOT EXISTS (
    SELECT FROM contact_proof f
    WHERE f.recipient = known.recipient AND f.verified_at > %(since)s
      AND f.address_sha256 IN (encode(sha256(convert_to(coalesce(known.phone, ''), 'UTF8')), 'hex'),
          encode(sha256(convert_to(coalesce(known.email, ''), 'UTF8')), 'hex')))
GROUP BY area_id;

-- name: channels
-- How each provider did lately: attempts, what failed, and what is tried again in vain. A telephone
-- that rang is the provider's success, whether or not anybody picked up.
SELECT d.channel, count(*) AS tried, count(*) FILTER (WHERE NOT d.worked) AS failed,
    count(DISTINCT d.recipient) FILTER (WHERE NOT d.worked) AS recipients_failed,
    max(d.at) FILTER (WHERE d.worked) AS last_success_at,
    coalesce((SELECT extract(epoch FROM %(now)s - min(n.created_at)) FROM notification n
        WHERE n.channel = d.channel AND n.state = 'pending' AND n.attempts > 0), 0)::float
        AS oldest_waiting_s
FROM (SELECT channel, recipient, at, state NOT IN ('failed', 'refused')
          OR detail IN ('no_answer', 'busy') AS worked
      FROM delivery
      WHERE at > %(since)s AND channel <> 'device'
        AND state IN ('sent', 'delivered', 'answered', 'failed', 'refused')) AS d
GROUP BY d.channel ORDER BY d.channel;

-- name: strain
-- What the database knows of itself.
SELECT coalesce((SELECT extract(epoch FROM max(clock_timestamp() - xact_start)) FROM pg_stat_activity
        WHERE datname = current_database() AND xact_start IS NOT NULL
          AND backend_type = 'client backend'), 0)::float AS oldest_transaction_s,
    (SELECT count(*) FROM pg_stat_activity)::float
        / current_setting('max_connections')::float AS connections_share;

-- name: standing
-- What was known at the last look, held until this one is recorded.
SELECT * FROM assurance_condition ORDER BY concern, subject_kind, subject_id FOR UPDATE;

-- name: still_told
-- Of these subjects, those of which somebody is still told: by an open incident, or after work.
SELECT s.kind, s.id FROM unnest(%(kinds)s::text[], %(ids)s::text[]) AS s (kind, id)
WHERE EXISTS (SELECT FROM incident i WHERE i.subject_kind = s.kind AND i.subject_id = s.id
        AND i.state <> 'resolved')
   OR EXISTS (SELECT FROM muted_condition m WHERE m.subject_kind = s.kind AND m.subject_id = s.id);

-- name: keep
INSERT INTO assurance_condition (concern, subject_kind, subject_id, area_id, since, raised_at,
    gone_since, evidence, about, priority)
VALUES (%(concern)s, %(subject_kind)s, %(subject_id)s, %(area_id)s, %(since)s, %(raised_at)s,
    %(gone_since)s, %(evidence)s, %(about)s, %(priority)s)
ON CONFLICT (concern, subject_kind, subject_id) DO UPDATE SET area_id = excluded.area_id,
    since = excluded.since, raised_at = excluded.raised_at, gone_since = excluded.gone_since,
    evidence = excluded.evidence, priority = excluded.priority;

-- name: forget
DELETE FROM assurance_condition WHERE concern = %(concern)s AND subject_kind = %(subject_kind)s
  AND subject_id = %(subject_id)s;

-- name: counted
-- For the figures.
SELECT concern, count(*) AS holding, count(*) FILTER (WHERE raised_at IS NOT NULL) AS raised
FROM assurance_condition GROUP BY concern;

-- name: conditions
-- What holds in these areas, what rings first.
SELECT concern, subject_kind, subject_id, area_id, since, raised_at, gone_since, evidence, about,
    priority
FROM assurance_condition
WHERE %(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s)
ORDER BY raised_at IS NULL, since LIMIT %(limit)s;

-- name: alone_page
-- People without anybody who could be sent, by id.
SELECT p.person_id, p.name, p.area_id, p.premises_id FROM person p
WHERE p.person_id = ANY(%(ids)s) AND p.person_id > %(after)s
ORDER BY p.person_id LIMIT %(limit)s;

-- name: add_press
INSERT INTO synthetic_press (press_id, area_id, alarm_id, sent_at)
VALUES (%(press_id)s, %(area_id)s, %(alarm_id)s, %(sent_at)s) ON CONFLICT DO NOTHING;

-- name: pressed
-- How far a press came in the tables.
SELECT (SELECT recorded_at FROM alarm WHERE alarm_id = %(alarm_id)s) AS recorded_at,
    (SELECT min(synthetic_at) FROM live_feed WHERE synthetic_id = %(press_id)s) AS shown_at;

-- name: settle_press
UPDATE synthetic_press SET receipt_s = %(receipt_s)s, recorded_s = %(recorded_s)s,
    shown_s = %(shown_s)s, took_s = %(took_s)s
WHERE press_id = %(press_id)s;

-- name: forget_presses
-- The hub's own presses leave nothing behind: an hour of alarms, a week of times.
WITH alarms AS (
    DELETE FROM alarm a USING synthetic_press s
    WHERE a.alarm_id = s.alarm_id AND a.incident_id IS NULL AND s.sent_at < %(alarms_before)s
)
DELETE FROM synthetic_press WHERE sent_at < %(times_before)s;

-- name: last_press
-- The newest that came through, and the newest of all.
SELECT max(sent_at) AS sent_at, max(sent_at) FILTER (WHERE took_s IS NOT NULL) AS success_at,
    (SELECT took_s FROM synthetic_press WHERE took_s IS NOT NULL ORDER BY sent_at DESC LIMIT 1)
        AS took_s
FROM synthetic_press;

-- name: presses
SELECT press_id, sent_at, receipt_s, recorded_s, shown_s, took_s FROM synthetic_press
ORDER BY sent_at DESC LIMIT %(limit)s;

-- name: own_home
-- Where the hub's own device is registered.
INSERT INTO premises (premises_id, area_id, address) VALUES (%(premises_id)s, %(area_id)s, %(label)s)
ON CONFLICT (premises_id) DO NOTHING;

-- name: own_device
INSERT INTO device (device_id, area_id, premises_id, kind, label, secret_sha256, mosquitto_hash)
VALUES (%(device_id)s, %(area_id)s, %(premises_id)s, 'button', %(label)s, %(secret_sha256)s,
    %(mosquitto_hash)s)
ON CONFLICT (device_id) DO UPDATE SET secret_sha256 = excluded.secret_sha256,
    mosquitto_hash = excluded.mosquitto_hash, revoked = false;

-- name: no_own_device
-- The hub presses no more: nobody is to miss its device.
UPDATE device SET revoked = true WHERE device_id = %(device_id)s AND NOT revoked;
