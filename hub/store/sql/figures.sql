-- name: operation
-- What the database itself can tell, in one look; each part has an index or is small.
SELECT
    (SELECT count(*) FROM incident WHERE state <> 'resolved' AND next_deadline_at < %(overdue)s)
        AS incidents_overdue,
    (SELECT count(*) FROM notification WHERE state = 'pending' AND due_at <= %(now)s)
        AS notifications_pending,
    (SELECT extract(epoch FROM %(now)s - min(due_at)) FROM notification
        WHERE state = 'pending' AND due_at <= %(now)s) AS notifications_oldest_due_seconds,
    (SELECT count(*) FROM notification WHERE state IN ('failed', 'poisoned')) AS dead_letters,
    (SELECT count(*) FROM quarantine WHERE state = 'waiting' AND lane = 'alarm')
        AS quarantine_alarm,
    (SELECT count(*) FROM quarantine WHERE state = 'waiting' AND lane = 'telemetry')
        AS quarantine_telemetry,
    (SELECT count(*) FROM maintenance WHERE from_at <= %(now)s
        AND coalesce(ended_at, until_at) > %(now)s) AS maintenance_open,
    (SELECT count(*) FROM muted_condition) AS muted_conditions,
    (SELECT coalesce(max(number), 0) FROM audit_block) AS audit_blocks,
    (SELECT count(*) FROM (SELECT FROM audit_log WHERE entry_id >
        (SELECT coalesce(max(upto_entry_id), 0) FROM audit_block) LIMIT 100000) AS waits)
        AS audit_unsealed_entries,
    (SELECT coalesce(greatest(extract(epoch FROM %(now)s - min(at)), 0), 0) FROM (
        SELECT at FROM audit_log WHERE entry_id >
            (SELECT coalesce(max(upto_entry_id), 0) FROM audit_block) LIMIT 100000) AS waits)
        AS audit_unsealed_seconds,
    pg_database_size(current_database()) AS database_bytes,
    (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())
        AS database_connections,
    (SELECT coalesce(extract(epoch FROM max(now() - xact_start)), 0) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid())
        AS database_oldest_transaction_seconds,
    (SELECT extract(epoch FROM %(now)s - aggregated_at) FROM history_state)
        AS retention_aggregates_age_seconds;

-- name: oldest_observation
-- The oldest row of the oldest day that has any; days are partitions or chunks.
SELECT extract(epoch FROM %(now)s - min(observed_at)) AS seconds FROM observation
WHERE observed_at >= '1970-01-02T00:00:00Z';
