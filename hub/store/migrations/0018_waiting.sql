-- What waits for an operator is found without reading everything that does not: notifications that
-- reached nobody among a million that were sent, and quarantined messages by every filter.
CREATE INDEX notification_unreached ON notification (notification_id, area_id)
    WHERE state = 'nobody';
CREATE INDEX quarantine_state_lane ON quarantine (state, lane, quarantine_id);
CREATE INDEX quarantine_device ON quarantine (device_id, quarantine_id)
    WHERE device_id IS NOT NULL;
