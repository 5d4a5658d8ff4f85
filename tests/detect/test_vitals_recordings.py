"""Against real people, where the recordings are there; they are never part of the project."""

import json
from pathlib import Path

import pytest

from hub.evaluate import vitals, vitals_nights, vitals_tihm

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "data"


def _folder(name: str) -> Path:
    folder = RECORDINGS / name
    if not folder.is_dir():
        pytest.skip(f"the recordings of {name} are not there")
    return folder


def test_nobody_is_woken_for_a_healthy_sleeper() -> None:
    by_person, _ = vitals_nights.pages_by_person(vitals_nights.read(_folder("bed-rr-nights")))
    assert sum(sum(nights) for nights in by_person.values()) == 0


@pytest.mark.parametrize(
    ("sign", "specificity"), [("tihm_pulse", 0.99), ("tihm_blood_pressure", 0.96)]
)
def test_reviews_agree_with_the_clinic(sign: str, specificity: float) -> None:
    figures = vitals_tihm.measure(vitals_tihm.read(_folder("tihm")), sign)
    for measured in (figures, figures["nested"], figures["calendar_day"]):
        assert isinstance(measured, dict)
        assert measured["sensitivity"] >= 0.90
        assert measured["specificity"] >= specificity


def test_missing_sets_are_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vitals.run(tmp_path, False, None)
    told = capsys.readouterr().out.splitlines()
    assert "tihm: not there, skipped" in told
    assert json.loads(told[-1]) == {}
