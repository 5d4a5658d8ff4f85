-- Operation: planned maintenance, what it muted, and what became of quarantined messages.

ALTER TABLE quarantine
    ADD COLUMN state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'retried', 'discarded')),
    ADD COLUMN retries integer NOT NULL DEFAULT 0,
    ADD COLUMN settled_at timestamptz;
CREATE INDEX quarantine_state ON quarantine (state, quarantine_id);

CREATE INDEX notification_failed ON notification (notification_id) WHERE state = 'failed';

-- A window in which technical alarms of an area and everything below it do not ring. `kinds` empty:
-- every technical kind. Ended early: `ended_at` counts instead of `until_at`.
CREATE TABLE maintenance (
    maintenance_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    area_id text NOT NULL REFERENCES area,
    kinds text[] NOT NULL,
    why text NOT NULL,
    by_kind text NOT NULL,
    by_id text NOT NULL,
    by_name text,
    from_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT maintenance_has_an_end CHECK (until_at > from_at)
);
CREATE INDEX maintenance_until ON maintenance (until_at);

-- What is true and was not told because of maintenance; the row goes when the condition ends, or
-- when the window ends and the condition raises.
CREATE TABLE muted_condition (
    subject_kind text NOT NULL,
    subject_id text NOT NULL,
    kind text NOT NULL,
    area_id text NOT NULL,
    maintenance_id bigint NOT NULL REFERENCES maintenance,
    muted_at timestamptz NOT NULL,
    alarm jsonb NOT NULL,
    PRIMARY KEY (subject_kind, subject_id, kind)
);
