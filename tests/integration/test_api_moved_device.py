"""A device that went to somebody else: each value belongs to whom it was measured of."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from hub.clock import SystemClock
from hub.database import Session
from hub.history_upkeep import HistoryUpkeep
from hub.settings import Settings
from hub.store.engine import Terms, arrange_on
from tests.integration.api_hub import ApiHub
from tests.integration.history_rows import Stored, write
from tests.integration.test_api_history import HISTORY, pulse

OF_WANG, OF_LI = 61.0, 92.0
NOW = datetime.now(UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def stored(hub: ApiHub, *rows: Stored, counted: bool) -> None:
    """Rows, and with `counted` what the worker makes of them."""
    settings = Settings(data_dir=Path("unused"))
    with psycopg.connect(hub.database_url, autocommit=True) as connection:
        arrange_on(connection, Terms.of(settings))
        write(connection, rows)
    if counted:
        await HistoryUpkeep(settings, Session(hub.database_url), SystemClock()).aggregate()


@pytest.fixture(params=["known to the worker", "just come", "without a clock"])
async def handed_on(hub: ApiHub, request: pytest.FixtureRequest) -> ApiHub:
    """Wang's button in the east measured Wang; an hour ago it went to Li in the west."""
    moved_at = NOW - timedelta(hours=1)
    await stored(hub, pulse(NOW - timedelta(hours=3), OF_WANG, 1), counted=True)
    with psycopg.connect(hub.database_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE device SET area_id = 'west', premises_id = 'home-2', person_id = 'li'"
            " WHERE device_id = 'button-1'"
        )
        # Registered long ago, moved an hour ago.
        connection.execute(
            "UPDATE device_history SET at = CASE WHEN 'moved' = ANY(changes) THEN %s"
            " ELSE %s::timestamptz - interval '30 days' END",
            (moved_at, moved_at),
        )
    changes: dict[str, Any] = {"person_id": "li", "area_id": "west"}
    at = NOW - timedelta(minutes=5)
    if request.param == "without a clock":
        changes |= {"observed_at": EPOCH, "received_at": at}
    row = pulse(at, OF_LI, 2, **changes)
    await stored(hub, row, counted=request.param == "known to the worker")
    return hub


async def values(desk: httpx.AsyncClient, path: str, **question: str) -> list[float]:
    answer = await desk.get(path, params=question)
    assert answer.status_code == 200, answer.text
    return [item.get("last", item.get("value")) for item in answer.json()["items"]]


async def test_last_values_of_a_person_are_not_those_of_who_has_the_device_now(
    handed_on: ApiHub,
) -> None:
    async with handed_on.desk() as desk:
        assert OF_LI not in await values(desk, f"{HISTORY}/last", person_id="wang")
        assert await values(desk, f"{HISTORY}/last", person_id="li") == [OF_LI]


async def test_a_device_tells_another_area_nothing_of_before_it_came(handed_on: ApiHub) -> None:
    of_device = {"device_id": "button-1"}
    span = of_device | {
        "measure": "heart_rate_per_min", "from": (NOW - timedelta(hours=20)).isoformat(),
    }  # fmt: skip
    async with handed_on.desk("west-desk") as desk:
        assert await values(desk, "/api/v1/observations", **span) == [OF_LI]
        assert await values(desk, HISTORY, **span) == [OF_LI]
        for resolution in ("hour", "day"):
            assert OF_WANG not in await values(desk, HISTORY, **span, resolution=resolution)
        assert await values(desk, f"{HISTORY}/last", **of_device) == [OF_LI]
    async with handed_on.desk() as desk:
        assert set(await values(desk, HISTORY, **span)) == {OF_WANG, OF_LI}, "the city sees both"


async def test_last_values_of_a_device_that_just_came_are_not_the_other_areas(hub: ApiHub) -> None:
    """It has not said anything here yet."""
    await stored(hub, pulse(NOW - timedelta(hours=3), OF_WANG, 1), counted=True)
    with psycopg.connect(hub.database_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE device_history SET at = at - interval '30 days';"
            "UPDATE device SET area_id = 'west', premises_id = 'home-2', person_id = 'li'"
            " WHERE device_id = 'button-1'"
        )
    async with hub.desk("west-desk") as desk:
        for whose in ({"device_id": "button-1"}, {"person_id": "li"}):
            assert await values(desk, f"{HISTORY}/last", **whose) == []
    async with hub.desk() as desk:
        assert await values(desk, f"{HISTORY}/last", person_id="wang") == [OF_WANG]
