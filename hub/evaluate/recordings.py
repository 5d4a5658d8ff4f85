"""Reads the public recordings of falls and daily activities (data/README.md and each set's own).

Known defects are met here, once: the person is named across the sensors of one study, because the
second wrist of somebody in training must not be tested; the sampling rate is handed on only to be
resampled away (SmartFallMM's falls are mostly 25 Hz and its old people 50 Hz, WEDA's classes had
different interpolation).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hub.detect.fall_signal import MIN_WINDOW_S, Floats


@dataclass(frozen=True, slots=True)
class Source:
    """One sensor of one study."""

    name: str
    path: str
    study: str
    place: str
    """Which model it belongs to: wrist or waist (belt, hip, trouser pocket, pendant)."""
    licence: str
    judged: bool = True
    """Whether `evaluate` reports it; otherwise it only trains."""


SOURCES: tuple[Source, ...] = (
    Source("weda-fall", "weda-fall/trials.npz", "weda-fall", "wrist", "none stated"),
    Source("smartfallmm-watch", "smartfallmm/watch.npz", "smartfallmm", "wrist", "none stated"),
    Source(
        "smartfallmm-meta_wrist", "smartfallmm/meta_wrist.npz", "smartfallmm", "wrist",
        "none stated",
    ),
    Source("umafall-wrist", "umafall/wrist.npz", "umafall", "wrist", "CC BY 4.0, unconfirmed"),
    Source("sisfall", "sisfall/trials.npz", "sisfall", "waist", "none stated"),
    Source("umafall-waist", "umafall/waist.npz", "umafall", "waist", "CC BY 4.0, unconfirmed"),
    Source("smartfallmm-meta_hip", "smartfallmm/meta_hip.npz", "smartfallmm", "waist",
           "none stated"),
    Source("mobifall2", "mobifall2/trials.npz", "mobifall2", "waist", "none stated"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recordings:
    """The trials of one sensor; every field has one entry a trial."""

    source: Source
    acceleration_g: tuple[Floats, ...]
    rate_hz: Floats
    is_fall: NDArray[np.bool_]
    elder: NDArray[np.bool_]
    person: NDArray[np.str_]
    """Study and subject: the same human in every sensor of the study."""
    activity: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.is_fall)


def read_source(folder: Path, source: Source) -> Recordings | None:
    """One sensor's trials, or None where the set is not there."""
    path = folder / source.path
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as stored:
        offsets = stored["offsets"]
        count = len(offsets) - 1
        rate_hz = np.broadcast_to(stored["fs"], count).astype(np.float64)
        long_enough = np.flatnonzero(np.diff(offsets) >= MIN_WINDOW_S / 2 * rate_hz)
        acceleration = stored["acc_mg"]
        elder = stored["elder"] if "elder" in stored.files else np.zeros(count, dtype=bool)
        activity = stored["code"] if "code" in stored.files else stored["activity"]
        person = np.array([f"{source.study}/{subject}" for subject in stored["subject"]])
        trials = tuple(
            acceleration[offsets[trial] : offsets[trial + 1]].astype(np.float64) / 1000.0
            for trial in long_enough
        )
        return Recordings(
            source=source,
            acceleration_g=trials,
            rate_hz=rate_hz[long_enough],
            is_fall=stored["is_fall"].astype(bool)[long_enough],
            elder=elder.astype(bool)[long_enough],
            person=person[long_enough],
            activity=activity.astype(str)[long_enough],
        )


def chosen_sources(names: Iterable[str] = ()) -> tuple[Source, ...]:
    """The sources of these names or studies; all when none is named.

    >>> [source.name for source in chosen_sources(["sisfall"])]
    ['sisfall']
    """
    wanted = set(names)
    if not wanted:
        return SOURCES
    return tuple(source for source in SOURCES if wanted & {source.name, source.study})
