"""Healthy sleepers: every finding that would wake somebody for them is one too many."""

from collections import defaultdict
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

Nights = dict[tuple[str, str], dict[str, list[Reading]]]


def read(folder: Path) -> Nights:
    """By person and night: one series a column."""
    nights: Nights = defaultdict(lambda: {column: [] for column in COLUMNS})
    for row in rows(folder / "rr_minutes.csv.gz"):
        at = datetime.fromisoformat(row["minute"]).replace(tzinfo=UTC)
        for column in COLUMNS:
            if row[column]:
                reading = (at, "heart_rate_per_min", float(row[column]))
                nights[row["subject"], row["night"]][column].append(reading)
    return nights


def pages_by_person(nights: Nights) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Pages of each night by person (the worse column), and how often what was said quietly."""
    by_person: dict[str, list[float]] = defaultdict(list)
    quietly: dict[str, int] = defaultdict(int)
    for (subject, _), series in nights.items():
        worst = 0
        for column, readings in series.items():
            found = [
                finding
                for detector in DETECTORS
                for finding in findings_of(detector, readings, person=subject)
            ]
            worst = max(worst, sum(pages(finding) for finding in found))
            for finding in found:
                quietly[f"{column} {finding.kind} {finding.priority} {finding.phase}"] += 1
        by_person[subject].append(float(worst))
    return dict(by_person), dict(quietly)


def plain_pages(nights: Nights, low: float, high: float, minutes: int) -> float:
    """What a plain limit would page a night, once it is passed for so many minutes in a row."""
    count = 0
    for series in nights.values():
        run = 0
        for _, _, value in series["hr_device"]:
            run = run + 1 if value <= low or value >= high else 0
            count += run == minutes
    return count / len(nights) if nights else 0.0
