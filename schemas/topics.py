"""The topic grammar; the only module that knows a `/`.

A topic reads `care/v1/{area_id}/{premises_id}/{device_id}/{lane}/{kind}`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from schemas.ids import ID_PATTERN, AreaId, DeviceId, PremisesId, is_id

PREFIX = "care/v1"
_LEVELS = 7


class Lane(StrEnum):
    """Which way and how urgent: alarms and telemetry go up, commands come down."""

    ALARM = "alarm"
    TELEMETRY = "telemetry"
    COMMAND = "command"


ALARM_KINDS = ("press", "fall", "motion", "hazard")
TELEMETRY_KINDS = ("vitals", "bed", "activity", "location", "status")
COMMAND_KINDS = ("receipt", "check_in", "locate", "configure")

ALARM_FILTER = f"{PREFIX}/+/+/+/{Lane.ALARM}/+"
TELEMETRY_FILTER = f"{PREFIX}/+/+/+/{Lane.TELEMETRY}/+"

DESK_ANNOUNCE = "desk/announce"
"""Ingest and worker to every API process: what the desk must show now (QoS 0)."""
DESK_ACTION = "desk/action"
"""API to ingest: what a dispatcher did (QoS 1, PUBACK after commit)."""
DESK_SYNC = "desk/sync"
"""API to ingest: announce all that is open again (an API process has just started)."""
DESK_RETRY_ALARM = "desk/retry/alarm"
"""API or command line to the alarm lane: a message out of quarantine (QoS 1)."""
DESK_RETRY_TELEMETRY = "desk/retry/telemetry"
"""The same for the telemetry lane."""
DESK_STATS = "desk/stats"
"""Ingest to every API process, once a second: rates and health (QoS 0)."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A parsed topic of the contract; `kind` may be one this hub does not know."""

    area_id: AreaId
    premises_id: PremisesId
    device_id: DeviceId
    lane: Lane
    kind: str


def parse(topic: str) -> Topic | None:
    """Read a topic; None if it is not one of the contract's (six slashes, ids, a known lane).

    >>> parse("care/v1/city/home-1/button-1/alarm/press").kind
    'press'
    >>> parse("care/v1/city/home-1/alarm/press") is None
    True
    """
    levels = topic.split("/")
    if len(levels) != _LEVELS or levels[0] != "care" or levels[1] != "v1":
        return None
    _, _, area, premises, device, lane, kind = levels
    if not (is_id(area) and is_id(premises) and is_id(device)) or lane not in _LANES:
        return None
    return Topic(AreaId(area), PremisesId(premises), DeviceId(device), _LANES[lane], kind)


_TELEMETRY = re.compile(
    rf"{PREFIX}/{ID_PATTERN}/{ID_PATTERN}/({ID_PATTERN})/{Lane.TELEMETRY}/([^/]*)"
).fullmatch


def telemetry_levels(topic: str) -> tuple[str, str] | None:
    """Device id and kind of a telemetry topic, all that ingest needs of it; None for any other.

    >>> telemetry_levels("care/v1/city/home-1/bed-1/telemetry/vitals")
    ('bed-1', 'vitals')
    """
    match = _TELEMETRY(topic)
    return None if match is None else (match[1], match[2])


_LANES: dict[str, Lane] = {lane.value: lane for lane in Lane}


def device_prefix(area_id: str, premises_id: str, device_id: str) -> str:
    """The prefix a device learns when it is provisioned, without a trailing slash."""
    return f"{PREFIX}/{area_id}/{premises_id}/{device_id}"


def up(prefix: str, lane: Lane, kind: str) -> str:
    """The topic on which the device with this prefix publishes `kind`."""
    return f"{prefix}/{lane}/{kind}"


def command(area_id: str, premises_id: str, device_id: str, kind: str) -> str:
    """The topic on which the hub tells a device something."""
    return f"{device_prefix(area_id, premises_id, device_id)}/{Lane.COMMAND}/{kind}"


def receipt_topic(prefix: str) -> str:
    """Where the device with this prefix hears the hub's answer to its press."""
    return f"{prefix}/{Lane.COMMAND}/receipt"


def command_filter(prefix: str) -> str:
    """What a device subscribes to: its own commands and nothing else."""
    return f"{prefix}/{Lane.COMMAND}/#"
