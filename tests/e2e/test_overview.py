"""Reports, duty, wall board, policies and calls in, in a real browser against the whole hub."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Download, Page, expect

from tests.e2e.demo_hub import DemoHub, demo_hub
from tests.e2e.desk_client import DeskClient
from tests.e2e.desk_page import LOOKS, browser, dispatcher, go, log_in, looked_at, opened

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def hub() -> Iterator[DemoHub]:
    with demo_hub(homes=3) as running:
        yield running


@pytest.fixture(scope="module")
def desk(hub: DemoHub) -> DeskClient:
    """With a dispatcher who is planned, and somebody whose telephone is known."""
    client = DeskClient(hub)
    lin = {"username": "lin", "area_id": "city", "name": "Lin", "role": "dispatcher",
           "language": "en"}  # fmt: skip
    account_id = sent(client, "post", "accounts", lin)["account"]["id"]
    sent(client, "post", "rota/weekly", {"area_id": "city", "duty": "dispatcher",
         "account_id": account_id, "weekdays": "daily", "hours": "00:00-12:00"})  # fmt: skip
    sent(client, "post", "premises", {"id": "yu", "area_id": "city", "address": "1 Yu Road",
         "phone": "021-5555 0101", "latitude": 31.23, "longitude": 121.47})  # fmt: skip
    sent(client, "post", "people", {"id": "yu-1", "premises_id": "yu", "name": "Yu Mei"})
    return client


def sent(desk: DeskClient, method: str, path: str, body: dict[str, Any]) -> Any:
    answer = desk.http.request(method, path, json=body)
    assert answer.status_code in (200, 201, 202), answer.text
    return answer.json()


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with browser() as launched:
        yield launched


VIEWS = (
    ("reports", "reports-counted"),
    ("duty", "week-line"),
    ("wall", "wall-answered"),
    ("policies", "preview"),
    ("calls/02155550101", "caller"),
    ("policies/new", "policy-form"),
)


@pytest.mark.parametrize(("language", "theme"), LOOKS)
async def test_every_overview_is_clean_for_axe(
    chromium: Browser, hub: DemoHub, desk: DeskClient, language: str, theme: str
) -> None:
    page = await dispatcher(chromium, hub, language, theme)
    for view, mark in VIEWS:
        await go(page, view)
        await page.get_by_test_id(mark).first.wait_for()
        await page.wait_for_timeout(200)
        await looked_at(page, f"{view.replace('/', '-')}-{language[:2]}-{theme}")


async def content(download: Download) -> bytes:
    path: Path = await download.path()
    return await asyncio.to_thread(path.read_bytes)


async def test_a_resolved_incident_is_counted_and_printed(
    chromium: Browser, hub: DemoHub, desk: DeskClient
) -> None:
    """Behind the menu by keyboard; counts beside every share; the file says the same."""
    pressing = await asyncio.create_subprocess_exec(
        *hub.press_arguments(), "--wait", "received", stdout=asyncio.subprocess.DEVNULL
    )
    assert await pressing.wait() == 0
    incident = await asyncio.to_thread(
        desk.incident, lambda i: (i["premises"] or {}).get("id") == "visitor-00001"
    )
    for deed, body in (("acknowledge", {}), ("resolve", {"outcome": "false_alarm"})):
        await asyncio.to_thread(sent, desk, "post", f"incidents/{incident['id']}/{deed}", body)
    # Whoever keeps the facts of incidents takes them up every half minute: the page does not wait
    # for that here, it says as of when it counted.
    page = await dispatcher(chromium, hub)
    await page.get_by_test_id("more-views").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("reports")).to_be_visible()
    for by in ("area", "dispatcher"):
        await page.get_by_test_id(f"by-{by}").click()
        await expect(page.get_by_test_id(f"by-{by}")).to_have_attribute("aria-pressed", "true")
    async with page.expect_download() as started:
        await page.get_by_test_id("false-alarms").get_by_role("link").click()
    assert b"false_alarm_percent" in await content(await started.value)
    await go(page, f"resolved/{incident['id']}")
    await page.keyboard.press("l")
    async with page.expect_download() as started:
        await page.get_by_test_id("incident-pdf").click()
    assert (await content(await started.value)).startswith(b"%PDF")


async def test_a_hole_is_filled_and_the_shift_handed_over(
    chromium: Browser, hub: DemoHub, desk: DeskClient
) -> None:
    page = await dispatcher(chromium, hub)
    await go(page, "duty")
    holes = page.get_by_test_id("holes").get_by_role("listitem")
    await expect(holes.first).to_be_visible()
    before = await holes.count()
    await holes.first.get_by_role("button").press("Enter")
    form = page.get_by_test_id("shift-form")
    account = form.locator("[name=account_id]")
    await expect(account).to_be_focused()
    await account.select_option(label="Lin")
    await form.get_by_test_id("shift-save").click()
    await expect(holes).to_have_count(before - 1)
    await expect(page.get_by_test_id("weekly")).to_contain_text("Lin in addition")
    await page.get_by_test_id("weekly").get_by_role("button", name="Take back").click()
    await expect(holes).to_have_count(before)


async def test_a_wall_board_that_hears_nothing_says_so(
    chromium: Browser, hub: DemoHub, desk: DeskClient
) -> None:
    page = await dispatcher(chromium, hub)
    await go(page, "wall")
    wall = page.get_by_test_id("wall")
    await expect(wall).to_have_attribute("data-current", "true")
    await expect(page.get_by_test_id("wall-map")).not_to_have_attribute("data-homes", "0")
    size = await wall.evaluate("e => parseFloat(getComputedStyle(e).fontSize) / innerWidth")
    assert size > 0.015, "the smallest letters are read from 4 m"
    api = json.loads((hub.folder / "run" / "status.json").read_text())["children"]["api"]["pid"]
    os.kill(int(api), signal.SIGSTOP)
    try:
        await expect(wall).to_have_attribute("data-current", "false", timeout=5500)
        await expect(page.get_by_test_id("wall-old")).to_be_visible()
        await expect(page.get_by_test_id("wall-health")).not_to_contain_text("✓")
    finally:
        os.kill(int(api), signal.SIGCONT)
    await expect(wall).to_have_attribute("data-current", "true", timeout=15_000)


async def test_a_policy_is_written_checked_and_previewed(
    chromium: Browser, hub: DemoHub, desk: DeskClient
) -> None:
    page = await dispatcher(chromium, hub)
    await go(page, "policies")
    await page.get_by_test_id("policy-new").click()
    form = page.get_by_test_id("policy-form")
    await form.locator("[name=name]").fill("At night")
    await form.locator("select[name=kind]").select_option("press")
    await form.get_by_test_id("policy-add-step").click()
    step = form.get_by_test_id("policy-step").nth(1)
    await form.get_by_test_id("policy-save").click()
    await expect(step.get_by_role("alert").first).to_contain_text("on_duty:second")
    await step.locator("select[name=who]").select_option("dispatchers")
    await step.locator("[name=wait_s]").fill("90")
    await form.get_by_test_id("policy-save").click()
    await expect(page.get_by_test_id("policy-row")).to_contain_text("At night")
    await page.get_by_test_id("preview-person").fill("Yu Mei")
    await page.get_by_test_id("preview-choice").click()
    ladder = page.get_by_test_id("preview-ladder")
    await expect(ladder).to_contain_text("At night")
    await expect(ladder).to_contain_text("03:00")


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
    await expect(page.get_by_test_id("sound-state")).to_have_attribute("data-ringing", "true")

    address = (await asyncio.to_thread(desk.http.get, "calls-in/address")).json()["path"]
    for _ in range(2):
        heard = {"number": "0571-8888 9999", "call_id": "pbx-1"}
        answer = await asyncio.to_thread(desk.http.post, f"{hub.url}{address}", json=heard)
        assert answer.status_code == 202, answer.text
    row = page.locator("[data-testid=incident-row]", has_text="057188889999")
    await expect(row).to_have_count(1)
    await expect(row).not_to_contain_text("×2")
    wrong = f"{hub.url}{address[:-4]}0000"
    answer = await asyncio.to_thread(desk.http.post, wrong, json={"call_id": "pbx-2"})
    assert answer.status_code == 404


async def test_whoever_may_not_does_not_see_it(
    chromium: Browser, hub: DemoHub, desk: DeskClient
) -> None:
    """A dispatcher plans nothing and reads no reports, but hands over and sees who is on duty."""
    new = {"username": "zhou", "area_id": "city", "name": "Zhou", "role": "dispatcher",
           "language": "en"}  # fmt: skip
    given = await asyncio.to_thread(sent, desk, "post", "accounts", new)
    page: Page = await opened(chromium, hub.url)
    await log_in(page, "zhou", given["password"])
    fields = page.get_by_test_id("password-form").locator("input[type=password]")
    for n, text in enumerate((given["password"], "four quiet lanterns", "four quiet lanterns")):
        await fields.nth(n).fill(text)
    await page.get_by_test_id("password-form").get_by_role("button").click()
    await page.get_by_test_id("duty-tab").click()
    await expect(page.get_by_test_id("handovers")).to_be_visible()
    await expect(page.get_by_test_id("shift-form")).to_have_count(0)
    await go(page, "reports")
    await expect(page.get_by_test_id("reports")).to_have_count(0)
    await go(page, "wall")
    await expect(page.get_by_test_id("wall-answered")).to_be_visible()
