-- name: area_page
-- Areas of what somebody may see, by id.
SELECT area_id, parent_id, name, level, time_zone FROM area
WHERE area_id > %(after)s AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
  AND (%(like)s::text IS NULL OR area_id ILIKE %(like)s OR name ILIKE %(like)s)
ORDER BY area_id LIMIT %(limit)s;

-- name: area_card
SELECT area_id, parent_id, name, level, arrive_within_min, settlement, time_zone FROM area
WHERE area_id = %(id)s;

-- name: add_area
INSERT INTO area (area_id, parent_id, name, level, time_zone)
VALUES (%(id)s, %(parent_id)s, %(name)s, %(level)s, %(time_zone)s);

-- name: change_area
UPDATE area SET parent_id = %(parent_id)s, name = %(name)s, level = %(level)s,
    arrive_within_min = %(arrive_within_min)s, settlement = %(settlement)s,
    time_zone = %(time_zone)s
WHERE area_id = %(id)s;

-- name: area_holds
SELECT (SELECT count(*) FROM area WHERE parent_id = %(id)s) AS areas,
    (SELECT count(*) FROM premises WHERE area_id = %(id)s) AS premises,
    (SELECT count(*) FROM person WHERE area_id = %(id)s) AS people,
    (SELECT count(*) FROM responder WHERE area_id = %(id)s) AS responders,
    (SELECT count(*) FROM account WHERE area_id = %(id)s) AS accounts,
    (SELECT count(*) FROM api_token WHERE area_id = %(id)s AND revoked_at IS NULL) AS tokens,
    (SELECT count(*) FROM incident WHERE area_id = %(id)s AND state <> 'resolved')
        AS open_incidents;

-- name: remove_area
WITH gone AS (DELETE FROM api_token WHERE area_id = %(id)s)
DELETE FROM area WHERE area_id = %(id)s;

-- name: premises_page
-- Homes of what somebody may see, by id.
SELECT h.premises_id, h.area_id, h.address, h.phone, h.latitude, h.longitude,
    (SELECT count(*) FROM person p WHERE p.premises_id = h.premises_id) AS residents
FROM premises h
WHERE h.premises_id > %(after)s
  AND (%(areas)s::text[] IS NULL OR h.area_id = ANY(%(areas)s))
ORDER BY h.premises_id LIMIT %(limit)s;

-- name: premises_search
-- The same, found by id, address or phone.
SELECT h.premises_id, h.area_id, h.address, h.phone, h.latitude, h.longitude,
    (SELECT count(*) FROM person p WHERE p.premises_id = h.premises_id) AS residents
FROM premises h
WHERE search_grams(h.premises_id || ' ' || h.address || ' ' || coalesce(h.phone, ''))
      @> search_grams(%(q)s)
  AND (h.premises_id || ' ' || h.address || ' ' || coalesce(h.phone, '')) ILIKE %(like)s
  AND h.premises_id > %(after)s
  AND (%(areas)s::text[] IS NULL OR h.area_id = ANY(%(areas)s))
ORDER BY h.premises_id LIMIT %(limit)s;

-- name: premises_card
-- A home; of its key safe only whether there is one.
SELECT h.premises_id, h.area_id, h.address, h.access_notes, h.latitude, h.longitude, h.time_zone,
    h.phone, h.video_link, EXISTS (SELECT FROM key_safe k WHERE k.premises_id = h.premises_id) AS has_key_safe
FROM premises h WHERE h.premises_id = %(id)s;

-- name: residents
SELECT person_id, name, state FROM person WHERE premises_id = %(id)s ORDER BY person_id
LIMIT %(limit)s;

-- name: video_links
SELECT premises_id, video_link FROM premises
WHERE premises_id = ANY(%(ids)s) AND video_link IS NOT NULL;

-- name: where_homes_are
-- Homes by squares, each in the middle of its homes, the fullest first. The side is measured where
-- nearly all homes are: one far away must not make a single square of a city.
WITH placed AS (
    SELECT latitude, longitude FROM premises
    WHERE (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
        AND latitude IS NOT NULL AND longitude IS NOT NULL AND (latitude <> 0 OR longitude <> 0)
), edges AS (
    SELECT percentile_disc(ARRAY[%(outside)s, 1 - %(outside)s]) WITHIN GROUP (ORDER BY latitude) AS high,
        percentile_disc(ARRAY[%(outside)s, 1 - %(outside)s]) WITHIN GROUP (ORDER BY longitude) AS wide
    FROM placed
), square AS (
    SELECT greatest(high[2] - high[1], wide[2] - wide[1], %(least)s) / %(across)s AS side FROM edges
)
SELECT avg(latitude) AS latitude, avg(longitude) AS longitude, count(*) AS homes
FROM placed, square GROUP BY floor(latitude / side), floor(longitude / side)
ORDER BY homes DESC, latitude, longitude LIMIT %(limit)s;

-- name: change_premises
-- People and devices move with their home: a trigger does it.
UPDATE premises SET area_id = %(area_id)s, address = %(address)s, access_notes = %(access_notes)s,
    latitude = %(latitude)s, longitude = %(longitude)s, time_zone = %(time_zone)s,
    phone = %(phone)s, video_link = %(video_link)s
WHERE premises_id = %(id)s;

-- name: premises_holds
SELECT (SELECT count(*) FROM person WHERE premises_id = %(id)s) AS people,
    (SELECT count(*) FROM device WHERE premises_id = %(id)s) AS devices,
    (SELECT count(*) FROM incident WHERE premises_id = %(id)s AND state <> 'resolved')
        AS open_incidents;

-- name: remove_premises
DELETE FROM premises WHERE premises_id = %(id)s;

-- name: key_safe
SELECT code, place, changed_at FROM key_safe WHERE premises_id = %(id)s;

-- name: put_key_safe
INSERT INTO key_safe (premises_id, area_id, code, place, changed_at, changed_by)
SELECT premises_id, area_id, %(code)s, %(place)s, %(at)s, %(by)s FROM premises
WHERE premises_id = %(id)s
ON CONFLICT (premises_id) DO UPDATE SET code = excluded.code, place = excluded.place,
    changed_at = excluded.changed_at, changed_by = excluded.changed_by;

-- name: remove_key_safe
DELETE FROM key_safe WHERE premises_id = %(id)s;

-- name: person_page
-- People of what somebody may see, by id.
SELECT p.person_id, p.area_id, p.premises_id, p.name, p.birth_year, p.phone, p.state,
    p.state_since, h.address
FROM person p LEFT JOIN premises h USING (premises_id)
WHERE p.person_id > %(after)s
  AND (%(areas)s::text[] IS NULL OR p.area_id = ANY(%(areas)s))
  AND (%(state)s::text IS NULL OR p.state = %(state)s)
ORDER BY p.person_id LIMIT %(limit)s;

-- name: unspelt_people
-- People whose name is not yet spelt in letters, or was another one then.
SELECT p.person_id, p.area_id, p.name FROM person p
LEFT JOIN person_pinyin s ON s.person_id = p.person_id AND s.name = p.name
WHERE s.person_id IS NULL LIMIT %(limit)s;

-- name: spell_person
INSERT INTO person_pinyin (person_id, area_id, name, letters)
SELECT person_id, area_id, %(name)s, %(letters)s FROM person WHERE person_id = %(id)s
ON CONFLICT (person_id) DO UPDATE SET name = excluded.name, letters = excluded.letters;

-- name: person_search
-- The same, found by id, name, phone, or their home's id, address or phone.
WITH found AS (
    SELECT person_id FROM person
    WHERE search_grams(person_id || ' ' || name || ' ' || coalesce(phone, ''))
          @> search_grams(%(q)s)
      AND (person_id || ' ' || name || ' ' || coalesce(phone, '')) ILIKE %(like)s
    UNION
    SELECT p.person_id FROM premises h JOIN person p USING (premises_id)
    WHERE search_grams(h.premises_id || ' ' || h.address || ' ' || coalesce(h.phone, ''))
          @> search_grams(%(q)s)
      AND (h.premises_id || ' ' || h.address || ' ' || coalesce(h.phone, '')) ILIKE %(like)s
)
SELECT p.person_id, p.area_id, p.premises_id, p.name, p.birth_year, p.phone, p.state,
    p.state_since, h.address
FROM found JOIN person p USING (person_id) LEFT JOIN premises h USING (premises_id)
WHERE p.person_id > %(after)s
  AND (%(areas)s::text[] IS NULL OR p.area_id = ANY(%(areas)s))
  AND (%(state)s::text IS NULL OR p.state = %(state)s)
ORDER BY p.person_id LIMIT %(limit)s;

-- name: person_search_in_letters
-- The same, found by what the name sounds like (pinyin) too: id, name, phone, or their home's id, address or phone.
WITH found AS (
    SELECT person_id FROM person
    WHERE search_grams(person_id || ' ' || name || ' ' || coalesce(phone, ''))
          @> search_grams(%(q)s)
      AND (person_id || ' ' || name || ' ' || coalesce(phone, '')) ILIKE %(like)s
    UNION
    SELECT p.person_id FROM premises h JOIN person p USING (premises_id)
    WHERE search_grams(h.premises_id || ' ' || h.address || ' ' || coalesce(h.phone, ''))
          @> search_grams(%(q)s)
      AND (h.premises_id || ' ' || h.address || ' ' || coalesce(h.phone, '')) ILIKE %(like)s
    UNION
    SELECT person_id FROM person_pinyin
    WHERE search_grams(letters) @> search_grams(%(letters)s) AND letters LIKE %(letters_like)s
)
SELECT p.person_id, p.area_id, p.premises_id, p.name, p.birth_year, p.phone, p.state,
    p.state_since, h.address
FROM found JOIN person p USING (person_id) LEFT JOIN premises h USING (premises_id)
WHERE p.person_id > %(after)s
  AND (%(areas)s::text[] IS NULL OR p.area_id = ANY(%(areas)s))
  AND (%(state)s::text IS NULL OR p.state = %(state)s)
ORDER BY p.person_id LIMIT %(limit)s;

-- name: person_card
SELECT person_id, area_id, premises_id, name, birth_year, language, phone, medical_notes,
    lives_alone, mobility, state, state_since, state_by, state_reason
FROM person WHERE person_id = %(id)s;

-- name: change_person
UPDATE person SET area_id = %(area_id)s, premises_id = %(premises_id)s, name = %(name)s,
    birth_year = %(birth_year)s, language = %(language)s, phone = %(phone)s,
    medical_notes = %(medical_notes)s, lives_alone = %(lives_alone)s, mobility = %(mobility)s
WHERE person_id = %(id)s;

-- name: person_holds
SELECT (SELECT count(*) FROM device WHERE person_id = %(id)s) AS devices,
    (SELECT count(*) FROM incident WHERE person_id = %(id)s AND state <> 'resolved')
        AS open_incidents;

-- name: remove_person
-- With their contacts, states and family links.
DELETE FROM person WHERE person_id = %(id)s;

-- name: set_state
UPDATE person SET state = %(state)s, state_since = %(since)s, state_by = %(by_name)s,
    state_reason = %(reason)s
WHERE person_id = %(id)s;

-- name: add_state_change
INSERT INTO person_state_change (person_id, area_id, state, since, by_id, by_name, reason)
SELECT person_id, area_id, %(state)s, %(since)s, %(by_id)s, %(by_name)s, %(reason)s FROM person
WHERE person_id = %(id)s;

-- name: state_changes
-- Newest first.
SELECT state, since, by_name, reason FROM person_state_change
WHERE person_id = %(id)s ORDER BY change_id DESC LIMIT %(limit)s;

-- name: contacts
SELECT contact_id, name, relation, phone, has_key, email, language, channels, account_id
FROM person_contact WHERE person_id = %(id)s ORDER BY place;

-- name: remove_contacts
DELETE FROM person_contact WHERE person_id = %(id)s;

-- name: add_contact
INSERT INTO person_contact (person_id, place, area_id, contact_id, name, relation, phone, has_key,
    email, language, channels, account_id)
SELECT person_id, %(place)s, area_id, %(contact_id)s, %(name)s, %(relation)s, %(phone)s,
    %(has_key)s, %(email)s, %(language)s, %(channels)s, %(account_id)s
FROM person WHERE person_id = %(id)s;

-- name: responder_page
SELECT responder_id, area_id, kind, name, phone, latitude, longitude, availability, notes,
    account_id, travel_mode
FROM responder
WHERE responder_id > %(after)s AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
  AND (%(kind)s::text IS NULL OR kind = %(kind)s)
  AND (%(availability)s::text IS NULL OR availability = %(availability)s)
  AND (%(like)s::text IS NULL OR responder_id ILIKE %(like)s OR name ILIKE %(like)s
       OR phone ILIKE %(like)s)
ORDER BY responder_id LIMIT %(limit)s;

-- name: responder_card
SELECT responder_id, area_id, kind, name, phone, latitude, longitude, availability, notes,
    account_id, travel_mode
FROM responder WHERE responder_id = %(id)s;

-- name: add_responder
INSERT INTO responder (responder_id, area_id, kind, name, phone, latitude, longitude,
    availability, notes, account_id, travel_mode)
VALUES (%(id)s, %(area_id)s, %(kind)s, %(name)s, %(phone)s, %(latitude)s, %(longitude)s,
    %(availability)s, %(notes)s, %(account_id)s, %(travel_mode)s);

-- name: change_responder
UPDATE responder SET area_id = %(area_id)s, kind = %(kind)s, name = %(name)s, phone = %(phone)s,
    latitude = %(latitude)s, longitude = %(longitude)s, availability = %(availability)s,
    notes = %(notes)s, account_id = %(account_id)s, travel_mode = %(travel_mode)s
WHERE responder_id = %(id)s;

-- name: responder_holds
-- Open incidents that they were told of and did not decline.
SELECT count(*) AS open_incidents FROM incident_responder e JOIN incident i USING (incident_id)
WHERE e.actor_kind = 'responder' AND e.actor_id = %(id)s AND e.answer <> 'declined'
  AND i.state <> 'resolved';

-- name: remove_responder
DELETE FROM responder WHERE responder_id = %(id)s;

-- name: family_of
-- Accounts that see a person.
SELECT a.account_id, a.name, l.relation, l.decides, l.since
FROM family_link l JOIN account a USING (account_id)
WHERE l.person_id = %(id)s ORDER BY a.account_id;

-- name: link_family
INSERT INTO family_link (account_id, person_id, area_id, relation, decides, since, by_id)
SELECT %(account_id)s, person_id, area_id, %(relation)s, %(decides)s, %(since)s, %(by_id)s
FROM person WHERE person_id = %(person_id)s
ON CONFLICT (account_id, person_id) DO UPDATE SET relation = excluded.relation,
    decides = excluded.decides;

-- name: unlink_family
DELETE FROM family_link WHERE account_id = %(account_id)s AND person_id = %(person_id)s;

-- name: kin
-- Those a family account is linked to, and how they are.
SELECT p.person_id, p.name, l.relation, l.decides, p.state, p.state_since,
    coalesce(p.phone, h.phone) AS phone, h.address, h.time_zone,
    (SELECT count(*) FROM incident i WHERE i.person_id = p.person_id AND i.state <> 'resolved')
        AS open_incidents
FROM family_link l JOIN person p USING (person_id)
LEFT JOIN premises h ON h.premises_id = p.premises_id
WHERE l.account_id = %(account_id)s ORDER BY p.person_id;

-- name: log_page
-- The log of what somebody may see, newest first.
SELECT entry_id, at, area_id, incident_id, actor_kind, actor_id, actor_name, action, reason, detail
FROM audit_log
WHERE entry_id < %(before)s AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
  AND (%(actor_id)s::text IS NULL OR actor_id = %(actor_id)s)
  AND (%(action)s::text IS NULL OR action = %(action)s)
ORDER BY entry_id DESC LIMIT %(limit)s;
