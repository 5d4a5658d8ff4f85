"""A ping to somebody outside, every minute while all is well: who hears nothing for a while rings.

Nothing inside a hub can say that the hub is gone. Silence is the message, so the ping is left out
whenever something without which nobody would come is not as it should be.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import httpx
import structlog

from alerts.watches import LOOPS, MISSED_PRESSES
from hub.assurance.cycles import Cycles
from hub.clock import SystemClock
from hub.database import TRANSIENT
from hub.settings import Settings
from hub.store.assurance import LastPress
from hub.view import iso

EVERY_S = 60.0
TIMEOUT_S = 10.0

_log = structlog.get_logger(__name__)


class DeadMan:
    """Knows when the watcher was reached last."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        settings: Settings,
        clock: SystemClock,
        cycles: Cycles,
        last_press: Callable[[], Awaitable[LastPress]],
        sealed: Callable[[], Awaitable[str | None]],
    ) -> None:
        """`sealed`: the head of the audit log, for somebody to keep elsewhere."""
        self._client = client
        self._settings = settings
        self._clock = clock
        self._cycles = cycles
        self._last_press = last_press
        self._sealed = sealed
        self._started_at = clock.now()
        self.reached_at: datetime | None = None
        self._failing_since: datetime | None = None

    def failing_for_s(self, now: datetime) -> float | None:
        """How long the watcher has not been reached; None: it was, or nothing was to be said."""
        since = self._failing_since
        return None if since is None else max(0.001, (now - since).total_seconds())

    async def run(self) -> None:
        """For ever; ends at once where no address is set."""
        if not self._settings.dead_man_url:
            return
        while True:
            try:
                await self.ping()
            except TRANSIENT as error:
                _log.warning("dead_man_waits", error=type(error).__name__)
            except Exception:  # noqa: BLE001 - the ladder in this process must not end with it
                _log.exception("dead_man_failed")
            await asyncio.sleep(EVERY_S)

    async def ping(self) -> str | None:
        """Once; why it was left out, None: it was sent, whatever became of it."""
        now = self._clock.now()
        unwell = await self.unwell(now)
        if unwell is not None:
            self._failing_since = None
            _log.warning("dead_man_silent", reason=unwell)
            return unwell
        try:
            answer = await self._send(now)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            self._failing_since = self._failing_since or now
            _log.warning("dead_man_unreachable", error=type(error).__name__)
        else:
            self.reached_at, self._failing_since = now, None
        return None

    async def unwell(self, now: datetime) -> str | None:
        """What keeps the ping back; None: people would be reached."""
        urgent = {loop.name: loop.patience_s for loop in LOOPS if loop.urgent}
        ages_s = self._cycles.ages_s()
        for name, patience_s in urgent.items():
            if ages_s.get(name, 0.0) > patience_s:
                return "loop_stands"
        every_s = self._settings.synthetic_press_every_s
        if not every_s:
            return None
        last = await self._last_press()
        since = max(last.success_at or self._started_at, self._started_at)
        if (now - since).total_seconds() > MISSED_PRESSES * every_s:
            return "synthetic_press_missing"
        if last.success_at is None:
            return "no_press_yet"
        return None

    async def _send(self, now: datetime) -> httpx.Response:
        url = self._settings.dead_man_url
        if self._settings.dead_man_method == "GET":
            return await self._client.get(url, timeout=TIMEOUT_S)
        body: dict[str, Any] = {"hub": self._settings.root_area_id, "at": iso(now)}
        last = await self._last_press()
        body |= {"press_took_s": last.took_s, "audit_head": await self._sealed()}
        return await self._client.post(url, json=body, timeout=TIMEOUT_S)
