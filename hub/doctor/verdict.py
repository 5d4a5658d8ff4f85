"""What a check says, and what it may look at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import psycopg

from alerts.ports import Clock
from hub.embedded.folder import HubFolder
from hub.embedded.status import SupervisorStatus
from hub.settings import Settings


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"
    """Nothing is wrong; worth knowing."""
    WARNING = "warning"
    """It will go wrong, or something is weaker than it should be."""
    FAILURE = "failure"
    """A press may not reach a human, or what the hub knows may be lost."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing a check found; `key` leads to its words in `hub.doctor.words`."""

    level: Level
    key: str
    values: dict[str, Any]


def ok(key: str, **values: Any) -> Verdict:
    """All is well."""
    return Verdict(Level.OK, key, values)


def note(key: str, **values: Any) -> Verdict:
    """Worth knowing."""
    return Verdict(Level.NOTE, key, values)


def warning(key: str, **values: Any) -> Verdict:
    """It should be looked after."""
    return Verdict(Level.WARNING, key, values)


def failure(key: str, **values: Any) -> Verdict:
    """It must be looked after."""
    return Verdict(Level.FAILURE, key, values)


@dataclass(frozen=True, slots=True)
class Patient:
    """The hub as it is examined: what every check is given."""

    settings: Settings
    folder: HubFolder
    now: datetime
    """When the examination began."""
    clock: Clock
    running: bool
    """Whether `carebell up` holds the folder."""
    status: SupervisorStatus | None
    database: psycopg.Connection[Any] | None
    """None: it does not answer."""
    database_error: str | None


Check = Callable[[Patient], Iterator[Verdict]]
