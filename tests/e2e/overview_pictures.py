"""Duty, reports, wall board, policies and calls in, as docs/ shows them; taken with the others by
`python -m tests.e2e.pictures`."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from playwright.async_api import Page

from hub.embedded.database import database_url
from tests.e2e.demo_hub import DemoHub
from tests.e2e.desk_page import go
from tests.e2e.scene import Scene
from tests.e2e.service_past import month_before

AtDesk = Callable[[str], AbstractAsyncContextManager[Page]]
"""A page that is logged in, in a theme."""
Take = Callable[[Page, str, str], Awaitable[None]]
"""Of a page: under which name, in which theme."""

VIEWS = (
    ("duty", "duty", "week-line"),
    ("reports", "reports", "day-chart"),
    ("policies", "policies", "policy-row"),
    ("policies/new/urgent", "policy", "policy-form"),
    ("calls", "call-in", "caller"),
    ("wall", "wall-board", "wall-answered"),
)


async def overview(
    hub: DemoHub, scene: Scene, themes: Sequence[str], at_desk: AtDesk, take: Take
) -> None:
    """In a scene whose people and staff are there."""
    ask, cast = scene.desk.asked, scene.cast
    await ask("PUT", "policies/at-night", **_at_night(cast.night_policy))
    await ask("PATCH", "premises/home-zhao", video_link="https://video.example/zhao")
    names = [cast.desk, *(name for _, name, _ in cast.dispatchers)]
    await month_before(database_url(hub.folder), names)
    for theme in themes:
        async with at_desk(theme) as page:
            for view, name, mark in VIEWS:
                if view == "wall":
                    await page.set_viewport_size({"width": 1920, "height": 1080})
                await go(page, f"calls/{cast.caller}" if view == "calls" else view)
                await page.get_by_test_id(mark).first.wait_for()
                await take(page, name, theme)


def _at_night(name: str) -> dict[str, Any]:
    desk = {"who": "dispatchers", "channels": ["desk"]}
    family = {"who": "family", "channels": ["voice"]}
    steps = [{"targets": [desk], "wait_s": 30}, {"targets": [family, desk], "wait_s": 60}]
    return {"area_id": "city", "kind": "press", "ladder": {"name": name, "steps": steps}}
