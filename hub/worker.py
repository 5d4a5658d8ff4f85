"""The worker process: the two loops of `alerts`, woken by the database, never silent for long."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from alerts.channels.desk import DeskChannel
from alerts.channels.device import DeviceChannel
from alerts.courier import Courier
from alerts.escalator import Escalator
from alerts.policy import FALLBACK_CONTACT, ChannelName
from alerts.ports import Announcement, Channel
from alerts.watches import PATIENCE_S
from hub.assurance.cycles import Cycles
from hub.assurance.loops import Assurance, Surroundings
from hub.audit_sealing import AuditSealing
from hub.channels import outward_channels, speaker
from hub.clock import SystemClock
from hub.courier_loop import CourierLoop
from hub.database import Session
from hub.desk_bus import changed_announcement
from hub.fact_keeping import FactKeeping
from hub.figures.tally import CountedOutbox
from hub.history_upkeep import HistoryUpkeep
from hub.learning import Learning
from hub.lines import Lines
from hub.settings import Settings
from hub.sources.mqtt import Delivery, MqttConnection
from hub.store.address_book import Elsewhere, PostgresDirectory
from hub.store.after_maintenance import PostgresAfterMaintenance
from hub.store.brief import PostgresWords
from hub.store.consented import ConsentedDirectory
from hub.store.escalation import PostgresEscalation
from hub.store.links import LinkMaker
from hub.store.outbox import PostgresOutbox, go_on_shift
from hub.wording import WordsWhereNeeded
from schemas import topics

WORKER_CLIENT = "carebell-worker"
CYCLE_EVERY_S = 1.0
"""A deadline is met within a second even if the wake-up is lost."""
DRAIN_WITHIN_S = 15.0
"""After an outage, how long the ladder waits for deeds that are not recorded yet."""
ANSWERS_WITHIN_S = 2.0
"""A database that takes longer to say that it is there is not back yet."""
HEARD_WITHIN_S = 5.0
"""What ingest said of them counts for so long; it says it once a second."""
WEBHOOK_TIMEOUT_S = 10.0
WAKES = ("notification_due", "incident_due", "maintenance_over")
"""What the loops are woken by (LISTEN)."""

_log = structlog.get_logger(__name__)

TRANSIENT = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, TimeoutError, OSError)


class WorkerProcess:
    """Escalator and courier over PostgreSQL and the broker."""

    def __init__(self, settings: Settings, broker_url: str, database_url: str) -> None:
        self._clock = SystemClock()
        self._database_url = database_url
        self._settings = settings
        self._pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
            database_url, min_size=1, max_size=12, open=False, timeout=5.0,
            kwargs={"autocommit": True},
        )  # fmt: skip
        self._broker = MqttConnection(
            broker_url, WORKER_CLIENT, clean=True,
            subscriptions={topics.DESK_STATS: 0}, on_message=self._ingest_says,
        )  # fmt: skip
        self._cycles = Cycles(self._clock, self._broker.publish_nowait, PATIENCE_S)
        self._around = Surroundings(
            settings, self._clock, self._pool, self._cycles, self, self._broker.publish_nowait,
            broker_url, database_url,
        )  # fmt: skip
        self._assurance: Assurance | None = None
        self._outbox = CountedOutbox(PostgresOutbox(self._pool))
        self._wakes = {name: asyncio.Event() for name in WAKES}
        self._on_shift = asyncio.Event()
        self._unrecorded_at_s: float | None = None
        self._draining_since_s: float | None = None

    async def run(self) -> None:
        """For ever."""
        async with Lines(WEBHOOK_TIMEOUT_S) as client:
            register = PostgresDirectory(self._pool, _elsewhere(self._settings))
            directory = ConsentedDirectory(self._pool, register)
            channels: dict[ChannelName, Channel] = {
                ChannelName.DESK: DeskChannel(self._broker),
                ChannelName.DEVICE: DeviceChannel(self._broker),
                **outward_channels(self._settings, client, self._clock, directory.forget),
            }
            escalator = Escalator(
                PostgresEscalation(self._pool, frozenset(channels), self._settings.language),
                self,
                self._clock,
            )
            courier = Courier(
                self._outbox, channels, directory, WordsWhereNeeded(self._words()), self._clock,
                paces_per_minute=_paces(self._settings),
            )  # fmt: skip
            wake = self._wakes["notification_due"]
            await self._broker.start()
            await self._pool.open()
            self._assurance = Assurance(self._around, client, frozenset(channels))
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen())
                group.create_task(self._assurance.run())
                group.create_task(self._loop("escalator", escalator.run_once, "incident_due"))
                group.create_task(self._send(CourierLoop(courier, wake, self._say_cycle)))
                group.create_task(self._history().run())
                group.create_task(self._sealing().run())
                group.create_task(FactKeeping(Session(self._database_url), self._clock).run())
                group.create_task(self._learning().run())
                group.create_task(
                    self._loop("maintenance", self._raise_after_maintenance, "maintenance_over")
                )

    async def _send(self, courier: CourierLoop) -> None:
        """As soon as it is known whether another courier lives."""
        await self._on_shift.wait()
        await courier.run()

    def _words(self) -> PostgresWords:
        links = LinkMaker(self._pool, self._settings.public_url, self._clock)
        return PostgresWords(self._pool, speaker(self._settings), self._clock, links)

    def _history(self) -> HistoryUpkeep:
        return HistoryUpkeep(
            self._settings, Session(self._database_url), self._clock,
            lambda: self._cycles.finished("history"),
        )  # fmt: skip

    def _learning(self) -> Learning:
        return Learning(
            self._database_url, self._clock, looked=lambda: self._cycles.finished("learning")
        )

    def _sealing(self) -> AuditSealing:
        return AuditSealing(
            Session(self._database_url), self._clock,
            every_s=self._settings.seal_audit_every_s,
            head_every_s=self._settings.audit_head_every_s,
            told=lambda: self._cycles.finished("sealing"),
        )  # fmt: skip

    async def announce(self, announcement: Announcement) -> None:
        """Implements `alerts.ports.Announcer`: the API reads the incident in the database."""
        message = changed_announcement(
            announcement.incident.id, announcement.cause, announcement.detail, self._clock.now()
        )
        self._broker.publish_nowait(topics.DESK_ANNOUNCE, message)

    async def _raise_after_maintenance(self) -> int:
        """What was muted and is still true when its window ends."""
        raised = await PostgresAfterMaintenance(self._pool).raise_over(self._clock.now())
        for incident in raised:
            await self.announce(Announcement(incident, "raised", {"reason": "maintenance_over"}))
        return len(raised)

    async def _loop(self, name: str, run_once: Callable[[], Awaitable[int]], wake: str) -> None:
        told_s = 0.0
        while True:
            event = self._wakes[wake]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CYCLE_EVERY_S):
                    await event.wait()
            event.clear()
            if name == "escalator" and await self._must_drain():
                continue
            try:
                handled = await run_once()
            except TRANSIENT as error:
                _log.warning("cycle_failed", loop=name, error=type(error).__name__)
                await asyncio.sleep(CYCLE_EVERY_S)
                continue
            now_s = self._clock.monotonic_s()
            if handled or now_s - told_s >= CYCLE_EVERY_S:
                told_s = now_s
                self._say_cycle(name, handled)

    def _say_cycle(self, name: str, handled: int) -> None:
        self._cycles.finished(name, handled)
        if name == "courier":
            counted = {"type": "worker", **self._outbox.figures()}
            self._broker.publish_nowait(topics.DESK_STATS, msgspec.json.encode(counted))

    async def _must_drain(self) -> bool:
        """Whether what humans did waits for a database that was away: somebody may have taken
        responsibility already, so the ladder waits for their record, but not for ever: so long
        after the database answers again. Alarms alone are not waited for: in an earthquake
        thousands queue, and those recorded must ring."""
        asked_s = self._clock.monotonic_s()
        if self._unrecorded_at_s is None or asked_s - self._unrecorded_at_s >= HEARD_WITHIN_S:
            self._draining_since_s = None
            return False
        answers = True
        try:
            async with self._pool.connection() as connection:
                await connection.execute("SELECT 1")
        except TRANSIENT:
            answers = False
        now_s = self._clock.monotonic_s()
        late = not answers or now_s - asked_s > ANSWERS_WITHIN_S
        if self._draining_since_s is None or late:
            self._draining_since_s = now_s
        return now_s - self._draining_since_s < DRAIN_WITHIN_S

    def _ingest_says(self, delivery: Delivery) -> None:
        try:
            said = msgspec.json.decode(delivery.payload)
        except msgspec.DecodeError:
            return
        if said.get("type") == "ingest":
            slow = said.get("database") != "ok" and said.get("unrecorded_deeds", 0) > 0
            self._unrecorded_at_s = self._clock.monotonic_s() if slow else None
            if self._assurance is not None:
                self._assurance.heard_ingest(said)
        elif said.get("type") == "cycle":
            self._cycles.heard(said)

    async def _listen(self) -> None:
        """Wake the loops when a transaction leaves them work (LISTEN/NOTIFY)."""
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(
                    self._database_url, autocommit=True, connect_timeout=5
                )
                async with connection:
                    begins = not self._on_shift.is_set()
                    await go_on_shift(connection, self._clock.now() if begins else None)
                    self._on_shift.set()
                    for name in self._wakes:
                        await connection.execute(f"LISTEN {name}")
                    async for notice in connection.notifies():
                        self._wakes[notice.channel].set()
            except TRANSIENT as error:
                _log.warning("listen_failed", error=type(error).__name__)
            await asyncio.sleep(CYCLE_EVERY_S)


def _paces(settings: Settings) -> dict[ChannelName, int]:
    """What providers are given in a minute at most."""
    return {
        ChannelName.SMS: settings.sms_per_minute,
        ChannelName.VOICE: settings.calls_per_minute,
        ChannelName.EMAIL: settings.mails_per_minute,
    }


def _elsewhere(settings: Settings) -> Elsewhere:
    """Whom the configuration names."""
    urls = (settings.webhook_url,) if settings.webhook_url else ()
    robots = tuple(settings.apprise_urls.split())
    ways = {ChannelName.WEBHOOK: urls, ChannelName.APPRISE: robots}
    fallback = {channel: given for channel, given in ways.items() if given}
    return Elsewhere(settings.language, {FALLBACK_CONTACT: fallback})
