"""The canonical signal: rate, range and the cut of a recording must not matter."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.detect.fall_features import angle_deg, features
from hub.detect.fall_signal import (
    APART_S,
    RATE_HZ,
    WIDTH,
    Floats,
    canonical,
    impacts,
    windows_round,
)


def movement(rate_hz: float, seconds: float = 12.0) -> Floats:
    """A smooth movement with one violent second, as a function of time."""
    t = np.arange(0.0, seconds, 1.0 / rate_hz)
    blow = 0.8 * np.exp(-(((t - 6.0) / 0.25) ** 2))
    return np.stack(
        [0.2 * np.sin(2 * np.pi * 0.7 * t), blow * np.sin(2 * np.pi * 2.0 * t), 0.9 + blow], axis=1
    )


@pytest.mark.parametrize("rate_hz", [25.0, 31.0, 32.0, 50.0, 100.0, 200.0])
def test_one_movement_gives_one_signal_at_any_rate(rate_hz: float) -> None:
    slowest, other = canonical(movement(20.0), 20.0), canonical(movement(rate_hz), rate_hz)
    count = min(len(slowest), len(other))
    assert np.abs(slowest[5 : count - 5] - other[5 : count - 5]).max() < 0.03


@pytest.mark.parametrize("limit_g", [2.0, 4.0, 8.0, 16.0])
def test_a_wider_range_gives_exactly_the_same_signal(limit_g: float) -> None:
    violent = movement(50.0) * 6.0
    clipped = np.clip(violent, -limit_g, limit_g)
    assert np.array_equal(canonical(violent, 50.0), canonical(clipped, 50.0))


def test_impacts_are_found_strongest_first_and_apart() -> None:
    places = impacts(canonical(movement(50.0), 50.0))
    assert abs(places[0] / RATE_HZ - 6.0) < 0.5
    assert np.diff(np.sort(places)).min() >= APART_S * RATE_HZ


@given(st.integers(40, 400), st.data())
def test_what_lies_outside_a_recording_is_mirrored_not_still(
    count: int, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, count - 1))
    signal = np.random.default_rng(count).normal(size=(count, 3))
    window = windows_round(signal, np.array([place]))[0]
    assert window.shape == (WIDTH, 3)
    assert np.abs(np.diff(window, axis=0)).sum(axis=1).min() > 0.0


def test_features_do_not_know_how_the_sensor_is_turned() -> None:
    window = windows_round(movement(20.0), np.array([120]))
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    blow = (np.abs(window) > 1.8).any()
    assert not blow  # else the clipping of single axes would show
    assert np.allclose(features(window), features(window @ turn.T), atol=1e-6)


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 2.0))
def test_features_are_finite_whatever_the_window(seed: int, size: float) -> None:
    window = np.random.default_rng(seed).normal(size=(2, WIDTH, 3)) * size
    assert np.isfinite(features(window)).all()


def test_angles_are_in_degrees() -> None:
    assert angle_deg(np.array([1.0, 0, 0]), np.array([0, 2.0, 0])) == pytest.approx(90.0, abs=0.01)
