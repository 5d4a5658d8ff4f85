"""The ingest process: two lanes on two threads, the register, the snapshot, the pulse.

The main thread runs the alarm lane; the telemetry lane has a thread and a loop of its own, so
that no batch of telemetry stands between a press and the desk.
"""

import asyncio
import contextlib
import gc
import sys
import threading
from collections.abc import Callable
from zoneinfo import ZoneInfo

import structlog
import uvloop

from alerts.alarm import Alarm, Category, Priority, Subject, SubjectKind
from hub.alarm_lane import AlarmLane, own_alarm_id
from hub.alarm_receipts import Receipts
from hub.board import Board
from hub.broker_check import DROPPED_TOPIC, examine
from hub.circumstances import Circumstances
from hub.clock import SystemClock
from hub.database import TRANSIENT, Session
from hub.detect.registry import TELEMETRY_DETECTORS
from hub.detect.runner import Runner
from hub.digest import Witness
from hub.errors import StartError
from hub.fallback_process import fallback_voice
from hub.huge_pages import ask_for_huge_pages
from hub.ingest import Desk
from hub.log import Vouched
from hub.observation import Observation
from hub.pulse import AWAY_AFTER_S, Pulse
from hub.recovery import recover
from hub.register import Register
from hub.register_watch import RegisterWatch
from hub.settings import Settings
from hub.snapshot import Snapshot
from hub.sources.mqtt import Delivery, MqttConnection
from hub.split import Split
from hub.store.outages import open_outages
from hub.telemetry_lane import TelemetryLane
from schemas import topics
from schemas.ids import AreaId, DeviceId

LARGE_PAGES_EVERY_S = 15.0
"""Asking again costs a millisecond."""
ALARM_CLIENT = "carebell-alarm"
TELEMETRY_CLIENT = "carebell-telemetry"
OWN_CLIENT = "carebell-ingest"

SWITCH_INTERVAL_S = 0.0002
"""How long one thread keeps the interpreter while the other wants it (CPython's default is 5 ms).
The alarm lane gives it away with every system call, several times a press, and waits this long
to get it back while a telemetry batch is being digested."""

COLLECTED_AFTER = (50_000, 20, 100)
"""When the collector looks at young, older and old objects. Detector states are made by the hundred
thousand and go by themselves; what was loaded at the start (hundreds of megabytes for a city) is
not looked at any more."""

_log = structlog.get_logger(__name__)


class IngestProcess:
    """Wires the lanes; owns nothing that must survive."""

    def __init__(self, settings: Settings, broker_url: str, database_url: str) -> None:
        self._settings = settings
        self._broker_url = broker_url
        self._database_url = database_url
        self._clock = SystemClock()
        self._register = Register()
        self._board = Board()
        self._split = Split(
            settings.ingest_areas, self._register, settings.data_dir, Session(database_url)
        )
        territory = self._split.territory
        self._snapshot = Snapshot(settings.data_dir, territory.name if territory.area_ids else "")
        root = AreaId(settings.root_area_id)
        self._own = MqttConnection(
            broker_url, territory.client_id(OWN_CLIENT), clean=True,
            subscriptions=self._own_subscriptions(), on_message=self._own_message,
        )  # fmt: skip
        self._circumstances = Circumstances(
            self._register, lambda: list(self._board.open.values()), ZoneInfo(settings.time_zone)
        )
        self._runner = Runner(TELEMETRY_DETECTORS, self._circumstances, self._clock.now())
        self._telemetry_loop: asyncio.AbstractEventLoop | None = None
        self._recovered = False
        self.alarm = AlarmLane(
            Desk(self._register, self._board, root),
            self._clock,
            Session(database_url),
            Receipts(self._register, settings.language, self._publish(1)),
            self._publish(0),
            self._heard,
            self._split.territory.leaves_alone,
        )
        self._watch = RegisterWatch(
            self._register, self._board, self._snapshot, self._clock, Session(database_url),
            self.alarm.view, busy=lambda: not self._recovered,
        )  # fmt: skip
        self.fallback = fallback_voice(
            settings, database_url, territory.name if territory.area_ids else "",
            register=self._register, board=self._board, clock=self._clock,
            actions=self.alarm.waiting_actions, away=self._database_away,
            ours=lambda area_id: not self._split.territory.leaves_alone(area_id),
        )  # fmt: skip
        self.telemetry: TelemetryLane | None = None
        self._announcing: asyncio.Task[None] | None = None
        self._dropped_before: int | None = None

    async def run(self) -> None:
        """For ever."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        # Nothing that is loaded now is garbage; looking for some would take longer than the rest.
        gc.disable()
        await self._watch.start()
        await self._split.claim()
        alarm = self._connect(
            self._split.territory.client_id(ALARM_CLIENT),
            self._alarm_filters(),
            self._alarm_message,
            self._session_seen(self._split.territory.client_id(ALARM_CLIENT)),
        )
        self.alarm.connection = alarm
        loop = asyncio.get_running_loop()
        thread = threading.Thread(
            target=self._run_telemetry, args=(loop,), name="telemetry", daemon=True
        )
        try:
            await self._serve(alarm, thread)
        except* StartError as refused:
            raise refused.exceptions[0] from None

    async def prepare(self) -> None:
        """Make the sessions, so that the broker keeps what comes from now on, and leave."""
        await self._watch.start()
        territory, made = self._split.territory, asyncio.Event()
        for client_id, filters in (
            (ALARM_CLIENT, self._alarm_filters()),
            (TELEMETRY_CLIENT, self._telemetry_filters()),
        ):
            made.clear()
            line = self._connect(
                territory.client_id(client_id), filters, _left_waiting, lambda _: made.set()
            )
            await line.start()
            await made.wait()
            await line.stop()

    def _alarm_filters(self) -> dict[str, int]:
        return {topics.ALARM_FILTER: 1, topics.DESK_ACTION: 1, topics.DESK_RETRY_ALARM: 1}

    async def _serve(self, alarm: MqttConnection, thread: threading.Thread) -> None:
        pulse = Pulse(self, self._clock)
        async with asyncio.TaskGroup() as group:
            await self._own.start()
            await alarm.start()
            thread.start()
            group.create_task(self.alarm.run())
            group.create_task(self._watch.run())
            group.create_task(self.fallback.run())
            group.create_task(pulse.run())
            group.create_task(self._keep_areas())
            group.create_task(_in_large_pages())
            if self._settings.broker_url:
                group.create_task(self._examine_broker())

    @property
    def register(self) -> Register:
        """Who lives where with which device."""
        return self._register

    def publish(self, topic: str, payload: bytes) -> bool:
        """QoS 0 on the hub's own connection."""
        return self._own.publish_nowait(topic, payload, 0)

    def devices_online(self) -> int:
        """Devices heard of that are not silent."""
        return self.telemetry.devices_online if self.telemetry else 0

    def unacknowledged(self) -> int:
        """Messages the broker has handed over and not been answered for."""
        lanes = (self.alarm.connection, self.telemetry.connection if self.telemetry else None)
        return sum(c.unacknowledged for c in lanes if c is not None)

    def _database_away(self) -> bool:
        """Whether it has answered nothing for a while; until the first answer it is away too."""
        seen_at_s = self._watch.seen_at_s
        return seen_at_s is None or self._clock.monotonic_s() - seen_at_s > AWAY_AFTER_S

    def database_seen_at_s(self) -> float | None:
        """When the database answered last (monotonic); None: not yet."""
        return self._watch.seen_at_s

    @property
    def connected(self) -> bool:
        """Whether both lanes are connected to the broker."""
        lanes = (self.alarm.connection, self.telemetry.connection if self.telemetry else None)
        return all(c is not None and c.connected for c in lanes)

    def _publish(self, qos: int) -> Callable[[str, bytes], bool]:
        def publish(topic: str, payload: bytes) -> bool:
            return self._own.publish_nowait(topic, payload, qos)

        return publish

    def _connect(
        self,
        client_id: str,
        subscriptions: dict[str, int],
        on_message: Callable[[Delivery], None],
        on_connected: Callable[[bool], None],
    ) -> MqttConnection:
        return MqttConnection(
            self._broker_url,
            client_id,
            clean=False,
            subscriptions=subscriptions,
            on_message=on_message,
            on_connected=on_connected,
            max_unacknowledged=self._settings.mqtt_max_unacknowledged + 1,
        )

    def _session_seen(self, client_id: str) -> Callable[[bool], None]:
        """A persistent session that is gone at reconnect: messages may be missing, and somebody
        must know."""

        def seen(present: bool) -> None:
            self._split.session_made(client_id)
            known = self._snapshot.read("sessions.json").get("client_ids", [])
            if not present and client_id in known:
                _log.error("broker_session_lost", client_id=client_id)
                self.alarm.raise_own(self._session_lost(client_id))
            if client_id not in known:
                self._snapshot.write_sessions([*known, client_id], self._clock.now())

        return seen

    def _session_lost(self, client_id: str) -> Alarm:
        told = f"the broker forgot the session {client_id}: messages may be missing"
        return self._own_alarm("session_lost", client_id, told)

    def _own_alarm(self, kind: str, about: str, text: str) -> Alarm:
        now = self._clock.now()
        return Alarm(
            id=own_alarm_id(kind, about, now.isoformat()),
            area_id=AreaId(self._settings.root_area_id),
            subject=Subject(SubjectKind.HUB, "hub"),
            device_id=DeviceId("hub"),
            person_id=None,
            premises_id=None,
            kind=kind,
            category=Category.TECHNICAL,
            priority=Priority.HIGH,
            action=None,
            message_id=None,
            observed_at=now,
            received_at=now,
            text=text,
        )

    def _own_subscriptions(self) -> dict[str, int]:
        watched = {DROPPED_TOPIC: 0} if self._settings.broker_url else {}
        return {topics.DESK_SYNC: 0, **watched}

    def _own_message(self, delivery: Delivery) -> None:
        if delivery.topic == DROPPED_TOPIC:
            self._dropped(delivery.payload)
            return
        if self._announcing is None or self._announcing.done():
            self._announcing = asyncio.create_task(self.alarm.announce_all())

    def _dropped(self, payload: bytes) -> None:
        """The operated broker has thrown messages away: which ones nobody knows."""
        count = int(payload) if payload.isdigit() else 0
        before, self._dropped_before = self._dropped_before, count
        if before is not None and count > before:
            _log.error("broker_dropped_messages", messages=count - before)
            told = f"the broker dropped {count - before} messages; see max_queued_messages"
            self.alarm.raise_own(self._own_alarm("broker_dropped", str(count), told))

    async def _examine_broker(self) -> None:
        """Once, beside the work: a broker that loses messages is named in the log."""
        for complaint in await examine(self._settings, self._broker_url):
            _log.warning(
                "broker_loses_messages",
                setting=complaint.setting,
                problem=Vouched(complaint.problem),  # our words and counts, nothing of a person
                advice=Vouched(complaint.advice),
            )

    def _checkpoint_owner(self) -> str:
        territory = self._split.territory
        return territory.name if territory.area_ids else self._settings.root_area_id

    def _telemetry_filters(self) -> dict[str, int]:
        return self._split.territory.telemetry_filters() | {topics.DESK_RETRY_TELEMETRY: 1}

    def _alarm_message(self, delivery: Delivery) -> None:
        if self._split.leaves_alone(delivery):
            if self.alarm.connection is not None and delivery.qos > 0:
                self.alarm.connection.ack(delivery.ticket)
            return
        self.alarm.on_message(delivery)

    def _handing_on(
        self, lane: TelemetryLane, alarm_loop: asyncio.AbstractEventLoop
    ) -> Callable[[Delivery], None]:
        """Telemetry of a device that was moved to another owner's area goes on to there."""
        telemetry_loop = asyncio.get_running_loop()

        def take(delivery: Delivery) -> None:
            retried = delivery.topic == topics.DESK_RETRY_TELEMETRY  # every owner hears of these
            if retried and self._split.leaves_alone(delivery):
                if lane.connection is not None:
                    lane.connection.ack(delivery.ticket)
                return
            topic = self._split.registered_topic(delivery)
            if topic is None:
                lane.on_message(delivery)
                return

            def answered() -> None:
                if lane.connection is not None and delivery.qos > 0:
                    telemetry_loop.call_soon_threadsafe(lane.connection.ack, delivery.ticket)

            alarm_loop.call_soon_threadsafe(
                self._split.hand_on, self._own, topic, delivery.payload, answered
            )

        return take

    async def _keep_areas(self) -> None:
        """Until another process has taken our areas over."""
        wanted = self._telemetry_filters()

        def changed() -> None:
            nonlocal wanted
            lane, loop, now = self.telemetry, self._telemetry_loop, self._telemetry_filters()
            if now == wanted or lane is None or lane.connection is None or loop is None:
                return
            wanted = now
            loop.call_soon_threadsafe(lane.connection.resubscribe, now)

        await self._split.keep(changed)

    def _heard(self, observation: Observation) -> None:
        lane = self.telemetry
        if lane is not None:
            lane.heard(observation)

    def _run_telemetry(self, alarm_loop: asyncio.AbstractEventLoop) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            try:
                runner.run(self._telemetry(alarm_loop))
            except Exception:  # noqa: BLE001 - it must take the process with it
                _log.exception("telemetry_lane_failed")
                alarm_loop.call_soon_threadsafe(sys.exit, 1)

    async def _telemetry(self, alarm_loop: asyncio.AbstractEventLoop) -> None:
        session = Session(self._database_url)
        lane = TelemetryLane(
            self._register,
            self._runner,
            self._circumstances,
            self._clock,
            session,
            owner=self._checkpoint_owner(),
            root_area_id=AreaId(self._settings.root_area_id),
            batch_limit=self._settings.batch_max_messages,
            linger_s=self._settings.batch_linger_ms / 1000,
            adopt=lambda r: _hand_over(alarm_loop, self.alarm.adopt, r),
            witness=Witness(lambda: self.alarm.watched_people, self.alarm.corroborate),
        )

        def seen(present: bool) -> None:
            alarm_loop.call_soon_threadsafe(self._session_seen(client_id), present)

        client_id = self._split.territory.client_id(TELEMETRY_CLIENT)
        self._telemetry_loop = asyncio.get_running_loop()
        lane.connection = self._connect(
            client_id,
            self._telemetry_filters(),
            self._handing_on(lane, alarm_loop) if self._settings.ingest_areas else lane.on_message,
            seen,
        )
        self.telemetry = lane
        await lane.connection.start()
        await self._recover(session, lane)
        await lane.run()

    async def _recover(self, session: Session, lane: TelemetryLane) -> None:
        """Detector state from the last checkpoint and what was stored since."""
        self._circumstances.refresh()
        while True:
            try:
                await session.run(
                    lambda connection: recover(
                        connection, self._runner, self._register, self._checkpoint_owner()
                    ),
                    give_up_s=300.0,
                )
                outages = await session.run(lambda connection: open_outages(connection, None))
            except TRANSIENT as error:
                gc.enable()
                _log.warning("recovery_waits", error=type(error).__name__)
                await asyncio.sleep(1.0)
            else:
                self._runner.rescheduled(self._clock.now())
                lane.outages.restore(outages, self._clock.now())
                self._recovered = True
                gc.freeze()
                gc.set_threshold(*COLLECTED_AFTER)
                gc.enable()
                return


async def _in_large_pages() -> None:
    """Memory grows with the people who were heard; what came since is asked for."""
    while True:
        await asyncio.sleep(LARGE_PAGES_EVERY_S)
        try:
            await asyncio.to_thread(ask_for_huge_pages)
        except Exception as error:  # noqa: BLE001 - without them it is slower, and that is all
            _log.warning("large_pages_refused", error=type(error).__name__)
            return


def _left_waiting(_delivery: Delivery) -> None:
    """Not answered, so it comes again to whoever opens the session next."""


def _hand_over(
    loop: asyncio.AbstractEventLoop, adopt: Callable[..., None], recorded: object
) -> None:
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(adopt, recorded)
