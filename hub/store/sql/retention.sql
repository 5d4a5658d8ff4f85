-- name: day_partitions
-- Native daily partitions of observations.
SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = to_regclass(%(table)s) AND c.relname ~ %(pattern)s ORDER BY 1;

-- name: drop_chunks
-- TimescaleDB's own retention policy would also take the chunk of 1970, in which devices without a
-- clock write today.
SELECT count(*) FROM drop_chunks('observation', older_than => %(before)s::timestamptz,
    newer_than => '2000-01-01 00:00:00+00'::timestamptz);

-- name: undated_observations
-- Without a device time: by their arrival.
DELETE FROM observation WHERE observed_at = %(unknown)s AND received_at < %(before)s;

-- name: undated_positions
DELETE FROM observation
WHERE observed_at = %(unknown)s AND measure = %(position)s AND received_at < %(before)s;

-- name: misdated_observations
-- From clocks that were years off: what lies outside the daily partitions, or before the chunks
-- that are dropped whole.
DELETE FROM observation
WHERE (observed_at >= '1970-01-02 00:00:00+00' AND observed_at < %(misdated_until)s)
   OR (observed_at > %(now)s::timestamptz + interval '7 days' AND received_at < %(before)s);

-- name: late_positions
-- Positions that came in for a day whose positions are gone. Younger ones go with their day.
DELETE FROM observation WHERE measure = %(position)s AND observed_at < %(before)s
  AND observed_at <> %(unknown)s AND batch_id > %(after)s AND batch_id <= %(until)s;

-- name: let_decompress
-- For this transaction. TimescaleDB refuses to change more than 100,000 compressed rows at once
-- unless told so, and a day of positions is more. No row: a server that knows no such limit.
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name = 'timescaledb.max_tuples_decompressed_per_dml_transaction';

-- name: any_position
SELECT EXISTS (SELECT FROM observation WHERE measure = %(position)s
    AND observed_at >= %(since)s AND observed_at < %(until)s) AS found;

-- name: positions_of_chunks
DELETE FROM observation WHERE measure = %(position)s
  AND observed_at >= %(since)s AND observed_at < %(until)s;

-- name: positions_of_blocks
DELETE FROM ONLY {table} WHERE ctid >= %(first)s::tid AND ctid < %(after)s::tid
  AND measure = %(position)s;

-- name: blocks
SELECT pg_relation_size(to_regclass(%(table)s)) / current_setting('block_size')::bigint AS blocks;

-- name: positions_gone
UPDATE history_state SET positions_gone_until = %(until)s;

-- name: wearers
DELETE FROM device_wearer WHERE (person_id, device_id) IN (
    SELECT person_id, device_id FROM device_wearer WHERE last_at < %(before)s LIMIT %(limit)s);

-- name: signal_windows
DELETE FROM signal_window WHERE alarm_id IN (
    SELECT alarm_id FROM signal_window WHERE received_at < %(before)s LIMIT %(limit)s);

-- name: quarantine
DELETE FROM quarantine WHERE quarantine_id IN (
    SELECT quarantine_id FROM quarantine WHERE received_at < %(before)s LIMIT %(limit)s);

-- name: notifications
DELETE FROM notification WHERE notification_id IN (
    SELECT notification_id FROM notification
    WHERE state <> 'pending' AND settled_at < %(before)s LIMIT %(limit)s);

-- name: replies
-- Those that belong to no incident; the others go with theirs.
DELETE FROM reply WHERE reply_id IN (
    SELECT reply_id FROM reply WHERE received_at < %(before)s AND incident_id IS NULL
    ORDER BY received_at LIMIT %(limit)s);

-- name: links
DELETE FROM incident_link WHERE token_sha256 IN (
    SELECT token_sha256 FROM incident_link WHERE expires_at < %(before)s
    ORDER BY expires_at LIMIT %(limit)s);

-- name: desk_actions
DELETE FROM desk_action WHERE action_id IN (
    SELECT action_id FROM desk_action WHERE recorded_at < %(before)s LIMIT %(limit)s);

-- name: register_changes
DELETE FROM context_change WHERE seq IN (
    SELECT seq FROM context_change WHERE at < %(before)s ORDER BY seq LIMIT %(limit)s);

-- name: sessions
DELETE FROM desk_session WHERE token_sha256 IN (
    SELECT token_sha256 FROM desk_session WHERE expires_at < %(before)s LIMIT %(limit)s);

-- name: findings
-- What no incident came of.
DELETE FROM finding WHERE finding_id IN (
    SELECT finding_id FROM finding WHERE incident_id IS NULL AND at < %(before)s LIMIT %(limit)s);

-- name: incidents
-- Whole cases: an incident with its alarms, findings and notifications. Never an open one.
WITH old AS (
    SELECT incident_id FROM incident WHERE state = 'resolved' AND resolved_at < %(before)s
    ORDER BY resolved_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
),
told AS (DELETE FROM notification n USING old o WHERE n.incident_id = o.incident_id),
found AS (DELETE FROM finding f USING old o WHERE f.incident_id = o.incident_id),
rung AS (DELETE FROM alarm a USING old o WHERE a.incident_id = o.incident_id)
DELETE FROM incident i USING old o WHERE i.incident_id = o.incident_id;

-- name: lone_alarms
-- Alarms that belong to no incident, such as tests.
DELETE FROM alarm WHERE alarm_id IN (
    SELECT alarm_id FROM alarm WHERE incident_id IS NULL AND received_at < %(before)s
    LIMIT %(limit)s);

-- name: occurrences
-- Which occurrence of the same bytes the last press was; only the newest matter.
DELETE FROM alarm_occurrence WHERE derived_id IN (
    SELECT derived_id FROM alarm_occurrence WHERE began_at < %(before)s LIMIT %(limit)s);

-- name: handovers
-- Settled ones, with what was handed over. One that still waits for its answer stays.
DELETE FROM handover WHERE handover_id IN (
    SELECT handover_id FROM handover WHERE state <> 'offered' AND settled_at < %(before)s
    ORDER BY settled_at LIMIT %(limit)s);

-- name: rota_changes
-- Single shifts that are over.
DELETE FROM rota_change WHERE change_id IN (
    SELECT change_id FROM rota_change WHERE until_at < %(before)s LIMIT %(limit)s);

-- name: rota_weeks
-- Weekly shifts that ended. The last night's shift ends on the next day, in any time zone.
DELETE FROM rota_weekly WHERE weekly_id IN (
    SELECT weekly_id FROM rota_weekly
    WHERE valid_until < (%(before)s::timestamptz - interval '2 days')::date LIMIT %(limit)s);

-- name: visits
DELETE FROM visit WHERE visit_id IN (
    SELECT visit_id FROM visit WHERE at < %(before)s LIMIT %(limit)s);

-- name: let_retention
-- For this transaction the append-only log lets go of what is past its time.
SET LOCAL carebell.retention = 'on';
