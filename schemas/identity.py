"""When are two messages the same message? The identity rules of the contract.

- `message_id` is unique per device. The same id with other content or another `observed_at` is a
  new press: the counter of the device restarted after a battery change.
- A missing id is derived from topic and payload. The same derived id again after
  `DERIVED_REPEAT_S`, not marked as a duplicate by the broker, is a new press.
- An alarm's id is derived from device, kind, id and content, so a repeat has the same id wherever
  and whenever it is computed: before a crash, after it, on another process.
"""

from hashlib import blake2b

import msgspec

from schemas.alarms import AlarmMessage
from schemas.ids import AlarmId
from schemas.topics import Topic

DERIVED_REPEAT_S = 60
"""A device without message ids that still repeats after this has been pressed again."""

_ALARM_ID_BYTES = 15
"""120 bits: 10^9 alarms collide with a chance below 10^-18."""


def alarm_id(topic: Topic, message: AlarmMessage) -> AlarmId:
    """The id of the alarm that this message raises.

    Unknown fields do not take part: a retry counter is not content. For a message without an id
    this is its derived id; `occurrence_id` tells its presses apart.
    """
    parts = (
        topic.device_id.encode(),
        topic.kind.encode(),
        msgspec.json.encode(message, order="deterministic"),
    )
    return AlarmId(_digest(parts))


def unreadable_alarm_id(topic: str, payload: bytes) -> AlarmId:
    """The derived id of an unreadable payload: topic and bytes are all there is."""
    return AlarmId(_digest((topic.encode(), payload)))


def occurrence_id(derived_id: AlarmId, occurrence: int) -> AlarmId:
    """The id of the n-th press (from 1) that cannot be told apart by content."""
    if occurrence == 1:
        return derived_id
    return AlarmId(_digest((derived_id.encode(), str(occurrence).encode())))


def derived(message: AlarmMessage) -> bool:
    """Whether two presses of this device may look the same: it sends no id."""
    return message.message_id is None


def occurrence(
    last_occurrence: int, seconds_since_last: float | None, *, marked_duplicate: bool
) -> int:
    """Which press this is, for a message without an id.

    `seconds_since_last` is since the last occurrence of the same derived id (None: never seen). A
    delivery marked as a duplicate repeats the last press; an unmarked one within
    `DERIVED_REPEAT_S` does too, a later one is a new press. So is one that seems to be earlier
    than that: the hub's clock was set back, and whoever presses must not wait until it has caught
    up. A press counted twice joins the same incident; one taken for a repeat is silent.

    >>> occurrence(0, None, marked_duplicate=False)
    1
    >>> occurrence(1, 61.0, marked_duplicate=False)
    2
    >>> occurrence(1, 61.0, marked_duplicate=True)
    1
    >>> occurrence(1, -3600.0, marked_duplicate=False)
    2
    """
    if seconds_since_last is None:
        return 1
    if marked_duplicate or abs(seconds_since_last) <= DERIVED_REPEAT_S:
        return last_occurrence
    return last_occurrence + 1


def message_key(topic: str, payload: bytes) -> int:
    """A 63-bit key of a telemetry message; the same bytes on the same topic have the same key."""
    digest = blake2b(topic.encode() + b"\0" + payload, digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def _digest(parts: tuple[bytes, ...]) -> str:
    state = blake2b(digest_size=_ALARM_ID_BYTES)
    for part in parts:
        state.update(len(part).to_bytes(4, "big"))
        state.update(part)
    return state.hexdigest()
