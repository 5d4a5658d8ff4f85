"""The desk's page in a real browser against a whole hub, all on this machine.

- A cold load (nothing cached): when somebody can type their name, when the queue of somebody who is
  logged in is there, and what that costs in compressed JavaScript; the family's page besides.
- A thousand open incidents and fifty changes a second, each a real press: how long the frames were,
  first left alone and then while somebody scrolls and walks through the queue.

Prints JSON. Frames are timed by `requestAnimationFrame`; `longest_task_ms` is the browser's own
word on how long the page kept it from drawing, `longest_task_cpu_ms` how much of that the page
really computed. On a machine that is busy with something else the first two tell of that machine,
only the third of the page.
"""

import argparse
import asyncio
import itertools
import json
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from benchmarks.feed import Feed
from benchmarks.harness import Hub, percentile, running_hub, say
from benchmarks.ledger import Ledger
from schemas.vocabulary import DeviceKind

INCIDENTS = 1000
UPDATES_PER_S = 50.0
MEASURED_S = 30.0
"""Left alone, and as long again with somebody at the keys."""
LOADS = 7
PRESS_FIRST_PER_S = 100.0
SHOWN_WITHIN_S = 60.0
FRAME_MS = 100.0
"""No frame longer than this. Ours: what takes longer is felt as a halt."""
VIEW = {"width": 1440, "height": 900}
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]

TRACED = ["toplevel"]
WATCH = """() => {
  window.frames_ms = []; window.tasks_ms = [];
  let last = performance.now();
  const look = (now) => { frames_ms.push(now - last); last = now; requestAnimationFrame(look); };
  requestAnimationFrame((now) => { last = now; requestAnimationFrame(look); });
  new PerformanceObserver((list) => tasks_ms.push(...list.getEntries().map((e) => e.duration)))
    .observe({type: 'longtask'});
}"""
TAKE = "() => [frames_ms.splice(0), tasks_ms.splice(0)]"
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


def computed_ms(trace: bytes) -> float:
    """The most processor time that one task of a page's main thread took."""
    events = json.loads(trace)["traceEvents"]
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event.get("name") == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    return max(
        (
            event.get("tdur", 0) / 1000
            for event in events
            if event.get("name") == "ThreadControllerImpl::RunTask"
            and (event["pid"], event["tid"]) in main
        ),
        default=0.0,
    )


def frames(found: list[list[float]]) -> dict[str, float]:
    """What a dispatcher would feel of them."""
    frames_ms, tasks_ms = found
    return {
        "frames": len(frames_ms),
        "p50_ms": round(percentile(frames_ms, 0.5) or 0.0, 1),
        "p99_ms": round(percentile(frames_ms, 0.99) or 0.0, 1),
        "longest_ms": round(max(frames_ms, default=0.0), 1),
        f"above_{FRAME_MS:.0f}_ms": sum(each > FRAME_MS for each in frames_ms),
        "longest_task_ms": round(max(tasks_ms, default=0.0), 1),
    }


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


async def crowded(launched: Browser, hub: Hub, cookies: list[Any], measured_s: float) -> Any:
    """A thousand open incidents, and fifty changes a second."""
    say(f"{INCIDENTS} homes")
    ledger = Ledger(await hub.provision(INCIDENTS, kinds=(DeviceKind.BUTTON,)))
    feed = Feed(hub)
    await feed.start()
    pressing = Pressing(ledger)
    try:
        await ledger.connect(within_s=120.0)
        say("pressing them all")
        await pressing.press(INCIDENTS, PRESS_FIRST_PER_S)
        async with asyncio.timeout(SHOWN_WITHIN_S):
            while len(feed.shown_at_s) < INCIDENTS:  # noqa: ASYNC110 - outside this process
                await asyncio.sleep(0.2)
        load = await loaded(launched, hub.url, "[data-testid=incident-row]", cookies)
        page = await opened(launched, hub.url, cookies)
        await page.locator("[data-testid=incident-row]").first.wait_for()
        await asyncio.sleep(3.0)
        await page.evaluate(WATCH)
        found: dict[str, Any] = {"queue": load}
        for name in ("alone", "walked"):
            say(f"{UPDATES_PER_S:.0f} presses/s: {name}")
            await page.evaluate(TAKE)
            await launched.start_tracing(page=page, categories=TRACED)
            before, begun_s = feed.events, time.monotonic()
            steps = [pressing.press(round(measured_s * UPDATES_PER_S), UPDATES_PER_S)]
            if name == "walked":
                steps.append(walk(page, begun_s + measured_s))
            await asyncio.gather(*steps)
            events_per_s = (feed.events - before) / (time.monotonic() - begun_s)
            found[name] = frames(await page.evaluate(TAKE)) | {
                "longest_task_cpu_ms": round(computed_ms(await launched.stop_tracing()), 1),
                "events_per_s": round(events_per_s, 1),
            }
        # A row that is not drawn must still be found by its key.
        await page.keyboard.press("ArrowDown")
        chosen = page.locator("[data-testid=incident-row][aria-current=true]")
        await chosen.wait_for(timeout=2000)
        found["chosen_row_in_view"] = await chosen.evaluate(IN_VIEW)
        found["rows_drawn"] = await page.get_by_test_id("incident-row").count()
        counted = await page.get_by_test_id("queue-tab").locator(".count").inner_text()
        found["incidents_shown"] = int(counted)
        return found
    finally:
        await feed.stop()
        await ledger.close()


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
        live = "[data-testid=connection-state][data-state=live]"
        found["desk"] = await loaded(launched, hub.url, live, cookies)
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
