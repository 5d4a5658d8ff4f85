"""A press of the hub's own, every minute: as a device through the broker, the alarm lane, the
database and a live feed, and back as a receipt.

One worker at a time does it. Its device gets a new secret whenever a worker takes over; the secret
is in that process's memory and nowhere else.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
import psycopg
import structlog

from alerts.errors import SendFailed
from hub.broker_line import BrokerLine
from hub.clock import SystemClock
from hub.credential import new_credential
from hub.database import TRANSIENT
from hub.figures.table import SYNTHETIC_BUCKETS_S
from hub.sources.mqtt import Delivery, MqttConnection
from hub.store.assurance import PostgresAssurance
from hub.synthetic import DEVICE_ID, LABEL, alarm_id_of, press_topic, receipt_topic
from schemas.alarms import Press, PressAction
from schemas.codec import decode_alarm, encode

FIRST_AFTER_S = 7.0
"""A hub that has just started has other things to do first."""
ADMITTED_AFTER_S = 3.0
"""The register's watchers have seen the new secret by then."""
AWAITED_S = 15.0
"""Ours: three times the floor of a press's way to the desk. What comes later did not come."""
LOOK_EVERY_S = 0.2
TURN_EVERY_S = 10.0
_TURN = 0x7379_6E74
"""Advisory lock key: `synt` in ASCII."""

_log = structlog.get_logger(__name__)


class SyntheticPress:
    """Presses for ever, and counts how long it took."""

    def __init__(
        self,
        store: PostgresAssurance,
        clock: SystemClock,
        *,
        broker_url: str,
        database_url: str,
        area_id: str,
        every_s: int,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._clock = clock
        self._broker_url = broker_url
        self._database_url = database_url
        self._area_id = area_id
        self.every_s = every_s
        self._pause = pause
        self._received: dict[str, datetime] = {}
        self._wake = asyncio.Event()
        self._counts = [0] * (len(SYNTHETIC_BUCKETS_S) + 1)
        self._sum_s = 0.0

    async def run(self) -> None:
        """For ever, whenever it is this worker's turn."""
        while True:
            try:
                if self.every_s:
                    await self._in_turn()
                else:
                    await self._store.retire_device()
                    return
            except (*TRANSIENT, SendFailed) as error:
                _log.warning("synthetic_press_waits", error=type(error).__name__)
            await self._pause(TURN_EVERY_S)

    def figures(self) -> dict[str, Any]:
        """The times as a histogram, as the desk bus carries it."""
        return {"synthetic": self._counts, "synthetic_s": round(self._sum_s, 3)}

    async def _in_turn(self) -> None:
        """While this worker holds the lock; the connection's end gives it back."""
        connection = await psycopg.AsyncConnection.connect(
            self._database_url, autocommit=True, connect_timeout=5
        )
        async with connection:
            cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (_TURN,))
            row = await cursor.fetchone()
            if row is None or not row[0]:
                return
            credential = new_credential()
            await self._store.register_device(
                self._area_id, LABEL, credential.sha256, credential.mosquitto_hash
            )
            line = self._line(credential.secret)
            await self._pause(ADMITTED_AFTER_S)
            await line.start()
            try:
                await self._pause(FIRST_AFTER_S)
                while True:
                    began_s = self._clock.monotonic_s()
                    await connection.execute("SELECT 1")
                    await self.press(line.publish)
                    await self._store.tidy(self._clock.now())
                    spent_s = self._clock.monotonic_s() - began_s
                    await self._pause(max(1.0, self.every_s - spent_s))
            finally:
                await line.stop()

    async def press(self, publish: Callable[..., Awaitable[None]]) -> float | None:
        """Once; how long it took in seconds, None: it did not come through."""
        sent_at = self._clock.now()
        press = Press(
            message_id=f"s{int(sent_at.timestamp() * 1000)}",
            observed_at=sent_at,
            action=PressAction.TEST,
        )
        payload = encode(press)
        told = decode_alarm("press", payload).message
        if not isinstance(told, Press) or told.message_id is None:
            raise TypeError(payload)
        press_id = told.message_id
        alarm_id = alarm_id_of(self._area_id, told)
        await self._store.pressed(press_id, self._area_id, alarm_id, sent_at)
        times: dict[str, float | None] = dict.fromkeys(
            ("receipt_s", "recorded_s", "shown_s", "took_s")
        )
        try:
            await publish(press_topic(self._area_id), payload, qos=1)
            await self._await_all(press_id, alarm_id, sent_at, times)
        except SendFailed:
            _log.warning("synthetic_press_not_sent")
        finally:
            self._received.pop(press_id, None)
        await self._store.settle_press(press_id, times)
        self._count(times["took_s"])
        return times["took_s"]

    def hear(self, payload: bytes, at: datetime) -> None:
        """A receipt for the device."""
        try:
            said = msgspec.json.decode(payload)
            if said.get("stage") == "received":
                self._received[str(said["message_id"])] = at
                self._wake.set()
        except (msgspec.DecodeError, LookupError, AttributeError):
            _log.warning("synthetic_receipt_unreadable")

    async def _await_all(
        self, press_id: str, alarm_id: str, sent_at: datetime, times: dict[str, float | None]
    ) -> None:
        def since(at: datetime | None) -> float | None:
            return None if at is None else max(0.0, (at - sent_at).total_seconds())

        looks = int(AWAITED_S / LOOK_EVERY_S)
        for _ in range(looks):
            came = await self._store.came(press_id, alarm_id)
            times["receipt_s"] = since(self._received.get(press_id))
            times["recorded_s"] = since(came["recorded_at"])
            times["shown_s"] = since(came["shown_at"])
            parts = [times[name] for name in ("receipt_s", "recorded_s", "shown_s")]
            known = [part for part in parts if part is not None]
            if len(known) == len(parts):
                times["took_s"] = max(known)
                return
            await self._pause(LOOK_EVERY_S)

    def _count(self, took_s: float | None) -> None:
        if took_s is not None:
            self._counts[bisect_left(SYNTHETIC_BUCKETS_S, took_s)] += 1
            self._sum_s += took_s

    def _line(self, secret: str) -> MqttConnection:
        """A connection as the device, on the way the hub itself takes to the broker."""
        line = replace(BrokerLine.parse(self._broker_url), username=DEVICE_ID, password=secret)

        def receipt(delivery: Delivery) -> None:
            self.hear(delivery.payload, self._clock.now())
            if delivery.qos:
                connection.ack(delivery.ticket)

        connection = MqttConnection(
            line.url(), DEVICE_ID, clean=True,
            subscriptions={receipt_topic(self._area_id): 1}, on_message=receipt,
        )  # fmt: skip
        return connection


def stage_of(press: dict[str, Any] | None) -> str:
    """How far the last press came, as `alerts.watches.STAGES` names it."""
    if press is None:
        return "not_sent"
    if press["recorded_s"] is None:
        return "not_recorded" if press["receipt_s"] is not None else "not_admitted"
    return "no_receipt" if press["receipt_s"] is None else "not_shown"
