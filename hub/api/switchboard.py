"""Hears the desk bus, keeps the feed, and passes every event on to the desks that may see it."""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import structlog

from alerts.people import Account
from alerts.watches import PATIENCE_S
from hub.api.access import AreaTree, Deed, Sight, Visible, may, sight_of, visible_to
from hub.api.backlog import MAY_WAIT, Backlog
from hub.api.feed import EVENT_NAMES, Feed, FeedEvent, frame
from hub.api.figures import Figures
from hub.api.kin import Shown, as_is, for_family, for_responder, frame_shown
from hub.api.listeners import GUESTS_LIMIT, LISTENERS_LIMIT, Listener
from hub.api.ports import Clock, DeskBus, DeskStore
from hub.api.problems import later
from hub.desk import AreaRow, AtDesk, Entry
from hub.view import View, iso
from schemas import topics

INGEST_FRESH_S = 5.0
"""Ingest speaks every second; five missed words are not a hiccup."""
LOOPS = tuple(PATIENCE_S)
CAUSES_KEPT = 20_000
"""Incidents the worker changed that wait to be read; of more only the cause is not told."""
LOOKS_KEPT = 10_000
"""Looks at personal data that wait for the database, for the audit log."""
BACKLOG_LIMIT = 2000
"""Incidents whose record waits to be shown, about 8 KB each; further ones are shown at once."""

_RINGING = ("raised", "realarmed")
_UNREADABLE = (msgspec.DecodeError, LookupError, TypeError, ValueError, AttributeError)

_log = structlog.get_logger("hub.api.switchboard")


class _Named(msgspec.Struct):
    id: str


class _Heading(msgspec.Struct):
    """Just enough of an announcement to tell whether it may wait."""

    type: str
    cause: str | None = None
    incident: _Named | None = None
    merged_from: str | None = None


_heading = msgspec.json.Decoder(_Heading)


class Switchboard:
    """Everything live in one API process. All of it runs on one event loop."""

    def __init__(
        self,
        *,
        epoch: str,
        store: DeskStore,
        bus: DeskBus,
        clock: Clock,
        root_area_id: str,
        figures: Figures,
    ) -> None:
        self.feed = Feed(epoch)
        self.figures = figures
        self.listeners: set[Listener] = set()
        self.loaded = asyncio.Event()
        """Set once the feed holds what was open before this process started."""
        self.loaded_from = "nothing"
        self.causes: dict[str, str] = {}
        """Why the worker changed an incident, to be told when it is read from the database."""
        self.news = asyncio.Event()
        self.desks_changed = asyncio.Event()
        """Set when a desk comes or goes, or the hub's own press was shown."""
        self.synthetic_shown: tuple[str, datetime] | None = None
        """The hub's own press that was passed on last, and when."""
        self.waiting = asyncio.Event()
        """Set while announcements wait to be shown: whoever hears it calls `catch_up`."""
        self.looks: deque[Entry] = deque()
        self.tree = AreaTree(root_area_id)
        self._root_area_id = root_area_id
        self._store = store
        self._bus = bus
        self._clock = clock
        self._ingest: View = {}
        self._worker: View = {}
        self._assurance: View = {}
        self._ingest_heard_s: float | None = None
        self._cycles: dict[str, float] = {}
        self._results: dict[str, asyncio.Future[View]] = {}
        self._backlog = Backlog()
        self._told = {name: figures.feed_events.labels(name) for name in EVENT_NAMES}

    # ---- the bus ---------------------------------------------------------------------------

    def connected(self) -> None:
        """The broker is there (again): ask ingest for everything that is open."""
        self.ask_ingest()

    def ask_ingest(self) -> None:
        """Have ingest announce what is open, provisional incidents included."""
        self._bus.publish_nowait(topics.DESK_SYNC, msgspec.json.encode({"from": self.feed.epoch}))

    def hear(self, topic: str, payload: bytes) -> None:
        """A message of the bus. Whatever it holds, the line must not break."""
        try:
            if topic == topics.DESK_STATS:
                self._hear_stats(msgspec.json.decode(payload))
            elif topic == topics.DESK_ANNOUNCE:
                self._hear_announcement(payload)
        except _UNREADABLE as error:
            self._count_unreadable(topic, error)

    def catch_up(self, most: int) -> bool:
        """Show some of what waits; whether more does."""
        for _ in range(most):
            payload = self._backlog.oldest()
            if payload is None:
                break
            self._show(payload)
        return len(self._backlog) > 0

    def _hear_announcement(self, payload: bytes) -> None:
        """A press shows at once; the record of one may wait, but never be overtaken by what came
        later about the same incident."""
        heading = _heading.decode(payload)
        named = heading.incident
        if named is not None and heading.type == "incident" and heading.cause in MAY_WAIT:
            self._backlog.put(named.id, payload)
            if len(self._backlog) > BACKLOG_LIMIT:
                self.catch_up(1)
            self.waiting.set()
            return
        if named is not None:
            for earlier in (named.id, heading.merged_from):
                self._show(self._backlog.take(earlier))
        self._act_on(msgspec.json.decode(payload))

    def _show(self, payload: bytes | None) -> None:
        """What waited; only its heading was read so far."""
        try:
            if payload is not None:
                self._act_on(msgspec.json.decode(payload))
        except _UNREADABLE as error:
            self._count_unreadable(topics.DESK_ANNOUNCE, error)

    def _count_unreadable(self, topic: str, error: Exception) -> None:
        self.figures.unreadable.inc()
        _log.warning("announcement_unreadable", topic=topic, error=repr(error))

    def _act_on(self, body: Any) -> None:
        now_s = self._clock.monotonic_s()
        match body["type"]:
            case "incident":
                _check(body["incident"])
                self._time_press(body)
                self.pass_on(
                    self.feed.announce(
                        body["incident"],
                        str(body["cause"]),
                        now_s,
                        alarm=body.get("alarm"),
                        merged_from=body.get("merged_from"),
                    )
                )
                self._learn_area(body["incident"]["area_id"])
            case "changed":
                if len(self.causes) < CAUSES_KEPT:
                    self.causes[str(body["incident_id"])] = str(body["cause"])
                self.news.set()
            case "ring":
                self.pass_on([self.feed.ring(body)])
            case "synthetic":
                self._pass_synthetic_on(str(body["id"]), str(body["area_id"]))
            case "action_result":
                waiting = self._results.get(body["action_id"])
                if waiting is not None and not waiting.done():
                    waiting.set_result(body)

    def _pass_synthetic_on(self, press_id: str, area_id: str) -> None:
        """The hub's own press, on the way of every other; desks are told, and show nothing."""
        told = frame("synthetic", {"id": press_id})
        for listener in self.listeners:
            if listener.desk and self.tree.sees(listener.account.area_id, area_id):
                listener.offer(told)
        self.synthetic_shown = (press_id, self._clock.now())
        self.desks_changed.set()

    def _time_press(self, body: Any) -> None:
        """How long ago the hub received what is shown now. Late ones came out of quarantine or out
        of a device's memory."""
        alarm = body.get("alarm")
        if body["cause"] in _RINGING and alarm and "late" not in alarm.get("flags", ()):
            received_at = datetime.fromisoformat(alarm["received_at"])
            took_s = (self._clock.now() - received_at).total_seconds()
            self.figures.press_to_desk.observe(max(0.0, took_s))

    def _hear_stats(self, body: Any) -> None:
        now_s = self._clock.monotonic_s()
        if body["type"] == "ingest":
            self._ingest = body
            self._ingest_heard_s = now_s
        elif body["type"] == "worker":
            self._worker = body
        elif body["type"] == "assurance":
            self._assurance = body
        elif body["type"] == "cycle":
            self._hear_cycle(body, now_s)

    def _hear_cycle(self, body: Any, now_s: float) -> None:
        """A loop finished a cycle; and how long ago the others of its worker did."""
        ages = body.get("ages") or {}
        for loop, age_s in {**ages, body["loop"]: 0.0}.items():
            if loop in PATIENCE_S and isinstance(age_s, int | float):
                at_s = now_s - age_s
                self._cycles[loop] = max(at_s, self._cycles.get(loop, float("-inf")))

    def expect(self, action_id: str) -> asyncio.Future[View]:
        """What ingest will say to an action."""
        waiting: asyncio.Future[View] = asyncio.get_running_loop().create_future()
        self._results[action_id] = waiting
        waiting.add_done_callback(lambda _: self._results.pop(action_id, None))
        return waiting

    # ---- the desks -------------------------------------------------------------------------

    def join(self, account: Account, session_sha256: str, last_event_id: str | None) -> Listener:
        """A desk comes onto the line; nothing is lost between its opening and what follows."""
        if len(self.listeners) >= LISTENERS_LIMIT:
            raise later("Too many desks are connected", f"At most {LISTENERS_LIMIT}.")
        desk = sight_of(account.role) is Sight.AREA
        if not desk and sum(not each.desk for each in self.listeners) >= GUESTS_LIMIT:
            raise later("Too many are connected", f"At most {GUESTS_LIMIT}.")
        sees, shown = self.sight(account), self.shown_to(account)
        stats = self.stats(account)
        missed = self.feed.opening(last_event_id, sees, stats, shown)
        opening = b"retry: 1000\n\n" + missed + frame("stats", stats)
        listener = Listener(account, session_sha256, opening, desk=desk)
        self.listeners.add(listener)
        self.desks_changed.set()
        return listener

    def leave(self, listener: Listener) -> None:
        """A desk hung up, or was cut."""
        self.listeners.discard(listener)
        self.desks_changed.set()
        if listener.cut_because is not None:
            self.figures.feed_cuts.labels(listener.cut_because).inc()

    def cut(self, why: str, session_sha256: str | None = None) -> None:
        """End the connections of one log-in; None: all."""
        for listener in self.listeners:
            if session_sha256 in (None, listener.session_sha256):
                listener.cut(why)

    def sight(self, account: Account) -> Visible:
        """Which incidents an account sees."""
        return visible_to(account, self.tree)

    def shown_to(self, account: Account) -> Shown:
        """How an account is shown them."""
        match sight_of(account.role):
            case Sight.AREA:
                return as_is
            case Sight.OWN:
                return for_responder(account.recipients)
            case Sight.KIN:
                return for_family(account)

    def pass_on(self, events: Sequence[FeedEvent]) -> None:
        """Copy events to every desk that may see them."""
        for event in events:
            self._told[event.name].inc()
            for listener in self.listeners:
                if listener.desk:
                    if self.tree.sees(listener.account.area_id, event.whose.area_id):
                        listener.offer(event.frame)
                elif self.sight(listener.account)(event.whose):
                    listener.offer(frame_shown(event.frame, self.shown_to(listener.account)))

    def desks_present(self) -> list[AtDesk]:
        """Whoever may acknowledge and listens now; once, however many pages they have open."""
        found = {
            each.account.id: AtDesk(each.account.id, each.account.area_id, each.account.role)
            for each in list(self.listeners)
            if each.desk and may(each.account.role, Deed.ACT)
        }
        return sorted(found.values(), key=lambda desk: desk.account_id)

    def pass_stats_on(self) -> None:
        """Tell every desk the figures of its area; encoded once an area."""
        frames: dict[str, bytes] = {}
        for listener in self.listeners:
            seat = listener.account.area_id
            if not listener.desk:
                listener.offer(frame("stats", self.stats(listener.account)))
                continue
            if seat not in frames:
                frames[seat] = frame("stats", self.stats(listener.account))
            listener.offer(frames[seat])

    def note_look(self, entry: Entry) -> None:
        """Keep a look for the audit log until the database is back."""
        if len(self.looks) >= LOOKS_KEPT:
            self.figures.unlogged_looks.inc()
            _log.error("look_not_logged", action=entry.action)
            return
        self.looks.append(entry)

    # ---- the tree of areas -----------------------------------------------------------------

    def plant(self, rows: Sequence[AreaRow]) -> None:
        """The tree is so now."""
        self.tree = AreaTree(self._root_area_id, rows)

    def _learn_area(self, area_id: str) -> None:
        if not self.tree.knows(area_id):
            self.news.set()

    # ---- figures ---------------------------------------------------------------------------

    @property
    def ingest_fresh(self) -> bool:
        """Whether ingest said something lately."""
        heard_s = self._ingest_heard_s
        return heard_s is not None and self._clock.monotonic_s() - heard_s < INGEST_FRESH_S

    @property
    def ingest_word(self) -> View:
        """What ingest said last; empty while it is away."""
        return self._ingest if self.ingest_fresh else {}

    @property
    def broker_connected(self) -> bool:
        """Whether the desk bus is up."""
        return self._bus.connected

    @property
    def worker_word(self) -> View:
        """What the worker counted, as it said last."""
        return self._worker

    @property
    def assurance_word(self) -> View:
        """What the assurance loop said last."""
        return self._assurance

    def cycle_ages(self) -> dict[str, float]:
        """Seconds since each loop of the worker finished a cycle; of those that ever did."""
        now_s = self._clock.monotonic_s()
        return {loop: now_s - at_s for loop, at_s in self._cycles.items()}

    def stuck_loops(self) -> list[str]:
        """Loops of the worker that finished no cycle in time."""
        now_s = self._clock.monotonic_s()
        return [
            loop
            for loop, patience_s in PATIENCE_S.items()
            if now_s - self._cycles.get(loop, -1e9) > patience_s
        ]

    def database_state(self) -> str:
        """The worse of what we and ingest see: a desk must know that commits wait."""
        states = (self._store.state, self.ingest_word.get("database", "ok"))
        return next((state for state in ("away", "slow") if state in states), "ok")

    def stats(self, account: Account) -> View:
        """The figures for the desks of an area; what ingest counts is for the whole hub, and
        shown to desks only."""
        now = self._clock.now()
        word = self.ingest_word if sight_of(account.role) is Sight.AREA else {}
        views = [v for v in self.feed.open_among(self.sight(account)) if not v.get("drill")]
        return {
            "at": iso(now),
            "messages_per_s": word.get("messages_per_s", 0),
            "open_incidents": len(views),
            "oldest_unacknowledged_s": _oldest_s(views, now),
            "devices_online": word.get("devices_online", 0),
            "devices_total": word.get("devices_total", 0),
            "database": self.database_state(),
            "broker": "ok" if self._bus.connected else "away",
            "ingest": "ok" if self.ingest_fresh else "away",
        }


def _oldest_s(views: Sequence[View], now: datetime) -> float | None:
    """How long the incident that waits longest for a human has been waiting."""
    since = [
        view["last_alarm_at"] if view["acknowledged_at"] else view["opened_at"]
        for view in views
        if view["state"] in ("checking", "raised")
    ]
    if not since:
        return None
    # All of one form (UTC, milliseconds, Z), so the least text is the oldest time.
    return max(0.0, round((now - datetime.fromisoformat(min(since))).total_seconds(), 1))


def _check(view: Any) -> None:
    """Refuse what would break the feed later: every field it looks at must be there."""
    if not isinstance(view["id"], str) or not isinstance(view["revision"], int):
        raise TypeError("id and revision")
    for key in ("state", "area_id", "priority", "opened_at", "last_alarm_at"):
        if not isinstance(view[key], str):
            raise TypeError(key)
    if not isinstance(view["alarm_count"], int):
        raise TypeError("alarm_count")
    if "acknowledged_at" not in view:
        raise KeyError("acknowledged_at")
