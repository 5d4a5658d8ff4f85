"""Test messages in the worker: campaigns, probes of providers, answers that never came."""

import asyncio
from datetime import timedelta

import structlog

from alerts.policy import ChannelName
from hub.clock import SystemClock
from hub.database import TRANSIENT
from hub.desk import NotThere
from hub.proof import CannotAsk, probes
from hub.settings import Settings
from hub.store.proofs import ProofLoopStore

LOOK_EVERY_S = 10.0
TIDY_EVERY_S = 3600.0
FOR_EVER = timedelta(days=36_500)

_log = structlog.get_logger(__name__)


class ProofLoop:
    """One for a worker; the rows are locked, so several do not disturb each other."""

    def __init__(
        self,
        store: ProofLoopStore,
        settings: Settings,
        clock: SystemClock,
        channels: frozenset[ChannelName],
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        wanted = probes(settings.probe_recipients)
        self._probes = {channel: who for channel, who in wanted.items() if channel in channels}
        self._tidied_s = float("-inf")

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                await self.run_once()
            except TRANSIENT as error:
                _log.warning("proofs_wait", error=type(error).__name__)
            except Exception:  # noqa: BLE001 - the ladder in this process must not end with it
                _log.exception("proofs_failed")
            await asyncio.sleep(LOOK_EVERY_S)

    async def run_once(self) -> int:
        """Give up, ask, probe; how many test messages went into the outbox."""
        now = self._clock.now()
        await self._store.settle(now)
        days = self._settings.verify_contacts_every_days
        since = now - (timedelta(days=days) if days else FOR_EVER)
        asked = await self._store.work_campaigns(now, since)
        if self._probes:
            try:
                every = timedelta(seconds=self._settings.probe_every_s)
                asked += len(await self._store.probe(self._probes, now, every))
            except (NotThere, CannotAsk) as error:
                _log.warning("probe_recipient_missing", error=type(error).__name__)
        now_s = self._clock.monotonic_s()
        if now_s - self._tidied_s >= TIDY_EVERY_S:
            await self._store.tidy()
            self._tidied_s = now_s
        return asked
