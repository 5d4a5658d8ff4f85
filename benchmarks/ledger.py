"""What was pressed, and whether the hub kept its promise about each press.

Promise 1 of the design: every press with a PUBACK is exactly one alarm in exactly one incident.
"""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg

from benchmarks.feed import Key, key_of
from benchmarks.harness import Button, Hub, say
from benchmarks.wire import DeviceLine
from hub.observation import sample_key
from hub.synthetic import DEVICE_ID as SYNTHETIC_DEVICE
from schemas.commands import ReceiptStage

ACK_WAIT_S = 5.0
"""mqtt_ack_wait_s: what ingest did not answer comes again after this long."""
STANDSTILL_S = 4 * ACK_WAIT_S
"""Nothing new for this long: what is missing by now does not come."""
EXAMPLES = 10


@dataclass(slots=True)
class Press:
    """One press of one button."""

    number: int
    key: Key
    button: Button
    payload: bytes
    late: bool = False
    pressed_at_s: float = 0.0
    acknowledged_at_s: float | None = None
    told_at_s: dict[str, float] = field(default_factory=dict)
    """When the device first heard each stage of its receipt."""
    sent: int = 0

    @property
    def received_at_s(self) -> float | None:
        """When the device heard the receipt `received`."""
        return self.told_at_s.get(ReceiptStage.RECEIVED)


@dataclass(slots=True)
class Verdict:
    """What the database says about all presses."""

    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    """Neither lost nor doubled, and yet not as it should be."""
    others: dict[str, int] = field(default_factory=dict)
    """Alarms nobody pressed, by kind."""

    def tell(self) -> None:
        """Examples, for whoever has to find out why."""
        for name in ("lost", "doubled", "strange"):
            found = getattr(self, name)
            for example in found[:EXAMPLES]:
                say(f"{name}: {example}")
            if len(found) > EXAMPLES:
                say(f"{name}: and {len(found) - EXAMPLES} more")


class Ledger:
    """Presses buttons and writes down what became of each press."""

    def __init__(self, buttons: list[Button], command_qos: int = 1) -> None:
        """One connection a button, which reads its commands at `command_qos`."""
        self.buttons = buttons
        self.presses: list[Press] = []
        """All of them, in order."""
        self._by_id: dict[tuple[str, str], Press] = {}
        self.lines = {
            button.id: DeviceLine(
                button.login,
                on_puback=self._answered,
                on_message=self._told,
                subscribe=button.command_filter,
                command_qos=command_qos,
            )
            for button in buttons
        }

    async def connect(self, within_s: float = 30.0) -> None:
        """Bring every button on line."""
        for number, line in enumerate(self.lines.values()):
            line.start()
            if number % 10 == 9:
                await asyncio.sleep(0.05)
        async with asyncio.timeout(within_s):
            for line in self.lines.values():
                await line.up.wait()

    async def close(self) -> None:
        """Hang up."""
        await asyncio.gather(*(line.close() for line in self.lines.values()))

    def make(
        self, button: Button, *, with_id: bool = True, late: bool = False, action: str = "emergency"
    ) -> Press:
        """A press that differs from all others; `late` ones were observed a day ago."""
        number = len(self.presses)
        # A microsecond apart each, so that a press without an id has a key of its own.
        observed_at = datetime.now(UTC) - timedelta(days=1 if late else 0)
        message_id = f"press-{number}" if with_id else None
        body: dict[str, Any] = {"action": action, "observed_at": observed_at}
        if message_id is not None:
            body["message_id"] = message_id
        press = Press(
            number, key_of(button.id, message_id, observed_at), button,
            msgspec.json.encode(body), late,
        )  # fmt: skip
        self.presses.append(press)
        if message_id is not None:
            self._by_id[(button.id, message_id)] = press
        return press

    def send(self, press: Press) -> None:
        """Publish (once more)."""
        if not press.sent:
            press.pressed_at_s = time.monotonic()
        press.sent += 1
        line = self.lines[press.button.id]
        line.publish(press.button.press_topic, press.payload, press.number)

    def press(self, button: Button) -> Press:
        """Make and send."""
        press = self.make(button)
        self.send(press)
        return press

    def unanswered(self) -> int:
        """Publishes without PUBACK."""
        return sum(line.outstanding for line in self.lines.values())

    async def all_answered(self, within_s: float) -> bool:
        """Wait until every publish has its PUBACK."""
        deadline_s = time.monotonic() + within_s
        while self.unanswered() and time.monotonic() < deadline_s:  # noqa: ASYNC110 - outside this process
            await asyncio.sleep(0.1)
        return not self.unanswered()

    def _answered(self, token: int, at_s: float) -> None:
        press = self.presses[token]
        if press.acknowledged_at_s is None:
            press.acknowledged_at_s = at_s

    def _told(self, topic: str, payload: bytes, at_s: float) -> None:
        said = msgspec.json.decode(payload)
        if "stage" not in said or said.get("message_id") is None:
            return
        press = self._by_id.get((topic.split("/")[4], said["message_id"]))
        if press is not None:
            press.told_at_s.setdefault(said["stage"], at_s)


async def drained(hub: Hub, ledger: Ledger, within_s: float = 180.0) -> float:
    """Wait until every answered press is recorded, or nothing moves any more, and then until a
    redelivery would have come; how long it took."""
    started_s = time.monotonic()
    wanted = {press.key for press in ledger.presses if press.acknowledged_at_s is not None}
    best, best_at_s = -1, started_s
    while time.monotonic() < started_s + within_s:
        try:
            found = len(wanted & {key for key, _ in await asyncio.to_thread(_alarms, hub)})
        except psycopg.Error:
            found = best
        if found > best:
            best, best_at_s = found, time.monotonic()
        if best == len(wanted) or time.monotonic() - best_at_s > STANDSTILL_S:
            break
        await asyncio.sleep(0.5)
    took_s = time.monotonic() - started_s
    await asyncio.sleep(ACK_WAIT_S + 2)
    return took_s


def judge(hub: Hub, ledger: Ledger) -> Verdict:
    """Compare the ledger with the tables."""
    verdict = Verdict()
    rows: dict[Key, list[dict[str, Any]]] = {}
    for key, row in _alarms(hub):
        if key.device_id != SYNTHETIC_DEVICE:  # the hub's own, once a minute
            rows.setdefault(key, []).append(row)
    for press in ledger.presses:
        _judge_press(press, rows.pop(press.key, []), verdict)
    for key, found in rows.items():
        for row in found:
            verdict.others[row["kind"]] = verdict.others.get(row["kind"], 0) + 1
            if row["kind"] == "press":
                verdict.doubled.append(f"nobody pressed {key}: {row}")
    _judge_incidents(hub, verdict)
    return verdict


def _judge_press(press: Press, found: list[dict[str, Any]], verdict: Verdict) -> None:
    if press.acknowledged_at_s is not None:
        verdict.acknowledged += 1
        if not found:
            verdict.lost.append(f"{press.key} sent {press.sent} times: {press.payload!r}")
    if len(found) > 1:
        verdict.doubled.append(f"{press.key} sent {press.sent} times: {found}")
    for row in found:
        if not row["incident_known"]:
            verdict.lost.append(f"{press.key} is in no incident: {row}")
        if press.late and "late" not in row["flags"]:
            verdict.strange.append(f"{press.key} was a day late and is not marked: {row}")


def _alarms(hub: Hub) -> list[tuple[Key, dict[str, Any]]]:
    with hub.database() as connection:
        cursor = connection.execute(
            "SELECT a.alarm_id, a.device_id, a.message_id, a.observed_at, a.kind, a.flags,"
            " a.received_at, a.recorded_at, a.repeats, a.incident_id, a.grouping_reason,"
            " i.incident_id IS NOT NULL AS incident_known"
            " FROM alarm a LEFT JOIN incident i USING (incident_id)"
        )
        assert cursor.description is not None
        names = [column.name for column in cursor.description]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [(key_of(r["device_id"], r["message_id"], r["observed_at"]), r) for r in found]


def _judge_incidents(hub: Hub, verdict: Verdict) -> None:
    with hub.database() as connection:
        for row in connection.execute(
            "SELECT subject_kind, subject_id, count(*), array_agg(incident_id) FROM incident"
            " WHERE state <> 'resolved' GROUP BY 1, 2 HAVING count(*) > 1"
        ):
            verdict.doubled.append(f"two open incidents of one subject: {row}")
        for row in connection.execute(
            "SELECT i.incident_id, i.alarm_count, count(a.alarm_id) FROM incident i"
            " LEFT JOIN alarm a USING (incident_id) GROUP BY 1, 2"
            " HAVING i.alarm_count <> count(a.alarm_id)"
        ):
            verdict.strange.append(f"an incident counts its alarms wrongly: {row}")


async def telemetry_drained(hub: Hub, messages: int, measures: int, within_s: float) -> float:
    """Wait until as many rows are there as messages were answered, or nothing moves any more; how
    long it took."""
    started_s = time.monotonic()
    best, best_at_s = -1, started_s
    while time.monotonic() < started_s + within_s:
        found = await asyncio.to_thread(_observations, hub)
        if found > best:
            best, best_at_s = found, time.monotonic()
        if best >= messages * measures or time.monotonic() - best_at_s > STANDSTILL_S:
            break
        await asyncio.sleep(1.0)
    return time.monotonic() - started_s


def _observations(hub: Hub) -> int:
    with hub.database() as connection:
        row = connection.execute("SELECT count(*) FROM observation").fetchone()
    assert row is not None
    return int(row[0])


def judge_telemetry(hub: Hub, keys: list[int], measures: int) -> Verdict:
    """Every answered telemetry message is in the table exactly once; each has `measures` rows."""
    verdict = Verdict(acknowledged=len(keys))
    with hub.database() as connection:
        rows = connection.execute(
            "SELECT message_key, count(*) FROM observation GROUP BY message_key"
        ).fetchall()
    stored: dict[int, int] = dict(rows)
    for key in keys:
        for index in range(measures):
            count = stored.get(sample_key(key, index), 0)
            if count == 0:
                verdict.lost.append(f"telemetry message {key}, value {index}")
            elif count > 1:
                verdict.doubled.append(f"telemetry message {key}, value {index}: {count} times")
    return verdict
