"""Homes for hostile messages to come from: every kind of device, every state of a person."""

from datetime import UTC, datetime, timedelta

from hub.clock import SystemClock
from hub.register import Register
from schemas.ids import AreaId
from schemas.vocabulary import DeviceKind

ROOT = AreaId("city")
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
STATES = ("home", "away", "hospital", "service_ended", "home", None)
"""One home each; in the last one lives nobody the register knows."""
NOBODYS = frozenset({DeviceKind.MOTION_SENSOR, DeviceKind.DOOR_SENSOR})

_FENCE = {
    "id": "fence",
    "label": "round the house",
    "shapes": [{"type": "circle", "latitude": 31.2, "longitude": 121.4, "radius_m": 300.0}],
}
_LIMIT = {"measure": "heart_rate_per_min", "low": 45.0, "high": 130.0, "author": "Dr. Wu",
          "set_on": "2026-01-01"}  # fmt: skip


class MovedClock(SystemClock):
    """Moves when it is told to, so that deadlines of hours pass within a minute."""

    def __init__(self) -> None:
        self._now = START

    def now(self) -> datetime:
        """Where it was moved to."""
        return self._now

    def monotonic_s(self) -> float:
        """The same in seconds."""
        return self._now.timestamp()

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self._now += timedelta(seconds=seconds)


def register() -> Register:
    """Every kind of device in every home; what can be worn is its person's."""
    known = Register()
    known.put("area", {"area_id": ROOT, "parent_id": None, "name": "City", "level": "city"})
    for number, state in enumerate(STATES):
        home, person = f"home-{number}", f"person-{number}"
        place = {"latitude": 31.2, "longitude": 121.4, "time_zone": "Asia/Shanghai"}
        unset = {"access_notes": None, "phone": None}
        row = {"premises_id": home, "area_id": ROOT, "address": f"{number} Old Street"}
        known.put("premises", row | place | unset)
        if state is not None:
            who = {"person_id": person, "area_id": ROOT, "name": person, "birth_year": 1940}
            rest = {"language": "en", "phone": None, "medical_notes": None, "state": state}
            known.put("person", who | rest)
            care = {"person_id": person, "limits": [_LIMIT], "fences": [_FENCE]}
            settings = {"oxygen_scale_2": number % 2, "on_oxygen": 0}
            known.put("person_care", care | settings | {"inactivity_limit_percent": 100})
            known.put("inactivity_line", {"premises_id": home, "minutes": [180] * 98})
        for kind in DeviceKind:
            own = state is not None and kind not in (
                DeviceKind.MOTION_SENSOR,
                DeviceKind.DOOR_SENSOR,
            )
            device = {"device_id": f"{kind.value.replace('_', '-')}-{number}", "area_id": ROOT}
            owner = {"premises_id": home, "person_id": person if own else None}
            kept = {"kind": kind.value, "label": "", "secret_sha256": "00" * 32, "revoked": False}
            known.put("device", device | owner | kept)
    return known
