"""A scenario on a moved clock into a file: a week in seconds, honest in every time it writes.

There is no hub: every press is answered with `received` at once, so that nothing repeats for ever.
What is written is what a broker would have passed on, with the moment at which it would have.
"""

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from device_sim.agenda import Agenda
from device_sim.clock import Clock
from device_sim.connection import OFFLINE, status_topic
from device_sim.fleet import Fleet, FleetDevice, Home
from device_sim.line import Line, Listener
from device_sim.seeded import fraction
from device_sim.session import KEEPALIVE_S
from device_sim.town import Play, Town
from schemas.codec import encode
from schemas.commands import Receipt, ReceiptStage

PASSES_WITHIN_S = 0.05
"""Ours: a message takes up to so long to the broker, its answer as long back."""
WILL_AFTER_S = 1.5 * KEEPALIVE_S
"""When a broker gives up on a silent client (MQTT 3.1.1, 3.1.2.10)."""


class Passed(msgspec.Struct, frozen=True):
    """One line of the file."""

    received_at: datetime
    topic: str
    payload: msgspec.Raw
    duplicate: bool = False
    """The broker marked it as delivered before."""


class MovedClock:
    """A clock that only the rehearsal moves."""

    def __init__(self, starts_at: datetime) -> None:
        self._starts_at = starts_at
        self.s = 0.0

    def now(self) -> datetime:
        """The time of day."""
        return self._starts_at + timedelta(seconds=self.s)

    def monotonic_s(self) -> float:
        """Seconds since the rehearsal began."""
        return self.s


class PaperLine:
    """Implements `line.Line`: always there, unless power or network are not."""

    __slots__ = (
        "_covered", "_listener", "_passed_s", "_powered", "_prefix", "_stage", "_unanswered",
        "_will",
    )  # fmt: skip

    def __init__(self, stage: "Stage", prefix: str, listener: Listener) -> None:
        self._stage, self._prefix, self._listener = stage, prefix, listener
        self._powered = self._covered = True
        self._unanswered: tuple[str, bytes] | None = None
        self._will = 0
        self._passed_s = 0.0

    @property
    def connected(self) -> bool:
        return self._powered and self._covered

    def publish(
        self, topic: str, payload: bytes, on_puback: Callable[[], None], *, urgent: bool
    ) -> bool:
        if not self.connected:
            return False
        self._pass(topic, payload)
        self._unanswered = (topic, payload)
        on_puback()
        if urgent:
            self._stage.answer(payload, self._listener)
        return True

    def hurry(self) -> None:
        """There is nothing to hurry."""

    def redial(self) -> None:
        """The PUBACK of the last message never came: it is delivered again, marked."""
        if self._unanswered is not None:
            self._pass(*self._unanswered, duplicate=True)

    def _pass(self, topic: str, payload: bytes, *, duplicate: bool = False) -> None:
        self._passed_s = self._stage.passes(topic, payload, self._passed_s, duplicate=duplicate)

    def power(self, *, on: bool) -> None:
        was = self.connected
        self._powered = on
        if was and not on:
            self._pass(status_topic(self._prefix), OFFLINE)
        self._tell(was)

    def cover(self, *, on: bool) -> None:
        was = self.connected
        self._covered = on
        if was and not on:
            self._will += 1
            will = self._will
            self._stage.later(WILL_AFTER_S, lambda: self._will_due(will))
        self._tell(was)

    def _tell(self, was: bool) -> None:
        if was and not self.connected:
            self._listener.on_lost()
        elif self.connected and not was:
            self._will += 1
            self._listener.on_connected()

    def _will_due(self, will: int) -> None:
        if will == self._will:
            self._pass(status_topic(self._prefix), OFFLINE)


class Stage:
    """The broker and the hub of a rehearsal."""

    def __init__(
        self, clock: Clock, agenda: Agenda, seed: str, write: Callable[[bytes], None]
    ) -> None:
        self._clock, self._agenda, self._seed, self._write = clock, agenda, seed, write
        self._passing: list[tuple[float, int, bytes]] = []
        self.count = 0

    def passes(
        self, topic: str, payload: bytes, not_before_s: float, *, duplicate: bool = False
    ) -> float:
        """The broker takes it a moment from now, behind what the line carried before; when."""
        self.count += 1
        now_s = self._clock.monotonic_s()
        after_s = PASSES_WITHIN_S * fraction(self._seed, self.count, "passes")
        after_s = max(after_s, not_before_s - now_s)
        received_at = self._clock.now() + timedelta(seconds=after_s)
        line = msgspec.json.encode(Passed(received_at, topic, msgspec.Raw(payload), duplicate))
        heapq.heappush(self._passing, (now_s + after_s, self.count, line))
        self.write_until(now_s)
        return now_s + after_s

    def write_until(self, now_s: float) -> None:
        """Write what has passed by now, in the order in which it did."""
        while self._passing and self._passing[0][0] <= now_s:
            self._write(heapq.heappop(self._passing)[2] + b"\n")

    def later(self, after_s: float, call: Callable[[], None]) -> None:
        """Have `call` made in so many seconds."""
        self._agenda.add(self._clock.monotonic_s() + after_s, call)

    def answer(self, payload: bytes, listener: Listener) -> None:
        """The hub has recorded the alarm."""
        message_id = msgspec.json.decode(payload).get("message_id")
        receipt = Receipt(ReceiptStage.RECEIVED, self._clock.now(), "", message_id=message_id)
        told = encode(receipt)
        self.later(2 * PASSES_WITHIN_S, lambda: listener.on_command("receipt", told))


def rehearse(
    fleet: Fleet,
    play: Play,
    lasts_s: float,
    *,
    write: Callable[[bytes], None],
    write_truth: Callable[[bytes], None] | None = None,
    starts_at: datetime = datetime(2026, 1, 12, tzinfo=UTC),
) -> dict[str, object]:
    """Play for `lasts_s` of its own time, as fast as this machine can; the summary."""
    clock, agenda = MovedClock(play.starts_at or starts_at), Agenda()
    stage = Stage(clock, agenda, play.seed, write)

    def open_line(home: Home, identity: FleetDevice, listener: Listener) -> Line:
        line = PaperLine(stage, home.topic_prefix(identity), listener)
        agenda.add(0.0, listener.on_connected)
        return line

    town = Town(
        fleet,
        play,
        clock=clock,
        agenda=agenda,
        boot=f"r{play.seed}",
        open_line=open_line,
        show=lambda _: None,
        write_truth=write_truth,
    )
    town.start()
    due_s = agenda.run_due(0.0)
    while due_s is not None and due_s <= lasts_s:
        clock.s = max(clock.s, due_s)
        stage.write_until(clock.s)
        due_s = agenda.run_due(clock.s)
    clock.s = lasts_s
    stage.write_until(lasts_s + PASSES_WITHIN_S)
    return town.tally.summary(lasts_s)
