"""Responders, hand-offs and the ladder of an incident, between JSON columns and values."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
import structlog

from alerts.errors import PolicyError
from alerts.handoff import HandOff
from alerts.policy import Policy, from_data, to_data
from alerts.responders import Responding

T = TypeVar("T")

_log = structlog.get_logger(__name__)


def responders_of(value: Any) -> tuple[Responding, ...]:
    """From the column `responders`; nothing where an earlier release wrote the row."""
    return _each(value, Responding)


def hand_offs_of(value: Any) -> tuple[HandOff, ...]:
    """From the column `hand_offs`."""
    return _each(value, HandOff)


def ladder_from(value: Any, incident_id: str) -> Policy | None:
    """From the column `ladder`. A snapshot that this release cannot read gives way to the shipped
    ladder: whatever it holds, the incident must not fall silent."""
    if value is None:
        return None
    try:
        return from_data(value)
    except PolicyError as error:
        _log.error("ladder_unreadable", incident_id=incident_id, reason=str(error))
        return None


def ladder_json(policy: Policy | None) -> str | None:
    """For the column `ladder`."""
    return None if policy is None else msgspec.json.encode(to_data(policy)).decode()


def json_of(values: Sequence[Responding] | Sequence[HandOff]) -> str:
    """For the columns `responders` and `hand_offs`."""
    return msgspec.json.encode(values).decode()


def _each(value: Any, kind: type[T]) -> tuple[T, ...]:
    return tuple(msgspec.convert(value or [], list[kind]))  # type: ignore[valid-type]
