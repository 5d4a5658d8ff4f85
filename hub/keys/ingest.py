"""Taking messages in."""

from pydantic import BaseModel

from hub.keys.key import setting


class IngestKeys(BaseModel):
    """Taking messages in."""

    batch_max_messages: int = setting(
        1000,
        "How many telemetry messages go into one transaction at most.",
        source="measured: larger batches gain nothing, smaller ones cost a commit each",
        unit="messages",
        ge=1,
        le=20000,
    )
    batch_linger_ms: int = setting(
        20,
        "How long a telemetry batch waits for more messages.",
        source="50 commits/s at most leave the disk to the alarm lane, whose batches never wait",
        unit="ms",
        ge=0,
        le=1000,
    )
    catch_up_messages_per_s: int = setting(
        6000,
        "How fast telemetry that waited in the broker is taken in after an outage.",
        source="measured on two cores: at full speed (12,000) the broker answers a fresh press "
        "after up to 250 ms, at this rate within about 50",
        unit="messages/s",
        ge=100,
        le=1_000_000,
    )
    ingest_areas: str = setting(
        "",
        "The areas whose messages this ingest process takes in, with all below them: "
        "`east,west`. Empty: everything. The same as `carebell ingest --areas`.",
        source="one process keeps up with a city of 100,000 people",
        pattern=r"^([a-z0-9-]{1,64}(,[a-z0-9-]{1,64})*)?$",
    )
