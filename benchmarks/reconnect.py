"""A power cut ends: thousands of devices reconnect at once while somebody presses.

The broker is killed with -9, all devices lose their line and come back as fast as they can; presses
from among them, before and after their own reconnect, are followed to the desk. Then the same with
ingest, worker and API dead: the callout alone lets everybody in. Ends by itself.
"""

import argparse
import asyncio
import contextlib
import json
import os
import resource
import signal
import time
from typing import Any

from benchmarks.feed import Feed
from benchmarks.harness import Button, Hub, percentile, running_hub, say
from benchmarks.ledger import Ledger, Press, judge
from benchmarks.wire import DeviceLine
from schemas.vocabulary import DeviceKind

DEVICES = 10_000
PRESSERS = 100
"""Of them: each presses again and again through the storm."""
PRESS_EVERY_S = 0.1
FIRST_TIME_WITHIN_S = 240.0
STORM_WITHIN_S = 60.0
"""The goal; what is not back by then is counted as missing."""
SHOWN_WITHIN_S = 30.0
DEAD = ("ingest", "worker", "api")
KILL_EVERY_S = 0.05
"""The supervisor starts them again after 0.2 s and later; they are dead before they serve."""
AT_ONCE = 200
"""Devices that begin connecting between two looks, the first time."""


class Fleet:
    """Devices that do nothing but stay connected, and beside them those that press."""

    def __init__(self, buttons: list[Button], pressers: list[DeviceLine], command_qos: int) -> None:
        """`pressers` are counted here; they are started and closed elsewhere."""
        self._own = [
            DeviceLine(
                button.login,
                on_puback=lambda _token, _at_s: None,
                subscribe=button.command_filter,
                on_message=lambda _topic, _payload, _at_s: None,
                command_qos=command_qos,
                clean=command_qos == 0,
                patient=True,
            )
            for button in buttons
        ]
        self.lines = [*self._own, *pressers]

    async def connect(self) -> None:
        """Everybody in, for the first time."""
        for start in range(0, len(self._own), AT_ONCE):
            for line in self._own[start : start + AT_ONCE]:
                line.start()
            await asyncio.sleep(0.1)
        await self.until_up([0] * len(self.lines), FIRST_TIME_WITHIN_S)

    def connections(self) -> list[int]:
        """How often each has been let in."""
        return [line.connections for line in self.lines]

    def back(self, before: list[int]) -> int:
        """How many were let in again since."""
        return sum(line.connections > count for line, count in zip(self.lines, before, strict=True))

    async def until_up(self, before: list[int], within_s: float) -> tuple[int, float]:
        """How many are back, and after how long the last of them was."""
        started_s = time.monotonic()
        told_s = started_s
        while (back := self.back(before)) < len(self.lines):
            now_s = time.monotonic()
            if now_s - started_s > within_s:
                break
            if now_s - told_s > 5:
                say(f"{back} of {len(self.lines)} are in")
                told_s = now_s
            await asyncio.sleep(0.1)
        return back, time.monotonic() - started_s

    async def close(self) -> None:
        await asyncio.gather(*(line.close() for line in self._own))


class Reaper:
    """Keeps processes of the hub dead, whatever the supervisor does."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._reap())

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _reap(self) -> None:
        while True:
            for name in DEAD:
                pid = await asyncio.to_thread(self._hub.pid_of, name)
                if pid is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(KILL_EVERY_S)


async def storm(hub: Hub, fleet: Fleet, ledger: Ledger, feed: Feed) -> dict[str, Any]:
    """Kill the broker; everybody comes back while some press."""
    before = fleet.connections()
    say("the broker is killed; everybody comes back")
    hub.kill("broker")
    coming = asyncio.create_task(fleet.until_up(before, STORM_WITHIN_S))
    presses: list[Press] = []
    while not coming.done() or len(presses) < PRESSERS:
        presses.append(ledger.press(ledger.buttons[len(presses) % len(ledger.buttons)]))
        await asyncio.sleep(PRESS_EVERY_S)
    back, within_s = await coming
    deadline_s = time.monotonic() + SHOWN_WITHIN_S
    while time.monotonic() < deadline_s and any(p.key not in feed.shown_at_s for p in presses):  # noqa: ASYNC110 - outside this process
        await asyncio.sleep(0.1)
    await ledger.all_answered(SHOWN_WITHIN_S)
    shown = [feed.shown_at_s[p.key] - p.pressed_at_s for p in presses if p.key in feed.shown_at_s]
    # A press of a device that is not back yet waits for its line; from PUBACK on it is ours.
    ours = [
        feed.shown_at_s[p.key] - p.acknowledged_at_s
        for p in presses
        if p.key in feed.shown_at_s and p.acknowledged_at_s is not None
    ]
    return {
        "reconnected": back,
        "within_s": round(within_s, 1),
        "presses": len(presses),
        "not_shown": len(presses) - len(shown),
        "press_to_desk_p50_ms": _ms(shown, 0.5),
        "press_to_desk_p99_ms": _ms(shown, 0.99),
        "puback_to_desk_p99_ms": _ms(ours, 0.99),
    }


def _ms(seconds: list[float], share: float) -> float | None:
    value = percentile(seconds, share)
    return None if value is None else round(max(value, 0.0) * 1000, 1)


async def measure(devices: int, command_qos: int, *, keep: bool) -> dict[str, Any]:
    """Both storms on one hub; what `main` prints."""
    wanted = devices + 1000
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(wanted, 4096), hard), hard))
    async with running_hub(keep=keep) as hub:
        buttons = await hub.provision(devices, kinds=[DeviceKind.BUTTON])
        pressers, others = buttons[:PRESSERS], buttons[PRESSERS:]
        ledger, feed = Ledger(pressers), Feed(hub)
        fleet = Fleet(others, list(ledger.lines.values()), command_qos)
        await ledger.connect()
        await feed.start()
        try:
            await fleet.connect()
            say(f"{len(fleet.lines)} devices are in")
            found = await storm(hub, fleet, ledger, feed)
            say(json.dumps(found))
            async with Reaper(hub):
                await asyncio.sleep(1.0)
                before = fleet.connections()
                say("the hub is dead, and the broker is killed once more")
                hub.kill("broker")
                back, within_s = await fleet.until_up(before, STORM_WITHIN_S)
            dead = {"reconnected": back, "within_s": round(within_s, 1)}
            say(json.dumps(dead))
            await hub.until_ready()
            await ledger.all_answered(SHOWN_WITHIN_S)
        finally:
            await fleet.close()
            await feed.stop()
            await ledger.close()
        verdict = judge(hub, ledger)
        verdict.tell()
    return {"devices": devices, "command_qos": command_qos, **found, "lost": len(verdict.lost),
            "doubled": len(verdict.doubled), "hub_dead": dead}  # fmt: skip


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=DEVICES)
    parser.add_argument("--quick", action="store_true", help="a tenth of the devices")
    parser.add_argument(
        "--command-qos", type=int, choices=(0, 1), default=0,
        help="how devices subscribe; at 1 each costs the broker a consumer on disk",
    )  # fmt: skip
    parser.add_argument("--keep", action="store_true", help="keep the hub's folder")
    given = parser.parse_args()
    devices = given.devices // 10 if given.quick else given.devices
    print(json.dumps(asyncio.run(measure(devices, given.command_qos, keep=given.keep))))


if __name__ == "__main__":
    main()
