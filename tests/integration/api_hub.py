"""The API on a real database and a real socket; the bus is memory, ingest is a few lines."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg
from argon2 import PasswordHasher
from fastapi import FastAPI

from alerts.alarm import Alarm, Category, Priority, Subject, SubjectKind
from alerts.errors import SendFailed
from alerts.gateway import Vendor
from alerts.gateways import Gateways
from alerts.policy import EVERY_CHANNEL
from hub.api.app import create_app
from hub.api.gate import Parts
from hub.api.page_settings import USUAL_PAGE, PageSettings
from hub.api.ports import ApiDependencies
from hub.api.ports_answers import AnswerParts
from hub.api.ports_assurance import AssurancePorts
from hub.api.ports_channels import ChannelPorts
from hub.api.ports_record import RecordPorts
from hub.api.server import listening_socket, make_server
from hub.clock import SystemClock
from hub.desk_bus import action_result, incident_announcement, read_action
from hub.home_calls import HomeCalls
from hub.learning import HUB_ZONE
from hub.report.printing import PdfPrinter
from hub.settings import Address
from hub.store.accounts import PostgresAccounts
from hub.store.assurance import PostgresConditions
from hub.store.care import PostgresCare
from hub.store.cases import ActionItem, AlarmItem, Recorded, record
from hub.store.consent import PostgresConsent, PostgresPush
from hub.store.deliveries import PostgresDeliveries
from hub.store.desk import PostgresDesk
from hub.store.devices import PostgresDevices
from hub.store.figures import PostgresFigures
from hub.store.findings import PostgresFindings
from hub.store.handovers import PostgresHandovers
from hub.store.history import PostgresHistory
from hub.store.home_calls import PostgresHomeCalls
from hub.store.imports import PostgresImports
from hub.store.incident_record import PostgresCases
from hub.store.learned import PostgresLearned
from hub.store.links import PostgresLinks
from hub.store.maintenance import PostgresMaintenance
from hub.store.outages import PostgresOutages
from hub.store.policy_desk import PostgresPolicies
from hub.store.presence import PostgresPresence
from hub.store.proofs import PostgresProofs
from hub.store.quarantine import PostgresQuarantine
from hub.store.reach import Reach
from hub.store.reach_desk import PostgresReachDesk
from hub.store.register_desk import PostgresRegister
from hub.store.rota import PostgresRota
from hub.store.service_figures import PostgresServiceFigures
from hub.store.signals import PostgresSignals
from hub.store.visits import PostgresVisits
from hub.view import Cards, View, alarm_view, incident_view
from schemas import topics
from schemas.alarms import PressAction
from schemas.ids import AlarmId, AreaId, DeviceId, PersonId, PremisesId
from tests.integration.embedded import eventually

NO_VENDORS: Mapping[str, Vendor] = {}
PUSH_KEY = "what browsers subscribe with"
CALLBACK_KEY = b"of this installation alone"
PASSWORD = "a long enough password"
QUICK_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""The real parameters cost a test 50 ms each time."""

REGISTER = """
INSERT INTO area VALUES ('city', NULL, 'City'), ('east', 'city', 'East'), ('west', 'city', 'West'),
    ('east-1', 'east', 'East 1');
INSERT INTO premises (premises_id, area_id, address, access_notes, latitude, longitude)
VALUES ('home-1', 'east-1', '1 Lake Road', 'key at the porter', 31.2, 121.4),
    ('home-2', 'west', '2 Hill Road', NULL, NULL, NULL);
INSERT INTO person (person_id, area_id, premises_id, name, birth_year, language)
VALUES ('wang', 'east-1', 'home-1', '王秀英', 1941, 'zh-CN'),
    ('li', 'west', 'home-2', '李建国', 1938, 'zh-CN');
INSERT INTO device (device_id, area_id, premises_id, person_id, kind, label, secret_sha256)
VALUES ('button-1', 'east-1', 'home-1', 'wang', 'button', 'bedside', 'x'),
    ('button-2', 'west', 'home-2', 'li', 'button', '', 'x');
"""
ACCOUNTS = (
    ("admin", "city", "administrator"),
    ("mei", "city", "dispatcher"),
    ("east-desk", "east", "dispatcher"),
    ("west-desk", "west", "dispatcher"),
    ("boss", "city", "supervisor"),
    ("nobody", "city", "gardener"),
)


def seed(database_url: str) -> None:
    """Areas, two homes, and somebody of every role."""
    with psycopg.connect(database_url) as connection:
        connection.execute(REGISTER)
        for username, area_id, role in ACCOUNTS:
            connection.execute(
                "INSERT INTO account (account_id, area_id, username, name, password_hash, role,"
                " language) VALUES (%s, %s, %s, %s, %s, %s, 'en')",
                (username, area_id, username, username.title(), QUICK_HASH, role),
            )


class MemoryBus:
    """`hub.api.ports.DeskBus` without a broker."""

    def __init__(self) -> None:
        self.connected = False
        self.confirms = True
        self.published: list[tuple[str, Any]] = []
        self.on_action: Callable[[bytes], None] | None = None
        self._hear: Callable[[str, bytes], None] | None = None
        self._connected: Callable[[], None] | None = None

    async def start(
        self, hear: Callable[[str, bytes], None], connected: Callable[[], None]
    ) -> None:
        self._hear, self._connected = hear, connected
        self.come_back()

    async def stop(self) -> None:
        self.connected = False

    def publish_nowait(self, topic: str, payload: bytes) -> bool:
        self.published.append((topic, msgspec.json.decode(payload)))
        return self.connected

    async def publish(self, topic: str, payload: bytes, *, qos: int) -> None:
        if not self.connected or not self.confirms:
            raise SendFailed
        assert qos == 1
        enveloped = topic in (topics.DESK_RETRY_ALARM, topics.DESK_RETRY_TELEMETRY)
        self.published.append((topic, payload if enveloped else msgspec.json.decode(payload)))
        if self.on_action is not None and topic == topics.DESK_ACTION:
            self.on_action(payload)

    def come_back(self) -> None:
        """The broker is there."""
        self.connected = True
        assert self._connected is not None
        self._connected()

    def say(self, topic: str, body: Any) -> None:
        """What ingest or worker publishes."""
        assert self._hear is not None
        self._hear(topic, body if isinstance(body, bytes) else msgspec.json.encode(body))

    def beat(self, **figures: Any) -> None:
        """Ingest is alive."""
        self.say(topics.DESK_STATS, {"type": "ingest", "database": "ok", **figures})


def press(device_id: str = "button-1", **changes: Any) -> Alarm:
    """An emergency press, new each time."""
    homes = {
        "button-1": ("east-1", "home-1", "wang"),
        "button-2": ("west", "home-2", "li"),
    }
    area_id, premises_id, person_id = homes[device_id]
    alarm = Alarm(
        id=AlarmId(secrets.token_hex(8)),
        area_id=AreaId(area_id),
        subject=Subject(SubjectKind.PERSON, person_id),
        device_id=DeviceId(device_id),
        person_id=PersonId(person_id),
        premises_id=PremisesId(premises_id),
        kind="press",
        category=Category.PERSONAL,
        priority=Priority.HIGH,
        action=PressAction.EMERGENCY,
        message_id="1",
        observed_at=None,
        received_at=datetime.now(UTC),
        reply_prefix=topics.device_prefix(area_id, premises_id, device_id),
    )
    return replace(alarm, **changes)


@dataclass(slots=True)
class Ingest:
    """What ingest does with a press and an action: commit, then say so."""

    database_url: str
    bus: MemoryBus
    silent: bool = False
    """Its announcements are lost."""
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    async def commit(self, *items: AlarmItem | ActionItem) -> list[Recorded]:
        async with await psycopg.AsyncConnection.connect(self.database_url) as connection:
            return await record(connection, items)

    async def take_press(self, alarm: Alarm) -> View:
        """Commit a press and announce it."""
        (recorded,) = await self.commit(AlarmItem(alarm))
        assert recorded.incident is not None
        view = incident_view(recorded.incident, Cards(), [alarm])
        self.announce(recorded.cause or "", view, alarm)
        return view

    def announce(self, cause: str, view: View, alarm: Alarm | None = None) -> None:
        shown = alarm_view(alarm) if alarm else None
        message = incident_announcement(cause, view, datetime.now(UTC), alarm=shown)
        if not self.silent:
            self.bus.say(topics.DESK_ANNOUNCE, message)

    def take_action(self, payload: bytes) -> None:
        task = asyncio.create_task(self._take_action(payload))
        self.tasks.add(task)

    async def _take_action(self, payload: bytes) -> None:
        action = read_action(payload)
        (recorded,) = await self.commit(ActionItem(action))
        view = incident_view(recorded.incident, Cards(), []) if recorded.incident else None
        self.bus.say(topics.DESK_ANNOUNCE, action_result(action.id, view, refusal=recorded.refusal))
        if view is not None and recorded.cause is not None:
            self.announce(recorded.cause, view)


@dataclass(slots=True)
class ApiHub:
    """A running API with everything round it."""

    app: FastAPI
    url: str
    bus: MemoryBus
    ingest: Ingest
    database_url: str
    data_dir: Path

    @property
    def parts(self) -> Parts:
        parts: Parts = self.app.state.parts
        return parts

    def client(self, **options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=10, **options)

    @asynccontextmanager
    async def desk(self, username: str = "mei") -> AsyncIterator[httpx.AsyncClient]:
        """A client that is logged in."""
        async with self.client() as client:
            answer = await client.post(
                "/api/v1/session", json={"username": username, "password": PASSWORD}
            )
            assert answer.status_code == 200, answer.text
            yield client

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query.encode(), parameters).fetchall()


async def until(holds: Callable[[], object], within_s: float = 10.0) -> None:
    """Wait until something holds; fail if it never does."""

    async def now() -> bool:
        return bool(holds())

    await eventually(now, within_s)


def _dependencies(
    database_url: str,
    data_dir: Path,
    reach: Reach,
    bus: MemoryBus,
    clock: SystemClock,
    calls: HomeCalls,
    page: Path | None,
    page_settings: PageSettings,
    vendors: Mapping[str, Vendor],
    public_url: str,
) -> ApiDependencies:
    return ApiDependencies(
        store=PostgresDesk(reach),
        history=PostgresHistory(reach, 90),
        accounts=PostgresAccounts(reach),
        register=PostgresRegister(reach, "city"),
        imports=PostgresImports(database_url, "city"),
        devices=PostgresDevices(reach),
        quarantine=PostgresQuarantine(reach),
        maintenance=PostgresMaintenance(reach),
        policies=PostgresPolicies(reach, EVERY_CHANNEL),
        figures=PostgresFigures(reach),
        findings=PostgresFindings(reach),
        reach=PostgresReachDesk(reach),
        record=RecordPorts(
            PostgresServiceFigures(reach),
            PostgresVisits(reach),
            PostgresCases(reach),
            PdfPrinter("", clock.now),
        ),
        signals=PostgresSignals(reach),
        care=PostgresCare(reach),
        learned=PostgresLearned(reach, HUB_ZONE),
        outages=PostgresOutages(reach),
        assurance=AssurancePorts(
            PostgresPresence(reach),
            PostgresRota(reach),
            PostgresHandovers(reach),
            PostgresConditions(reach),
            PostgresProofs(reach),
        ),
        channels=ChannelPorts(PostgresConsent(reach), PostgresPush(reach), calls, PUSH_KEY),
        answers=AnswerParts(
            PostgresDeliveries(reach),
            PostgresLinks(reach),
            vendors,
            CALLBACK_KEY,
            "12349",
            "zh-CN",
            calls,
            public_url,
        ),
        bus=bus,
        clock=clock,
        data_dir=data_dir,
        root_area_id="city",
        children=lambda: {"ingest": "running"},
        page=page or data_dir,
        page_settings=page_settings,
    )


@asynccontextmanager
async def api_hub(
    database_url: str,
    data_dir: Path,
    *,
    page: Path | None = None,
    recording: bool = True,
    page_settings: PageSettings = USUAL_PAGE,
    vendors: Mapping[str, Vendor] = NO_VENDORS,
    voice: Gateways | None = None,
    clock: SystemClock | None = None,
    bus: MemoryBus | None = None,
    public_url: str = "",
) -> AsyncIterator[ApiHub]:
    """Start the API on a free port; with `recording` ingest answers actions."""
    clock, bus = clock or SystemClock(), bus or MemoryBus()
    reach = Reach(database_url, clock)
    await reach.open()
    calls = HomeCalls(PostgresHomeCalls(reach), voice, bus, clock, "Evergreen Care", "12349", "en")
    app = create_app(
        _dependencies(
            database_url,
            data_dir,
            reach,
            bus,
            clock,
            calls,
            page,
            page_settings,
            vendors,
            public_url,
        )
    )
    ingest = Ingest(database_url, bus)
    if recording:
        bus.on_action = ingest.take_action
    listener = listening_socket(Address("127.0.0.1", 0))
    server = make_server(app)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await until(lambda: server.started)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield ApiHub(app, url, bus, ingest, database_url, data_dir)
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 10)
        await reach.close()


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the feed as a desk reads it."""

    name: str
    id: str | None
    body: Any


class Line:
    """A desk's connection to the live feed."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()
        self.last_id: str | None = None

    async def next(self, *names: str, within_s: float = 5.0) -> Event:
        """The next event of one of these names; others are passed over."""
        async with asyncio.timeout(within_s):
            while True:
                event = await self._read()
                if not names or event.name in names:
                    return event

    async def _read(self) -> Event:
        parts: dict[str, str] = {}
        async for line in self._lines:
            if line:
                key, _, value = line.partition(": ")
                parts[key] = value
            elif "data" in parts:
                self.last_id = parts.get("id", self.last_id)
                return Event(parts["event"], parts.get("id"), msgspec.json.decode(parts["data"]))
        raise EOFError


@asynccontextmanager
async def listening(
    client: httpx.AsyncClient, last_event_id: str | None = None
) -> AsyncIterator[Line]:
    """Connect to the feed."""
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    async with client.stream("GET", "/api/v1/events", headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Line(response)


def write_desk_snapshot(
    data_dir: Path,
    sessions: dict[str, str],
    incidents: list[View] | None = None,
) -> None:
    """What ingest leaves on disk; `sessions` are tokens by account."""
    folder = data_dir / "snapshot"
    folder.mkdir(exist_ok=True)
    expires_at = datetime(2100, 1, 1, tzinfo=UTC)
    desk = {
        "version": 1,
        "written_at": datetime.now(UTC),
        "accounts": [
            {
                "account_id": username,
                "area_id": area_id,
                "username": username,
                "name": username.title(),
                "password_hash": QUICK_HASH,
                "role": role,
                "language": "en",
                "disabled": False,
            }
            for username, area_id, role in ACCOUNTS
        ],
        "sessions": [
            {
                "token_sha256": hashlib.sha256(token.encode()).hexdigest(),
                "account_id": account_id,
                "expires_at": expires_at,
            }
            for account_id, token in sessions.items()
        ],
        "areas": [{"area_id": "city", "parent_id": None}, {"area_id": "east", "parent_id": "city"}],
    }
    (folder / "desk.json").write_bytes(msgspec.json.encode(desk))
    if incidents is not None:
        content = {"version": 1, "written_at": datetime.now(UTC), "incidents": incidents}
        (folder / "incidents.json").write_bytes(msgspec.json.encode(content))
