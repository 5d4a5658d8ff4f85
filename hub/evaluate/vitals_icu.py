"""NEWS2 on people in intensive care: how often it speaks, with and without persistence.

Their consciousness and oxygen are (nearly) not recorded: partial scores, lower bounds. Rates do
not carry over to people at home; the ratio between plain and persistent may.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hub.detect.detector import PersonContext, Phase
from hub.detect.news2 import EMERGENCY_TOTAL, MEASURED, URGENT_TOTAL
from hub.detect.vitals import VITAL_DETECTORS
from hub.detect.vitals_score import ScoreDetector
from hub.evaluate.vitals_stream import Reading, findings_of, pages, rows

EPOCH = datetime(2019, 1, 1, tzinfo=UTC)
HOURLY = {
    "HR": "heart_rate_per_min",
    "O2Sat": "oxygen_saturation_percent",
    "Temp": "body_temperature_c",
    "SBP": "systolic_blood_pressure_mmhg",
    "Resp": "respiratory_rate_per_min",
}
IRREGULAR = {
    "HR": "heart_rate_per_min",
    "SaO2": "oxygen_saturation_percent",
    "Temp": "body_temperature_c",
    "SysABP": "systolic_blood_pressure_mmhg",
    "NISysABP": "systolic_blood_pressure_mmhg",
    "RespRate": "respiratory_rate_per_min",
}

Stays = Mapping[str, list[Reading]]


@dataclass(frozen=True, slots=True)
class Burden:
    """Episodes a patient-day."""

    patient_days: float
    plain_urgent: float
    """The hourly total of what was measured in that hour reaches 5 anew."""
    plain_emergency: float
    persistent_urgent: float
    """The detector's episodes at 5 or more: two readings of each, held ten minutes."""
    persistent_emergency: float
    single_parameter_pages: float
    """Pages of the vital-signs detector, every parameter on its own."""


def read_2019(folder: Path) -> Stays:
    """One row an hour."""
    stays: dict[str, list[Reading]] = defaultdict(list)
    for row in rows(folder / "hourly.csv.gz"):
        at = EPOCH + timedelta(hours=float(row["ICULOS"]))
        for column, measure in HOURLY.items():
            if row[column]:
                stays[row["patient"]].append((at, measure, float(row[column])))
    return stays


def read_2012(folder: Path) -> Stays:
    """One row a value; cuff and arterial pressure are one parameter, the first of a minute."""
    stays: dict[str, list[Reading]] = defaultdict(list)
    for row in rows(folder / "vitals.csv.gz"):
        if measure := IRREGULAR.get(row["parameter"]):
            at = EPOCH + timedelta(minutes=float(row["minute"]))
            stays[row["record_id"]].append((at, measure, float(row["value"])))
    for readings in stays.values():
        readings.sort(key=lambda reading: reading[0])
    return stays


READERS: Mapping[str, Callable[[Path], Stays]] = {
    "physionet2019": read_2019,
    "physionet2012": read_2012,
}


def burden(stays: Stays, track: Callable[[Sequence[str]], Iterator[str]]) -> Burden:
    """Go through all stays; `track` shows how far it is."""
    days = 0.0
    counts = [0] * 5
    person = PersonContext(time_zone=UTC)
    for stay in track(list(stays)):
        readings = stays[stay]
        days += (readings[-1][0] - readings[0][0]).total_seconds() / 86_400 + 1 / 24
        for index, total in enumerate((URGENT_TOTAL, EMERGENCY_TOTAL)):
            counts[index] += _plain_episodes(readings, total)
        found = findings_of(ScoreDetector(), readings, person=stay, context=person)
        opened = [finding for finding in found if finding.phase is Phase.CONFIRMED]
        counts[2] += len({finding.key.split("-")[0] for finding in opened})
        counts[3] += sum(finding.evidence["limit"] == EMERGENCY_TOTAL for finding in opened)
        for detector in VITAL_DETECTORS:
            alone = findings_of(detector, readings, person=stay, context=person)
            counts[4] += sum(pages(finding) for finding in alone)
    rates = [count / days if days else 0.0 for count in counts]
    return Burden(days, *rates)


def _plain_episodes(readings: Sequence[Reading], least: int) -> int:
    """The rule without persistence: each hour's own values, summed, newly at the limit."""
    hours: dict[int, dict[str, float]] = {}
    for at, measure, value in readings:
        hours.setdefault(int((at - EPOCH).total_seconds() // 3600), {})[measure] = value
    count, high = 0, False
    for values in hours.values():
        total = sum(MEASURED[measure].score(value) for measure, value in values.items())
        count += total >= least and not high
        high = total >= least
    return count
