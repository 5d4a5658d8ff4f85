"""TIHM: do the review findings of a cuff agree with what a clinic's nurses confirmed?

The unit is a person's review day with at least one reading. Two facts of the recording decide
the pairing, both seen in the times alone: the labels' clock runs one hour behind the readings'
(shifted so, 84 % of blood-pressure labels follow a reading by less than an hour, unshifted 13 %;
the labels are in UTC, the readings in British summer time), and no label comes before 9:00 or
after 21:00: what is measured in the evening is labelled next morning. Figures by plain calendar
day, without either, are given beside.

The shipped limits were read off 36 homes of this study. `nested` tells what that choice is worth:
for every home the limits are chosen on the other homes alone.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hub.detect.detector import PersonContext
from hub.detect.vitals_review import REVIEW_LIMITS, ReviewDetector, beyond, review_day
from hub.evaluate.vitals_figures import Agreement, interval, pooled
from hub.evaluate.vitals_stream import Reading, findings_of, rows

LABEL_CLOCK_BEHIND = timedelta(hours=1)
MEASURES = {
    "Systolic blood pressure": "systolic_blood_pressure_mmhg",
    "Diastolic blood pressure": "diastolic_blood_pressure_mmhg",
    "Heart rate": "heart_rate_per_min",
}
SIGNS = {
    "tihm_pulse": ("Pulse", "pulse"),
    "tihm_blood_pressure": ("Blood pressure", "blood_pressure"),
}
GRIDS: Mapping[str, tuple[Sequence[float], Sequence[float]]] = {
    "systolic_blood_pressure_mmhg": ((79, 84, 89, 90, 94, 99), (150, 155, 160, 161, 165, 170)),
    "diastolic_blood_pressure_mmhg": ((44, 49, 50, 54, 57), (90, 95, 96, 100, 105)),
    "heart_rate_per_min": ((40, 45, 48, 49, 50, 52, 55), (90, 95, 100, 101, 105, 110)),
}
"""Low and high limits tried, both inclusive."""

Choice = tuple[tuple[float, float], ...]
Counts = NDArray[np.int64]

_PERSON = PersonContext(time_zone=UTC)


@dataclass(frozen=True, slots=True)
class Study:
    """Readings and labels by home; local times, carried as if they were UTC."""

    readings: Mapping[str, list[Reading]]
    labels: Mapping[str, list[tuple[datetime, str]]]


def read(folder: Path) -> Study:
    """The two tables of the set."""
    readings: dict[str, list[Reading]] = defaultdict(list)
    order = {measure: index for index, measure in enumerate(MEASURES.values())}
    for row in rows(folder / "physiology.csv.gz"):
        if measure := MEASURES.get(row["device_type"]):
            readings[row["patient_id"]].append((_at(row["date"]), measure, float(row["value"])))
    for mine in readings.values():
        mine.sort(key=lambda reading: (reading[0], order[reading[1]]))
    labels: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for row in rows(folder / "labels.csv.gz"):
        labels[row["patient_id"]].append((_at(row["date"]), row["type"]))
    return Study(readings, labels)


def agreement(study: Study, sign: str) -> dict[str, Agreement]:
    """By home: the detector's findings against the labels, by review day."""
    label_type, kind = SIGNS[sign]
    result = {}
    for home, readings in study.readings.items():
        labelled = _labelled(study, home, label_type)
        found = {
            review_day(int(finding.at.timestamp()), _PERSON)
            for finding in findings_of(ReviewDetector(), readings, person=home)
            if finding.kind == f"{kind}_review"
        }
        days = {review_day(int(at.timestamp()), _PERSON) for at, _, _ in readings}
        result[home] = Agreement.of([(day in labelled, day in found) for day in sorted(days)])
    return result


def by_calendar_day(study: Study, sign: str) -> dict[str, Agreement]:
    """The same limits against the labels, both by the date they carry."""
    label_type, kind = SIGNS[sign]
    wanted = {limit.measure for limit in REVIEW_LIMITS if limit.sign == kind}
    result = {}
    for home, readings in study.readings.items():
        labelled = {at.date() for at, which in study.labels.get(home, ()) if which == label_type}
        found = {
            at.date()
            for at, measure, value in readings
            if measure in wanted and beyond(measure, value, _PERSON)
        }
        days = {at.date() for at, _, _ in readings}
        result[home] = Agreement.of([(day in labelled, day in found) for day in sorted(days)])
    return result


def nested(study: Study, sign: str) -> tuple[Agreement, dict[str, int]]:
    """Leave one home out: limits with the best sensitivity + specificity on the others."""
    choices, counts = _tried(study, sign)
    total = Agreement()
    chosen: dict[str, int] = defaultdict(int)
    everybody = counts.sum(axis=0)
    for mine in counts:
        hits, misses, false, quiet = (everybody - mine).T
        youden = hits / np.maximum(hits + misses, 1) + quiet / np.maximum(false + quiet, 1)
        best = int(np.argmax(youden))
        total += Agreement(*(int(count) for count in mine[best]))
        chosen[" ".join(f"{low:g}/{high:g}" for low, high in choices[best])] += 1
    return total, dict(chosen)


def by_limits(study: Study, sign: str) -> list[Agreement]:
    """All homes together, for every pair of limits tried."""
    _, counts = _tried(study, sign)
    return [Agreement(*(int(count) for count in row)) for row in counts.sum(axis=0)]


def _tried(study: Study, sign: str) -> tuple[list[Choice], Counts]:
    """Every choice of limits, and what it counts at every home: hits, misses, false, quiet."""
    label_type, kind = SIGNS[sign]
    measures = [limit.measure for limit in REVIEW_LIMITS if limit.sign == kind]
    grids = [list(product(*GRIDS[measure])) for measure in measures]
    choices: list[Choice] = list(product(*grids))
    counts = np.zeros((len(study.readings), len(choices), 4), dtype=np.int64)
    for index, home in enumerate(study.readings):
        labelled, extremes = _extremes(study, home, label_type, measures)
        for number, choice in enumerate(choices):
            found = np.zeros(len(labelled), dtype=np.bool_)
            for column, (low, high) in enumerate(choice):
                found |= (extremes[:, column, 0] <= low) | (extremes[:, column, 1] >= high)
            counts[index, number] = (
                (labelled & found).sum(),
                (labelled & ~found).sum(),
                (~labelled & found).sum(),
                (~labelled & ~found).sum(),
            )
    return choices, counts


def measure(study: Study, sign: str) -> dict[str, object]:
    """The figures of one sign, for the JSON line."""
    homes = agreement(study, sign)
    calendar = pooled(list(by_calendar_day(study, sign).values()))
    held_out, chosen = nested(study, sign)
    result = pooled(list(homes.values()))
    parts = list(homes.values())
    return {
        "sensitivity": _rounded(result.sensitivity),
        "specificity": _rounded(result.specificity),
        "sensitivity_ci95": interval(parts, lambda one: one.sensitivity),
        "specificity_ci95": interval(parts, lambda one: one.specificity),
        "homes": len(parts),
        "labelled_days": result.hits + result.misses,
        "unlabelled_days": result.false + result.quiet,
        "calendar_day": {
            "sensitivity": _rounded(calendar.sensitivity),
            "specificity": _rounded(calendar.specificity),
        },
        "nested": {
            "sensitivity": _rounded(held_out.sensitivity),
            "specificity": _rounded(held_out.specificity),
            "limits_chosen": chosen,
        },
    }


def _extremes(
    study: Study, home: str, label_type: str, measures: Sequence[str]
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """By review day: whether it is labelled, and the lowest and highest of each measure."""
    by_day: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for at, which, value in study.readings[home]:
        by_day[review_day(int(at.timestamp()), _PERSON)][which].append(value)
    labelled_days = _labelled(study, home, label_type)
    labelled = np.array([day in labelled_days for day in by_day], dtype=bool)
    extremes = np.array(
        [
            [(min(day[name], default=np.nan), max(day[name], default=np.nan)) for name in measures]
            for day in by_day.values()
        ]
    )
    return labelled, extremes


def _labelled(study: Study, home: str, label_type: str) -> set[int]:
    """The review days that carry such a label."""
    return {
        (at + LABEL_CLOCK_BEHIND).toordinal()
        for at, which in study.labels.get(home, ())
        if which == label_type
    }


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 4)
