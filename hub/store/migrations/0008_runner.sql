-- Detector states that stored observations alone would not bring back: written with the batch that
-- changed them, gone with the next checkpoint of their shard.
CREATE TABLE detector_state (
    owner text NOT NULL,
    detector text NOT NULL,
    key text NOT NULL,
    shard smallint NOT NULL,
    batch_id bigint NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (owner, detector, key)
);
CREATE INDEX detector_state_shard ON detector_state (owner, shard);
