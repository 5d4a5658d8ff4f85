"""Reports, duty, wall board, policies and calls in, in a real browser against the whole hub."""

import asyncio
import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route, ViewportSize, expect

from hub.embedded.database import database_url
from tests.e2e.demo_hub import DemoHub
from tests.e2e.desk_client import DeskClient
from tests.e2e.desk_page import (
    LOOKS,
    ONE_LOOP,
    dispatcher,
    go,
    home_of,
    log_in,
    looked_at,
    opened,
    reached_by_tab,
)
from tests.e2e.pressing import Button, press
from tests.e2e.service_past import month_before

pytestmark = [pytest.mark.e2e, ONE_LOOP]

PHONE: ViewportSize = {"width": 390, "height": 844}
VIEWS = (
    ("reports", "reports-tiles"),
    ("duty", "week-line"),
    ("wall", "wall-answered"),
    ("policies", "preview"),
    ("policies/new", "policy-form"),
    ("calls/02155550101", "caller"),
)
ASKING = (
    "reports",
    "duty",
    "wall",
    "calls/02155550101",
    "people/yu-1",
    "homes/yu",
    "policies/new/urgent",
)
LISTS = ("resolved", "people", "devices")
READS = re.compile(r"/api/v1/(?!events|session|health)")
REFUSED = {"no_permission": 403, "later": 503, "failed": 500}
NAMES_APART = """map => {
  const frame = map.getBoundingClientRect();
  const names = [...map.querySelectorAll('.mark')].map(each => each.getBoundingClientRect());
  const inside = names.every(a => a.left >= frame.left && a.right <= frame.right
    && a.top >= frame.top && a.bottom <= frame.bottom);
  const apart = names.every((a, n) => names.slice(n + 1).every(b =>
    a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top));
  return inside && apart;
}"""
STAFF = (
    ("lin", "Lin", "dispatcher"),
    ("zhou", "Zhou", "dispatcher"),
    ("wang", "Wang Guo", "supervisor"),
)


@pytest_asyncio.fixture(scope="module", loop_scope="package", autouse=True)
async def served(hub: DemoHub, desk: DeskClient) -> None:
    """A month gone by, three colleagues, half a rota, and somebody whose telephone is known."""
    for username, name, role in STAFF:
        await desk.asked("POST", "accounts", username=username, name=name, role=role,
                         area_id="city", language="en")  # fmt: skip
    with psycopg.connect(database_url(hub.folder)) as connection:
        connection.execute(
            "UPDATE account SET must_change_password = false, password_hash ="
            " (SELECT password_hash FROM account WHERE username = 'admin')"
            " WHERE username = ANY(%s)",
            ([username for username, _, _ in STAFF],),
        )
    lin = (await desk.asked("GET", "accounts?q=lin"))["items"][0]["id"]
    await desk.asked("POST", "rota/weekly", area_id="city", duty="dispatcher", account_id=lin,
                     weekdays="daily", hours="00:00-12:00")  # fmt: skip
    await desk.asked("POST", "premises", id="yu", area_id="city", address="1 Yu Road",
                     phone="021-5555 0101", latitude=31.23, longitude=121.47,
                     video_link="https://video.example/yu")  # fmt: skip
    await desk.asked("POST", "people", id="yu-1", premises_id="yu", name="Yu Mei")
    assert await month_before(database_url(hub.folder)) > 50


async def signed_in(launched: Browser, hub: DemoHub, username: str) -> Page:
    """As one of the colleagues."""
    page = await opened(launched, hub.url)
    await log_in(page, username, hub.password)
    await expect(page.get_by_test_id("duty-tab")).to_be_visible(timeout=15_000)
    return page


async def picked(place: Page | Locator, name: str, typed: str) -> None:
    """Found by typing, taken by keyboard alone."""
    field = place.locator(f"[data-picker={name}]")
    await field.focus()
    await field.press_sequentially(typed)
    await expect(place.locator("[role=option]").first).to_contain_text(typed)
    await field.press("ArrowDown")
    await field.press("Enter")
    await expect(field).to_have_value(typed)


async def saved_by(page: Page, button: Locator) -> bytes:
    """The file a click brings."""
    async with page.expect_download() as started:
        await button.click()
    path: Path = await (await started.value).path()
    return await asyncio.to_thread(path.read_bytes)


@pytest.mark.parametrize(("language", "theme"), LOOKS)
async def test_every_overview_is_clean_for_axe(
    chromium: Browser, hub: DemoHub, language: str, theme: str
) -> None:
    """Nothing but the table in its own frame is scrolled sideways, on the desk and on a phone."""
    page = await dispatcher(chromium, hub, language, theme)
    look = f"{language[:2]}-{theme}"
    for view, mark in VIEWS:
        await go(page, view)
        await page.get_by_test_id(mark).first.wait_for()
        await page.wait_for_timeout(200)
        await looked_at(page, f"{view.split('/')[0]}-{mark}-{look}")
    await page.set_viewport_size(PHONE)
    for view, mark in VIEWS[:2]:
        await go(page, view)
        await page.get_by_test_id(mark).first.wait_for()
        await looked_at(page, f"{view}-phone-{look}")
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{view} is {wide} px too wide for a phone"


async def test_every_view_says_why_it_shows_nothing(chromium: Browser, hub: DemoHub) -> None:
    """Still loading, nothing there, not allowed, not now, broken, no line; and goes on by itself or
    at a click."""
    page = await dispatcher(chromium, hub)
    wanted = ""

    async def answer(route: Route) -> None:
        if wanted == "loading":
            return  # it hangs until the page asks anew, or is left
        if wanted in REFUSED:
            problem = {"title": "Refused", "status": REFUSED[wanted], "detail": "by the test"}
            await route.fulfill(status=REFUSED[wanted], json=problem)
        elif wanted == "empty":
            await route.fulfill(json={"items": [], "next_cursor": None})
        else:
            await route.abort()

    for view in (*ASKING, *LISTS):
        for wanted in (*REFUSED, "no_connection", "loading", *(["empty"] * (view in LISTS))):
            await page.route(READS, answer)
            await go(page, "settings")
            await go(page, view)
            kind = f"[data-testid=note][data-kind={wanted}]"
            await expect(page.locator(kind).first, f"{view}: {wanted}").to_be_visible()
            await page.unroute(READS, answer)
            if wanted == "no_connection":
                if view != ASKING[0]:  # there the page tries again by itself
                    await page.locator(f"{kind} button").evaluate_all(
                        "buttons => buttons.forEach(button => button.click())"
                    )
                await expect(page.locator(kind), f"{view}: tried again").to_have_count(0)


async def test_a_month_is_read_and_taken_along(chromium: Browser, hub: DemoHub) -> None:
    """Behind the menu by keyboard; counts beside every share; CSV and PDF say the same."""
    page = await dispatcher(chromium, hub)
    await page.get_by_test_id("more-views").focus()
    for key in ("Enter", "Tab", "Enter"):
        await page.keyboard.press(key)
    tiles = page.get_by_test_id("reports-tiles")
    await expect(tiles).to_contain_text("target 97.5 %")
    await expect(page.get_by_test_id("day-chart").locator("canvas")).to_be_visible()
    for by, shown in (("area", "city"), ("dispatcher", "林晓")):
        await page.get_by_test_id(f"by-{by}").click()
        await expect(page.get_by_test_id("service-table")).to_contain_text(shown)
    false = page.get_by_test_id("false-alarms")
    await expect(false).to_contain_text("SOS-7")
    file = await saved_by(page, false.get_by_role("link"))
    assert b"false_alarm_percent" in file
    assert b"SOS-7" in file
    assert (await saved_by(page, page.get_by_test_id("reports-pdf"))).startswith(b"%PDF")
    assert {"by-area", "reports-pdf"} <= set(await reached_by_tab(page))


async def test_a_supervisor_plans_and_fills_a_hole(chromium: Browser, hub: DemoHub) -> None:
    page = await signed_in(chromium, hub, "wang")
    await go(page, "duty")
    holes = page.get_by_test_id("holes").get_by_role("listitem")
    await expect(holes.first).to_be_visible()
    before = await holes.count()
    await holes.first.get_by_role("button").press("Enter")
    form = page.get_by_test_id("shift-form")
    await expect(form.locator("[data-picker=account]")).to_be_focused()
    await picked(form, "account", "Lin")
    await form.get_by_test_id("shift-save").click()
    await expect(holes).to_have_count(before - 1)
    weekly = page.get_by_test_id("weekly")
    await expect(weekly).to_contain_text("Lin in addition")
    await weekly.get_by_role("button", name="Take back").click()
    await expect(holes).to_have_count(before)
    planning = page.get_by_test_id("weekly-form")
    await picked(planning, "account", "Zhou")
    await planning.locator("[name=from]").fill("12:00")
    await planning.locator("[name=until]").fill("00:00")
    for day in ("sat", "sun"):
        await planning.locator(f"input[value={day}]").check()
    await planning.get_by_test_id("weekly-save").click()
    await expect(page.get_by_test_id("holes").get_by_role("listitem")).to_have_count(0)
    await expect(weekly).to_contain_text("every day 12:00–24:00")


async def test_a_shift_is_handed_over(chromium: Browser, hub: DemoHub, desk: DeskClient) -> None:
    """Until the other one has confirmed it stays whose it was; a dispatcher plans nothing and reads
    no reports."""
    incident_id = await press(hub, await home_of(desk, "over", name="Old Over"))
    await desk.asked("POST", f"incidents/{incident_id}/acknowledge")
    zhou = await signed_in(chromium, hub, "zhou")
    live = zhou.locator("[data-testid=connection-state][data-state=live]")
    await live.wait_for(timeout=15_000)
    await zhou.get_by_test_id("duty-tab").click()
    await expect(zhou.get_by_test_id("handovers")).to_be_visible()
    await expect(zhou.get_by_test_id("shift-form")).to_have_count(0)
    await go(zhou, "reports")
    await expect(zhou.get_by_test_id("reports")).to_have_count(0)

    page = await dispatcher(chromium, hub)
    await go(page, "duty")
    offer = page.get_by_test_id("handover-form")
    await offer.locator("select").select_option(label="Zhou")
    await offer.locator("textarea").fill("Her daughter is on the way")
    await offer.get_by_test_id("handover-offer").click()
    await expect(page.get_by_test_id("handover")).to_contain_text("→ Zhou")
    assert (await desk.asked("GET", f"incidents/{incident_id}"))["owner"]["name"] != "Zhou"

    await go(zhou, "duty")
    waiting = zhou.get_by_test_id("handover")
    await expect(waiting).to_contain_text("Her daughter is on the way")
    await waiting.get_by_role("button", name="I have it").click()
    await expect(zhou.get_by_test_id("handovers")).to_contain_text("Taken over")
    assert (await desk.asked("GET", f"incidents/{incident_id}"))["owner"]["name"] == "Zhou"


async def test_a_wall_board_shows_a_press_at_once_and_says_when_it_hears_nothing(
    chromium: Browser, hub: DemoHub, desk: DeskClient
) -> None:
    button = await home_of(desk, "wall", name="Wall Ying")
    await desk.asked("PATCH", "premises/wall", video_link="https://video.example/wall")
    page = await dispatcher(chromium, hub)
    await go(page, "wall")
    wall = page.get_by_test_id("wall")
    await expect(wall).to_have_attribute("data-current", "true")
    drawn = page.get_by_test_id("wall-map")
    await expect(drawn).not_to_have_attribute("data-homes", "0")
    pressed = page.get_by_test_id("wall-incident").filter(has_text="Wall Ying")
    async with Button(hub, button) as held:
        await held.press()
        await expect(pressed).to_be_visible(timeout=1000)
    await expect(drawn.locator(".mark").first).to_be_visible()
    assert await drawn.evaluate(NAMES_APART), "names on the map are read"
    video = pressed.get_by_test_id("wall-video")
    await expect(video).to_have_attribute("href", "https://video.example/wall")
    size = await wall.evaluate("e => parseFloat(getComputedStyle(e).fontSize) / innerWidth")
    assert size > 0.0195, "letters are read from 5 m"
    assert await wall.evaluate("e => e.scrollHeight <= e.clientHeight"), "nothing is scrolled"
    api = json.loads((hub.folder / "run" / "status.json").read_text())["children"]["api"]["pid"]
    os.kill(int(api), signal.SIGSTOP)
    try:
        await expect(wall).to_have_attribute("data-current", "false", timeout=5500)
        await expect(page.get_by_test_id("wall-old")).to_be_visible()
        await expect(page.get_by_test_id("wall-health")).not_to_contain_text("✓")
    finally:
        os.kill(int(api), signal.SIGCONT)
    await expect(wall).to_have_attribute("data-current", "true", timeout=15_000)


async def test_a_policy_is_written_mended_previewed_and_saved(
    chromium: Browser, hub: DemoHub
) -> None:
    """What is wrong stands at the field; the preview is of what is written, before it is saved."""
    page = await dispatcher(chromium, hub)
    await go(page, "policies")
    await page.get_by_test_id("policy-new").click()
    form = page.get_by_test_id("policy-form")
    await form.locator("[name=name]").fill("At night")
    await form.locator("select[name=kind]").select_option("press")
    await form.get_by_test_id("policy-add-step").click()
    step = form.get_by_test_id("policy-step").nth(1)
    await form.get_by_test_id("policy-save").click()
    await expect(step).to_contain_text("The rota plans nobody for this duty")
    await expect(step.locator("select[name=who]")).to_be_focused()
    await step.locator("select[name=who]").select_option("account:")
    await picked(step, "account", "Lin")
    await expect(step).not_to_contain_text("The rota plans nobody")
    await step.locator("[name=wait_s]").fill("90")
    await step.get_by_label("e-mail").check()
    await step.get_by_label("SMS").uncheck()
    await picked(page.get_by_test_id("preview"), "person", "Yu Mei")
    ladder = page.get_by_test_id("preview-ladder")
    await expect(ladder).to_contain_text("At night")
    await expect(ladder).to_contain_text("03:00")
    await expect(ladder).to_contain_text("does not reach Lin: this way is not set up")
    await form.get_by_test_id("policy-save").click()
    await expect(page.get_by_test_id("policy-row")).to_contain_text("At night")
    await page.get_by_test_id("policy-row").get_by_role("button").click()
    await expect(form.locator("[data-picker=account]")).to_have_value("Lin")


async def test_somebody_calls_without_a_device(
    chromium: Browser, hub: DemoHub, desk: DeskClient
) -> None:
    """The number opens the card and an incident that rings; a telephone system's word does too,
    once however often it says it."""
    page = await dispatcher(chromium, hub)
    await page.get_by_test_id("calls-tab").click()
    await page.get_by_test_id("call-number").fill("+86 21 5555 0101")
    await expect(page.get_by_test_id("caller")).to_contain_text("Yu Mei")
    await page.get_by_test_id("call-number").press("Enter")
    await expect(page.get_by_test_id("persona")).to_contain_text("021-5555 0101")
    called = page.locator("[data-testid=incident-row]", has_text="Yu Mei")
    await expect(called).to_contain_text("Call for help by telephone")
    await expect(page.get_by_test_id("incident-state")).to_have_attribute("data-state", "raised")

    await go(page, "calls")
    await page.get_by_test_id("telephone").get_by_role("button").click()
    shown = page.get_by_test_id("telephone-address")
    await expect(shown).to_contain_text("/calls-in/")
    address = await shown.inner_text()
    heard = {"number": "0571-8888 9999", "call_id": "pbx-1"}
    assert [await told(desk, address, heard) for _ in range(2)] == [202, 202]
    await go(page, "incidents")
    row = page.locator("[data-testid=incident-row]", has_text="057188889999")
    await expect(row).to_have_count(1)
    await expect(row).not_to_contain_text("×2")
    assert await told(desk, f"{address[:-4]}0000", {"call_id": "pbx-2"}) == 404


async def told(desk: DeskClient, address: str, call: dict[str, Any]) -> int:
    """What the hub answers a telephone system."""
    return (await asyncio.to_thread(desk.http.post, address, json=call)).status_code
