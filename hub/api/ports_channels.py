"""What consent, web push and calls to homes need from outside; adapters in `hub.store`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from alerts.browser import Browser
from alerts.consent import Audience, DataType
from alerts.home_call import CallKind
from hub.desk import Entry


class ConsentStore(Protocol):
    """Raises DatabaseAway; a change raises NotThere."""

    async def decided(self, person_id: str, look: Entry | None) -> list[dict[str, Any]] | None: ...

    async def decide(
        self, person_id: str, changes: Sequence[tuple[Audience, DataType, bool | None]],
        ground: str, entry: Entry,
    ) -> None: ...  # fmt: skip


class PushStore(Protocol):
    """Raises DatabaseAway."""

    async def subscribe(self, browser: Browser, agent: str, entry: Entry) -> None: ...

    async def unsubscribe(self, endpoint: str, entry: Entry) -> bool: ...

    async def subscribed(self, account_id: str) -> list[dict[str, Any]]: ...

    async def show_test(self, entry: Entry) -> None: ...


class Calls(Protocol):
    """Calls to homes. Raises DatabaseAway, NotCallable, StillHolds (too many under way)."""

    async def place(self, kind: CallKind, incident_id: str, call_id: str, entry: Entry) -> None: ...

    async def number_of(self, incident_id: str) -> str | None: ...

    async def set_voice_number(self, device_id: str, number: str | None, entry: Entry) -> None: ...

    async def of_incident(self, incident_id: str) -> list[dict[str, object]]: ...


@dataclass(frozen=True, slots=True)
class ChannelPorts:
    """The three together."""

    consent: ConsentStore
    push: PushStore
    calls: Calls
    push_public_key: str = ""
    """What browsers subscribe with; empty: there is no web push."""
