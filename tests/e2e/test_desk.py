"""What a user of the first release is promised: press, ring, one click, "help is coming"."""

import asyncio
import os
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.e2e.demo_hub import CHROMIUM_FLAGS, DemoHub, chromium_path, demo_hub

pytestmark = pytest.mark.e2e

SCREENSHOTS = os.environ.get("SCREENSHOT_FOLDER")
"""Set by `make screenshots`."""


@pytest.fixture(scope="module")
def hub() -> Iterator[DemoHub]:
    with demo_hub(homes=6) as running:
        yield running


@pytest.fixture
async def page(hub: DemoHub) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path(), args=CHROMIUM_FLAGS
        )
        context = await browser.new_context(
            viewport={"width": 1440, "height": 900}, locale="zh-CN", timezone_id="Asia/Shanghai"
        )
        page = await context.new_page()
        await page.goto(hub.url)
        yield page
        await browser.close()


async def log_in(page: Page, hub: DemoHub) -> None:
    await page.get_by_test_id("login-username").fill("admin")
    await page.get_by_test_id("login-password").fill(hub.password)
    await page.get_by_test_id("login-submit").click()
    await expect(page.get_by_test_id("connection-state")).to_have_attribute("data-state", "live")


async def picture(page: Page, name: str) -> None:
    if SCREENSHOTS:
        await page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png")


async def pictures(page: Page, name: str) -> None:
    """In both languages."""
    if SCREENSHOTS:
        await picture(page, f"{name}-zh")
        await page.get_by_test_id("language-switch").click()
        await picture(page, f"{name}-en")
        await page.get_by_test_id("language-switch").click()


async def test_wrong_password_stays_outside(page: Page) -> None:
    await page.get_by_test_id("login-username").fill("admin")
    await page.get_by_test_id("login-password").fill("not-the-password")
    await page.get_by_test_id("login-submit").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_test_id("incident-row")).to_have_count(0)


async def test_one_press_one_click_one_answer(page: Page, hub: DemoHub) -> None:
    """A press rings on the page; acknowledging it makes the button say that help is coming; and
    resolving it tells everybody that it is over."""
    await log_in(page, hub)
    press = await asyncio.create_subprocess_exec(
        *hub.press_arguments(), "--wait", "over", "--timeout", "60", stdout=PIPE
    )
    incident_id = await _incident_of_visitor(page)
    row = page.locator(f"[data-testid=incident-row][data-incident-id='{incident_id}']")
    await expect(row).to_have_attribute("data-state", "raised")
    await expect(page.get_by_test_id("sound-state")).to_have_attribute("data-ringing", "true")
    await row.click()
    await pictures(page, "desk-ringing")

    await page.get_by_test_id("action-acknowledge").click()
    await expect(row).to_have_attribute("data-state", "acknowledged")
    await page.get_by_test_id("panel-record").click()
    await expect(page.get_by_test_id("timeline")).to_contain_text("值班台")
    assert press.stdout is not None
    await _read_until(press.stdout, "帮助")
    await picture(page, "desk-acknowledged")

    await page.get_by_test_id("action-attend").click()
    await expect(row).to_have_attribute("data-state", "attended")
    await page.get_by_test_id("action-resolve").click()
    await page.locator("[data-testid=resolve-outcome] input[value=helped]").check()
    await page.get_by_test_id("resolve-note").fill("She slipped, not hurt.")
    await page.get_by_test_id("resolve-confirm").click()
    await expect(row).to_have_count(0)
    assert await press.wait() == 0, "the button never heard that it is over"


async def test_language_switch_and_devices(page: Page, hub: DemoHub) -> None:
    """Both languages; the simulated devices are listed."""
    await log_in(page, hub)
    await page.get_by_test_id("devices-tab").click()
    await expect(page.get_by_test_id("device-row").first).to_be_visible()
    before = await page.locator("html").get_attribute("lang")
    await page.get_by_test_id("language-switch").click()
    await expect(page.locator("html")).not_to_have_attribute("lang", before or "")
    await picture(page, "desk-devices")


async def _incident_of_visitor(page: Page) -> str:
    """The open incident of the visitor's home, by the API that the page uses."""
    for _ in range(100):
        found = await page.evaluate(
            """async () => (await (await fetch('/api/v1/incidents?state=open&limit=100')).json())
                .items.filter(i => i.premises && i.premises.id === 'visitor-00001')
                .map(i => i.id)"""
        )
        if found:
            return str(found[0])
        await page.wait_for_timeout(100)
    raise AssertionError("the press never became an incident")


async def _read_until(stream: asyncio.StreamReader, words: str) -> None:
    async with asyncio.timeout(10):
        while line := await stream.readline():
            if words in line.decode():
                return
    raise AssertionError(f"the button never showed {words!r}")
