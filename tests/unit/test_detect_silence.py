"""A device that says nothing is a finding; a hub that was deaf is not."""

from datetime import timedelta

import pytest

from alerts.alarm import Category
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
    device = Device(DeviceId("d"), kind, AreaId("city"), PremisesId("home-1"))
    context = Context(device, START)
    wait_s = DEVICE_CLASSES[kind].heartbeat_s * MISSED_HEARTBEATS_UNTIL_SILENT
    state, _ = SILENCE.observe(None, Observation(device, ALIVE, START, None), context)
    assert state is not None
    due = SILENCE.deadline(state, context)
    assert due == START + timedelta(seconds=wait_s)
    early = START + timedelta(seconds=wait_s - 1)
    assert SILENCE.expire(state, early, context) == (state, ())
    _, (finding,) = SILENCE.expire(state, START + timedelta(seconds=wait_s), context)
    assert (finding.phase, finding.category) == (Phase.CONFIRMED, Category.TECHNICAL)


def test_it_is_reported_once_and_withdrawn_when_the_device_is_back() -> None:
    state, _ = heard(None, 0)
    state, found = SILENCE.expire(state, START + timedelta(seconds=200), LISTENING)
    assert len(found) == 1
    assert SILENCE.deadline(state, LISTENING) is None
    assert SILENCE.expire(state, START + timedelta(days=1), LISTENING) == (state, ())
    state, (back,) = heard(state, 300)
    assert (back.phase, back.key) == (Phase.WITHDRAWN, found[0].key)
    assert SILENCE.deadline(state, LISTENING) == START + timedelta(seconds=480)


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
    state, _ = heard(None, 0)
    state, (first,) = SILENCE.expire(state, START + timedelta(seconds=200), LISTENING)
    state, (back,) = heard(state, -3600)
    assert back.phase is Phase.WITHDRAWN
    _, (second,) = SILENCE.expire(state, START + timedelta(seconds=400), LISTENING)
    assert second.key != first.key
