"""`python -m tests.e2e.pictures FOLDER`: the desk, the family's page and the elder's phone as docs/
shows them, in both languages, light and dark. Part of `make screenshots`."""

import asyncio
import sys
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.e2e.demo_hub import DemoHub, demo_hub
from tests.e2e.desk_client import DeskClient
from tests.e2e.desk_page import browser, go, log_in, opened, picture
from tests.e2e.overview_pictures import overview
from tests.e2e.phone_page import phone
from tests.e2e.scene import Scene

LOOKS = tuple((language, theme) for language in ("zh-CN", "en") for theme in ("light", "dark"))
SETTLES_S = 0.6
"""Until what a view reads has come and its map and curves are drawn."""


class Pictures:
    """Takes them of one scene."""

    def __init__(self, hub: DemoHub, desk: DeskClient, scene: Scene, folder: Path) -> None:
        """`folder` is there."""
        self._hub, self._desk, self._scene, self._folder = hub, desk, scene, folder

    async def take(self, page: Page, name: str, language: str, theme: str) -> None:
        """As NAME-LANGUAGE-THEME.png."""
        await asyncio.sleep(SETTLES_S)
        await picture(page, self._folder / f"{name}-{language[:2]}-{theme}.png")

    async def of_desk(self, launched: Browser, ids: dict[str, str]) -> None:
        """The queue with an incident, its other sides, and a person's page."""
        for language, theme in LOOKS:
            page = await opened(launched, self._hub.url, language, theme)
            await log_in(page, "admin", self._hub.password)
            live = page.locator("[data-testid=connection-state][data-state=live]")
            await live.wait_for(timeout=15_000)
            await go(page, f"incidents/{ids['zhao']}")
            await page.get_by_test_id("persona").get_by_text("李娜").wait_for()
            await self.take(page, "desk", language, theme)
            await page.keyboard.press("c")
            await page.get_by_test_id("checklist").wait_for()
            await self.take(page, "incident-checklist", language, theme)
            await go(page, f"incidents/{ids['chen']}")
            await page.get_by_test_id("incident-detail").wait_for()
            await page.keyboard.press("e")
            await page.get_by_test_id("evidence").wait_for()
            await self.take(page, "incident-evidence", language, theme)
            await go(page, "people/zhao")
            await page.get_by_test_id("zones").wait_for()
            await self.take(page, "person", language, theme)
            await page.context.close()

    async def of_family(self, launched: Browser, incident_id: str | None) -> None:
        """All is well; or, with an incident, that it is not."""
        for language, theme in LOOKS:
            page = await (await phone(launched, language, theme)).new_page()
            await page.goto(f"{self._hub.url}/family/")
            await log_in(page, "lina", self._hub.password)
            await page.get_by_test_id("relative").first.wait_for(timeout=15_000)
            if incident_id is None:
                await self.take(page, "family", language, theme)
            else:
                await self.take(page, "family-urgent", language, theme)
                await page.get_by_test_id("urgent").first.click()
                await page.get_by_test_id("incident").wait_for()
                await self.take(page, "family-incident", language, theme)
            await page.context.close()

    async def of_phone(self, launched: Browser) -> None:
        """Before and after it was pressed."""
        setup = self._scene.made["phone-zhao"]["setup_url"]
        for language, theme in LOOKS:
            # The hub speaks to them in their own language, whatever the page's buttons say.
            await self._desk.asked("PATCH", "people/zhao", language=language)
            page = await (await phone(launched, language, theme)).new_page()
            await page.goto(setup)
            await page.locator("[data-connected=true]").wait_for(timeout=30_000)
            await self.take(page, "phone", language, theme)
            await page.get_by_test_id("press").click(delay=1300)
            await expect(page.get_by_test_id("told")).to_have_attribute(
                "data-stage", "received", timeout=15_000
            )
            await self.take(page, "phone-received", language, theme)
            await page.context.close()


async def take_all(hub: DemoHub, folder: Path) -> None:
    """All of them."""
    desk = DeskClient(hub)
    scene = Scene(hub, desk)
    await scene.build()
    pictures = Pictures(hub, desk, scene, folder)
    async with browser() as launched:
        await scene.days_before()
        await pictures.of_family(launched, None)
        ids = await scene.evening()
        heart = await asyncio.to_thread(
            desk.incident, lambda i: (i["person"] or {}).get("id") == "chen", 30.0
        )
        await pictures.of_desk(launched, ids | {"chen": heart["id"]})
        await pictures.of_family(launched, ids["zhao"])
        await pictures.of_phone(launched)
        await overview(launched, hub, desk, LOOKS, pictures.take)


def main() -> None:
    """Into the folder that is named."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with demo_hub(homes=3) as hub:
        asyncio.run(take_all(hub, folder))


if __name__ == "__main__":
    main()
