"""`python -m tests.e2e.pictures FOLDER [NAME...]`: the desk, the family's page, the elder's phone
and the overviews as docs/ shows them: a Chinese city in Chinese, a British one in English, light
and dark. `make screenshots` takes all; with names, for example `wall-board`, only those."""

import argparse
import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, Geolocation, Page, expect

from tests.e2e.demo_hub import DemoHub, empty_hub
from tests.e2e.desk_client import DeskClient
from tests.e2e.desk_page import browser, go, log_in, opened, picture
from tests.e2e.overview_pictures import VIEWS, overview
from tests.e2e.phone_page import phone
from tests.e2e.scene import Scene
from tests.e2e.scene_cast import BRITISH, CHINESE
from tests.providers import running_providers

THEMES = ("light", "dark")
SETTLES_S = 0.6
"""Until what a view reads has come and its map and curves are drawn."""
SHOWN_WITHIN_MS = 90_000
"""Nothing here measures: a machine that does much else must only be waited for."""
FAILED = "failed"
"""The name of the picture that shows what stood there instead."""


@dataclass
class Pictures:
    """Takes them of one scene."""

    launched: Browser
    scene: Scene
    folder: Path
    wanted: frozenset[str]
    """Names; empty: all."""
    ids: dict[str, str] = field(default_factory=dict)
    """Of incidents, by person."""

    def wants(self, *names: str) -> bool:
        return not self.wanted or not self.wanted.isdisjoint(names)

    async def take(self, page: Page, name: str, theme: str) -> None:
        """As NAME-LANGUAGE-THEME.png."""
        if self.wants(name):
            await asyncio.sleep(SETTLES_S)
            language = self.scene.cast.language[:2]
            await picture(page, self.folder / f"{name}-{language}-{theme}.png")

    @contextlib.asynccontextmanager
    async def shown(self, page: Page) -> AsyncIterator[Page]:
        """A page that is waited for; where it does not come, what stands there is kept."""
        page.set_default_timeout(SHOWN_WITHIN_MS)
        try:
            yield page
        except BaseException:
            await picture(page, self.folder / f"{FAILED}.png")
            raise
        await page.context.close()

    @contextlib.asynccontextmanager
    async def at_desk(self, theme: str) -> AsyncIterator[Page]:
        """Logged in and live."""
        cast, hub = self.scene.cast, self.scene.hub
        page = await opened(
            self.launched, hub.url, cast.language, theme, zone=cast.time_zone, locale=cast.locale
        )
        async with self.shown(page):
            await log_in(page, "admin", hub.password)
            await page.locator("[data-testid=connection-state][data-state=live]").wait_for()
            yield page

    @contextlib.asynccontextmanager
    async def on_phone(self, theme: str) -> AsyncIterator[Page]:
        """Out in the street."""
        cast = self.scene.cast
        place = Geolocation(latitude=cast.latitude + 0.001, longitude=cast.longitude, accuracy=12.0)
        context = await phone(
            self.launched, cast.language, theme, zone=cast.time_zone, locale=cast.locale,
            place=place,
        )  # fmt: skip
        async with self.shown(await context.new_page()) as page:
            yield page

    async def of_desk(self, theme: str) -> None:
        """The queue with an incident, its other sides, and a person's page."""
        async with self.at_desk(theme) as page:
            await go(page, f"incidents/{self.ids['zhao']}")
            daughter = self.scene.cast.daughter[1]
            await page.get_by_test_id("persona").get_by_text(daughter).first.wait_for()
            await self.take(page, "desk", theme)
            await page.keyboard.press("c")
            await page.get_by_test_id("checklist").wait_for()
            await self.take(page, "incident-checklist", theme)
            await go(page, f"incidents/{self.ids['chen']}")
            await page.get_by_test_id("incident-detail").wait_for()
            await page.keyboard.press("e")
            await page.get_by_test_id("evidence").wait_for()
            await self.take(page, "incident-evidence", theme)
            await go(page, "people/zhao")
            await page.get_by_test_id("zones").wait_for()
            await self.take(page, "person", theme)

    async def of_family(self, theme: str, incident_id: str | None) -> None:
        """All is well; or, with an incident, that it is not."""
        async with self.on_phone(theme) as page:
            await page.goto(f"{self.scene.hub.url}/family/")
            await log_in(page, self.scene.cast.daughter[0], self.scene.hub.password)
            await page.get_by_test_id("relative").first.wait_for()
            if incident_id is None:
                await page.locator("[data-activity=shared]").wait_for()
                await self.take(page, "family", theme)
                return
            await self.take(page, "family-urgent", theme)
            await page.get_by_test_id("urgent").first.click()
            await page.get_by_test_id("incident").wait_for()
            await self.take(page, "family-incident", theme)

    async def of_phone(self, theme: str) -> None:
        """Before and after it was pressed."""
        async with self.on_phone(theme) as page:
            await page.goto(self.scene.made["phone-zhao"]["setup_url"])
            await page.locator("[data-connected=true]").wait_for()
            await self.take(page, "phone", theme)
            await page.get_by_test_id("press").click(delay=1300)
            told = page.get_by_test_id("told")
            await expect(told).to_have_attribute("data-stage", "received", timeout=SHOWN_WITHIN_MS)
            await self.take(page, "phone-received", theme)


async def take_all(hub: DemoHub, pictures: Pictures) -> None:
    """All that are wanted of one city, in the order in which its evening goes."""
    scene, desk = pictures.scene, pictures.scene.desk
    await scene.build()
    async with scene.connected():
        await scene.days_before()
        for theme in THEMES:
            if pictures.wants("family"):
                await pictures.of_family(theme, None)
        pictures.ids = await scene.evening()
        heart = await asyncio.to_thread(
            desk.incident,
            lambda i: (i["person"] or {}).get("id") == "chen",
            SHOWN_WITHIN_MS / 1000,
        )
        pictures.ids["chen"] = heart["id"]
        for theme in THEMES:
            if pictures.wants("desk", "incident-checklist", "incident-evidence", "person"):
                await pictures.of_desk(theme)
            if pictures.wants("family-urgent", "family-incident"):
                await pictures.of_family(theme, pictures.ids["zhao"])
            if pictures.wants("phone", "phone-received"):
                await pictures.of_phone(theme)
        if pictures.wants(*(name for _, name, _ in VIEWS)):
            await overview(hub, scene, THEMES, pictures.at_desk, pictures.take)


async def _take(folder: Path, names: frozenset[str], languages: list[str]) -> None:
    async with browser() as launched, running_providers() as town:
        town.gateway.immediate_receipts = "delivered"
        vendor = {"GATEWAY_URL": town.gateway.url, "GATEWAY_SECRET": town.gateway.secret}
        for cast in (CHINESE, BRITISH):
            if cast.language[:2] not in languages:
                continue
            place = {"language": cast.language, "time_zone": cast.time_zone,
                     "hotline_number": cast.hotline, "sms_gateways": "carebell-sms",
                     "voice_gateways": "carebell-voice"}  # fmt: skip
            with empty_hub(vendor, **place) as hub:
                scene = Scene(hub, DeskClient(hub), cast)
                await take_all(hub, Pictures(launched, scene, folder, names))


def _require_fonts() -> None:
    """Pictures of Chinese pages without Chinese letters are boxes."""
    try:
        known = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=True).stdout
    except OSError:
        known = b""
    if not known:
        sys.exit("No font has Chinese letters: install fonts-noto-core and fonts-noto-cjk")


def main() -> None:
    """Into the folder that is named."""
    reading = argparse.ArgumentParser(prog="python -m tests.e2e.pictures", description=__doc__)
    reading.add_argument("folder", type=Path)
    reading.add_argument("names", nargs="*", help="as in NAME-LANGUAGE-THEME.png; none: all")
    reading.add_argument("--language", choices=("zh", "en"), action="append")
    asked = reading.parse_args()
    _require_fonts()
    asked.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(_take(asked.folder, frozenset(asked.names), asked.language or ["zh", "en"]))


if __name__ == "__main__":
    main()
