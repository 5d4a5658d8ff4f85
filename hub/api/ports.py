"""What the API needs from the outside; the adapters live in `hub.store` and `hub.sources`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Protocol

from alerts.people import Account, PersonState
from hub.api.page_settings import USUAL_PAGE, PageSettings
from hub.api.ports_answers import AnswerParts
from hub.api.ports_assurance import AssurancePorts
from hub.api.ports_care import CareStore, LearnedStore, OutageStore
from hub.api.ports_channels import ChannelPorts
from hub.api.ports_findings import FindingStore
from hub.api.ports_ladder import PolicyStore
from hub.api.ports_operation import FigureStore, MaintenanceStore, QuarantineStore
from hub.api.ports_phone import PhoneDoor
from hub.api.ports_reach import ReachStore, Routes
from hub.api.ports_record import RecordPorts
from hub.api.ports_signals import SignalStore
from hub.call_in import Caller
from hub.credential import Credential
from hub.desk import (
    AccountNews,
    AccountProof,
    AreaRow,
    DatabaseState,
    DeskSession,
    Entry,
    Glance,
    NewDevice,
    NewToken,
    Origin,
    Span,
    Within,
)
from hub.history import Recall
from hub.register_file import ImportOrder, ImportOutcome
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
        within: Within,
        before: tuple[datetime, str],
        limit: int,
    ) -> list[View]: ...

    async def timeline(self, incident_id: str, look: Entry) -> list[View]: ...

    async def log(self, entries: Sequence[Entry]) -> None: ...

    async def areas(self) -> list[AreaRow]: ...

    async def area_of(self, noun: str, noun_id: str) -> str | None: ...

    async def devices(
        self,
        areas: Sequence[str] | None,
        q: str,
        after: str,
        limit: int,
        now: datetime,
        *,
        device_id: str | None = None,
        premises_id: str | None = None,
    ) -> list[View]: ...


class RegisterStore(Protocol):
    """Areas, homes, people, responders, accounts by the name of their noun. Raises DatabaseAway;
    changes raise NotThere, AlreadyThere, StillHolds, AreaMisplaced, LastAdministrator."""

    async def page(
        self,
        noun: str,
        areas: Sequence[str] | None,
        q: str,
        filters: Mapping[str, str | None],
        after: str,
        limit: int,
        look: Entry | None = None,
    ) -> list[View]: ...

    async def card(self, noun: str, noun_id: str) -> View | None: ...

    async def add(
        self, noun: str, noun_id: str, values: Mapping[str, Any], entry: Entry
    ) -> View: ...

    async def change(
        self, noun: str, noun_id: str, changes: Mapping[str, Any], entry: Entry
    ) -> View: ...

    async def remove(self, noun: str, noun_id: str, entry: Entry) -> None: ...

    async def set_state(
        self, person_id: str, state: PersonState, reason: str | None, entry: Entry
    ) -> View: ...

    async def states(self, person_id: str) -> list[View]: ...

    async def contacts(self, person_id: str) -> list[View]: ...

    async def set_contacts(
        self, person_id: str, contacts: Sequence[Mapping[str, Any]], entry: Entry
    ) -> None: ...

    async def video_links(self, premises_ids: Sequence[str]) -> dict[str, str]: ...

    async def where_homes_are(self, areas: Sequence[str] | None) -> list[View]: ...

    async def key_safe(self, premises_id: str, look: Entry) -> View | None: ...

    async def set_key_safe(
        self, premises_id: str, code: str | None, place: str | None, entry: Entry
    ) -> None: ...

    async def family(self, person_id: str) -> list[View]: ...

    async def link_family(
        self,
        person_id: str,
        account_id: str,
        relation: str | None,
        entry: Entry,
        *,
        decides: bool = False,
    ) -> None: ...

    async def kin(self, account_id: str) -> list[View]: ...

    async def log_page(
        self,
        areas: Sequence[str] | None,
        actor_id: str | None,
        action: str | None,
        before: int,
        limit: int,
    ) -> list[View]: ...


class ImportStore(Protocol):
    """The register by the file. Raises DatabaseAway, and ImportRefused where it was not read."""

    async def bring_in(
        self, content: IO[bytes], order: ImportOrder, account: Account
    ) -> ImportOutcome: ...


class DeviceStore(Protocol):
    """A device over its life. Raises DatabaseAway, NotThere, AlreadyThere, DeviceRevoked.

    Whoever may no longer connect is disconnected by the broker's doorman, which sees the change in
    the register: a device cut off before the doorman knows would simply come back.
    """

    async def add(self, device: NewDevice, credential: Credential, entry: Entry) -> View: ...

    async def rotate(self, device_id: str, credential: Credential, entry: Entry) -> View: ...

    async def revoke(self, device_id: str, entry: Entry) -> View: ...

    async def move(
        self, device_id: str, premises_id: str, person_id: str | None, entry: Entry
    ) -> View: ...

    async def swap(
        self, device_id: str, new_id: str, credential: Credential,
        as_told: Mapping[str, str | None], entry: Entry,
    ) -> View: ...  # fmt: skip

    async def describe(self, device_id: str, changes: Mapping[str, Any], entry: Entry) -> View: ...

    async def history(
        self, device_id: str, areas: Sequence[str] | None, before: int, limit: int, look: Entry
    ) -> list[View]: ...


class AccountStore(Protocol):
    """Who may sign in, and who has. Raises DatabaseAway like DeskStore."""

    async def credential(self, username: str) -> AccountProof | None: ...

    async def session(self, token_sha256: str, now: datetime) -> DeskSession | None: ...

    async def open_session(self, session: DeskSession, origin: Origin) -> bool: ...

    async def close_session(self, token_sha256: str) -> None: ...

    async def sessions_of(self, account_id: str, now: datetime) -> list[View]: ...

    async def close_sessions_of(
        self, account_id: str, prefix: str, keep: str | None, entry: Entry
    ) -> list[str]: ...

    async def set_password(
        self,
        account_id: str,
        password_hash: str,
        *,
        must_change: bool,
        keep: str | None,
        entry: Entry,
    ) -> list[str]: ...

    async def news(self, since: str | None) -> AccountNews: ...

    async def add_token(self, token: NewToken, entry: Entry) -> None: ...

    async def tokens(self, areas: Sequence[str] | None, after: str, limit: int) -> list[View]: ...

    async def token_area(self, token_id: str) -> View | None: ...

    async def revoke_token(self, token_id: str, entry: Entry) -> None: ...


class HistoryStore(Protocol):
    """What was measured. Raises DatabaseAway like DeskStore; every look is logged with it."""

    @property
    def keep_observations(self) -> timedelta:
        """How far back there are single observations."""
        ...

    async def observations(
        self, span: Span, look: Entry, areas: Sequence[str] | None
    ) -> list[View]: ...

    async def points(self, recall: Recall, look: Entry, areas: Sequence[str] | None) -> View: ...

    async def last(
        self,
        device_id: str | None,
        person_id: str | None,
        now: datetime,
        look: Entry,
        areas: Sequence[str] | None,
    ) -> list[View]: ...

    async def silent(
        self, areas: Sequence[str] | None, before: datetime, limit: int
    ) -> tuple[list[View], datetime | None]: ...

    async def report(
        self, areas: Sequence[str] | None, measure: int, since: datetime, until: datetime
    ) -> tuple[list[View], str]: ...

    async def place(
        self, person_id: str, since: datetime, until: datetime, look: Entry
    ) -> View | None: ...


class CallerStore(Protocol):
    """Whom a call from a number may be about. Raises DatabaseAway."""

    async def by_number(self, number: str) -> list[Caller]: ...


@dataclass(frozen=True, slots=True)
class ApiDependencies:
    """Everything the API is given; whoever wires it also opens and closes it."""

    store: DeskStore
    history: HistoryStore
    accounts: AccountStore
    register: RegisterStore
    imports: ImportStore
    devices: DeviceStore
    quarantine: QuarantineStore
    maintenance: MaintenanceStore
    care: CareStore
    learned: LearnedStore
    outages: OutageStore
    policies: PolicyStore
    figures: FigureStore
    findings: FindingStore
    reach: ReachStore
    record: RecordPorts
    signals: SignalStore
    assurance: AssurancePorts
    bus: DeskBus
    clock: Clock
    data_dir: Path
    """Where ingest's snapshot lies."""
    root_area_id: str
    children: Callable[[], Mapping[str, str]]
    """Name and state of the supervisor's children; empty where nobody supervises."""
    outside: Callable[[], Mapping[str, Mapping[str, float]]] = dict
    """Figures of what runs beside the API, by name and label (`hub.outside`)."""
    device_broker_url: str = "mqtt://127.0.0.1:1883"
    """Where devices connect, as a new one is told (`hub.qr`)."""
    page_settings: PageSettings = USUAL_PAGE
    """What the page shows besides what the hub knows."""
    channels: ChannelPorts | None = None
    """Consent, web push, calls to homes; None: there are none of these."""
    phones: PhoneDoor | None = None
    """Where phones' pages reach the broker; None: there are none."""
    page_url: str = ""
    """Where a new phone's page opens (`hub.qr`); empty: as the reader reaches this API."""
    answers: AnswerParts | None = None
    """Call-backs of gateways and one-time links; None: there are neither."""
    callers: CallerStore | None = None
    """Whose number a call comes from; None: nobody looks."""
    routes: Routes | None = None
    """Travel times by road; None: they are estimated."""
    page: Path | None = None
    """The folder of the built page; None: the one beside this package."""
