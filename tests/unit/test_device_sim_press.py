"""Repeat until received, on a clock moved by hand: the pure machine, and a device that runs it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from device_sim import play, press
from device_sim.agenda import Agenda
from device_sim.device import MAX_OPEN_ALARMS, Device
from device_sim.display import SCREEN_OF_STAGE, Screen, Shown
from device_sim.fleet import FleetDevice, Home, Resident
from device_sim.household import DayClock, Household
from device_sim.line import Listener
from device_sim.surroundings import Surroundings
from device_sim.tally import Tally
from device_sim.truth import Truth
from schemas.alarms import PressAction
from schemas.codec import encode
from schemas.commands import CheckIn, Receipt, ReceiptStage
from schemas.vocabulary import DeviceKind

START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
LONGEST_PAUSE_S = press.REPEAT_AFTER_S[-1]


def receipt(stage: ReceiptStage, message_id: str | None, text: str = "") -> Receipt:
    return Receipt(stage, START, text, message_id=message_id)


class HandClock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.s = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.s)

    def monotonic_s(self) -> float:
        return self.s


@dataclass
class PaperLine:
    """A line that writes down what is sent and answers only when it is told to."""

    listener: Listener
    clock: HandClock
    connected: bool = True
    answers: bool = True
    redials: int = 0
    sent: list[tuple[float, str, bytes]] = field(default_factory=list)
    owed: list[Callable[[], None]] = field(default_factory=list)

    def publish(
        self, topic: str, payload: bytes, on_puback: Callable[[], None], *, urgent: bool
    ) -> bool:
        if not self.connected:
            return False
        if urgent:
            self.sent.append((self.clock.s, topic, payload))
        (on_puback if self.answers else lambda: self.owed.append(on_puback))()
        return True

    def hurry(self) -> None:
        """Nothing to hurry on paper."""

    def redial(self) -> None:
        self.redials += 1
        self.lose()

    def power(self, *, on: bool) -> None:
        self.restore() if on else self.lose()

    def cover(self, *, on: bool) -> None:
        self.restore() if on else self.lose()

    def lose(self) -> None:
        if self.connected:
            self.connected = False
            self.listener.on_lost()

    def restore(self) -> None:
        if not self.connected:
            self.connected = True
            self.listener.on_connected()


class Bench:
    """One button on the bench."""

    def __init__(self, language: str = "en") -> None:
        self.clock, self.agenda, self.tally = HandClock(), Agenda(), Tally()
        self.shown: list[Shown] = []
        identity = FleetDevice("button-1", DeviceKind.BUTTON, "secret")
        home = Home("city", "home-1", Resident("person-1", language=language), [identity])
        household = Household(home, "1", self.clock, DayClock(START, 0.0, 1.0))
        truth = Truth(START, 0.0)
        around = Surroundings(
            self.clock, self.agenda, self.tally, self.shown.append, truth, "boot", answers=1.0
        )
        self.line = PaperLine.__new__(PaperLine)
        self.device = Device(home, identity, household, around, self._open)

    def _open(self, listener: Listener) -> PaperLine:
        self.line = PaperLine(listener, self.clock)
        return self.line

    def advance(self, seconds: float) -> None:
        """Move time, stopping wherever something is due."""
        end_s = self.clock.s + seconds
        while (next_s := self.agenda.run_due(self.clock.s)) is not None and next_s <= end_s:
            self.clock.s = max(self.clock.s, next_s)
        self.clock.s = end_s
        self.agenda.run_due(end_s)

    def hear(self, stage: ReceiptStage, message_id: str | None) -> None:
        self.device.on_command("receipt", encode(receipt(stage, message_id)))

    @property
    def screens(self) -> list[Screen]:
        return [shown.screen for shown in self.shown]


def test_repeats_with_back_off_until_received() -> None:
    bench = Bench()
    message_id = play.press(bench.device, PressAction.EMERGENCY)
    bench.advance(60)
    assert [at for at, _, _ in bench.line.sent] == [0, 2, 6, 14, 29, 44, 59]
    assert len({payload for _, _, payload in bench.line.sent}) == 1
    bench.hear(ReceiptStage.HEARD, message_id)
    bench.advance(20)
    assert len(bench.line.sent) == 8, "heard is not received"
    bench.hear(ReceiptStage.RECEIVED, message_id)
    bench.advance(600)
    assert len(bench.line.sent) == 8
    assert bench.screens == [
        Screen.CALLING, Screen.STILL_CALLING, Screen.HEARD, Screen.RECEIVED,
    ]  # fmt: skip


def test_a_press_without_connection_says_so_and_goes_out_when_it_is_back() -> None:
    bench = Bench()
    bench.line.lose()
    play.press(bench.device, PressAction.EMERGENCY)
    bench.advance(90)
    assert bench.line.sent == []
    assert bench.screens == [Screen.NO_CONNECTION]
    bench.line.restore()
    assert [at for at, _, _ in bench.line.sent] == [90]
    assert bench.screens[-1] is Screen.STILL_CALLING


def test_a_broker_that_does_not_answer_is_no_connection() -> None:
    bench = Bench()
    bench.line.answers = False
    play.press(bench.device, PressAction.EMERGENCY)
    bench.advance(press.PUBACK_WITHIN_S + 0.1)
    assert bench.line.redials == 1
    assert bench.screens == [Screen.CALLING, Screen.NO_CONNECTION]
    bench.line.restore()
    assert bench.screens[-1] is Screen.CALLING


def test_repeats_go_on_after_a_puback_that_came_between_two_looks() -> None:
    bench = Bench()
    bench.line.answers = False
    play.press(bench.device, PressAction.EMERGENCY)
    bench.advance(6.5)  # redialled at 5 s
    bench.line.restore()
    bench.advance(1)
    for on_puback in bench.line.owed:
        on_puback()
    bench.line.answers = True
    sends = len(bench.line.sent)
    bench.advance(2 * LONGEST_PAUSE_S)
    assert len(bench.line.sent) > sends


def test_each_press_is_its_own_alarm_and_hammering_is_bounded() -> None:
    bench = Bench()
    ids = [play.press(bench.device, PressAction.EMERGENCY) for _ in range(MAX_OPEN_ALARMS)]
    assert len(set(ids)) == MAX_OPEN_ALARMS
    again = play.press(bench.device, PressAction.EMERGENCY)
    assert again == ids[-1]
    assert len(bench.line.sent) == MAX_OPEN_ALARMS + 1
    bench.hear(ReceiptStage.RECEIVED, ids[0])
    assert play.press(bench.device, PressAction.EMERGENCY) not in ids


def test_a_receipt_without_id_is_for_the_last_press_and_others_are_shown_too() -> None:
    bench = Bench()
    message_id = play.press(bench.device, PressAction.HELP)
    bench.hear(ReceiptStage.RECEIVED, None)
    assert bench.device.stage_of(message_id) is ReceiptStage.RECEIVED
    bench.hear(ReceiptStage.COMING, "pressed-on-the-wristband")
    assert bench.screens[-1] is Screen.COMING
    assert bench.device.stage_of(message_id) is ReceiptStage.RECEIVED
    question = CheckIn("c-1", "Are you well?", 30)
    bench.device.on_command("check_in", encode(question))
    assert bench.shown[-1].text == "Are you well?"
    sends = len(bench.line.sent)
    bench.advance(15)
    answers = [json.loads(payload) for _, _, payload in bench.line.sent[sends:]]
    assert {answer["action"] for answer in answers} == {"cancel"}, "who is well says so"
    bench.device.on_command("receipt", b"\xff")
    assert bench.tally.malformed_commands == 1


def test_counts_say_what_happened() -> None:
    bench = Bench()
    message_id = play.press(bench.device, PressAction.EMERGENCY)
    for stage in ReceiptStage:
        bench.hear(stage, message_id)
        bench.hear(stage, message_id)
    tally = bench.tally
    assert (tally.alarms, tally.heard, tally.received, tally.coming, tally.over) == (1, 1, 1, 1, 1)
    assert tally.alarms_pubacked == tally.press_to_received.count == 1


RECEIPT_SCREENS = set(SCREEN_OF_STAGE.values())

EVENTS = st.one_of(
    st.tuples(st.just("advance"), st.floats(0.01, 40)),
    st.tuples(st.sampled_from(["lose", "restore", "press", "mute", "unmute"]), st.just(0.0)),
    st.tuples(st.sampled_from([stage.value for stage in ReceiptStage]), st.integers(0, 3)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENTS, max_size=25))
def test_whatever_happens_no_press_is_dropped_and_no_more_is_claimed_than_known(
    events: list[tuple[str, float]],
) -> None:
    bench = Bench()
    ids: list[str] = []
    best: dict[str, int] = {}
    for what, value in events:
        if what == "advance":
            bench.advance(value)
        elif what == "press":
            ids.append(play.press(bench.device, PressAction.EMERGENCY))
        elif what in ("lose", "restore"):
            getattr(bench.line, what)()
        elif what in ("mute", "unmute"):
            bench.line.answers = what == "unmute"
        elif ids:
            message_id = ids[int(value) % len(ids)]
            bench.hear(ReceiptStage(what), message_id)
            rank = press.STAGE_ORDER.index(ReceiptStage(what))
            best[message_id] = max(rank, best.get(message_id, 0))
    for message_id, rank in best.items():
        assert bench.device.stage_of(message_id) is press.STAGE_ORDER[rank]
    for shown in bench.shown:
        if shown.screen in RECEIPT_SCREENS:
            assert shown.message_id in best
    _everything_waiting_still_goes_out(bench, ids, best)


def _everything_waiting_still_goes_out(bench: Bench, ids: list[str], best: dict[str, int]) -> None:
    bench.line.answers = True
    before = len(bench.line.sent)
    for _ in range(int(LONGEST_PAUSE_S) + 1):
        bench.line.restore()  # as a real line does by itself
        bench.advance(1.0)
    later = {json.loads(payload)["message_id"] for _, _, payload in bench.line.sent[before:]}
    received = press.STAGE_ORDER.index(ReceiptStage.RECEIVED)
    waiting = {message_id for message_id in ids if best.get(message_id, -1) < received}
    assert later == waiting
    by_id: dict[str, set[bytes]] = {}
    for _, _, payload in bench.line.sent:
        by_id.setdefault(json.loads(payload)["message_id"], set()).add(payload)
    assert all(len(payloads) == 1 for payloads in by_id.values())


@given(st.lists(st.sampled_from(list(ReceiptStage)), min_size=1))
def test_stages_only_go_forward(stages: list[ReceiptStage]) -> None:
    alarm = press.begin("m-1", "press", b"{}", 0.0)
    ranks = []
    for stage in stages:
        alarm = press.answered(alarm, receipt(stage, "m-1"))
        assert alarm.stage is not None
        ranks.append(press.STAGE_ORDER.index(alarm.stage))
    assert ranks == sorted(ranks)
    assert ranks[-1] == max(press.STAGE_ORDER.index(stage) for stage in stages)
