"""A phone as a device, in a real browser against the whole hub: it presses, and hears back."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.desk_client import DeskClient
from tests.e2e.desk_page import LOOKS, ONE_LOOP, looked_at
from tests.e2e.phone_page import device_of, home_of, phone

pytestmark = [pytest.mark.e2e, ONE_LOOP]

SOON_MS = 15_000


async def set_up(chromium: Browser, desk: DeskClient, home: str, language: str, theme: str) -> Page:
    """A phone that was set up by its code, connected."""
    await home_of(desk, home, "赵玉珍", language)
    made = await device_of(desk, home, "phone")
    assert "/press/#" in made["setup_url"]
    page = await (await phone(chromium, language, theme)).new_page()
    await page.goto(made["setup_url"])
    await expect(page.locator("[data-connected=true]")).to_be_visible(timeout=30_000)
    assert "#" not in page.url, "the secret stays in the address bar"
    return page


async def hold(page: Page) -> None:
    """With a finger, for as long as it takes."""
    box = await page.get_by_test_id("press").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await page.mouse.down()
    await page.wait_for_timeout(1_200)
    await page.mouse.up()


async def stage(page: Page, wanted: str) -> None:
    told = page.get_by_test_id("told")
    await expect(told).to_have_attribute("data-stage", wanted, timeout=SOON_MS)


@pytest.mark.parametrize(("language", "theme"), LOOKS)
async def test_held_received_coming_over(
    chromium: Browser, desk: DeskClient, language: str, theme: str
) -> None:
    """With the position, and each stage shown, spoken in their language and felt."""
    home, look = f"elder-{language[:2].lower()}", f"{language[:2]}-{theme}"
    page = await set_up(chromium, desk, home, language, theme)
    await looked_at(page, f"elder-{look}")
    await hold(page)
    await stage(page, "received")
    incident = desk.incident(lambda i: bool(i["premises"]) and i["premises"]["id"] == home)
    assert incident["position"]["latitude"] == pytest.approx(31.2310)
    path = f"incidents/{incident['id']}"
    await desk.asked("POST", f"{path}/acknowledge", expected_arrival_s=600)
    await stage(page, "coming")
    await looked_at(page, f"elder-coming-{look}")
    await desk.asked("POST", f"{path}/resolve", outcome="helped")
    await stage(page, "over")
    spoken = await page.evaluate("spoken")
    assert {said[0] for said in spoken} == {"zh-CN" if language == "zh-CN" else "en-GB"}
    assert len(spoken) >= 3
    assert len(await page.evaluate("felt")) >= 3
    assert incident["alarm_count"] == 1


async def test_a_press_without_a_line_goes_out_when_it_is_back_and_says_so(
    chromium: Browser, desk: DeskClient
) -> None:
    """It survives the page being opened anew, rings once, and never claims what is not so."""
    page = await set_up(chromium, desk, "elder-cut", "en", "light")
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    await page.context.set_offline(True)
    await page.reload()  # opens from what the worker kept
    await expect(page.locator("[data-connected=false]")).to_be_visible(timeout=SOON_MS)
    await expect(page.get_by_test_id("line")).to_contain_text("No connection")
    await page.get_by_test_id("press").focus()
    await page.keyboard.down("Enter")
    await page.wait_for_timeout(1_200)
    await page.keyboard.up("Enter")
    await stage(page, "waiting")
    await expect(page.get_by_test_id("told")).to_contain_text("kept on this phone")
    await looked_at(page, "elder-cut-en-light")
    await page.reload()
    await stage(page, "waiting")
    await page.context.set_offline(False)
    await stage(page, "received")
    incident = desk.incident(lambda i: bool(i["premises"]) and i["premises"]["id"] == "elder-cut")
    assert incident["alarm_count"] == 1


async def test_a_screen_reader_activates_twice_and_a_stray_tap_does_nothing(
    chromium: Browser, desk: DeskClient
) -> None:
    page = await set_up(chromium, desk, "elder-taps", "en", "light")
    button = page.get_by_test_id("press")
    await button.evaluate("each => each.click()")
    await expect(page.get_by_test_id("armed")).to_contain_text("once more")
    await stage(page, "")
    await button.evaluate("each => each.click()")
    await stage(page, "received")


async def test_a_revoked_phone_says_that_it_is_not_let_in(
    chromium: Browser, desk: DeskClient
) -> None:
    page = await set_up(chromium, desk, "elder-gone", "en", "light")
    await desk.asked("POST", "devices/elder-gone-phone/revoke")
    await expect(page.get_by_test_id("line")).to_contain_text("not let in", timeout=SOON_MS)
