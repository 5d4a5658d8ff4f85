"""Duty, reports, wall board, policies and calls in, as docs/ shows them; taken with the others by
`python -m tests.e2e.pictures`."""

import math
from collections.abc import Awaitable, Callable

from playwright.async_api import Browser, Page

from hub.embedded.database import database_url
from tests.e2e.demo_hub import DemoHub
from tests.e2e.desk_client import DeskClient
from tests.e2e.desk_page import go, log_in, opened
from tests.e2e.scene import LATITUDE, LONGITUDE
from tests.e2e.service_past import month_before

Take = Callable[[Page, str, str, str], Awaitable[None]]
"""Of a page: under which name, in which language and theme."""

VIEWS = (
    ("duty", "duty", "week-line"),
    ("reports", "reports", "day-chart"),
    ("policies", "policies", "policy-row"),
    ("policies/new/urgent", "policy", "policy-form"),
    ("calls/13859504127", "call-in", "caller"),
    ("wall", "wall-board", "wall-answered"),
)
SHIFTS = (("chenjie", "mon-fri", "08:00-16:00"), ("linxiao", "daily", "16:00-24:00"),
          ("admin", "daily", "00:00-12:00"))  # fmt: skip
NIGHT = {
    "area_id": "city",
    "kind": "press",
    "ladder": {
        "name": "夜间求助",
        "steps": [
            {"targets": [{"who": "dispatchers", "channels": ["desk"]}], "wait_s": 30},
            {"targets": [{"who": "family", "channels": ["voice"]},
                         {"who": "dispatchers", "channels": ["desk"]}], "wait_s": 60},
        ],
    },
}  # fmt: skip


async def overview(
    launched: Browser, hub: DemoHub, desk: DeskClient, looks: tuple[tuple[str, str], ...],
    take: Take,
) -> None:  # fmt: skip
    """In a scene whose people and staff are there (`tests.e2e.scene`)."""
    for username, weekdays, hours in SHIFTS:
        who = (await desk.asked("GET", f"accounts?q={username}"))["items"][0]["id"]
        await desk.asked("POST", "rota/weekly", area_id="city", duty="dispatcher", account_id=who,
                         weekdays=weekdays, hours=hours)  # fmt: skip
    await _move_the_demo(desk)
    await desk.asked("PUT", "policies/at-night", **NIGHT)
    await desk.asked("PATCH", "premises/home-zhao", video_link="https://video.example/zhao")
    await month_before(database_url(hub.folder))
    for language, theme in looks:
        page = await opened(launched, hub.url, language, theme)
        await log_in(page, "admin", hub.password)
        live = page.locator("[data-testid=connection-state][data-state=live]")
        await live.wait_for(timeout=15_000)
        for view, name, mark in VIEWS:
            if view == "wall":
                await page.set_viewport_size({"width": 1920, "height": 1080})
            await go(page, view)
            await page.get_by_test_id(mark).first.wait_for()
            await take(page, name, language, theme)
        await page.context.close()


async def _move_the_demo(desk: DeskClient) -> None:
    """Its own homes lie in another city: on one map with the scene nothing could be seen."""
    homes = (await desk.asked("GET", "premises?limit=200"))["items"]
    others = [home["id"] for home in homes if abs((home["latitude"] or 0) - LATITUDE) > 1]
    for n, home in enumerate(others):
        place = LATITUDE + 0.004 * math.cos(2 * n), LONGITUDE + 0.007 * math.sin(2 * n)
        await desk.asked("PATCH", f"premises/{home}", latitude=place[0], longitude=place[1])
    for incident in desk.open_incidents():
        if (incident["premises"] or {}).get("id") in others:
            for deed, body in (("acknowledge", {}), ("resolve", {"outcome": "helped"})):
                await desk.asked("POST", f"incidents/{incident['id']}/{deed}", **body)
