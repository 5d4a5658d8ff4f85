"""Recorded numbers as observations, and what the detectors say to them."""

import csv
import gzip
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alerts.alarm import Priority
from hub.detect.detector import Context, Detector, Finding, PersonContext, Phase
from hub.device import Device
from hub.observation import Observation
from schemas.ids import AreaId, DeviceId, PersonId, PremisesId
from schemas.vocabulary import MEASURE_BY_KEY, DeviceKind, Quality, quality_of

Reading = tuple[datetime, str, float]
"""When, which measure, how much."""


def rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a compressed table."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def findings_of(
    detector: Detector[Any],
    readings: Sequence[Reading],
    *,
    person: str,
    context: PersonContext | None = None,
    poor: frozenset[datetime] = frozenset(),
) -> list[Finding]:
    """Run one detector over one person's readings, in order, from no state.

    `poor` are the times of readings whose sensor itself calls them poor.
    """
    device = Device(
        id=DeviceId(person.lower()),
        kind=DeviceKind.CARE_BED,
        area_id=AreaId("study"),
        premises_id=PremisesId(person.lower()),
        person_id=PersonId(person.lower()),
    )
    given = Context(
        device,
        listening_since=readings[0][0] if readings else datetime(1970, 1, 1, tzinfo=UTC),
        person=context or PersonContext(time_zone=UTC),
    )
    state: Any = None
    found: list[Finding] = []
    for at, measure, value in readings:
        if measure not in detector.measures:
            continue
        claimed = Quality.POOR if at in poor else Quality.GOOD
        quality = quality_of(MEASURE_BY_KEY[measure], value, claimed)
        observation = Observation(device, measure, at, at, value, quality=quality)
        state, findings = detector.observe(state, observation, given)
        found.extend(findings)
    return found


def pages(finding: Finding) -> bool:
    """Whether it calls a human now; low priority waits for the day."""
    return finding.phase is Phase.CONFIRMED and finding.priority is not Priority.LOW
