-- What detectors said, whether or not it woke anybody; and the memory of the alarm lane's own.

-- One row a phase and priority of an episode. `key` is the same for the same episode, for ever;
-- `incident_id` is the incident it opened, joined or was noted on; `reason` says why it woke
-- somebody or nobody.
CREATE TABLE finding (
    finding_id text PRIMARY KEY,
    area_id text NOT NULL,
    detector text NOT NULL,
    kind text NOT NULL,
    phase text NOT NULL,
    category text NOT NULL,
    priority text NOT NULL,
    subject_kind text NOT NULL,
    subject_id text NOT NULL,
    key text NOT NULL,
    device_id text NOT NULL,
    person_id text,
    premises_id text,
    at timestamptz NOT NULL,
    ask_s integer NOT NULL,
    evidence jsonb NOT NULL,
    text text NOT NULL,
    incident_id text REFERENCES incident,
    reason text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX finding_episode ON finding (detector, subject_id, key);
CREATE INDEX finding_incident ON finding (incident_id) WHERE incident_id IS NOT NULL;
CREATE INDEX finding_newest ON finding (at DESC, finding_id);
CREATE INDEX finding_person ON finding (person_id, at DESC);

-- What stands behind an alarm, as the detector measured it.
ALTER TABLE alarm ADD COLUMN evidence jsonb NOT NULL DEFAULT '{}';

-- State of the detectors that judge single alarm messages (falls, hazards); saved in the
-- transaction of what they found, so that a restart neither forgets a fall nor tells it twice.
CREATE TABLE alarm_state (
    detector text NOT NULL,
    scope_id text NOT NULL,
    area_id text NOT NULL,
    device_id text NOT NULL,
    state jsonb NOT NULL,
    saved_at timestamptz NOT NULL,
    PRIMARY KEY (detector, scope_id)
);
