"""Healthy sleepers: every finding that would wake somebody for them is one too many."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hub.detect.detector import Detector
from hub.detect.vitals import VITAL_DETECTORS
from hub.detect.vitals_score import ScoreDetector
from hub.evaluate.vitals_stream import Reading, findings_of, pages, rows

COLUMNS = ("hr_device", "hr_from_rr")
"""The strap's own rate, and the rate of the median beat: each a sensor of its own here."""

DETECTORS: tuple[Detector[Any], ...] = (*VITAL_DETECTORS, ScoreDetector())
"""What may page for somebody asleep."""

BEATS_SHARE = 0.5
"""A minute's rate from less than this share of its beats is of poor quality: the strap was loose.
(Only for the column computed from beats; the strap's own rate stands as it is.)"""


@dataclass(slots=True)
class Night:
    """One night of one person, one series a column."""

    series: dict[str, list[Reading]] = field(default_factory=lambda: defaultdict(list))
    poor: dict[str, set[datetime]] = field(default_factory=lambda: defaultdict(set))


Nights = dict[tuple[str, str], Night]


def read(folder: Path) -> Nights:
    """By person and night."""
    nights: Nights = defaultdict(Night)
    for row in rows(folder / "rr_minutes.csv.gz"):
        at = datetime.fromisoformat(row["minute"]).replace(tzinfo=UTC)
        night = nights[row["subject"], row["night"]]
        for column in COLUMNS:
            if row[column]:
                night.series[column].append((at, "heart_rate_per_min", float(row[column])))
        beats, rate = float(row["beats"] or 0), float(row["hr_from_rr"] or 0)
        if beats < BEATS_SHARE * rate:
            night.poor["hr_from_rr"].add(at)
    return nights


def pages_by_person(nights: Nights) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Pages of each night by person (the worse column), and how often what was said quietly."""
    by_person: dict[str, list[float]] = defaultdict(list)
    quietly: dict[str, int] = defaultdict(int)
    for (subject, _), night in nights.items():
        worst = 0
        for column, readings in night.series.items():
            poor = frozenset(night.poor[column])
            found = [
                finding
                for detector in DETECTORS
                for finding in findings_of(detector, readings, person=subject, poor=poor)
            ]
            worst = max(worst, sum(pages(finding) for finding in found))
            for finding in found:
                quietly[f"{column} {finding.kind} {finding.priority} {finding.phase}"] += 1
        by_person[subject].append(float(worst))
    return dict(by_person), dict(quietly)


def plain_pages(nights: Nights, low: float, high: float, minutes: int) -> float:
    """What a plain limit would page a night, once it is passed for so many minutes in a row."""
    count = 0
    for night in nights.values():
        run = 0
        for _, _, value in night.series["hr_device"]:
            run = run + 1 if value <= low or value >= high else 0
            count += run == minutes
    return count / len(nights) if nights else 0.0
