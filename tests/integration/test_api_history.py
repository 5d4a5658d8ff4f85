"""History over HTTP: points, last values, silent devices, reports; by area, every look logged."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from hub.clock import SystemClock
from hub.database import Session
from hub.history_upkeep import HistoryUpkeep
from hub.settings import Settings
from hub.store.engine import Terms, arrange_on
from schemas.vocabulary import MEASURE_BY_KEY
from tests.integration.api_hub import ApiHub
from tests.integration.history_rows import Stored, write

HISTORY = "/api/v1/history"
PULSE = MEASURE_BY_KEY["heart_rate_per_min"].code
NOON = datetime.now(UTC).replace(hour=4, minute=0, second=0, microsecond=0) - timedelta(days=1)
"""Noon in Shanghai, yesterday."""


def pulse(at: datetime, value: float, batch: int, **changes: object) -> Stored:
    values: dict[str, object] = {
        "observed_at": at, "device_id": "button-1", "measure": PULSE,
        "message_key": int(at.timestamp()), "area_id": "east-1", "person_id": "wang",
        "value": value, "state": None, "latitude": None, "longitude": None, "quality": 0,
        "received_at": at, "batch_id": batch,
    }  # fmt: skip
    return Stored(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture
async def measured(hub: ApiHub) -> ApiHub:
    """Forty days of Wang's pulse, three times a day, and what the worker makes of it."""
    rows = []
    for day in range(40):
        for hour, value in ((0, 60.0 + day), (1, 70.0), (10, 80.0)):
            at = NOON - timedelta(days=day) + timedelta(hours=hour)
            rows.append(pulse(at, value, day + 1))
    rows.append(pulse(NOON + timedelta(minutes=5), 999.0, 41, quality=3))
    settings = Settings(data_dir=Path("unused"))
    with psycopg.connect(hub.database_url, autocommit=True) as connection:
        arrange_on(connection, Terms.of(settings))
        write(connection, rows)
    await HistoryUpkeep(settings, Session(hub.database_url), SystemClock()).aggregate()
    return hub


async def test_days_begin_at_midnight_of_the_hub_and_count_what_is_usable(
    measured: ApiHub,
) -> None:
    question = {"person_id": "wang", "measure": "heart_rate_per_min", "resolution": "day",
                "from": (NOON - timedelta(days=1)).isoformat()}  # fmt: skip
    async with measured.desk() as desk:
        answer = (await desk.get(HISTORY, params=question)).json()
    assert (answer["resolution"], answer["time_zone"], answer["unit"]) == (
        "day", "Asia/Shanghai", "/min",
    )  # fmt: skip
    before, day = answer["items"]
    assert datetime.fromisoformat(day["at"]) == NOON - timedelta(hours=12)
    assert day == day | {
        "count": 4, "good_percent": 75.0, "min": 60.0, "max": 80.0, "mean": 70.0, "last": 80.0,
        "last_state": None,
    }  # fmt: skip
    assert (before["count"], before["min"]) == (3, 61.0)
    assert answer["complete_until"] is not None
    assert answer["cut"] is False


@pytest.mark.parametrize(
    ("span", "resolution", "count"),
    [
        (timedelta(hours=20), "raw", 4),
        (timedelta(days=3), "hour", 9),
        (timedelta(days=36), "day", 36),
    ],
)
async def test_a_long_span_is_answered_from_aggregates(
    measured: ApiHub, span: timedelta, resolution: str, count: int
) -> None:
    until = NOON + timedelta(hours=11)
    question = {"device_id": "button-1", "measure": "heart_rate_per_min",
                "from": (until - span).isoformat(), "to": until.isoformat()}  # fmt: skip
    async with measured.desk() as desk:
        answer = (await desk.get(HISTORY, params=question)).json()
    assert answer["resolution"] == resolution
    assert len(answer["items"]) in (count, count + 1)
    times = [item["at"] for item in answer["items"]]
    assert times == sorted(times)
    if resolution == "raw":
        assert answer["complete_until"] is None
        assert answer["items"][1]["mean"] is None, "implausible: counted, not averaged"


async def test_what_was_dropped_is_asked_of_the_hours(measured: ApiHub) -> None:
    until = NOON - timedelta(days=200)
    question = {"device_id": "button-1", "measure": "heart_rate_per_min", "to": until.isoformat()}
    async with measured.desk() as desk:
        answer = (await desk.get(HISTORY, params=question)).json()
    assert answer["resolution"] == "hour"


async def test_questions_without_sense_or_end_are_refused(measured: ApiHub) -> None:
    fine = {"device_id": "button-1", "measure": "heart_rate_per_min"}
    long_ago = (NOON - timedelta(days=30)).isoformat()
    async with measured.desk() as desk:
        for change in (
            {"resolution": "raw", "from": long_ago},
            {"resolution": "hour", "from": "2010-01-01T00:00:00Z"},
            {"resolution": "day", "from": "2001-01-01T00:00:00Z"},
            {"resolution": "minute"},
            {"measure": "happiness"},
            {"measure": "position"},
            {"person_id": "wang"},
            {"from": "2026-01-01T00:00:00"},
            {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
            {"to": "0001-01-01T00:00:00+14:00"},
        ):
            answer = await desk.get(HISTORY, params=fine | change)
            assert answer.status_code == 422, (change, answer.text)
        assert (await desk.get(HISTORY, params={"measure": "steps"})).status_code == 422
        answer = await desk.get("/api/v1/observations", params=fine | {"from": long_ago})
        assert answer.status_code == 422
        assert "/api/v1/history" in answer.json()["detail"]


async def test_nobody_sees_another_area_and_every_look_is_logged(measured: ApiHub) -> None:
    asked = (
        (HISTORY, {"person_id": "wang", "measure": "heart_rate_per_min"}),
        (HISTORY, {"device_id": "button-1", "measure": "heart_rate_per_min"}),
        (f"{HISTORY}/last", {"person_id": "wang"}),
        (f"{HISTORY}/report", {"measure": "heart_rate_per_min", "area_id": "east-1"}),
    )
    async with measured.desk("west-desk") as desk:
        for path, question in asked:
            assert (await desk.get(path, params=question)).status_code == 404, path
        silent = (await desk.get(f"{HISTORY}/silent", params={"for_s": 60})).json()
        assert silent["items"] == []
    looked = "SELECT count(*) FROM audit_log WHERE action = 'look'"
    assert measured.rows(looked) == [(0,)]
    async with measured.desk("east-desk") as desk:
        for path, question in asked:
            answer = await desk.get(path, params=question)
            assert answer.status_code == 200, answer.text
    assert measured.rows(looked) == [(len(asked),)]
    async with measured.desk("nobody") as desk:
        for path, question in asked:
            assert (await desk.get(path, params=question)).status_code == 403


async def test_last_values_are_there_before_the_worker_has_been(measured: ApiHub) -> None:
    with psycopg.connect(measured.database_url, autocommit=True) as connection:
        now = datetime.now(UTC)
        write(connection, [pulse(now - timedelta(seconds=9), 93.0, 42)])
    async with measured.desk() as desk:
        items = (await desk.get(f"{HISTORY}/last", params={"person_id": "wang"})).json()["items"]
    assert [(i["device_id"], i["measure"], i["value"]) for i in items] == [
        ("button-1", "heart_rate_per_min", 93.0)
    ]


async def test_silent_devices_and_a_report_name_no_value_of_anybody(measured: ApiHub) -> None:
    async with measured.desk("boss") as desk:
        silent = (await desk.get(f"{HISTORY}/silent", params={"for_s": 3600})).json()
        assert [item["device_id"] for item in silent["items"]] == ["button-1"]
        assert silent["as_of"] is not None
        question = {"measure": "heart_rate_per_min", "area_id": "east"}
        report = (await desk.get(f"{HISTORY}/report", params=question)).json()
    assert len(report["items"]) >= 30
    newest = report["items"][-1]
    assert (newest["devices"], newest["count"], newest["mean"]) == (1, 4, 70.0)
    assert "wang" not in str(report)


async def test_a_device_without_a_clock_has_a_history_too(measured: ApiHub) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    arrived = NOON + timedelta(hours=2)
    undated = pulse(epoch, 50.0, 42, device_id="button-2", person_id="li", area_id="west",
                    received_at=arrived)  # fmt: skip
    with psycopg.connect(measured.database_url, autocommit=True) as connection:
        write(connection, [undated])
    settings = Settings(data_dir=Path("unused"))
    keeper = HistoryUpkeep(settings, Session(measured.database_url), SystemClock())
    await asyncio.gather(keeper.aggregate())
    question = {"person_id": "li", "measure": "heart_rate_per_min",
                "from": (arrived - timedelta(hours=1)).isoformat(),
                "to": (arrived + timedelta(hours=1)).isoformat()}  # fmt: skip
    async with measured.desk() as desk:
        for resolution in ("raw", "hour", "day"):
            answer = await desk.get(HISTORY, params=question | {"resolution": resolution})
            assert [item["last"] for item in answer.json()["items"]] == [50.0], resolution
