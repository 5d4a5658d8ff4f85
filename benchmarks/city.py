"""A city on paper: people with their devices straight into the register, and what these send.

One person a home, each with a wristband; every third has a care bed, every second a motion sensor
(which is nobody's in particular), every fourth a door sensor. What a device sends is the usual mix
of its kind: mostly activity, then vital signs of one or two samples, bed, status, location.
"""

from collections.abc import Iterator
from typing import Any

import psycopg

from schemas import topics
from schemas.vocabulary import DeviceKind

AREA = "city"

_SENDS: dict[DeviceKind, tuple[str, ...]] = {
    DeviceKind.WRISTBAND: (
        "activity", "pulse", "activity", "pulse", "location", "activity", "pulse", "activity",
        "status", "activity",
    ),
    DeviceKind.CARE_BED: ("vitals", "bed"),
    DeviceKind.MOTION_SENSOR: ("motion",) * 9 + ("status",),
    DeviceKind.DOOR_SENSOR: ("door",) * 8 + ("status",),
}  # fmt: skip
ROWS = {
    "activity": 1, "pulse": 1, "location": 1, "status": 3, "vitals": 2, "bed": 2, "motion": 1,
    "door": 1,
}  # fmt: skip
"""Observations in one message, by what is said."""
_KINDS = {"pulse": "vitals", "motion": "activity", "door": "activity"}


def devices_of(number: int) -> Iterator[tuple[str, DeviceKind, bool]]:
    """The devices of one home: id, kind, whether it is its person's."""
    yield f"band-{number}", DeviceKind.WRISTBAND, True
    if number % 3 == 0:
        yield f"bed-{number}", DeviceKind.CARE_BED, True
    if number % 2 == 0:
        yield f"motion-{number}", DeviceKind.MOTION_SENSOR, False
    if number % 4 == 0:
        yield f"door-{number}", DeviceKind.DOOR_SENSOR, False


def register_city(database: psycopg.Connection[Any], people: int) -> int:
    """Put everybody into the register, past its triggers: a hub must be started to know them.
    Returns the number of devices."""
    devices = 0
    with database.transaction(), database.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        with cursor.copy(
            "COPY premises (premises_id, area_id, address, latitude, longitude, time_zone)"
            " FROM STDIN"
        ) as copy:
            for number in range(people):
                address = f"{number} Old Street"
                copy.write_row((f"home-{number}", AREA, address, 24.9, 118.6, "Asia/Shanghai"))
        with cursor.copy(
            "COPY person (person_id, area_id, premises_id, name, birth_year, language) FROM STDIN"
        ) as copy:
            for number in range(people):
                name = f"Person {number}"
                copy.write_row((f"person-{number}", AREA, f"home-{number}", name, 1940, "zh-CN"))
        with cursor.copy(
            "COPY device (device_id, area_id, premises_id, person_id, kind, secret_sha256)"
            " FROM STDIN"
        ) as copy:
            for number in range(people):
                for device_id, kind, own in devices_of(number):
                    devices += 1
                    person = f"person-{number}" if own else None
                    copy.write_row(
                        (device_id, AREA, f"home-{number}", person, kind.value, "00" * 32)
                    )
    database.execute("ANALYZE")
    return devices


class Speech:
    """What the city's devices say, one after the other in a fixed shuffled order, for ever."""

    def __init__(self, people: int, prefix: str = topics.PREFIX) -> None:
        """`prefix` stands where the contract's does, for readers that are not the hub."""
        self._speakers: list[tuple[bytes, tuple[tuple[str, bytes], ...]]] = []
        for number in range(people):
            for device_id, kind, _ in devices_of(number):
                stem = f"{prefix}/{AREA}/home-{number}/{device_id}/telemetry/"
                said = tuple((what, _KINDS.get(what, what).encode()) for what in _SENDS[kind])
                self._speakers.append((stem.encode(), said))
        self._stride = _coprime(len(self._speakers))
        self._turns = 0
        self.rows = 0

    def next(self, now_ms: int) -> tuple[bytes, bytes]:
        """Topic and payload of the next message."""
        turn = self._turns
        self._turns += 1
        count = len(self._speakers)
        index = turn * self._stride % count
        stem, said = self._speakers[index]
        what, kind = said[(turn // count + index) % len(said)]
        self.rows += ROWS[what]
        return stem + kind, _payload(what, turn, now_ms)


def _payload(what: str, turn: int, now_ms: int) -> bytes:
    """Healthy people: nothing that a detector would report."""
    tail = b'"message_id":"%d","observed_at":%d}' % (turn, now_ms)
    noise = turn * 2_654_435_761 >> 7
    match what:
        case "activity":
            return b'{"steps":%d,' % (noise % 20) + tail
        case "pulse":
            return (
                b'{"samples":[{"measure":"heart_rate_per_min","value":%d}],' % (60 + noise % 25)
                + tail
            )
        case "vitals":
            return (
                b'{"samples":[{"measure":"heart_rate_per_min","value":%d},'
                b'{"measure":"respiratory_rate_per_min","value":%d}],'
                % (60 + noise % 25, 13 + noise % 6)
            ) + tail
        case "bed":
            return b'{"state":"occupied","movement_percent":%d,' % (noise % 8) + tail
        case "status":
            return b'{"battery_percent":%d,"signal_dbm":-70,' % (60 + noise % 30) + tail
        case "motion":
            return b'{"motion":true,' + tail
        case "door":
            return b'{"door":"opened",' + tail
        case _:
            place = b'{"latitude":24.9%03d,"longitude":118.6,"accuracy_m":12,"fixed_at":%d,'
            return place % (noise % 1000, now_ms) + tail


def _coprime(count: int) -> int:
    """A stride that visits all of them, far apart."""
    stride = 7_919
    while count % stride == 0:
        stride += 2
    return stride
