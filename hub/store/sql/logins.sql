-- name: logins
-- What a password file of Mosquitto is made of.
SELECT device_id, mosquitto_hash FROM device WHERE NOT revoked ORDER BY device_id;

-- name: logins_mark
-- Where the next look starts (the oldest transaction still running), how many changes of devices there
-- are from the last look's start and from this one's, and whether ingest has made its sessions.
SELECT horizon::text AS horizon,
    (SELECT count(*) FROM context_change WHERE noun = 'device' AND txid >= %(since)s::xid8) AS since_then,
    (SELECT count(*) FROM context_change WHERE noun = 'device' AND txid >= horizon) AS from_now,
    EXISTS (SELECT FROM ingest_owner WHERE has_sessions) AS made
FROM pg_snapshot_xmin(pg_current_snapshot()) AS horizon;
