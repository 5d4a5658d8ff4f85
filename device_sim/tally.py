"""What happened, in numbers of bounded size: counts, and latencies in buckets."""

from collections import OrderedDict
from dataclasses import dataclass, field
from math import ceil, log

from schemas.commands import ReceiptStage

_GROWTH = 1.05
"""Each bucket ends 5 % above the last: a percentile is never more than 5 % too high."""
_FIRST_MS = 0.05
_BUCKETS = 320
"""The last bucket ends at about 5 minutes."""


class Latencies:
    """Percentiles of any number of latencies in constant memory."""

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self.count = 0
        self._most_ms = 0.0

    def add(self, seconds: float) -> None:
        ms = seconds * 1000
        bucket = 0 if ms <= _FIRST_MS else ceil(log(ms / _FIRST_MS) / log(_GROWTH))
        self._counts[min(bucket, _BUCKETS - 1)] += 1
        self._most_ms = max(self._most_ms, ms)
        self.count += 1

    def percentile_ms(self, percent: float) -> float | None:
        """The latency that `percent` of all did not exceed; None: there was none."""
        wanted = ceil(self.count * percent / 100)
        seen = 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if count and seen >= wanted:
                return round(min(_FIRST_MS * _GROWTH**bucket, self._most_ms), 3)
        return None

    def summary(self) -> dict[str, float | int | None]:
        return {
            "count": self.count,
            "p50_ms": self.percentile_ms(50),
            "p99_ms": self.percentile_ms(99),
            "max_ms": round(self._most_ms, 3) if self.count else None,
        }


PRESSES_KEPT = 500
"""Listed one by one in the summary, the latest; all are counted."""


@dataclass(slots=True)
class Pressed:
    """One alarm and how long after it each receipt came."""

    device_id: str
    kind: str
    at_s: float
    after_s: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """The counts of one run."""

    telemetry_sent: int = 0
    telemetry_pubacked: int = 0
    telemetry_stored: int = 0
    """Waited for the line, because the device had none or the broker was behind."""
    telemetry_dropped: int = 0
    """Stored until there was no more room."""
    telemetry_never_sent: int = 0
    """Their numbers are the gaps of the sequence, by the will of the scenario."""
    behind: int = 0
    """With a given rate: messages that were due and not made, because this process was late."""
    alarms: int = 0
    alarm_sends: int = 0
    """With the repeats."""
    alarms_pubacked: int = 0
    """Alarms of which the broker confirmed at least one send."""
    heard: int = 0
    received: int = 0
    coming: int = 0
    over: int = 0
    connects: int = 0
    losses: int = 0
    refusals: int = 0
    deaf: int = 0
    """Subscriptions that the broker refused: such a device cannot hear a receipt."""
    malformed_commands: int = 0
    telemetry_to_puback: Latencies = field(default_factory=Latencies)
    press_to_puback: Latencies = field(default_factory=Latencies)
    press_to_heard: Latencies = field(default_factory=Latencies)
    press_to_received: Latencies = field(default_factory=Latencies)

    presses: OrderedDict[str, Pressed] = field(default_factory=OrderedDict)

    def pressed(self, device_id: str, message_id: str, kind: str, now_s: float) -> None:
        """A new alarm (a raw window is none)."""
        self.alarms += 1
        self.presses[f"{device_id}/{message_id}"] = Pressed(device_id, kind, now_s)
        if len(self.presses) > PRESSES_KEPT:
            self.presses.popitem(last=False)

    def answered(
        self, device_id: str, message_id: str, stage: ReceiptStage, after_s: float
    ) -> None:
        """A receipt of a new stage came."""
        pressed = self.presses.get(f"{device_id}/{message_id}")
        if pressed is not None:
            pressed.after_s.setdefault(stage.value, round(after_s, 3))

    def summary(self, seconds: float, began_s: float = 0.0) -> dict[str, object]:
        """The run as one JSON object; `acknowledged` counts PUBACKs, `received` receipts."""
        return {
            "event": "summary",
            "seconds": round(seconds, 3),
            "sent": self.telemetry_sent,
            "acknowledged": self.telemetry_pubacked,
            "stored": self.telemetry_stored,
            "dropped": self.telemetry_dropped,
            "never_sent": self.telemetry_never_sent,
            "behind": self.behind,
            "presses": self.alarms,
            "press_sends": self.alarm_sends,
            "acknowledged_presses": self.alarms_pubacked,
            "heard": self.heard,
            "received": self.received,
            "coming": self.coming,
            "over": self.over,
            "connects": self.connects,
            "losses": self.losses,
            "refusals": self.refusals,
            "deaf": self.deaf,
            "malformed_commands": self.malformed_commands,
            "telemetry_to_puback": self.telemetry_to_puback.summary(),
            "press_to_puback": self.press_to_puback.summary(),
            "press_to_heard": self.press_to_heard.summary(),
            "press_to_received": self.press_to_received.summary(),
            "last_presses": [
                {
                    "device_id": pressed.device_id,
                    "kind": pressed.kind,
                    "t_s": round(pressed.at_s - began_s, 3),
                    **{f"{stage}_after_s": after_s for stage, after_s in pressed.after_s.items()},
                }
                for pressed in self.presses.values()
            ],
        }
