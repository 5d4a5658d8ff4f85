"""From a press on the device to the event on the feed and to the receipt on the device.

Everything runs on this machine: broker, database, hub, the load and this measuring process.
"""

import argparse
import asyncio
import json
from datetime import UTC, datetime
from typing import Any

from benchmarks.feed import Feed
from benchmarks.harness import Hub, percentile, running_hub, say
from benchmarks.ledger import Ledger, Press, drained, judge
from benchmarks.load import MEASURES, Load

RATES_PER_S = (0, 1000, 5000)
HOMES = 100
PRESSES = 200
PRESS_EVERY_S = 0.05
WARM_UP_S = 10.0
WARM_UP_PRESSES = 20
ANSWERED_WITHIN_S = 15.0


class Bench:
    """One hub under one rate after the other."""

    def __init__(self, hub: Hub, feed: Feed, ledger: Ledger, load: Load) -> None:
        """All of them run already."""
        self._hub = hub
        self._feed = feed
        self._ledger = ledger
        self._load = load

    async def run(self, rate_per_s: int, presses: int, warm_up_s: float) -> dict[str, Any]:
        """The figures at one rate."""
        self._load.set_rate(rate_per_s)
        await asyncio.sleep(warm_up_s)
        await self._press(WARM_UP_PRESSES)
        since = datetime.now(UTC)
        made = await self._press(presses)
        until = datetime.now(UTC)
        await asyncio.sleep(1.0)
        for _ in range(round(ANSWERED_WITHIN_S / 0.1)):
            if all(self._is_complete(press) for press in made):
                break
            await asyncio.sleep(0.1)
        stored = await asyncio.to_thread(_stored_per_s, self._hub, since, until)
        shown = self._feed.shown_at_s
        figures = {
            "press_to_desk_ms": _summary(
                [shown[p.key] - p.pressed_at_s for p in made if p.key in shown]
            ),
            "press_to_receipt_ms": _summary(
                [p.received_at_s - p.pressed_at_s for p in made if p.received_at_s is not None]
            ),
            "missing": sum(not self._is_complete(press) for press in made),
            "telemetry_stored_per_s": round(stored, 1),
        }
        say(f"at {rate_per_s} messages/s: {json.dumps(figures)}")
        return figures

    async def _press(self, count: int) -> list[Press]:
        buttons = self._ledger.buttons
        made = []
        for number in range(count):
            made.append(self._ledger.press(buttons[number % len(buttons)]))
            await asyncio.sleep(PRESS_EVERY_S)
        return made

    def _is_complete(self, press: Press) -> bool:
        return press.key in self._feed.shown_at_s and press.received_at_s is not None


def _summary(seconds: list[float]) -> dict[str, float]:
    return {
        name: round((percentile(seconds, share) or float("nan")) * 1000, 2)
        for name, share in (("p50", 0.5), ("p99", 0.99))
    }


def _stored_per_s(hub: Hub, since: datetime, until: datetime) -> float:
    """Messages a second that arrived in the window and are in the table."""
    with hub.database() as connection:
        row = connection.execute(
            "SELECT count(*) FROM observation WHERE received_at >= %s AND received_at < %s",
            (since, until),
        ).fetchone()
    assert row is not None
    return float(row[0]) / len(MEASURES) / (until - since).total_seconds()


async def measure(
    rates: tuple[int, ...], presses: int, warm_up_s: float, *, keep: bool
) -> dict[str, Any]:
    """All rates on one hub; what `main` prints."""
    found: dict[str, dict[str, Any]] = {}
    async with running_hub(keep=keep) as hub:
        devices = await hub.provision(HOMES)
        ledger = Ledger([device for device in devices if device.kind == "button"])
        feed = Feed(hub)
        load = Load(
            [device for device in devices if device.kind == "care_bed"],
            hub.settings.data_dir.parent / "telemetry-keys",
        )
        try:
            await ledger.connect()
            await feed.start()
            bench = Bench(hub, feed, ledger, load)
            for rate in rates:
                found[str(rate)] = await bench.run(rate, presses, warm_up_s)
            report, _ = await load.finish()
        finally:
            load.end()
        await drained(hub, ledger)
        verdict = judge(hub, ledger)
        await feed.stop()
        await ledger.close()
    verdict.tell()
    names = ("press_to_desk_ms", "press_to_receipt_ms", "telemetry_stored_per_s", "missing")
    return {name: {rate: f[name] for rate, f in found.items()} for name in names} | {
        "telemetry_behind": report.behind,
        "lost": len(verdict.lost),
        "doubled": len(verdict.doubled),
    }


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer presses, shorter warm-up")
    parser.add_argument("--rate", type=int, action="append", help="instead of 0, 1000 and 5000")
    parser.add_argument("--keep", action="store_true", help="keep the hub's folder")
    given = parser.parse_args()
    presses, warm_up_s = (40, 3.0) if given.quick else (PRESSES, WARM_UP_S)
    rates = tuple(given.rate or RATES_PER_S)
    print(json.dumps(asyncio.run(measure(rates, presses, warm_up_s, keep=given.keep))))


if __name__ == "__main__":
    main()
