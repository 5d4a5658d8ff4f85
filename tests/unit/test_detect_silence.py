"""A device that says nothing is a finding; a hub that was deaf is not."""

from datetime import timedelta

import pytest

from alerts.alarm import Category
from alerts.outage import SINGLES_WAIT_S
from hub.detect.detector import Context, Finding, Phase
from hub.detect.silence import SilenceDetector, SilenceState
from hub.device import Device
from hub.observation import ALIVE, Observation
from schemas.ids import AreaId, DeviceId, PremisesId
from schemas.vocabulary import DEVICE_CLASSES, MISSED_HEARTBEATS_UNTIL_SILENT, DeviceKind
from tests.scenes import START

SILENCE = SilenceDetector()
BAND = Device(DeviceId("band-1"), DeviceKind.WRISTBAND, AreaId("city"), PremisesId("home-1"))
LISTENING = Context(BAND, START)


def heard(state: SilenceState | None, at_s: float) -> tuple[SilenceState, list[Finding]]:
    at = START + timedelta(seconds=at_s)
    after, findings = SILENCE.observe(state, Observation(BAND, ALIVE, at, None), LISTENING)
    assert after is not None
    return after, list(findings)


@pytest.mark.parametrize("kind", DeviceKind)
def test_three_missed_heartbeats_of_its_class(kind: DeviceKind) -> None:
    """A device that falls silent is told of at its third missed heartbeat, not thirty later."""
    device = Device(DeviceId("d"), kind, AreaId("city"), PremisesId("home-1"))
    context = Context(device, START)
    wait_s = DEVICE_CLASSES[kind].heartbeat_s * MISSED_HEARTBEATS_UNTIL_SILENT
    state, _ = SILENCE.observe(None, Observation(device, ALIVE, START, None), context)
    assert state is not None
    due = SILENCE.deadline(state, context)
    assert due == START + timedelta(seconds=wait_s)
    early = START + timedelta(seconds=wait_s - 1)
    assert SILENCE.expire(state, early, context) == (state, ())
    state, (candidate,) = SILENCE.expire(state, START + timedelta(seconds=wait_s), context)
    assert candidate.phase is Phase.CANDIDATE
    told = START + timedelta(seconds=wait_s + SINGLES_WAIT_S)
    assert SILENCE.deadline(state, context) == told
    state, (finding,) = SILENCE.expire(state, told, context)
    assert (finding.phase, finding.category) == (Phase.CONFIRMED, Category.TECHNICAL)
    assert finding.key == candidate.key


def silent_since(heard_s: float) -> tuple[SilenceState, Finding]:
    """Heard then, and told three heartbeats and the wait later."""
    state, _ = heard(None, heard_s)
    state, _ = SILENCE.expire(state, START + timedelta(seconds=heard_s + 200), LISTENING)
    state, (found,) = SILENCE.expire(state, START + timedelta(seconds=heard_s + 240), LISTENING)
    return state, found


def test_it_is_reported_once_and_withdrawn_when_the_device_is_back() -> None:
    state, found = silent_since(0)
    assert SILENCE.deadline(state, LISTENING) is None
    assert SILENCE.expire(state, START + timedelta(days=1), LISTENING) == (state, ())
    state, (back,) = heard(state, 300)
    assert (back.phase, back.key) == (Phase.WITHDRAWN, found.key)
    assert SILENCE.deadline(state, LISTENING) == START + timedelta(seconds=480)


def test_who_speaks_while_the_neighbours_are_asked_was_not_silent() -> None:
    state, _ = heard(None, 0)
    state, _ = SILENCE.expire(state, START + timedelta(seconds=200), LISTENING)
    state, findings = heard(state, 210)
    assert findings == []
    assert SILENCE.deadline(state, LISTENING) == START + timedelta(seconds=390)


def will(state: SilenceState, at_s: float) -> SilenceState:
    at = START + timedelta(seconds=at_s)
    said = Observation(BAND, "link_state", at, None, state="offline")
    after, findings = SILENCE.observe(state, said, LISTENING)
    assert findings == ()
    assert after is not None
    return after


def test_a_last_will_shortens_the_wait_and_is_no_silence_by_itself() -> None:
    state, _ = heard(None, 0)
    state = will(state, 20)
    assert SILENCE.deadline(state, LISTENING) == START + timedelta(seconds=20 + 90)
    state, _ = heard(state, 40)
    assert SILENCE.deadline(state, LISTENING) == START + timedelta(seconds=40 + 180)
    state = will(state, 190)
    assert SILENCE.deadline(state, LISTENING) == START + timedelta(seconds=40 + 180)


def test_a_hub_that_was_deaf_gives_everybody_three_heartbeats_again() -> None:
    """A backlog is not a silent city."""
    state, _ = heard(None, 0)
    restarted = Context(BAND, START + timedelta(hours=2))
    assert SILENCE.deadline(state, restarted) == START + timedelta(hours=2, seconds=180)
    assert SILENCE.expire(state, START + timedelta(hours=2), restarted) == (state, ())


def test_a_message_that_was_overtaken_changes_nothing() -> None:
    state, _ = heard(None, 100)
    assert heard(state, 40) == (state, [])


def test_after_a_clock_that_jumped_back_the_next_silence_is_a_new_one() -> None:
    """Otherwise its alarm would be taken for the old one and ring nobody."""
    state, first = silent_since(0)
    state, (back,) = heard(state, -3600)
    assert back.phase is Phase.WITHDRAWN
    state, _ = SILENCE.expire(state, START + timedelta(seconds=400), LISTENING)
    _, (second,) = SILENCE.expire(state, START + timedelta(seconds=440), LISTENING)
    assert second.key != first.key
