"""NEWS2 is exact: against the printed chart, and against an independent implementation."""

from itertools import product
from random import Random

import pytest
from vitalscore.scores.news2 import score_news2  # type: ignore[import-untyped]

from hub.detect.news2 import MEASURED, Consciousness, Parameters, Response, bands_of, score

CHART: dict[str, dict[float, int]] = {
    "respiratory_rate_per_min": {8: 3, 9: 1, 11: 1, 12: 0, 20: 0, 21: 2, 24: 2, 25: 3},
    "oxygen_saturation_percent": {91: 3, 92: 2, 93: 2, 94: 1, 95: 1, 96: 0, 100: 0},
    "systolic_blood_pressure_mmhg": {
        90: 3, 91: 2, 100: 2, 101: 1, 110: 1, 111: 0, 219: 0, 220: 3,
    },
    "heart_rate_per_min": {
        40: 3, 41: 1, 50: 1, 51: 0, 90: 0, 91: 1, 110: 1, 111: 2, 130: 2, 131: 3,
    },
    "body_temperature_c": {
        35.0: 3, 35.1: 1, 36.0: 1, 36.1: 0, 38.0: 0, 38.1: 1, 39.0: 1, 39.1: 2,
    },
}  # fmt: skip
SCALE_2_AIR = {83: 3, 84: 2, 85: 2, 86: 1, 87: 1, 88: 0, 92: 0, 93: 0, 97: 0, 100: 0}
SCALE_2_OXYGEN = {
    83: 3, 84: 2, 85: 2, 86: 1, 87: 1, 88: 0, 92: 0, 93: 1, 94: 1, 95: 2, 96: 2, 97: 3, 100: 3,
}  # fmt: skip


@pytest.mark.parametrize("parameter", CHART)
def test_every_printed_limit(parameter: str) -> None:
    above, up_to = MEASURED[parameter].zero
    for value, points in CHART[parameter].items():
        assert MEASURED[parameter].score(value) == points, value
        assert (above < value <= up_to) == (points == 0), value


@pytest.mark.parametrize(("on_oxygen", "chart"), [(False, SCALE_2_AIR), (True, SCALE_2_OXYGEN)])
def test_every_printed_limit_of_scale_2(on_oxygen: bool, chart: dict[int, int]) -> None:
    bands = bands_of("oxygen_saturation_percent", scale_2=True, on_oxygen=on_oxygen)
    for value, points in chart.items():
        assert bands.score(value) == points, value


def test_between_bands_a_value_belongs_to_the_upper_band() -> None:
    assert MEASURED["oxygen_saturation_percent"].score(91.4) == 2
    assert MEASURED["heart_rate_per_min"].score(130.4) == 3
    assert MEASURED["respiratory_rate_per_min"].score(8.5) == 1
    assert MEASURED["body_temperature_c"].score(39.04) == 2


def test_the_passed_limit_is_the_printed_one() -> None:
    pulse = MEASURED["heart_rate_per_min"]
    assert [pulse.limit(value) for value in (38, 45, 70, 95, 120, 140)] == [
        40, 50, None, 90, 110, 130,
    ]  # fmt: skip


def _oracle(parameters: Parameters, scale_2: bool) -> int:
    return int(
        score_news2(
            parameters.respiratory_rate_per_min,
            parameters.oxygen_saturation_percent,
            parameters.on_oxygen,
            parameters.systolic_blood_pressure_mmhg,
            parameters.heart_rate_per_min,
            parameters.consciousness.value if parameters.consciousness else "A",
            parameters.body_temperature_c,
            use_spo2_scale2=scale_2,
        ).total
    )


@pytest.mark.parametrize("scale_2", [False, True])
def test_the_oracle_agrees_at_every_boundary(scale_2: bool) -> None:
    """Each value in the neighbourhood of each limit, the others at rest."""
    middle = Parameters(16, 96, False, 120, 70, Consciousness.ALERT, 37.0)
    steps = [-1, -0.5, -0.1, 0, 0.1, 0.5, 1]
    for name, on_oxygen in product(MEASURED, (False, True)):
        bands = bands_of(name, scale_2=scale_2, on_oxygen=on_oxygen)
        for limit, step in product(bands.upper, steps):
            known = {field: getattr(middle, field) for field in Parameters.__slots__}
            one = Parameters(**known | {name: limit + step, "on_oxygen": on_oxygen})
            assert score(one, scale_2=scale_2).total == _oracle(one, scale_2), one


@pytest.mark.slow
@pytest.mark.parametrize("scale_2", [False, True])
@pytest.mark.parametrize("whole", [True, False], ids=["whole numbers", "fractions"])
def test_the_oracle_agrees_on_random_cases(scale_2: bool, whole: bool) -> None:
    """100,000 whole-number cases a scale, and 25,000 with fractions."""
    draw = Random(20170101 + scale_2)
    for _ in range(100_000 if whole else 25_000):
        digits = 0 if whole else 2
        one = Parameters(
            round(draw.uniform(1, 60), digits),
            round(draw.uniform(50, 100), digits),
            draw.random() < 0.5,
            round(draw.uniform(40, 280), digits),
            round(draw.uniform(20, 220), digits),
            draw.choice(list(Consciousness)),
            round(draw.uniform(30, 43), 1 if whole else 3),
        )
        assert score(one, scale_2=scale_2).total == _oracle(one, scale_2), one


def test_what_is_missing_is_never_zero() -> None:
    known = score(Parameters(heart_rate_per_min=70, respiratory_rate_per_min=14))
    assert known.total == 0
    assert len(known.missing) == 5
    assert known.text.startswith("at least 0: 2 of 7, missing SpO2, air or oxygen")
    assert score(Parameters(heart_rate_per_min=float("nan"))).points == {}


def test_a_single_red_parameter_asks_for_more_than_its_points() -> None:
    assert score(Parameters(heart_rate_per_min=140)).response is Response.SINGLE_RED
    assert score(Parameters(heart_rate_per_min=95)).response is Response.WARD
    five = Parameters(heart_rate_per_min=115, respiratory_rate_per_min=26)
    assert score(five).response is Response.URGENT
    assert score(Parameters(26, 90, False, 120, 95)).response is Response.EMERGENCY
