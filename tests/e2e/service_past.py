"""A month of a hotline before the test: what reports draw, written as the hub writes it."""

import itertools
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg

from hub.clock import SystemClock
from hub.database import Session
from hub.fact_keeping import FactKeeping
from tests.integration.service_town import Town

DAYS = 30
BUSY_DAY = 6
PRESSED, FELL, SILENT, LEFT_BED = "press", "fall", "inactivity", "bed_left"
RAISED_BY = {
    "button": ((PRESSED, "personal"),),
    "wristband": ((PRESSED, "personal"), (FELL, "personal"), (FELL, "personal")),
    "care_bed": ((LEFT_BED, "physiological"), (SILENT, "physiological")),
}
MODELS = {"button": "SOS-7", "wristband": "W-12", "care_bed": "B-3"}
DISPATCHERS = ("林晓", "Zhou Min", "陈洁")


class _Past(Town):
    """The same deeds in a town that stands already."""

    def __init__(self, url: str) -> None:
        self.url = url


def _of_homes(url: str) -> list[dict[str, Any]]:
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
        for kind, model in MODELS.items():
            connection.execute("UPDATE device SET model = %s WHERE kind = %s", (model, kind))
        return connection.execute(
            "SELECT d.device_id AS device, d.kind, p.person_id AS person, p.area_id AS area"
            " FROM device d JOIN person p USING (premises_id) WHERE d.kind = ANY(%s)"
            " ORDER BY d.device_id",
            (list(MODELS),),
        ).fetchall()


async def month_before(url: str, dispatchers: Sequence[str] = DISPATCHERS) -> int:
    """Incidents of thirty days, most of them answered in time by one of these; how many the
    reports then count."""
    now = SystemClock().now()
    past, chance, number = _Past(url), random.Random(12349), itertools.count(1)
    homes = _of_homes(url)
    for day in range(1, DAYS):
        for _ in range(chance.randint(1, BUSY_DAY)):
            home = chance.choice(homes)
            kind, category = chance.choice(RAISED_BY[home["kind"]])
            at = now - timedelta(days=day, minutes=chance.randint(0, 1200))
            _one(past, chance, f"past-{next(number)}", home, kind, category, at, dispatchers)
    session = Session(url)
    counted = await FactKeeping(session, SystemClock()).catch_up()
    await session.close()
    return counted


def _one(
    past: Town, chance: random.Random, name: str, home: dict[str, Any], kind: str, category: str,
    at: datetime, dispatchers: Sequence[str],
) -> None:  # fmt: skip
    false = chance.random() < (0.45 if home["kind"] == "wristband" else 0.15)
    answered = chance.choice((6, 9, 14, 22, 35, 48, 55)) + chance.random()
    if chance.random() < 0.07:
        answered *= 5
    past.incident(
        name, kind=kind, category=category, at=at, area=home["area"], person=home["person"],
        device=home["device"], answered=answered, by=chance.choice(dispatchers),
        attended=None if false else answered + chance.randint(240, 1500), within=1200,
        resolved=answered + 1800, outcome="false_alarm" if false else "helped",
        told=[("desk", "sent", 0.2 + chance.random(), "taken")],
    )  # fmt: skip
