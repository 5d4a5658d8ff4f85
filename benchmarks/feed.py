"""A dispatcher's desk without a page: the live feed, read and timed."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

import httpx
import msgspec

from benchmarks.harness import say

READ_WITHIN_S = 5.0
"""The feed says something every 2 s; silence for this long means the line is cut."""
AGAIN_AFTER_S = 0.1


class Key(msgspec.Struct, frozen=True, order=True):
    """Which press: its id, or for a press without one the device's time."""

    device_id: str
    message_id: str | None
    observed_us: int
    """Microseconds since 1970; 0 where the id tells."""


def key_of(device_id: str, message_id: str | None, observed_at: datetime | None) -> Key:
    """The key of an alarm as feed and database show it."""
    if message_id is not None or observed_at is None:
        return Key(device_id, message_id, 0)
    return Key(device_id, None, round(observed_at.timestamp() * 1e6))


class Place(Protocol):
    """As much of a hub as a desk has to know."""

    @property
    def url(self) -> str:
        """Where the page is."""
        ...

    def administrator(self) -> dict[str, str]:
        """What to log in with."""
        ...


class Feed:
    """Follows `GET /api/v1/events` and notes when each press first showed."""

    def __init__(self, hub: Place) -> None:
        """`hub` says where, and with which password."""
        self._hub = hub
        self._cookies = httpx.Cookies()
        self._task: asyncio.Task[None] | None = None
        self._last_id: str | None = None
        self.shown_at_s: dict[Key, float] = {}
        """First event of each press, `time.monotonic`."""
        self.inside_s: dict[Key, float] = {}
        """Of that, from ingest's arrival stamp to this reader; the rest is device and broker."""
        self.connected = asyncio.Event()
        self.stats: dict[str, Any] = {}
        self.stats_at_s = 0.0
        self.events = 0
        self.cuts = 0
        self.watch: Callable[[str, dict[str, Any]], None] | None = None
        """Also told every event."""

    async def start(self) -> None:
        """Log in and listen; returns once events come."""
        await self._log_in()
        self._task = asyncio.create_task(self._listen())
        async with asyncio.timeout(READ_WITHIN_S * 2):
            await self.connected.wait()

    async def stop(self) -> None:
        """Hang up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def client(self) -> httpx.AsyncClient:
        """An HTTP client that is logged in."""
        return httpx.AsyncClient(
            base_url=self._hub.url, cookies=self._cookies,
            timeout=httpx.Timeout(READ_WITHIN_S), headers={"Origin": self._hub.url},
        )  # fmt: skip

    async def _log_in(self) -> None:
        async with self.client() as client:
            answer = await client.post("/api/v1/session", json=self._hub.administrator())
            answer.raise_for_status()
            self._cookies = answer.cookies

    async def _listen(self) -> None:
        async with self.client() as client:
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    await self._read(client)
                if self.connected.is_set():
                    self.cuts += 1
                self.connected.clear()
                await asyncio.sleep(AGAIN_AFTER_S)

    async def _read(self, client: httpx.AsyncClient) -> None:
        headers = {"Last-Event-ID": self._last_id} if self._last_id else {}
        async with client.stream("GET", "/api/v1/events", headers=headers) as answer:
            if answer.status_code != httpx.codes.OK:
                say(f"the feed answers {answer.status_code}")
                await asyncio.sleep(1.0)
                return
            self.connected.set()
            held = b""
            async for chunk in answer.aiter_raw():
                at_s = time.monotonic()
                *frames, held = (held + chunk).split(b"\n\n")
                for frame in frames:
                    self._event(frame, at_s)

    def _event(self, frame: bytes, at_s: float) -> None:
        fields = dict(line.split(b": ", 1) for line in frame.split(b"\n") if b": " in line)
        name = fields.get(b"event", b"").decode()
        if b"id" in fields:
            self._last_id = fields[b"id"].decode()
        body = msgspec.json.decode(fields.get(b"data", b"{}"))
        self.events += 1
        match name:
            case "stats":
                self.stats, self.stats_at_s = body, at_s
            case "incident":
                self._alarms(body["incident"]["alarms"], at_s)
            case "snapshot":
                for incident in body["incidents"]:
                    self._alarms(incident["alarms"], at_s)
        if self.watch is not None:
            self.watch(name, body)

    def _alarms(self, alarms: list[dict[str, Any]], at_s: float) -> None:
        for alarm in alarms:
            observed = alarm["observed_at"]
            at = datetime.fromisoformat(observed) if observed else None
            key = key_of(alarm["device_id"], alarm["message_id"], at)
            if key not in self.shown_at_s:
                self.shown_at_s[key] = at_s
                received = datetime.fromisoformat(alarm["received_at"]).timestamp()
                self.inside_s[key] = time.time() - received
