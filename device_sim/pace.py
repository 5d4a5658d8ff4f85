"""Load at an exact rate: messages are encoded once, and differ every time."""

from dataclasses import dataclass

from schemas.codec import encode
from schemas.telemetry import Sample, Status, TelemetryMessage, Vitals
from schemas.vocabulary import DeviceKind

MAX_BEHIND_S = 0.2
"""After a stall of this process at most this much is made up for: a burst is no steady rate."""

_VITALS = Vitals(
    [
        Sample("heart_rate_per_min", 71),
        Sample("oxygen_saturation_percent", 97),
        Sample("body_temperature_c", 36.6),
    ]
)
_MESSAGES: dict[DeviceKind, TelemetryMessage] = {
    DeviceKind.WRISTBAND: _VITALS,
    DeviceKind.CARE_BED: _VITALS,
}
_STATUS = Status(battery_percent=88.0, signal_dbm=-71.0)


@dataclass(frozen=True, slots=True)
class Template:
    """A message that is encoded except for its id and its time."""

    head: bytes
    boot: str

    def fill(self, number: int, observed_ms: int) -> bytes:
        """The message; the same number never comes twice, so none is taken for a duplicate."""
        tail = f'"message_id":"{self.boot}-t{number}","observed_at":{observed_ms}}}'
        return self.head + tail.encode()


def message_for(kind: DeviceKind) -> TelemetryMessage:
    """What a device of this kind sends under load: vitals, or else its status."""
    return _MESSAGES.get(kind, _STATUS)


def template_for(kind: DeviceKind, boot: str) -> Template:
    """The pre-encoded form of `message_for`."""
    return Template(encode(message_for(kind))[:-1] + b",", boot)


class Pace:
    """How many messages are owed now, at `per_s` messages a second."""

    def __init__(self, per_s: float, now_s: float) -> None:
        self._per_s = per_s
        self._paid_until_s = now_s

    def owed(self, now_s: float) -> int:
        """Whole messages to send now; what a stall longer than `MAX_BEHIND_S` missed is dropped."""
        self._paid_until_s = max(self._paid_until_s, now_s - MAX_BEHIND_S)
        count = int((now_s - self._paid_until_s) * self._per_s)
        self._paid_until_s += count / self._per_s
        return count
