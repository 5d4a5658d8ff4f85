-- name: window
-- The raw acceleration behind an alarm.
SELECT area_id, device_id, received_at, window_json AS window FROM signal_window
WHERE alarm_id = %(alarm_id)s;

-- name: presses
-- What a device's people pressed since a moment (as the API says moments: milliseconds), also
-- tests, oldest first.
SELECT alarm_id, kind, action, incident_id, observed_at, received_at, recorded_at FROM alarm
WHERE device_id = %(device_id)s AND received_at > %(after)s
  AND date_trunc('milliseconds', received_at) > %(after)s AND kind = 'press'
ORDER BY received_at LIMIT %(limit)s;
