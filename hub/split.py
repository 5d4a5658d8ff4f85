"""What a split adds to an ingest process: its claim kept alive, and what is another owner's let go.

Nothing here is used, beyond the claim, while one process owns everything.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from alerts.errors import SendFailed
from hub import retry
from hub.database import TRANSIENT, Session
from hub.ownership import Territory, take_folder
from hub.register import Register
from hub.sources.mqtt import Delivery, MqttConnection
from hub.store.owners import BEAT_EVERY_S, Claim
from schemas import topics
from schemas.codec import Malformed

HAND_ON_AGAIN_S = 0.5
SESSIONS_WANTED = 2
"""Alarms and telemetry."""

_log = structlog.get_logger(__name__)


class _ActionArea(msgspec.Struct):
    area_id: str | None = None


class Split:
    """One owner among others."""

    def __init__(self, text: str, register: Register, data_dir: Path, session: Session) -> None:
        self.territory = Territory.parse(text, register.areas)
        self._register = register
        self._data_dir = data_dir
        self._session = session
        self._claim = Claim(self.territory, f"{os.uname().nodename}:{data_dir}")
        self._claimed = False
        self._sessions: set[str] = set()
        self._uncovered: frozenset[str] = frozenset()
        self._tasks: set[asyncio.Task[None]] = set()
        register.ours = self.territory.owns

    async def claim(self) -> None:
        """Take what is ours, or refuse to start. Raises OwnedElsewhere or UnknownAreas.

        With the database away the process starts all the same: an alarm that rings twice is one
        alarm, and nothing can be recorded yet. The claim is then made when it is back.
        """
        take_folder(self._data_dir, self.territory.name)
        with contextlib.suppress(*TRANSIENT):
            await self._beat()

    async def keep(self, changed: Callable[[], None]) -> None:
        """Beat for ever; `changed` is called whenever the areas may have changed. Raises
        OwnedElsewhere when somebody else has taken over, and what `claim` raises where that had to
        wait for the database."""
        while True:
            await asyncio.sleep(BEAT_EVERY_S)
            try:
                await self._beat()
            except TRANSIENT as error:
                _log.warning("claim_not_renewed", error=type(error).__name__)
            self._tell_uncovered()
            changed()

    async def _beat(self) -> None:
        if not self._claimed:
            await self._session.run(self._claim.take)
            self._claimed = True
            _log.info("areas_claimed", owner=self.territory.name)
        has_sessions = len(self._sessions) >= SESSIONS_WANTED
        await self._session.run(lambda c: self._claim.beat(c, has_sessions=has_sessions))

    def session_made(self, client_id: str) -> None:
        """The broker keeps what comes for this session from now on."""
        self._sessions.add(client_id)

    def _tell_uncovered(self) -> None:
        """Telemetry of an area without owner is stored by nobody; its presses ring everywhere."""
        territory = self.territory
        uncovered = frozenset(
            area_id
            for area_id in list(self._register.areas)
            if not territory.owns(area_id) and not territory.is_anothers(area_id)
        )
        if uncovered != self._uncovered and uncovered:
            _log.warning("areas_without_owner", areas=sorted(uncovered))
        self._uncovered = uncovered

    def leaves_alone(self, delivery: Delivery) -> bool:
        """Whether an alarm, a desk action or a retried message is for sure another owner's.

        Both the area of the topic and that of the register must be: owners learn of a move up to
        a second apart, and in between each might leave the press to the other.
        """
        if not self.territory.others:
            return False
        if delivery.topic == topics.DESK_ACTION:
            try:
                area_id = msgspec.json.decode(delivery.payload, type=_ActionArea).area_id
            except msgspec.MsgspecError:
                return False
            return area_id is not None and self.territory.leaves_alone(area_id)
        topic = topics.parse(_named(delivery))
        if topic is None:
            return False
        device = self._register.devices.get(topic.device_id)
        areas = [topic.area_id] if device is None else [topic.area_id, device.area_id]
        return all(self.territory.leaves_alone(area_id) for area_id in areas)

    def registered_topic(self, delivery: Delivery) -> str | None:
        """Where telemetry should have come from, if that is another owner's area: the device was
        moved and does not know it yet. None: it is ours."""
        if not self.territory.others:
            return None
        topic = topics.parse(delivery.topic)
        device = self._register.devices.get(topic.device_id) if topic else None
        if topic is None or device is None or not self.territory.leaves_alone(device.area_id):
            return None
        prefix = topics.device_prefix(device.area_id, device.premises_id, device.id)
        wanted = topics.up(prefix, topic.lane, topic.kind)
        return wanted if wanted != delivery.topic else None

    def hand_on(
        self, line: MqttConnection, topic: str, payload: bytes, done: Callable[[], None]
    ) -> None:
        """Publish it under its registered topic; `done` is called once the broker has it, and only
        then may the original be answered. On the loop of `line`."""
        task = asyncio.create_task(self._hand_on(line, topic, payload, done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hand_on(
        self, line: MqttConnection, topic: str, payload: bytes, done: Callable[[], None]
    ) -> None:
        while True:
            try:
                await line.publish(topic, payload, qos=1)
            except SendFailed:
                await asyncio.sleep(HAND_ON_AGAIN_S)
            else:
                done()
                return


def _named(delivery: Delivery) -> str:
    """The topic the device used, also of a message out of quarantine; empty: it cannot be told."""
    if delivery.topic not in (topics.DESK_RETRY_ALARM, topics.DESK_RETRY_TELEMETRY):
        return delivery.topic
    try:
        return retry.opened(delivery.payload).topic
    except Malformed:
        return ""
