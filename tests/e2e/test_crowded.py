"""Pages with more on them than usual: a storm on the wall, a long queue that shortens above, a view
that asks in vain again and again, a home with a page of access notes."""

import asyncio
import json
from typing import Any

import pytest
from playwright.async_api import Browser, CDPSession, Route, expect

from tests.e2e.demo_hub import DemoHub
from tests.e2e.desk_client import DeskClient
from tests.e2e.desk_page import ONE_LOOP, dispatcher, go, home_of
from tests.e2e.pressing import press
from tests.e2e.test_desk import row_of

pytestmark = [pytest.mark.e2e, ONE_LOOP]

STORM = 400
LAYOUTS_MOST = 100
"""Of the whole page while a wall of a storm comes up; each name measured by itself is one."""
NAMES_MOST = 60
LONG_QUEUE, ABOVE_IT = 62, 30
"""More rows than are simply all drawn (hub/web/src/desk/window.ts); and what fills a screen and the
rows that are drawn beyond its edge."""
RETRIES_S = 120
"""Longer than the longest wait between two looks."""
NOTE_CHANGES = """note => {
  window.changes = 0;
  const options = {subtree: true, childList: true, characterData: true, attributes: true};
  new MutationObserver(() => { window.changes += 1; }).observe(note, options);
}"""
FILLED = """() => {
  const pane = document.querySelector('[data-scrolls]').getBoundingClientRect();
  return [...document.querySelectorAll('[data-testid=incident-row]')]
    .some(row => row.getBoundingClientRect().bottom >= pane.bottom - 1);
}"""


async def layouts(session: CDPSession) -> float:
    """How often the browser has laid the page out, by its own count."""
    metrics = (await session.send("Performance.getMetrics"))["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "LayoutCount"))


async def test_a_storm_on_the_wall_is_measured_once_and_not_name_by_name(
    chromium: Browser, hub: DemoHub, desk: DeskClient
) -> None:
    """Hundreds of incidents all over the city, as the hub would tell of them: the wall shows what
    fits, and the page has time left."""
    incident_id = await press(hub, await home_of(desk, "storm", name="Storm"))
    one = await desk.asked("GET", f"incidents/{incident_id}")
    await desk.asked("POST", f"incidents/{incident_id}/resolve", outcome="helped")
    storm = [_elsewhere(one, n) for n in range(STORM)]
    told = json.dumps({"incidents": storm, "stats": None})

    async def snapshot(route: Route) -> None:
        body = f"id: storm-1\nevent: snapshot\ndata: {told}\n\n"
        await route.fulfill(content_type="text/event-stream", body=body)

    page = await dispatcher(chromium, hub)
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await page.route("**/api/v1/events", snapshot)
    await page.reload()
    await expect(page.get_by_test_id("queue-tab")).to_contain_text(str(STORM))
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable")
    before = await layouts(session)
    await go(page, "wall")
    names = page.get_by_test_id("wall-map").locator(".mark")
    await expect(names.first).to_be_visible()
    assert await layouts(session) - before < LAYOUTS_MOST
    assert await names.count() <= NAMES_MOST


def _elsewhere(one: dict[str, Any], n: int) -> dict[str, Any]:
    """The same incident, of another home some streets away; and one far to the east, so that the
    names of those at the edge have room."""
    east = 121.3 + 0.01 * (n % 20) if n else 121.63
    place = {"latitude": 31.1 + 0.01 * (n // 20), "longitude": east}
    home = {**one["premises"], **place, "id": f"storm-{n}"}
    position = {**one["position"], **place} if one["position"] else None
    return {**one, "id": f"storm-{n}", "premises": home, "position": position, "state": "raised"}


async def test_a_long_queue_is_drawn_where_the_rows_above_it_vanish(
    chromium: Browser, hub: DemoHub, desk: DeskClient
) -> None:
    """What waited is resolved at another desk: those that somebody has move up, and are seen."""
    waiting = await _called(desk, "021-600000{n:02}", ABOVE_IT)
    taken = await _called(desk, "021-700000{n:02}", LONG_QUEUE)
    for incident_id in taken:
        await desk.asked("POST", f"incidents/{incident_id}/acknowledge")
    page = await dispatcher(chromium, hub)
    await expect(page.get_by_test_id("incident-row").nth(ABOVE_IT - 1)).to_be_attached()
    await expect(row_of(page, taken[0])).not_to_be_in_viewport()
    for incident_id in waiting:
        await desk.asked("POST", f"incidents/{incident_id}/resolve", outcome="helped")
    await expect(row_of(page, waiting[-1])).to_have_count(0)
    await page.wait_for_function(FILLED)
    for incident_id in taken:
        await desk.asked("POST", f"incidents/{incident_id}/resolve", outcome="helped")


async def _called(desk: DeskClient, numbers: str, count: int) -> list[str]:
    """Somebody calls from each of these numbers; the incidents, oldest first."""
    address = (await desk.asked("GET", "calls-in/address"))["path"]
    for n in range(count):
        call = {"number": numbers.format(n=n), "call_id": numbers.format(n=n)}
        told = await asyncio.to_thread(desk.http.post, desk.http.base_url.join(address), json=call)
        assert told.is_success, told.text
    own = numbers[:5].replace("-", "")
    async with asyncio.timeout(15):
        while True:
            found = await asyncio.to_thread(desk.open_incidents)
            mine = [each for each in found if own in json.dumps(each)]
            if len(mine) == count:
                return [each["id"] for each in sorted(mine, key=lambda each: each["opened_at"])]
            await asyncio.sleep(0.2)


async def test_a_view_that_asks_again_keeps_the_focus_and_stays_quiet(
    chromium: Browser, hub: DemoHub
) -> None:
    """Whoever holds the button keeps it while the page asks again by itself; nothing is read out
    anew while nothing is new."""
    page = await dispatcher(chromium, hub)
    await page.clock.install()
    asked = asyncio.Event()

    async def refuse(route: Route) -> None:
        asked.set()
        await route.abort()

    await page.route("**/api/v1/policies*", refuse)
    await go(page, "policies")
    note = page.locator("[data-testid=note][data-kind=no_connection]")
    again = note.first.get_by_role("button")
    await again.focus()
    await expect(again).to_be_focused()
    await note.first.evaluate(NOTE_CHANGES)
    for _ in range(2):
        asked.clear()
        await page.clock.fast_forward(RETRIES_S * 1000)
        await asyncio.wait_for(asked.wait(), 15)
    await page.wait_for_timeout(300)
    await expect(again).to_be_focused()
    assert await page.evaluate("window.changes") == 0
    await page.unroute("**/api/v1/policies*", refuse)
    await again.press("Enter")
    await expect(note).to_have_count(0)
