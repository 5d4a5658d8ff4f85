"""Planned maintenance from the plan to what rings when it ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from alerts.alarm import Alarm, Category, Priority, Subject, SubjectKind
from hub.store.after_maintenance import PostgresAfterMaintenance
from hub.store.cases import AlarmItem, ClearItem, Recorded, record
from schemas.ids import AlarmId
from tests.integration.api_hub import ApiHub, press

HOUR = timedelta(hours=1)


def silence(number: int = 1, **changes: Any) -> Alarm:
    """The device in east-1 fell silent."""
    alarm = replace(
        press(),
        id=AlarmId(f"{number:016x}"),
        subject=Subject(SubjectKind.DEVICE, "button-1"),
        kind="device_silent",
        category=Category.TECHNICAL,
        priority=Priority.MEDIUM,
        action=None,
        reply_prefix=None,
    )
    return replace(alarm, **changes)


async def plan(desk: httpx.AsyncClient, area_id: str = "east", **changes: Any) -> httpx.Response:
    now = datetime.now(UTC)
    body = {
        "area_id": area_id,
        "why": "new router",
        "from_at": (now - timedelta(minutes=1)).isoformat(),
        "until_at": (now + HOUR).isoformat(),
    }
    return await desk.post("/api/v1/maintenance", json=body | changes)


async def commit(hub: ApiHub, *items: AlarmItem | ClearItem) -> list[Recorded]:
    async with await psycopg.AsyncConnection.connect(hub.database_url) as connection:
        return await record(connection, items)


async def round_at(hub: ApiHub, now: datetime) -> list[str]:
    """What the worker raises at an instant."""
    async with AsyncConnectionPool(hub.database_url, min_size=1, open=False) as pool:
        raised = await PostgresAfterMaintenance(pool).raise_over(now)
    return [incident.subject.id for incident in raised]


async def test_a_silence_in_a_window_is_recorded_and_rings_when_it_ends(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        planned = await plan(desk)
        assert planned.status_code == 201, planned.text
        (muted,) = await commit(hub, AlarmItem(silence()))
        assert (muted.incident, muted.cause) == (None, None)
        assert hub.rows("SELECT grouping_reason FROM alarm") == [("maintenance",)]
        (shown,) = (await desk.get("/api/v1/maintenance")).json()["items"]
        assert (shown["open"], shown["muted"], shown["why"]) == (True, 1, "new router")
        (pressed,) = await commit(hub, AlarmItem(press()))
        assert pressed.incident is not None, "a press in the same home rings"
        assert await round_at(hub, datetime.now(UTC)) == [], "the window is open"
        after = datetime.now(UTC) + 2 * HOUR
        assert await round_at(hub, after) == ["button-1"]
        assert await round_at(hub, after) == [], "once"
    states = hub.rows("SELECT kind, state FROM incident WHERE subject_kind = 'device'")
    assert states == [("device_silent", "raised")]


async def test_what_ended_during_the_work_stays_quiet(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        await plan(desk)
        gone = silence()
        await commit(hub, AlarmItem(gone))
        await commit(hub, ClearItem(gone.subject, replace(gone, id=AlarmId("f" * 16))))
    assert await round_at(hub, datetime.now(UTC) + 2 * HOUR) == []
    assert hub.rows("SELECT 1 FROM incident") == []


async def test_the_work_is_done_early(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        number = (await plan(desk)).json()["id"]
        await commit(hub, AlarmItem(silence()))
        ended = await desk.post(f"/api/v1/maintenance/{number}/end")
        assert ended.status_code == 204
        assert (await desk.post(f"/api/v1/maintenance/{number}/end")).status_code == 404
        assert (await desk.get("/api/v1/maintenance")).json()["items"] == []
        past = (await desk.get("/api/v1/maintenance", params={"past": True})).json()["items"]
        assert [p["id"] for p in past] == [number]
    assert await round_at(hub, datetime.now(UTC)) == ["button-1"]
    actions = [a for (a,) in hub.rows("SELECT action FROM audit_log ORDER BY entry_id")]
    assert actions[0] == "maintenance_planned"
    assert "maintenance_ended" in actions


async def test_a_second_window_takes_over_what_the_first_muted(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        await plan(desk)
        now = datetime.now(UTC)
        await plan(desk, "city", from_at=(now + HOUR).isoformat(),
                   until_at=(now + 3 * HOUR).isoformat())  # fmt: skip
        await commit(hub, AlarmItem(silence()))
    assert await round_at(hub, now + 2 * HOUR) == []
    assert await round_at(hub, now + 4 * HOUR) == ["button-1"]


async def test_elsewhere_and_for_other_kinds_it_rings(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        await plan(desk, "west")
        await plan(desk, "east", kinds=["battery_low"])
    (rings,) = await commit(hub, AlarmItem(silence()))
    assert rings.incident is not None


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"why": "  "}, 422),
        ({"area_id": "nowhere"}, 404),
        ({"until_at": "2020-01-01T00:00:00Z"}, 422),
        ({"until_at": "2026-01-01T00:00:00"}, 422),
        ({"kinds": ["Drop Table"]}, 422),
        ({"surprise": 1}, 422),
    ],
)
async def test_a_plan_that_makes_no_sense_is_refused(
    hub: ApiHub, changes: dict[str, Any], status: int
) -> None:
    async with hub.desk("admin") as desk:
        area_id = changes.pop("area_id", "east")
        assert (await plan(desk, area_id, **changes)).status_code == status


async def test_only_who_operates_plans_and_nobody_beyond_their_area(hub: ApiHub) -> None:
    async with hub.desk("mei") as dispatcher:
        assert (await plan(dispatcher)).status_code == 403
        assert (await dispatcher.get("/api/v1/maintenance")).status_code == 200
    async with hub.desk("admin") as desk:
        number = (await plan(desk, "east")).json()["id"]
    async with hub.desk("west-desk") as other:
        assert (await other.get("/api/v1/maintenance")).json()["items"] == []
        assert (await other.post(f"/api/v1/maintenance/{number}/end")).status_code in (403, 404)
