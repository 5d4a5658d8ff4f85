"""What the API needs from the outside; the adapters live in `hub.store` and `hub.sources`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from hub.desk import (
    AreaRow,
    Credential,
    DatabaseState,
    DeskSession,
    Entry,
    Glance,
    NewDevice,
    NewPerson,
    NewPremises,
    Span,
)
from hub.view import View


class Clock(Protocol):
    """Time as a port; tests move it by hand."""

    def now(self) -> datetime:
        """The time in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never jump."""
        ...


class DeskBus(Protocol):
    """The broker's topics between ingest, worker and API."""

    @property
    def connected(self) -> bool:
        """Whether the broker is there just now."""
        ...

    async def start(
        self, hear: Callable[[str, bytes], None], connected: Callable[[], None]
    ) -> None:
        """Subscribe to desk/announce and desk/stats and keep the line up for ever; returns at once.

        `hear` is given topic and payload on the running loop, `connected` is called on every
        (re)connect.
        """
        ...

    async def stop(self) -> None:
        """Hang up."""
        ...

    def publish_nowait(self, topic: str, payload: bytes) -> bool:
        """At most once; False if there is no broker."""
        ...

    async def publish(self, topic: str, payload: bytes, *, qos: int) -> None:
        """At QoS 1 returns once the broker has it. Raises alerts.errors.SendFailed."""
        ...


class DeskStore(Protocol):
    """Incidents, register and log. Every method raises DatabaseAway within about two seconds."""

    @property
    def state(self) -> DatabaseState: ...

    async def open_now(self) -> tuple[str, list[Glance]]: ...

    async def changed_since(self, horizon: str) -> tuple[str, list[Glance]]: ...

    async def glances(self, ids: Sequence[str]) -> dict[str, Glance]: ...

    async def views(self, ids: Sequence[str]) -> dict[str, View]: ...

    async def incidents(
        self,
        state: str,
        areas: Sequence[str] | None,
        before: tuple[datetime, str],
        limit: int,
    ) -> list[View]: ...

    async def timeline(self, incident_id: str, look: Entry) -> list[View]: ...

    async def log(self, entries: Sequence[Entry]) -> None: ...

    async def areas(self) -> list[AreaRow]: ...

    async def area_of(self, noun: str, noun_id: str) -> str | None: ...

    async def devices(
        self, areas: Sequence[str] | None, q: str, after: str, limit: int, now: datetime
    ) -> list[View]: ...

    async def observations(self, span: Span, look: Entry) -> list[View]: ...

    async def quarantine(
        self, areas: Sequence[str] | None, before: int, limit: int
    ) -> list[View]: ...

    async def add_premises(self, premises: NewPremises, entry: Entry) -> None: ...

    async def add_person(self, person: NewPerson, entry: Entry) -> None: ...

    async def add_device(self, device: NewDevice, entry: Entry) -> None: ...


class AccountStore(Protocol):
    """Who may sign in, and who has. Raises DatabaseAway like DeskStore."""

    async def credential(self, username: str) -> Credential | None: ...

    async def session(self, token_sha256: str, now: datetime) -> DeskSession | None: ...

    async def open_session(self, session: DeskSession, now: datetime) -> None: ...

    async def close_session(self, token_sha256: str) -> None: ...


@dataclass(frozen=True, slots=True)
class ApiDependencies:
    """Everything the API is given; whoever wires it also opens and closes it."""

    store: DeskStore
    accounts: AccountStore
    bus: DeskBus
    clock: Clock
    data_dir: Path
    """Where ingest's snapshot lies."""
    root_area_id: str
    children: Callable[[], Mapping[str, str]]
    """Name and state of the supervisor's children; empty where nobody supervises."""
    page: Path | None = None
    """The folder of the built page; None: the one beside this package."""
