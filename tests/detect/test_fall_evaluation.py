"""How falls are measured: people never on both sides, figures as defined, the same bytes twice."""

import json
from pathlib import Path

import numpy as np
import pytest

from hub.detect.fall_model import pack, unpack
from hub.evaluate.falls import Judged, figures, run
from hub.evaluate.metrics import auc, interval, operating_point
from hub.evaluate.recordings import SOURCES, Recordings, Source, read_source
from hub.evaluate.splits import people_in_folds
from hub.evaluate.train_falls import fit, impacts_of, score


def acted(study: str, seed: int, people: int = 4) -> Recordings:
    """Made-up trials: a fall is a blow and then rest, the other activity goes on."""
    random = np.random.default_rng(seed)
    trials, falls, person = [], [], []
    for number in range(people * 6):
        fall = number % 2 == 0
        t = np.arange(0, 12, 0.02)
        seen = random.normal([0.0, 0.0, 1.0], 0.15, size=(len(t), 3))
        blow = np.exp(-(((t - 6) / 0.1) ** 2)) * 3.0
        seen[:, 0] += blow
        if fall:
            seen[t > 6.5] = np.array([1.0, 0, 0]) + random.normal(
                0, 0.005, (int((t > 6.5).sum()), 3)
            )
        trials.append(seen)
        falls.append(fall)
        person.append(f"{study}/{number // 6}")
    count = len(trials)
    return Recordings(
        source=Source(study, f"{study}.npz", study, "wrist", "made up"),
        acceleration_g=tuple(trials),
        rate_hz=np.full(count, 50.0),
        is_fall=np.array(falls),
        elder=np.zeros(count, dtype=bool),
        person=np.array(person),
        activity=np.array(["x"] * count),
    )


def test_everybody_is_tested_once_and_groups_are_spread() -> None:
    people = [f"a/{n}" for n in range(10)] + [f"b/{n}" for n in range(7)]
    fold = people_in_folds(people, people[:5])
    assert sorted(fold) == sorted(people)
    assert len({fold[person] for person in people[:5]}) == 5
    assert fold == people_in_folds(reversed(people), people[:5])


def test_auc_against_counting_pairs() -> None:
    random = np.random.default_rng(4)
    fall, values = random.random(60) < 0.3, random.integers(0, 9, 60).astype(float)
    pairs = [
        1.0 if up > down else 0.5 if up == down else 0.0
        for up in values[fall]
        for down in values[~fall]
    ]
    assert auc(fall, values) == pytest.approx(np.mean(pairs))


def test_the_operating_point_keeps_the_specificity_asked_for() -> None:
    random = np.random.default_rng(5)
    fall = random.random(400) < 0.3
    values = random.normal(size=400) + fall
    point = operating_point(fall, values)
    assert point.specificity >= 0.95
    assert point.specificity == pytest.approx((values[~fall] < point.threshold).mean())
    assert point.sensitivity == pytest.approx((values[fall] >= point.threshold).mean())


def test_the_interval_draws_people_not_trials() -> None:
    person = np.array(["a"] * 50 + ["b"] * 50)
    values = np.array([0.0] * 50 + [1.0] * 50)
    assert interval(person, lambda rows: float(values[rows].mean())) == (0.0, 1.0)


def test_the_same_recordings_give_the_same_bytes_and_a_model_that_learned() -> None:
    part = impacts_of(acted("one", 1))
    everybody = np.ones(len(part.recordings), dtype=bool)
    first, again = (pack(fit([(part, everybody)], trees=9)) for _ in range(2))
    assert first == again
    other = impacts_of(acted("two", 2))
    values = score(unpack(first), other, everybody)
    assert auc(other.recordings.is_fall, values) > 0.95


def test_a_set_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert all(read_source(tmp_path, source) is None for source in SOURCES)


def test_a_set_without_old_people_still_has_its_figures() -> None:
    one = acted("one", 3)
    judged = Judged(one, np.where(one.is_fall, 1.0, -1.0), 0.0)
    row = figures(judged)
    assert (row["auc"], row["sensitivity_at_specificity_95"]) == (1.0, 1.0)
    assert np.isnan(row["elder_specificity"])
    assert row["one_threshold"]["false_alarms_per_hour_of_scripted_activity"] == 0.0
    assert (row["n_falls"], row["n_adl"]) == (12, 12)


def test_the_command_judges_the_sets_that_are_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = acted("weda", 6)
    (tmp_path / "weda-fall").mkdir()
    np.savez(
        tmp_path / "weda-fall" / "trials.npz",
        acc_mg=(np.concatenate(one.acceleration_g) * 1000).astype(np.int16),
        offsets=np.cumsum([0, *map(len, one.acceleration_g)]),
        fs=50.0,
        code=one.activity,
        subject=one.person,
        is_fall=one.is_fall,
    )
    run(tmp_path, True, tmp_path / "plots", "shipped")
    captured = capsys.readouterr()
    answer = json.loads(captured.out.splitlines()[-1])
    assert list(answer["sets"]) == ["weda-fall"]
    assert answer["sets"]["weda-fall"]["trained_without"] == {"auc": None}
    assert "sisfall: not in" in captured.err
    assert (tmp_path / "plots" / "falls-roc.png").stat().st_size > 1000
