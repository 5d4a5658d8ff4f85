-- name: lock
-- One import at a time; two would judge rows by what the other is about to change.
SELECT pg_try_advisory_xact_lock(%(key)s) AS mine;

-- name: stage
-- What the file says, row by row. `after` and `before` are the row as it would be and as it is.
CREATE TEMP TABLE staged (
    row_no integer NOT NULL,
    kind text NOT NULL,
    id text NOT NULL,
    cells jsonb NOT NULL,
    bad boolean NOT NULL DEFAULT false,
    before jsonb,
    after jsonb
) ON COMMIT DROP;
CREATE TEMP TABLE fault (
    row_no integer NOT NULL,
    heading text NOT NULL,
    value text NOT NULL,
    allowed text NOT NULL
) ON COMMIT DROP;

-- name: index_stage
CREATE INDEX ON staged (kind, id);
ANALYZE staged;

-- name: find_twins
WITH twins AS (
    UPDATE staged s SET bad = true FROM (
        SELECT row_no, min(row_no) OVER (PARTITION BY kind, id) AS first FROM staged
    ) AS t
    WHERE t.row_no = s.row_no AND t.first <> s.row_no
    RETURNING s.row_no, s.id, t.first
)
INSERT INTO fault SELECT row_no, 'id', id, 'another id: row ' || first || ' has this one'
FROM twins;

-- name: resolve_area
-- What an area is, and would be. Levels that do not fit and parents that are not there come next.
UPDATE staged s SET
    before = CASE WHEN a.area_id IS NOT NULL THEN jsonb_build_object(
        'parent_id', a.parent_id, 'name', a.name, 'level', a.level,
        'arrive_within_min', a.arrive_within_min, 'settlement', a.settlement,
        'time_zone', a.time_zone) END,
    after = '{"parent_id": null, "arrive_within_min": null, "settlement": null, "time_zone": null}'
        || CASE WHEN a.area_id IS NOT NULL THEN jsonb_build_object(
        'parent_id', a.parent_id, 'name', a.name, 'level', a.level,
        'arrive_within_min', a.arrive_within_min, 'settlement', a.settlement,
        'time_zone', a.time_zone)
        ELSE '{}' END || s.cells
FROM staged t LEFT JOIN area a ON a.area_id = t.id
WHERE s.row_no = t.row_no AND s.kind = 'area';

-- name: judge_area
-- Called once a level, from above: the parent must be there, above it, and within reach.
WITH wrong AS (
    UPDATE staged s SET bad = true
    FROM staged t
    LEFT JOIN area p ON p.area_id = t.after ->> 'parent_id'
    LEFT JOIN staged f ON f.kind = 'area' AND f.id = t.after ->> 'parent_id' AND NOT f.bad
    LEFT JOIN area own ON own.area_id = t.id
    WHERE s.row_no = t.row_no AND t.kind = 'area' AND NOT t.bad
      AND t.after ->> 'level' = %(level)s
      AND NOT CASE
        WHEN t.id = %(root)s THEN t.after ->> 'parent_id' IS NULL AND %(areas)s::text[] IS NULL
        -- Where it hangs stays as it is: also whoever sits in it may say what it is called.
        WHEN own.parent_id = t.after ->> 'parent_id' AND own.level = t.after ->> 'level'
            THEN %(areas)s::text[] IS NULL OR own.area_id = ANY(%(areas)s)
        ELSE coalesce(area_rank(coalesce(f.after ->> 'level', p.level))
                      < area_rank(%(level)s), false)
            AND (%(areas)s::text[] IS NULL OR p.area_id = ANY(%(areas)s)
                 OR (p.area_id IS NULL AND f.id IS NOT NULL))
            AND (%(areas)s::text[] IS NULL OR own.area_id IS NULL OR own.area_id = ANY(%(areas)s))
            AND NOT EXISTS (
                SELECT FROM area c
                LEFT JOIN staged n ON n.kind = 'area' AND n.id = c.area_id AND NOT n.bad
                WHERE coalesce(n.after ->> 'parent_id', c.parent_id) = t.id
                  AND area_rank(coalesce(n.after ->> 'level', c.level)) <= area_rank(%(level)s))
        END
    RETURNING s.row_no, s.after
)
INSERT INTO fault SELECT row_no, 'parent', coalesce(after ->> 'parent_id', ''),
    'an area of yours above this level, which is right in this file too'
FROM wrong;

-- name: resolve_premises
UPDATE staged s SET
    before = CASE WHEN h.premises_id IS NOT NULL THEN jsonb_build_object(
        'area_id', h.area_id, 'address', h.address, 'access_notes', h.access_notes,
        'latitude', h.latitude, 'longitude', h.longitude, 'time_zone', h.time_zone,
        'phone', h.phone, 'video_link', h.video_link) END,
    after = jsonb_build_object(
        'area_id', h.area_id, 'address', h.address, 'access_notes', h.access_notes,
        'latitude', h.latitude, 'longitude', h.longitude, 'time_zone', h.time_zone,
        'phone', h.phone, 'video_link', h.video_link) || s.cells
FROM staged t LEFT JOIN premises h ON h.premises_id = t.id
WHERE s.row_no = t.row_no AND s.kind = 'premises';

-- name: resolve_responder
UPDATE staged s SET
    before = CASE WHEN r.responder_id IS NOT NULL THEN jsonb_build_object(
        'area_id', r.area_id, 'kind', r.kind, 'name', r.name, 'phone', r.phone,
        'latitude', r.latitude, 'longitude', r.longitude, 'availability', r.availability,
        'notes', r.notes, 'travel_mode', r.travel_mode) END,
    after = jsonb_build_object(
        'area_id', r.area_id, 'kind', r.kind, 'name', r.name, 'phone', r.phone,
        'latitude', r.latitude, 'longitude', r.longitude,
        'notes', r.notes) || s.cells
        || jsonb_build_object('availability',
            coalesce(s.cells ->> 'availability', r.availability, 'available'),
            'travel_mode', coalesce(s.cells ->> 'travel_mode', r.travel_mode, 'foot'))
FROM staged t LEFT JOIN responder r ON r.responder_id = t.id
WHERE s.row_no = t.row_no AND s.kind = 'responder';

-- name: judge_area_of
-- A home or responder must lie in an area of whoever asks, before and after.
WITH wrong AS (
    UPDATE staged s SET bad = true
    FROM staged t
    LEFT JOIN area a ON a.area_id = t.after ->> 'area_id'
    LEFT JOIN staged f ON f.kind = 'area' AND f.id = t.after ->> 'area_id' AND NOT f.bad
    WHERE s.row_no = t.row_no AND t.kind = %(kind)s AND NOT t.bad
      AND NOT CASE
        WHEN a.area_id IS NOT NULL THEN
            %(areas)s::text[] IS NULL OR a.area_id = ANY(%(areas)s)
        ELSE f.id IS NOT NULL END
    RETURNING s.row_no, s.after
)
INSERT INTO fault SELECT row_no, 'area', coalesce(after ->> 'area_id', ''),
    'an area of yours, known or in this file' FROM wrong;

-- name: resolve_person
-- The area is that of the home, as it will be.
UPDATE staged s SET
    before = CASE WHEN p.person_id IS NOT NULL THEN jsonb_build_object(
        'area_id', p.area_id, 'premises_id', p.premises_id, 'name', p.name,
        'birth_year', p.birth_year, 'language', p.language, 'phone', p.phone,
        'medical_notes', p.medical_notes, 'lives_alone', p.lives_alone,
        'mobility', p.mobility) END,
    after = jsonb_build_object(
        'premises_id', p.premises_id, 'name', p.name,
        'birth_year', p.birth_year, 'language', p.language, 'phone', p.phone,
        'medical_notes', p.medical_notes, 'lives_alone', p.lives_alone,
        'mobility', p.mobility) || s.cells
FROM staged t LEFT JOIN person p ON p.person_id = t.id
WHERE s.row_no = t.row_no AND s.kind = 'person';

-- name: resolve_device
UPDATE staged s SET
    before = CASE WHEN d.device_id IS NOT NULL THEN jsonb_build_object(
        'area_id', d.area_id, 'premises_id', d.premises_id, 'person_id', d.person_id,
        'kind', d.kind, 'label', d.label, 'model', d.model, 'voice_number', d.voice_number,
        'secret_sha256', d.secret_sha256) END,
    after = jsonb_build_object(
        'premises_id', d.premises_id, 'person_id', d.person_id, 'kind', d.kind,
        'model', d.model, 'voice_number', d.voice_number) || s.cells
        || jsonb_build_object(
            'label', coalesce(CASE WHEN s.cells ? 'label' THEN coalesce(s.cells ->> 'label', '')
                              ELSE d.label END, ''),
            -- Without a hash nobody can connect as it until a secret is drawn for it.
            'secret_sha256', coalesce(s.cells ->> 'secret_sha256', d.secret_sha256,
                                      encode(sha256(gen_random_uuid()::text::bytea), 'hex')))
FROM staged t LEFT JOIN device d ON d.device_id = t.id
WHERE s.row_no = t.row_no AND s.kind = 'device';

-- name: resolve_contact
-- The area is that of the person, as it will be.
UPDATE staged s SET
    before = CASE WHEN c.contact_id IS NOT NULL THEN jsonb_build_object(
        'area_id', c.area_id, 'person_id', c.person_id, 'name', c.name, 'relation', c.relation,
        'phone', c.phone, 'email', c.email, 'language', c.language,
        'channels', to_jsonb(c.channels), 'has_key', c.has_key) END,
    after = jsonb_build_object(
        'person_id', c.person_id, 'name', c.name, 'relation', c.relation, 'phone', c.phone,
        'email', c.email, 'language', c.language) || s.cells
        || jsonb_build_object(
            'channels', coalesce(nullif(s.cells -> 'channels', 'null'), CASE
                WHEN s.cells ? 'channels' THEN NULL ELSE to_jsonb(c.channels) END, '[]'),
            'has_key', coalesce((s.cells ->> 'has_key')::boolean, c.has_key, false))
FROM staged t LEFT JOIN person_contact c ON c.contact_id = t.id
WHERE s.row_no = t.row_no AND s.kind = 'contact';

-- name: judge_person_of
-- A contact must be of somebody of whoever asks, known or in this file.
WITH judged AS (
    SELECT t.row_no, t.after ->> 'person_id' AS person_id,
        coalesce(f.after ->> 'area_id', p.area_id) AS area_id, f.id IS NOT NULL AS in_file
    FROM staged t
    LEFT JOIN person p ON p.person_id = t.after ->> 'person_id'
    LEFT JOIN staged f ON f.kind = 'person' AND f.id = t.after ->> 'person_id' AND NOT f.bad
    WHERE t.kind = 'contact' AND NOT t.bad
), told AS (
    UPDATE staged s SET
        after = s.after || jsonb_build_object('area_id', j.area_id),
        bad = NOT (j.area_id IS NOT NULL AND (
            %(areas)s::text[] IS NULL OR j.in_file OR j.area_id = ANY(%(areas)s)))
    FROM judged j WHERE j.row_no = s.row_no
    RETURNING s.row_no, s.bad, j.person_id
)
INSERT INTO fault SELECT row_no, 'person', coalesce(person_id, ''),
    'a person of yours, known or in this file' FROM told WHERE bad;

-- name: judge_contact_count
-- Beyond what a list holds; whoever is in it already and stays with their person is not judged.
WITH counted AS (
    SELECT t.row_no, t.after ->> 'person_id' AS person_id,
        (SELECT count(*) FROM person_contact c WHERE c.person_id = t.after ->> 'person_id'
            AND NOT EXISTS (SELECT FROM staged g WHERE g.kind = 'contact' AND NOT g.bad
                AND g.id = c.contact_id AND g.after ->> 'person_id' <> c.person_id))
        + row_number() OVER (PARTITION BY t.after ->> 'person_id' ORDER BY t.row_no) AS place
    FROM staged t
    WHERE t.kind = 'contact' AND NOT t.bad
      AND t.before ->> 'person_id' IS DISTINCT FROM t.after ->> 'person_id'
), wrong AS (
    UPDATE staged s SET bad = true FROM counted n
    WHERE n.row_no = s.row_no AND n.place > %(most)s
    RETURNING s.row_no, n.person_id
)
INSERT INTO fault SELECT row_no, 'person', person_id,
    'a person with fewer contacts: this list is full' FROM wrong;

-- name: judge_home_of
-- A person or device must belong to a home of whoever asks.
WITH judged AS (
    SELECT t.row_no, t.after ->> 'premises_id' AS premises_id,
        coalesce(f.after ->> 'area_id', h.area_id) AS area_id, f.id IS NOT NULL AS in_file
    FROM staged t
    LEFT JOIN premises h ON h.premises_id = t.after ->> 'premises_id'
    LEFT JOIN staged f ON f.kind = 'premises' AND f.id = t.after ->> 'premises_id' AND NOT f.bad
    WHERE t.kind = %(kind)s AND NOT t.bad
), told AS (
    UPDATE staged s SET
        after = s.after || jsonb_build_object('area_id', j.area_id),
        bad = NOT (j.area_id IS NOT NULL AND (
            %(areas)s::text[] IS NULL OR j.in_file OR j.area_id = ANY(%(areas)s)))
    FROM judged j WHERE j.row_no = s.row_no
    RETURNING s.row_no, s.bad, j.premises_id
)
INSERT INTO fault SELECT row_no, 'premises', coalesce(premises_id, ''),
    'a home of yours, known or in this file' FROM told WHERE bad;

-- name: judge_wearer
-- A device's person must be one of yours, known or in the file.
WITH wrong AS (
    UPDATE staged s SET bad = true
    FROM staged t
    LEFT JOIN person p ON p.person_id = t.after ->> 'person_id'
    LEFT JOIN staged f ON f.kind = 'person' AND f.id = t.after ->> 'person_id' AND NOT f.bad
    WHERE s.row_no = t.row_no AND t.kind = 'device' AND NOT t.bad
      AND t.after ->> 'person_id' IS NOT NULL AND f.id IS NULL
      AND NOT coalesce(%(areas)s::text[] IS NULL AND p.person_id IS NOT NULL
                       OR p.area_id = ANY(%(areas)s), false)
    RETURNING s.row_no, s.after
)
INSERT INTO fault SELECT row_no, 'person', after ->> 'person_id',
    'a person of yours, known or in this file' FROM wrong;

-- name: judge_revoked
-- A revoked device is never let in again, wherever a file puts it.
WITH wrong AS (
    UPDATE staged s SET bad = true
    FROM device d
    WHERE s.kind = 'device' AND NOT s.bad AND s.before <> s.after
      AND d.device_id = s.id AND d.revoked
    RETURNING s.row_no, s.id
)
INSERT INTO fault SELECT row_no, 'id', id, 'a device in use: this one is revoked, for good'
FROM wrong;

-- name: judge_provisioning
-- Who may not provision devices does not do it, nor move one or change its secret, by a file.
WITH wrong AS (
    UPDATE staged s SET bad = true
    WHERE s.kind = 'device' AND NOT s.bad AND s.before IS DISTINCT FROM s.after
    RETURNING s.row_no, s.id
)
INSERT INTO fault SELECT row_no, 'id', id, 'a device as it is: your role does not change devices'
FROM wrong;

-- name: judge_owner
-- What is there already must be within reach too: an id of somebody else's is taken.
WITH wrong AS (
    UPDATE staged s SET bad = true
    WHERE s.kind = %(kind)s AND NOT s.bad AND s.before IS NOT NULL
      AND NOT (%(areas)s::text[] IS NULL OR s.before ->> 'area_id' = ANY(%(areas)s))
    RETURNING s.row_no, s.id
)
INSERT INTO fault SELECT row_no, 'id', id, 'an id that is free, or one of yours' FROM wrong;

-- name: judge_new
-- A row that is new must say everything that is wanted.
WITH missing AS (
    UPDATE staged s SET bad = true FROM unnest(%(keys)s::text[], %(headings)s::text[])
        AS w (key, heading)
    WHERE s.kind = %(kind)s AND NOT s.bad AND s.after ->> w.key IS NULL
    RETURNING s.row_no, w.heading
)
INSERT INTO fault SELECT row_no, heading, '', 'something: it must not be empty' FROM missing;

-- name: counts
SELECT kind, count(*) FILTER (WHERE before IS NULL) AS created,
    count(*) FILTER (WHERE before <> after) AS changed,
    count(*) FILTER (WHERE before = after) AS unchanged
FROM staged WHERE NOT bad GROUP BY kind;

-- name: faults
SELECT row_no, heading, value, allowed FROM fault ORDER BY row_no, heading LIMIT %(limit)s;

-- name: fault_counts
SELECT (SELECT count(*) FROM fault) AS faults, (SELECT count(*) FROM staged WHERE bad) AS bad_rows;

-- name: changes
-- What would be created or changed, in the order of the file.
SELECT row_no, kind, id, before IS NULL AS created,
    (SELECT array_agg(key ORDER BY key) FROM jsonb_each(after)
     WHERE value IS DISTINCT FROM before -> key AND (before IS NOT NULL OR value <> 'null'))
        AS columns
FROM staged WHERE NOT bad AND before IS DISTINCT FROM after ORDER BY row_no LIMIT %(limit)s;

-- name: apply_area
-- Called once a level, from above.
INSERT INTO area (area_id, parent_id, name, level, arrive_within_min, settlement, time_zone)
SELECT id, after ->> 'parent_id', after ->> 'name', after ->> 'level',
    (after ->> 'arrive_within_min')::integer, after ->> 'settlement', after ->> 'time_zone' FROM staged
WHERE kind = 'area' AND NOT bad AND before IS DISTINCT FROM after AND after ->> 'level' = %(level)s
ON CONFLICT (area_id) DO UPDATE SET parent_id = excluded.parent_id, name = excluded.name,
    level = excluded.level, arrive_within_min = excluded.arrive_within_min,
    settlement = excluded.settlement, time_zone = excluded.time_zone;

-- name: apply_premises
INSERT INTO premises (premises_id, area_id, address, access_notes, latitude, longitude, time_zone,
    phone, video_link)
SELECT id, after ->> 'area_id', after ->> 'address', after ->> 'access_notes',
    (after ->> 'latitude')::double precision, (after ->> 'longitude')::double precision,
    after ->> 'time_zone', after ->> 'phone', after ->> 'video_link'
FROM staged WHERE kind = 'premises' AND NOT bad AND before IS DISTINCT FROM after
ON CONFLICT (premises_id) DO UPDATE SET area_id = excluded.area_id, address = excluded.address,
    access_notes = excluded.access_notes, latitude = excluded.latitude,
    longitude = excluded.longitude, time_zone = excluded.time_zone, phone = excluded.phone,
    video_link = excluded.video_link;

-- name: apply_person
INSERT INTO person (person_id, area_id, premises_id, name, birth_year, language, phone,
    medical_notes, lives_alone, mobility)
SELECT id, after ->> 'area_id', after ->> 'premises_id', after ->> 'name',
    (after ->> 'birth_year')::integer, after ->> 'language', after ->> 'phone',
    after ->> 'medical_notes', (after ->> 'lives_alone')::boolean, after ->> 'mobility'
FROM staged WHERE kind = 'person' AND NOT bad AND before IS DISTINCT FROM after
ON CONFLICT (person_id) DO UPDATE SET area_id = excluded.area_id,
    premises_id = excluded.premises_id, name = excluded.name, birth_year = excluded.birth_year,
    language = excluded.language, phone = excluded.phone, medical_notes = excluded.medical_notes,
    lives_alone = excluded.lives_alone, mobility = excluded.mobility;

-- name: apply_device
INSERT INTO device (device_id, area_id, premises_id, person_id, kind, label, model, voice_number,
    secret_sha256)
SELECT id, after ->> 'area_id', after ->> 'premises_id', after ->> 'person_id', after ->> 'kind',
    after ->> 'label', after ->> 'model', after ->> 'voice_number', after ->> 'secret_sha256'
FROM staged WHERE kind = 'device' AND NOT bad AND before IS DISTINCT FROM after
ON CONFLICT (device_id) DO UPDATE SET area_id = excluded.area_id,
    premises_id = excluded.premises_id, person_id = excluded.person_id, kind = excluded.kind,
    label = excluded.label, model = excluded.model, voice_number = excluded.voice_number,
    secret_sha256 = excluded.secret_sha256,
    mosquitto_hash = CASE WHEN device.secret_sha256 = excluded.secret_sha256
                          THEN device.mosquitto_hash END;

-- name: apply_responder
INSERT INTO responder (responder_id, area_id, kind, name, phone, latitude, longitude, availability,
    notes, travel_mode)
SELECT id, after ->> 'area_id', after ->> 'kind', after ->> 'name', after ->> 'phone',
    (after ->> 'latitude')::double precision, (after ->> 'longitude')::double precision,
    after ->> 'availability', after ->> 'notes', after ->> 'travel_mode'
FROM staged WHERE kind = 'responder' AND NOT bad AND before IS DISTINCT FROM after
ON CONFLICT (responder_id) DO UPDATE SET area_id = excluded.area_id, kind = excluded.kind,
    name = excluded.name, phone = excluded.phone, latitude = excluded.latitude,
    longitude = excluded.longitude, availability = excluded.availability, notes = excluded.notes,
    travel_mode = excluded.travel_mode;

-- name: apply_contact
-- Whoever is new comes last in their person's list; whoever changes person too.
INSERT INTO person_contact (contact_id, person_id, place, area_id, name, relation, phone, has_key,
    email, language, channels)
SELECT s.id, s.after ->> 'person_id',
    CASE WHEN c.person_id = s.after ->> 'person_id' THEN c.place ELSE
        coalesce((SELECT max(place) FROM person_contact o
                  WHERE o.person_id = s.after ->> 'person_id'), 0)
        + row_number() OVER (PARTITION BY s.after ->> 'person_id' ORDER BY s.row_no) END,
    s.after ->> 'area_id', s.after ->> 'name', s.after ->> 'relation', s.after ->> 'phone',
    (s.after ->> 'has_key')::boolean, s.after ->> 'email', s.after ->> 'language',
    ARRAY(SELECT jsonb_array_elements_text(s.after -> 'channels'))
FROM staged s LEFT JOIN person_contact c ON c.contact_id = s.id
WHERE s.kind = 'contact' AND NOT s.bad AND s.before IS DISTINCT FROM s.after
ON CONFLICT (contact_id) DO UPDATE SET person_id = excluded.person_id, place = excluded.place,
    area_id = excluded.area_id, name = excluded.name, relation = excluded.relation,
    phone = excluded.phone, has_key = excluded.has_key, email = excluded.email,
    language = excluded.language, channels = excluded.channels;

-- name: log_changes
-- A line a row: what was, what is; of what the log withholds only that it changed.
INSERT INTO audit_log (at, area_id, actor_kind, actor_id, actor_name, action, detail)
SELECT %(at)s, coalesce(after ->> 'area_id', CASE WHEN kind = 'area' THEN id END, %(seat)s),
    %(actor_kind)s, %(actor_id)s, %(actor_name)s,
    CASE WHEN before IS NULL THEN 'add' ELSE 'change' END,
    jsonb_strip_nulls(jsonb_build_object('noun', kind, 'id', id, 'by', 'import', 'row', row_no,
        'before', (SELECT jsonb_object_agg(key, CASE WHEN key = ANY(%(withheld)s)
                       AND value <> 'null' THEN '"(withheld)"' ELSE value END)
                   FROM jsonb_each(before) WHERE value IS DISTINCT FROM after -> key),
        'after', (SELECT jsonb_object_agg(key, CASE WHEN key = ANY(%(withheld)s)
                      AND value <> 'null' THEN '"(withheld)"' ELSE value END)
                  FROM jsonb_each(after) WHERE value IS DISTINCT FROM before -> key)))
FROM staged WHERE NOT bad AND before IS DISTINCT FROM after ORDER BY row_no;
