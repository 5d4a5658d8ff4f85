-- name: lineages
-- Each of these areas with every area it lies in, by how far above; a circle ends.
WITH RECURSIVE up AS (
    SELECT a.area_id AS of, a.area_id, a.parent_id, 0 AS height FROM area a
    WHERE a.area_id = ANY(%(areas)s)
    UNION ALL
    SELECT up.of, a.area_id, a.parent_id, up.height + 1 FROM area a
    JOIN up ON a.area_id = up.parent_id WHERE up.height < 10
)
SELECT of, area_id, height FROM up ORDER BY of, height;

-- name: contacts
-- Whom to call for these people, in order.
SELECT person_id, place, contact_id, name, channels FROM person_contact
WHERE person_id = ANY(%(people)s) ORDER BY person_id, place;

-- name: states
SELECT person_id, state FROM person WHERE person_id = ANY(%(people)s);

-- name: zones
SELECT premises_id, time_zone FROM premises WHERE premises_id = ANY(%(homes)s);

-- name: accounts
-- Of these accounts those that may log in.
SELECT account_id, name, role, area_id FROM account
WHERE account_id = ANY(%(ids)s) AND NOT disabled;

-- name: responders
SELECT responder_id, name, area_id FROM responder WHERE responder_id = ANY(%(ids)s);

-- name: wake_courier
NOTIFY notification_due;

-- name: log_climbs
-- Entries of the audit log: in an earthquake hundreds at once, as one statement.
INSERT INTO audit_log (at, area_id, incident_id, actor_kind, actor_id, actor_name, action, reason,
    detail)
SELECT at, area_id, incident_id, actor_kind, actor_id, actor_name, action, reason, detail
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (at timestamptz, area_id text, incident_id text,
    actor_kind text, actor_id text, actor_name text, action text, reason text, detail jsonb);

-- name: ring
-- Rows of the outbox, the same way.
INSERT INTO notification (area_id, incident_id, channel, channels, recipient, kind, urgency, body,
    state, created_at, due_at, settled_at, detail, step)
SELECT area_id, incident_id, channel, channels, recipient, kind, urgency, body, state, at, at,
    settled_at, detail, step
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (area_id text, incident_id text, channel text,
    channels text[], recipient text, kind text, urgency smallint, body jsonb, state text,
    at timestamptz, settled_at timestamptz, detail text, step smallint);

-- name: own
-- The policies that may be for something in these areas.
SELECT * FROM policy WHERE area_id = ANY(%(areas)s) ORDER BY policy_id;

-- name: policies
-- Policies of areas (NULL: all), by id.
SELECT l.*, (SELECT p.name FROM person p WHERE p.person_id = l.person_id) AS person_name
FROM policy l
WHERE (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
  AND policy_id > %(after)s
ORDER BY policy_id LIMIT %(limit)s;

-- name: policy
SELECT l.*, (SELECT p.name FROM person p WHERE p.person_id = l.person_id) AS person_name
FROM policy l WHERE policy_id = %(id)s;

-- name: target_names
-- What the accounts, contacts and responders that a ladder names or means are called.
SELECT 'account:' || account_id AS who, name FROM account WHERE account_id = ANY(%(accounts)s)
UNION ALL
SELECT 'responder:' || responder_id, name FROM responder
WHERE responder_id = ANY(%(responders)s)
UNION ALL
SELECT DISTINCT 'contact:' || contact_id, name FROM person_contact
WHERE contact_id = ANY(%(contacts)s);

-- name: hold_policy
SELECT * FROM policy WHERE policy_id = %(id)s FOR UPDATE;

-- name: put_policy
INSERT INTO policy (policy_id, area_id, kind, category, priority, person_id, ladder, changed_at,
    changed_by)
VALUES (%(policy_id)s, %(area_id)s, %(kind)s, %(category)s, %(priority)s, %(person_id)s,
    %(ladder)s, %(changed_at)s, %(changed_by)s)
ON CONFLICT (policy_id) DO UPDATE SET area_id = excluded.area_id, kind = excluded.kind,
    category = excluded.category, priority = excluded.priority, person_id = excluded.person_id,
    ladder = excluded.ladder, changed_at = excluded.changed_at,
    changed_by = excluded.changed_by, revision = policy.revision + 1
RETURNING *;

-- name: twin
-- Another policy for exactly the same: which of the two holds would be chance.
SELECT policy_id FROM policy WHERE policy_id <> %(id)s AND area_id = %(area_id)s
  AND kind IS NOT DISTINCT FROM %(kind)s::text AND category IS NOT DISTINCT FROM %(category)s::text
  AND priority IS NOT DISTINCT FROM %(priority)s::text
  AND person_id IS NOT DISTINCT FROM %(person_id)s::text
LIMIT 1;

-- name: count_policies
SELECT count(*) AS policies FROM policy;

-- name: drop_policy
DELETE FROM policy WHERE policy_id = %(id)s
  AND (%(areas)s::text[] IS NULL OR area_id = ANY(%(areas)s))
RETURNING *;

-- name: incident
SELECT * FROM incident WHERE incident_id = %(id)s;

-- name: person_place
-- A person with home and area, as a preview needs them.
SELECT person_id, area_id, premises_id FROM person WHERE person_id = %(id)s;

-- name: answering
-- Whether somebody who may acknowledge, and somebody who goes there, belongs to these areas.
SELECT EXISTS (
    SELECT FROM account WHERE area_id = ANY(%(areas)s) AND NOT disabled AND role = ANY(%(roles)s)
) AS dispatchers, EXISTS (
    SELECT FROM responder WHERE area_id = ANY(%(areas)s)
) AS responders, EXISTS (
    SELECT FROM area WHERE area_id = ANY(%(areas)s)
) AS area_known;

-- name: roles
SELECT account_id, role FROM account WHERE account_id = ANY(%(ids)s);

-- name: as_responder
-- The responders these accounts are.
SELECT DISTINCT ON (account_id) account_id, responder_id, name FROM responder
WHERE account_id = ANY(%(ids)s) ORDER BY account_id, responder_id;

-- name: as_contact
-- Whose contacts these accounts are.
SELECT DISTINCT ON (account_id, person_id) account_id, person_id, contact_id, name
FROM person_contact WHERE account_id = ANY(%(ids)s) ORDER BY account_id, person_id, place;
