"""The evaluation judges what the detector does, and never lets a home judge itself."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest

from hub.detect.detector import Context, PersonContext, Phase
from hub.detect.inactivity import LEARNING_DAYS, InactivityDetector
from hub.detect.inactivity_history import DAY_MIN
from hub.detect.inactivity_line import Line, learn
from hub.detect.inactivity_prior import LEARNED_FROM, TUNING, prior
from hub.device import Device
from hub.evaluate import inactivity
from hub.evaluate.inactivity_homes import limits_of, read_homes
from hub.evaluate.inactivity_trial import figures, rates_of, try_fixed, try_home, without
from hub.observation import ALIVE, Observation
from schemas.ids import AreaId, DeviceId, PremisesId
from schemas.vocabulary import DeviceKind

DATA = Path(__file__).parents[3] / "shared" / "data"
TIHM = DATA / "tihm"
needs_recordings = pytest.mark.skipif(
    not (TIHM / "activity.csv.gz").is_file(), reason="recordings of TIHM are not here"
)


def test_without_the_recordings_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inactivity.run(tmp_path, as_json=True, plots=None)
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"homes": 0, "skipped": "tihm"}


@needs_recordings
def test_fixed_ten_hours_agrees_with_the_published_reference() -> None:
    homes = [home for home in read_homes(TIHM) if home.days > 14]
    fixed = figures([try_fixed(home, 600, 14) for home in homes])
    assert fixed.false_alerts_per_home_week == pytest.approx(0.21, abs=0.04)
    assert fixed.median_delay_h == pytest.approx(9.8, abs=0.1)


@needs_recordings
def test_a_home_is_not_part_of_the_rates_it_is_lent() -> None:
    homes = read_homes(TIHM)[:4]
    lent = without(rates_of(homes), homes[0])
    assert np.allclose(lent.ended, rates_of(homes[1:]).ended)
    assert lent.days == rates_of(homes[1:]).days


@needs_recordings
def test_tomorrow_changes_nothing_today() -> None:
    home = next(home for home in read_homes(TIHM) if home.days > 40)
    line = learn(home.tallies[:30], prior(), TUNING)
    assert line == learn(list(home.tallies[:30]), prior(), TUNING)
    assert try_home(home, prior(), TUNING).weeks < home.days / 7
    assert home.name in LEARNED_FROM


@needs_recordings
@pytest.mark.slow
def test_the_detector_alerts_exactly_where_the_evaluation_counts() -> None:
    home = next(home for home in read_homes(TIHM) if home.days > 45)
    line = learn(home.tallies[:LEARNING_DAYS], prior(), TUNING)
    limits = limits_of(home, dict.fromkeys(range(home.days), line))
    found = home.found
    expected = {
        int(start)
        for start, end, limit in zip(found.start, found.end, limits, strict=True)
        if end - start > limit and start // DAY_MIN >= LEARNING_DAYS
    }
    told = _replay(home.found.start, home.found.end, home.found.near_bed, line)
    plain = ~home.found.departure
    far_from_limit = np.abs(found.end - found.start - limits) > 2
    level_sure = np.abs(found.level / max(line.usual_active_min, 1) - 0.4) > 0.05
    sure = {
        int(start)
        for start in found.start[plain & far_from_limit & level_sure]
        if start // DAY_MIN >= LEARNING_DAYS
    }
    assert expected & sure == told & sure
    assert expected & sure


def _replay(starts: np.ndarray, ends: np.ndarray, near_bed: np.ndarray, line: Line) -> set[int]:
    """Starts of the silences the detector told the dispatcher of; the home is always heard."""
    detector, told = InactivityDetector(), set()
    midnight = datetime(2026, 1, 1, tzinfo=UTC)
    device = Device(
        DeviceId("s"), DeviceKind.MOTION_SENSOR, AreaId("a"), PremisesId("home"), label="room"
    )
    context = Context(
        device, midnight, PersonContext(time_zone=UTC, inactivity_line_min=line.flat())
    )
    state = None
    for start, end, bed in zip(starts, ends, near_bed, strict=True):
        at = midnight + timedelta(minutes=int(start))
        room = "bedroom" if bed else "kitchen"
        state, _ = detector.observe(state, Observation(device, "room", at, at, state=room), context)
        until = midnight + timedelta(minutes=int(end)) - timedelta(seconds=1)
        while state is not None and (due := detector.deadline(state, context)):
            if due > until:
                break
            state, _ = detector.observe(state, Observation(device, ALIVE, due, None), context)
            assert state is not None
            # Heartbeats came all along: their gap is no outage.
            state = msgspec.structs.replace(state, paused_s=0)
            state, findings = detector.expire(state, due, context)
            told |= {int(start) for f in findings if f.phase is Phase.CONFIRMED}
    return told
