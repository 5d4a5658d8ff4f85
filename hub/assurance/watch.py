"""The assurance loop: gathers facts, asks the pure core, records what it says, and tells it."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import structlog

from alerts.assurance import DAY_FROM_H, DAY_UNTIL_H, Concern, Seen, Standing, named
from alerts.incident import Incident
from alerts.policy import ChannelName
from alerts.watches import (
    LOOPS,
    HubState,
    failing,
    gone_from_policies,
    hub_concerns,
    listed,
    missing_press,
    orphaned,
    rota_concerns,
    standing_loops,
    unanswerable,
)
from hub.assurance.cycles import Cycles
from hub.assurance.dead_man import DeadMan
from hub.assurance.items import item_of
from hub.assurance.synthetic import stage_of
from hub.clock import SystemClock
from hub.database import TRANSIENT
from hub.settings import Settings
from hub.store.assurance import PostgresAssurance
from hub.store.items import Item
from schemas import topics

LOOK_EVERY_S = 15.0
LISTS_EVERY_S = 300.0
"""Who has no responder or no proven contact changes with the register, not with the minute."""
INGEST_SILENT_AFTER_S = 5.0
"""As for the API: ingest speaks every second."""
START_GRACE_S = 30.0
"""The processes of a hub start one after the other; what was not heard yet is not missing yet."""

_OFTEN = frozenset(Concern) - {Concern.NO_RESPONDER, Concern.CONTACTS_UNVERIFIED}
_LISTS = frozenset({Concern.NO_RESPONDER, Concern.CONTACTS_UNVERIFIED})

_log = structlog.get_logger(__name__)

Announce = Callable[[Incident, str], Awaitable[None]]


class AssuranceWatch:
    """One for a worker; of several one judges at a time."""

    def __init__(
        self,
        store: PostgresAssurance,
        settings: Settings,
        clock: SystemClock,
        cycles: Cycles,
        dead_man: DeadMan,
        *,
        channels: frozenset[ChannelName],
        announce: Announce,
        publish: Callable[[str, bytes], object],
        press_figures: Callable[[], Mapping[str, Any]],
    ) -> None:
        """`channels` are those that a provider is configured for."""
        self._store = store
        self._settings = settings
        self._clock = clock
        self._cycles = cycles
        self._dead_man = dead_man
        self._channels = channels
        self._announce = announce
        self._publish = publish
        self._press_figures = press_figures
        self._zone = ZoneInfo(settings.time_zone)
        self._started_s = clock.monotonic_s()
        self._started_at = clock.now()
        self._listed_s = float("-inf")
        self._ingest: Mapping[str, Any] = {}
        self._ingest_heard_s: float | None = None

    def heard_ingest(self, body: Mapping[str, Any]) -> None:
        """What ingest says of itself, once a second."""
        self._ingest = body
        self._ingest_heard_s = self._clock.monotonic_s()

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                handled = await self.run_once()
                self._cycles.finished("assurance", handled)
            except TRANSIENT as error:
                _log.warning("cycle_failed", loop="assurance", error=type(error).__name__)
            except Exception:  # noqa: BLE001 - the ladder in this process must not end with it
                _log.exception("assurance_failed")
            await asyncio.sleep(LOOK_EVERY_S)

    async def run_once(self) -> int:
        """One look; how many conditions rang or ended."""
        now = self._clock.now()
        seen, looked = await self._look(now)
        judged = await self._store.judge(seen, looked, now, _item, by_day=self._is_day(now))
        changed: list[tuple[Incident, str]] = []
        if judged is not None:
            verdict, changed = judged
            for one in verdict.raises:
                _log.warning("assurance_raised", reason=one.seen.concern.value,
                             area_id=one.seen.area_id)  # fmt: skip
        for incident, cause in changed:
            await self._announce(incident, cause)
        await self._tell(now)
        return len(changed)

    async def _look(self, now: datetime) -> tuple[list[Seen], frozenset[Concern]]:
        root = self._settings.root_area_id
        people = await self._store.people(now, self._channels)
        seen = unanswerable(people.staffing)
        unanswered = {one.area_id for one in seen}
        seen += rota_concerns(people.gaps, now, self._zone, unanswered)
        seen += orphaned(people.owned, people.present, people.on_duty)
        seen += gone_from_policies(people.named)
        seen += failing(await self._store.channels(now), root)
        seen += standing_loops(self._cycles.ages_s(), root, LOOPS)
        seen += await self._press(now)
        seen += hub_concerns(await self._hub_state(now), root)
        looked = _OFTEN
        now_s = self._clock.monotonic_s()
        if now_s - self._listed_s >= LISTS_EVERY_S:
            seen += await self._lists(now)
            self._listed_s = now_s
            looked |= _LISTS
        areas = await self._store.area_names({one.area_id for one in seen}) if seen else {}
        return named(seen, areas), looked

    async def _press(self, now: datetime) -> list[Seen]:
        every_s = self._settings.synthetic_press_every_s
        if not every_s:
            return []
        last = await self._store.last_press()
        since = max(last.success_at or self._started_at, self._started_at)
        waiting_s = (now - since).total_seconds()
        return missing_press(waiting_s, every_s, stage_of(last.row), self._settings.root_area_id)

    async def _lists(self, now: datetime) -> list[Seen]:
        days = self._settings.verify_contacts_every_days
        provable = self._channels & {ChannelName.SMS, ChannelName.VOICE, ChannelName.EMAIL}
        proven_since = now - timedelta(days=days) if days and provable else None
        lists, held = await self._store.lists(proven_since), await self._store.held()
        found = []
        for concern, members in (
            (Concern.NO_RESPONDER, lists.alone),
            (Concern.CONTACTS_UNVERIFIED, lists.unproven),
        ):
            found += listed(concern, members, lists.parents, held.get(concern, frozenset()))
        return found

    async def _hub_state(self, now: datetime) -> HubState:
        strain = await self._store.strain()
        usage = await asyncio.to_thread(_disk_share, self._settings)
        heard_s, now_s = self._ingest_heard_s, self._clock.monotonic_s()
        silent_s = now_s - (heard_s if heard_s is not None else self._started_s + START_GRACE_S)
        return HubState(
            ingest_silent_s=silent_s if silent_s > INGEST_SILENT_AFTER_S else None,
            oldest_unanswered_s=_number(self._ingest.get("oldest_unacknowledged_s")),
            oldest_transaction_s=strain["oldest_transaction_s"],
            connections_share=strain["connections_share"],
            disk_share=usage,
            watcher_silent_s=self._dead_man.failing_for_s(now),
        )

    def _is_day(self, now: datetime) -> bool:
        return DAY_FROM_H <= now.astimezone(self._zone).hour < DAY_UNTIL_H

    async def _tell(self, now: datetime) -> None:
        """The API makes metrics and health of it."""
        last = await self._store.last_press()
        counted = await self._store.counted()
        said = {
            "type": "assurance",
            "every_s": self._settings.synthetic_press_every_s,
            "press_age_s": _age_s(last.success_at, now),
            "press_took_s": last.took_s,
            "watcher": bool(self._settings.dead_man_url),
            "watcher_failing": self._dead_man.failing_for_s(now) is not None,
            "watcher_age_s": _age_s(self._dead_man.reached_at, now),
            "conditions": {name: {"holding": h, "raised": r} for name, (h, r) in counted.items()},
            **self._press_figures(),
        }
        self._publish(topics.DESK_STATS, msgspec.json.encode(said))


def _item(standing: Standing, now: datetime, over: bool) -> Item:
    return item_of(standing, now, over=over)


def _disk_share(settings: Settings) -> float | None:
    """How full the disk of the hub's folder is; None: the folder is elsewhere."""
    try:
        usage = shutil.disk_usage(settings.data_dir)
    except OSError:
        return None
    return 1 - usage.free / usage.total if usage.total else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _age_s(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else round(max(0.0, (now - at).total_seconds()), 3)
