"""The feed's second source: the database, read every second.

An announcement comes at most once. What one lost, a worker changed or another process resolved is
found here, at most two seconds late.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog

from hub.api.feed import RINGING
from hub.api.ports import AccountStore, Clock, DeskStore
from hub.api.sessions import Sessions
from hub.api.snapshot import DeskSnapshot
from hub.api.switchboard import Switchboard
from hub.desk import DatabaseAway, Glance

LOOK_EVERY_S = 1.0
STATS_EVERY_S = 2.0
"""Doubles as the heartbeat of the line: a desk without a word for 5 s dials again."""
SESSIONS_EVERY_S = 5.0
AREAS_EVERY_S = 30.0
START_GRACE_S = 0.5
"""A database that is well answers in milliseconds; a desk that comes back during an outage gets
the snapshot after this."""
ASK_AFTER_S = 2.0
"""A provisional incident nobody spoke of for this long is looked up, and ingest is asked."""
ASK_EVERY_S = 10.0
"""Ingest answers with everything that is open."""
FORGET_AFTER_S = 120.0
"""Ours: the broker delivers an unanswered press again every few seconds, and ingest then announces
it again. One that neither ingest nor the database knows for two minutes does not exist."""
VIEWS_AT_ONCE = 10
"""Incidents read in one query: with twenty alarms each 5 ms of work, during which no press is
passed on."""
GLANCES_AT_ONCE = 500
SHOWN_AT_ONCE = 8
"""Announcements shown before the bus and the desks are looked after again: about 1 ms."""
ANNOUNCED_WITHIN_S = 0.3
"""What ingest commits it also announces, and hearing that is cheaper than reading it: news from the
database that nobody spoke of is read after this."""
FAILURE_PAUSE_S = 1.0

_log = structlog.get_logger("hub.api.reconcile")


class Reconciler:
    """The background loops of one API process."""

    def __init__(
        self,
        *,
        switchboard: Switchboard,
        store: DeskStore,
        accounts: AccountStore,
        sessions: Sessions,
        snapshot: DeskSnapshot,
        clock: Clock,
    ) -> None:
        self._board = switchboard
        self._store = store
        self._accounts = accounts
        self._sessions = sessions
        self._snapshot = snapshot
        self._clock = clock
        self._horizon: str | None = None
        self._account_horizon: str | None = None
        self._news: dict[str, tuple[Glance | None, float]] = {}
        """Incidents to be read, with when they were first seen (monotonic); None: not open any
        more."""
        self._areas_read_s = float("-inf")
        self._asked_s = float("-inf")
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin; returns at once."""
        self._tasks = [
            asyncio.create_task(self._open(), name="feed opening"),
            self._loop("backlog", LOOK_EVERY_S, self._catch_up, self._board.waiting),
            self._loop("look", LOOK_EVERY_S, self._look, self._board.news),
            self._loop("stats", STATS_EVERY_S, self._stats),
            self._loop("sessions", SESSIONS_EVERY_S, self._watch_sessions),
        ]

    async def stop(self) -> None:
        """End every loop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _loop(
        self,
        name: str,
        every_s: float,
        step: Callable[[], Awaitable[None]],
        wake: asyncio.Event | None = None,
    ) -> asyncio.Task[None]:
        return asyncio.create_task(self._repeat(name, every_s, step, wake or asyncio.Event()))

    async def _repeat(
        self, name: str, every_s: float, step: Callable[[], Awaitable[None]], wake: asyncio.Event
    ) -> None:
        """Run a step for ever, sooner if woken; an error is counted and shown."""
        while True:
            try:
                await step()
            except Exception:  # noqa: BLE001 - a supervised loop; the desks depend on its going on
                self._board.figures.loop_failures.labels(name).inc()
                _log.exception("loop_failed", loop=name)
                await asyncio.sleep(FAILURE_PAUSE_S)
            try:
                async with asyncio.timeout(every_s):
                    await wake.wait()
            except TimeoutError:
                continue

    # ---- at the start ----------------------------------------------------------------------

    async def _open(self) -> None:
        """If the database is not there at once, begin with what ingest left on disk."""
        try:
            async with asyncio.timeout(START_GRACE_S):
                await self._board.loaded.wait()
                return
        except TimeoutError:
            pass
        rows = await self._snapshot.areas()
        if rows and not self._board.loaded.is_set():
            self._board.plant(rows)
        views = await self._snapshot.incidents()
        if not self._board.loaded.is_set():
            now_s = self._clock.monotonic_s()
            for view in views or ():
                self._board.pass_on(self._board.feed.refresh(view["id"], view, now_s))
            if views is not None:
                self._board.loaded_from = "snapshot"
                self._board.loaded.set()

    # ---- whenever announcements wait -------------------------------------------------------

    async def _catch_up(self) -> None:
        self._board.waiting.clear()
        while self._board.catch_up(SHOWN_AT_ONCE):  # noqa: ASYNC110 - a breath, not a wait
            await asyncio.sleep(0)

    # ---- every second ----------------------------------------------------------------------

    async def _look(self) -> None:
        """Whichever comes first asks also while the database counts as away."""
        self._board.news.clear()
        try:
            await self._read_areas()
            await self._read_changes()
            await self._read_account_news()
            await self._settle_provisional()
            await self._sessions.catch_up()
            await self._write_looks()
        except DatabaseAway:
            self._horizon = None  # whatever happened meanwhile: compare everything
            self._news.clear()
        self._board.loaded_from = self._source()

    async def _read_account_news(self) -> None:
        """Who was disabled, logged out elsewhere or given another area is heard of here."""
        news = await self._accounts.news(self._account_horizon)
        self._account_horizon = news.horizon
        if self._sessions.doubt(news.accounts, news.hashes):
            await self._watch_sessions()
        if news.areas:
            self._board.plant(await self._store.areas())

    def _source(self) -> str:
        if self._horizon is not None:
            return "database"
        return "memory" if self._board.loaded_from == "database" else self._board.loaded_from

    async def _read_changes(self) -> None:
        causes, self._board.causes = self._board.causes, {}
        if self._horizon is None:
            horizon, glances = await self._store.open_now()
            known = {glance.id for glance in glances}
            self._note_news(i for i in self._board.feed.committed() if i not in known)
        else:
            horizon, glances = await self._store.changed_since(self._horizon)
        self._note_news(glances)
        await self._read(self._due(causes), causes)
        self._horizon = horizon
        self._board.loaded.set()

    def _note_news(self, found: Iterable[Glance | str]) -> None:
        """`found` are glances, or ids of what is not open any more."""
        now_s = self._clock.monotonic_s()
        for each in found:
            glance = each if isinstance(each, Glance) else None
            incident_id = each if isinstance(each, str) else each.id
            _, since_s = self._news.get(incident_id, (None, now_s))
            self._news[incident_id] = (glance, since_s)

    def _due(self, causes: dict[str, str]) -> list[str]:
        """What to read now: what the worker changed, those that ring first, and what was not
        announced in time. At the start everything: nobody has announced anything yet."""
        self._news = {i: news for i, news in self._news.items() if self._is_news(i)}
        seen_before_s = self._clock.monotonic_s()
        if self._board.loaded.is_set():
            seen_before_s -= ANNOUNCED_WITHIN_S
        due = [
            incident_id
            for incident_id, (_, since_s) in self._news.items()
            if incident_id in causes or since_s <= seen_before_s
        ]
        if len(due) < len(self._news):
            asyncio.get_running_loop().call_later(ANNOUNCED_WITHIN_S, self._board.news.set)
        return sorted(due, key=lambda incident_id: causes.get(incident_id) not in RINGING)

    def _is_news(self, incident_id: str) -> bool:
        """Whether it still is: an announcement may have told it since."""
        glance, _ = self._news[incident_id]
        if glance is not None:
            return self._board.feed.wants(glance)
        held = self._board.feed.held.get(incident_id)
        return held is not None and not held.provisional

    async def _read(self, ids: list[str], causes: dict[str, str]) -> None:
        """A few at a time, passing over what was announced while the others were read."""
        for first in range(0, len(ids), VIEWS_AT_ONCE):
            some = [i for i in ids[first : first + VIEWS_AT_ONCE] if self._is_news(i)]
            await self._show_stored(some, causes)
        for incident_id in ids:
            del self._news[incident_id]

    async def _show_stored(self, ids: list[str], causes: dict[str, str]) -> None:
        found = await self._store.views(ids)
        now_s = self._clock.monotonic_s()
        for asked_id, view in found.items():
            cause = causes.get(asked_id, "refreshed")
            self._board.pass_on(self._board.feed.refresh(asked_id, view, now_s, cause))

    async def _settle_provisional(self) -> None:
        """Announced, but no word since: the commit's announcement was lost, or ingest died."""
        now_s = self._clock.monotonic_s()
        feed = self._board.feed
        unconfirmed = feed.unconfirmed(now_s, ASK_AFTER_S)
        if not unconfirmed:
            return
        await self._look_up(unconfirmed)
        if now_s - self._asked_s > ASK_EVERY_S:
            self._asked_s = now_s
            self._board.ask_ingest()
        if self._board.ingest_fresh and self._board.broker_connected:
            for incident_id in feed.unconfirmed(now_s, FORGET_AFTER_S):
                _log.warning("provisional_incident_withdrawn", incident_id=incident_id)
                self._board.pass_on(feed.withdraw(incident_id))

    async def _look_up(self, ids: list[str]) -> None:
        """What became of provisional incidents: recorded, merged into others, or still unknown."""
        for first in range(0, len(ids), GLANCES_AT_ONCE):
            some = await self._store.glances(ids[first : first + GLANCES_AT_ONCE])
            feed, now_s = self._board.feed, self._clock.monotonic_s()
            news = []
            for asked_id, glance in some.items():
                if asked_id != glance.id or feed.wants(glance):
                    news.append(asked_id)
                else:
                    feed.note_word(asked_id, now_s)
            for start in range(0, len(news), VIEWS_AT_ONCE):
                await self._show_stored(news[start : start + VIEWS_AT_ONCE], {})

    async def _read_areas(self) -> None:
        now_s = self._clock.monotonic_s()
        unknown = any(
            not self._board.tree.knows(held.view["area_id"])
            for held in self._board.feed.held.values()
        )
        if unknown or now_s - self._areas_read_s > AREAS_EVERY_S:
            self._board.plant(await self._store.areas())
            self._areas_read_s = now_s

    async def _write_looks(self) -> None:
        looks = self._board.looks
        if looks:
            waiting = list(looks)
            await self._store.log(waiting)
            for _ in waiting:
                looks.popleft()

    async def _stats(self) -> None:
        self._board.pass_stats_on()

    async def _watch_sessions(self) -> None:
        """A desk whose log-in ended, or whose account now sees something else, is cut."""
        seats = {(each.session_sha256, each.account) for each in self._board.listeners}
        for session_sha256, account in seats:
            session = await self._sessions.verify_digest(session_sha256)
            if session is None:
                self._board.cut("signed_out", session_sha256)
            elif session.account != account:
                self._board.cut("changed", session_sha256)
