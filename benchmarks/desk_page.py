"""The desk's page in a real browser against a whole hub, all on this machine.

- A cold load (nothing cached): when somebody can type their name, when the queue of somebody who is
  logged in is there, and what that costs in compressed JavaScript; the family's page besides.
- A thousand open incidents and fifty changes a second, each a real press that the hub answers: how
  long the frames were, first left alone and then while somebody scrolls and walks through the queue
  (`benchmarks.desk_page_frames` says how they are told). Then the same once more, traced: how much
  of that the page really computed.

Prints JSON. Hub, database, broker, load and browser share the processors, and with whatever else
runs here: `machine` says who had how much of them.
"""

import argparse
import asyncio
import itertools
import json
import shutil
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.async_api import Browser, Page, async_playwright

from benchmarks.desk_page_frames import COUNTED, WATCH, computed, felt, taken
from benchmarks.desk_page_machine import shares, usage
from benchmarks.feed import Feed
from benchmarks.harness import Hub, percentile, running_hub, say
from benchmarks.ledger import Ledger
from schemas.vocabulary import DeviceKind

INCIDENTS = 1000
UPDATES_PER_S = 50.0
MEASURED_S = 30.0
"""Left alone, and as long again with somebody at the keys."""
BEFORE_S = 5.0
"""Nobody presses: what the machine does to frames by itself."""
LOADS = 7
PRESS_FIRST_PER_S = 100.0
SHOWN_WITHIN_S = 60.0
ANSWERED_WITHIN_S = 10.0
VIEW = {"width": 1440, "height": 900}
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]

TRACED = ["toplevel"]
EVENTS = 'carebell_api_feed_events_total{event="incident"} '
LIVE = "[data-testid=connection-state][data-state=live]"
IN_VIEW = """(row) => {
  const at = row.getBoundingClientRect();
  return at.bottom > 0 && at.top < innerHeight;
}"""
SCRIPTS = """() => performance.getEntriesByType('resource')
  .filter((e) => new URL(e.name).pathname.endsWith('.js'))
  .reduce((sum, e) => sum + e.encodedBodySize, 0)"""


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    path = shutil.which("chromium")
    if path is None:
        raise SystemExit("chromium is missing: tests/ensure_system_packages.sh installs it")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        await launched.close()


async def opened(launched: Browser, url: str, cookies: list[Any]) -> Page:
    """A page with an empty cache."""
    context = await launched.new_context(viewport=VIEW, locale="en")  # type: ignore[arg-type]
    await context.add_cookies(cookies)
    page = await context.new_page()
    await page.goto(url, wait_until="commit")
    return page


async def loaded(launched: Browser, url: str, mark: str, cookies: list[Any]) -> dict[str, float]:
    """From the first byte asked for until `mark` is there to be used, several times."""
    took_ms, script_bytes = [], 0.0
    for _ in range(LOADS):
        page = await opened(launched, url, cookies)
        await page.locator(mark).first.wait_for()
        took_ms.append(await page.evaluate("performance.now()"))
        await page.wait_for_load_state("load")
        script_bytes = await page.evaluate(SCRIPTS)
        await page.context.close()
    return {
        "p50_ms": round(percentile(took_ms, 0.5) or 0.0, 1),
        "worst_ms": round(max(took_ms), 1),
        "javascript_bytes": script_bytes,
    }


async def logged_in(launched: Browser, hub: Hub) -> list[Any]:
    """The cookies of the first administrator."""
    page = await opened(launched, hub.url, [])
    answer = await page.request.post(
        f"{hub.url}/api/v1/session", data=hub.administrator(), headers={"Origin": hub.url}
    )
    if not answer.ok:
        raise ConnectionError(await answer.text())
    cookies = await page.context.cookies()
    await page.context.close()
    return list(cookies)


class Pressing:
    """Presses one button after the other, at a steady rate, until it is stopped."""

    def __init__(self, ledger: Ledger) -> None:
        """Its lines are up already."""
        self._ledger = ledger
        self._turn = itertools.cycle(ledger.buttons)
        self.made = 0

    async def press(self, count: int, per_s: float) -> None:
        """So many, so fast."""
        begun_s = time.monotonic()
        for n in range(count):
            self._ledger.send(self._ledger.make(next(self._turn)))
            self.made += 1
            await asyncio.sleep(max(0.0, begun_s + (n + 1) / per_s - time.monotonic()))


async def walk(page: Page, until_s: float) -> None:
    """Somebody scrolls through the queue and steps from one incident to the next."""
    await page.mouse.move(200, 500)
    turn = 0
    while time.monotonic() < until_s:
        turn += 1
        await page.mouse.wheel(0, 900 if turn % 20 < 10 else -900)
        if turn % 5 == 0:
            await page.keyboard.press("ArrowDown")
        await asyncio.sleep(0.1)


@dataclass(frozen=True, slots=True)
class Watched:
    """A desk with a thousand incidents, a blank page beside it, and who presses."""

    hub: Hub
    launched: Browser
    page: Page
    blank: Page
    pressing: Pressing

    async def pressed(self, during_s: float, *, walked: bool) -> dict[str, Any]:
        """Frames while buttons are pressed."""
        made, events = self.pressing.made, await shown_events(self.hub)
        found = await self.watch(self.keep_pressing(during_s, walked=walked))
        took_s = found["took_s"]
        return {
            "presses_per_s": round((self.pressing.made - made) / took_s, 1),
            "updates_per_s": round((await shown_events(self.hub) - events) / took_s, 1),
            "live": await self.page.locator(LIVE).count() > 0,
            **found,
        }

    async def watch(self, meanwhile: Awaitable[None]) -> dict[str, Any]:
        """Frames and processors while something goes on."""
        await taken(self.page)
        await taken(self.blank)
        before = usage()
        await meanwhile
        after = usage()
        found = felt(await taken(self.page), await taken(self.blank))
        took_s = round(after.at_s - before.at_s, 1)
        return {"took_s": took_s, **found, "machine": shares(before, after)}

    async def traced(self, during_s: float) -> dict[str, float]:
        """What the page computes meanwhile. Apart, since tracing itself costs processor time; and
        last, since the blank page goes: the trace is of the desk."""
        await self.blank.context.close()
        await self.launched.start_tracing(page=self.page, categories=TRACED)
        begun_s = time.monotonic()
        await self.keep_pressing(during_s, walked=True)
        took_s = time.monotonic() - begun_s
        return computed(await self.launched.stop_tracing(), took_s)

    async def keep_pressing(self, during_s: float, *, walked: bool) -> None:
        """At the rate, with somebody at the keys or without."""
        steps = [self.pressing.press(round(during_s * UPDATES_PER_S), UPDATES_PER_S)]
        if walked:
            steps.append(walk(self.page, time.monotonic() + during_s))
        await asyncio.gather(*steps)


async def shown_events(hub: Hub) -> float:
    """How many changes of incidents the hub has told its desks, by its own count."""
    async with httpx.AsyncClient() as client:
        lines = (await client.get(f"{hub.url}/metrics")).raise_for_status().text.splitlines()
    return float(next(line.removeprefix(EVENTS) for line in lines if line.startswith(EVENTS)))


async def watched(launched: Browser, hub: Hub, cookies: list[Any], pressing: Pressing) -> Watched:
    """Open both pages, and count their frames."""
    page = await opened(launched, hub.url, cookies)
    await page.locator("[data-testid=incident-row]").first.wait_for()
    blank = await (await launched.new_context()).new_page()
    await asyncio.sleep(3.0)
    await page.evaluate(WATCH, 0)
    await blank.evaluate(WATCH, COUNTED)
    return Watched(hub, launched, page, blank, pressing)


async def crowd(hub: Hub, pressing: Pressing) -> None:
    """Have every button pressed once, and shown."""
    feed = Feed(hub)
    await feed.start()
    try:
        say("pressing them all")
        await pressing.press(INCIDENTS, PRESS_FIRST_PER_S)
        async with asyncio.timeout(SHOWN_WITHIN_S):
            while len(feed.shown_at_s) < INCIDENTS:  # noqa: ASYNC110 - outside this process
                await asyncio.sleep(0.2)
    finally:
        # Reading along what a desk is told costs time that the desk should have.
        await feed.stop()


async def crowded(launched: Browser, hub: Hub, cookies: list[Any], measured_s: float) -> Any:
    """A thousand open incidents, and fifty changes a second."""
    say(f"{INCIDENTS} homes")
    ledger = Ledger(await hub.provision(INCIDENTS, kinds=(DeviceKind.BUTTON,)))
    pressing = Pressing(ledger)
    try:
        await ledger.connect(within_s=120.0)
        await crowd(hub, pressing)
        found: dict[str, Any] = {
            "queue": await loaded(launched, hub.url, "[data-testid=incident-row]", cookies)
        }
        desk = await watched(launched, hub, cookies, pressing)
        say("nobody presses")
        found["before"] = await desk.watch(asyncio.sleep(BEFORE_S))
        for name in ("alone", "walked"):
            say(f"{UPDATES_PER_S:.0f} presses/s: {name}")
            found[name] = await desk.pressed(measured_s, walked=name == "walked")
        say("once more, traced")
        found["processor_time"] = await desk.traced(measured_s / 3)
        await ledger.all_answered(ANSWERED_WITHIN_S)
        found["presses"] = {"made": pressing.made, "unanswered": ledger.unanswered()}
        return found | await as_it_ended(desk.page)
    finally:
        await ledger.close()


async def as_it_ended(page: Page) -> dict[str, Any]:
    """Whether the page still shows everything; a row that is not drawn is found by its key."""
    await page.keyboard.press("ArrowDown")
    chosen = page.locator("[data-testid=incident-row][aria-current=true]")
    await chosen.wait_for(timeout=2000)
    counted = await page.get_by_test_id("queue-tab").locator(".count").inner_text()
    return {
        "chosen_row_in_view": await chosen.evaluate(IN_VIEW),
        "rows_drawn": await page.get_by_test_id("incident-row").count(),
        "incidents_shown": int(counted),
    }


async def measure(measured_s: float, *, keep: bool) -> dict[str, Any]:
    """What `main` prints."""
    async with running_hub(keep=keep) as hub, browser() as launched:
        say("cold loads")
        typed = "[data-testid=login-username]"
        found: dict[str, Any] = {
            "log_in": await loaded(launched, hub.url, typed, []),
            "family": await loaded(launched, f"{hub.url}/family/", typed, []),
        }
        cookies = await logged_in(launched, hub)
        found["desk"] = await loaded(launched, hub.url, LIVE, cookies)
        found["crowded"] = await crowded(launched, hub, cookies, measured_s)
        return found


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 s instead of 30 s")
    parser.add_argument("--keep", action="store_true", help="keep the hub's folder")
    given = parser.parse_args()
    measured_s = 10.0 if given.quick else MEASURED_S
    print(json.dumps(asyncio.run(measure(measured_s, keep=given.keep)), indent=2))


if __name__ == "__main__":
    main()
