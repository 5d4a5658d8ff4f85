"""A browser in front of the desk, for the tests of its pages."""

import contextlib
import io
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.e2e.axe import violations
from tests.e2e.demo_hub import CHROMIUM_FLAGS, DemoHub, chromium_path
from tests.e2e.desk_client import DeskClient

ONE_LOOP = pytest.mark.asyncio(loop_scope="package")
"""Stories that share a browser run on its loop."""

SOON_MS = 15_000
"""A busy machine fails no story here; what must be quick says so itself."""
expect.set_options(timeout=SOON_MS)

SCREENSHOTS = os.environ.get("SCREENSHOT_FOLDER")
"""Set by `make screenshots`."""
COLOURS = 128
"""Of a picture: letters and flat fields show no difference to thousands."""
LOOKS = (("zh-CN", "light"), ("en", "dark"))
"""Both languages, both themes: each view is looked at in two of the four pairs."""


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(
            executable_path=chromium_path(), args=CHROMIUM_FLAGS
        )
        yield launched
        await launched.close()


async def opened(
    launched: Browser,
    url: str,
    language: str = "en",
    theme: str = "light",
    *,
    zone: str = "Asia/Shanghai",
    locale: str = "",
) -> Page:
    """A page of its own: own cookies, own storage."""
    context = await launched.new_context(
        viewport={"width": 1440, "height": 900},
        locale=locale or language,
        timezone_id=zone,
        color_scheme="dark" if theme == "dark" else "light",
    )
    page = await context.new_page()
    await page.add_init_script(f"localStorage.setItem('carebell.language', '{language}')")
    await page.goto(url)
    return page


async def log_in(page: Page, username: str, password: str) -> None:
    """Through the form."""
    await page.get_by_test_id("login-username").fill(username)
    await page.get_by_test_id("login-password").fill(password)
    await page.get_by_test_id("login-submit").click()


async def dispatcher(
    launched: Browser, hub: DemoHub, language: str = "en", theme: str = "light"
) -> Page:
    """A page on which the first administrator is logged in and live."""
    page = await opened(launched, hub.url, language, theme)
    await log_in(page, "admin", hub.password)
    live = page.get_by_test_id("connection-state")
    await expect(live).to_have_attribute("data-state", "live", timeout=15_000)
    return page


async def colleague(desk: DeskClient, hub: DemoHub, username: str, name: str) -> str:
    """Another dispatcher of the city, who has chosen a password; the password."""
    new = {"username": username, "area_id": "city", "name": name, "role": "dispatcher",
           "language": "en"}  # fmt: skip
    given = (await desk.asked("POST", "accounts", **new))["password"]
    chosen = "seven green umbrellas"
    async with httpx.AsyncClient(base_url=f"{hub.url}/api/v1", timeout=10) as http:
        for path, body in (
            ("session", {"username": username, "password": given}),
            ("session/password", {"current": given, "new": chosen}),
        ):
            answer = await http.post(path, json=body)
            assert answer.is_success, answer.text
    return chosen


async def home_of(desk: DeskClient, home: str, **person: Any) -> dict[str, Any]:
    """A home with a position, a person and a button; the button's credential."""
    await desk.asked(
        "POST", "premises", id=home, area_id="city", address=f"{home} road 1",
        access_notes="Second door, knock loudly", latitude=31.23, longitude=121.47,
    )  # fmt: skip
    await desk.asked("POST", "people", id=f"person-{home}", premises_id=home, **person)
    made = await desk.asked(
        "POST", "devices", id=f"button-{home}", kind="button", premises_id=home,
        person_id=f"person-{home}",
    )  # fmt: skip
    credential: dict[str, Any] = made["mqtt"]
    return credential


async def go(page: Page, view: str) -> None:
    """By address, as a link in a message would."""
    await page.evaluate("hash => { location.hash = hash; }", f"#/{view}")


async def picture(page: Page, path: Path) -> None:
    """What is on the screen, in so few colours that a folder of them stays small."""
    seen = Image.open(io.BytesIO(await page.screenshot(animations="disabled")))
    few = seen.convert("RGB").quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


async def looked_at(page: Page, name: str) -> None:
    """axe is content; and a picture where pictures are wanted."""
    if SCREENSHOTS:
        await picture(page, Path(SCREENSHOTS) / f"{name}.png")
    assert await violations(page) == [], name


MARK_CONTROLS = """() => {
  const groups = new Set();
  const wanted = [...document.querySelectorAll(
    'button, a[href], input, select, textarea, summary, [tabindex="0"]')]
    .filter(each => !each.disabled && each.tabIndex >= 0 && each.type !== 'hidden')
    .filter(each => each.checkVisibility({visibilityProperty: true}))
    .filter(each => {
      if (each.type !== 'radio') return true;
      if (groups.has(each.name) || document.querySelector(`[name="${each.name}"]:checked`) &&
          !each.checked) return false;
      return groups.add(each.name);
    });
  wanted.forEach((each, n) => { each.dataset.control = n; });
  document.activeElement.blur();
  getSelection().removeAllRanges();
  return wanted.map(each => (each.dataset.testid ?? each.name) || each.textContent.trim());
}"""
FOCUSED = """() => {
  const at = document.activeElement;
  if (at === null || at === document.body || at.dataset.control === undefined) return [-1, true];
  const style = getComputedStyle(at);
  const shown = style.outlineStyle !== 'none' && style.outlineWidth !== '0px';
  return [Number(at.dataset.control), shown];
}"""


async def reached_by_tab(page: Page) -> list[str]:
    """Every control of what is shown comes to the focus with the tab key, and shows that it has it;
    their names."""
    names: list[str] = await page.evaluate(MARK_CONTROLS)
    missing = set(range(len(names)))
    for _ in range(2 * len(names) + 20):
        if not missing:
            return names
        await page.keyboard.press("Tab")
        at, outlined = await page.evaluate(FOCUSED)
        assert outlined, f"{names[at]} has the focus and does not show it"
        missing.discard(at)
    raise AssertionError(f"not reached by tab: {sorted(names[n] for n in missing)}")
