"""The live feed as a value: what is open, what happened last, under which number. Pure.

Announcements come at most once and race with the database, so each is judged against what is
held: a newer state is never replaced by an older one, and nothing shows twice.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from hub.api.access import Visible, Whose
from hub.api.kin import Shown, as_is, frame_shown
from hub.desk import Glance
from hub.view import View

EVENTS_KEPT = 4096
"""For desks that were cut off: at a busy ten events a second seven minutes, longer than a page
takes to come back."""
CLOSED_REMEMBERED = 4096
"""Resolved and merged ids, so that a straggling announcement does not bring them back."""
HELD_LIMIT = 20_000
"""Open incidents in memory: twice an earthquake of 10,000."""

EVENT_NAMES = ("incident", "ring")
"""What is numbered and can be resumed."""

RINGING = frozenset({"raised", "realarmed"})
"""Causes that must show whatever else is known: somebody pressed."""


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One event, encoded once for everybody who may see its area."""

    number: int
    name: str
    whose: Whose
    frame: bytes


@dataclass(slots=True)
class Held:
    """An open incident and its encoded form; also one whose resolving is not committed yet."""

    view: View
    encoded: bytes
    spoken_of_s: float
    """When ingest or the database last spoke of it (monotonic)."""
    whose: Whose

    @property
    def provisional(self) -> bool:
        """Announced, not yet committed."""
        return bool(self.view.get("provisional"))


class Feed:
    """One writer's feed; `epoch` tells it from the feed of any other process."""

    def __init__(self, epoch: str, events_kept: int = EVENTS_KEPT) -> None:
        self.epoch = epoch
        self.number = 0
        self.held: dict[str, Held] = {}
        self._events: deque[FeedEvent] = deque(maxlen=events_kept)
        self._closed: OrderedDict[str, int] = OrderedDict()
        self._merged: OrderedDict[str, str] = OrderedDict()

    # ---- what comes in ---------------------------------------------------------------------

    def announce(
        self,
        view: View,
        cause: str,
        now_s: float,
        *,
        alarm: View | None = None,
        merged_from: str | None = None,
    ) -> list[FeedEvent]:
        """Ingest says what an incident is like now; what its watchers must be told."""
        events: list[FeedEvent] = []
        if self._believes(view, cause):
            events.append(self._show(view, cause, now_s, alarm))
        else:
            self.note_word(view["id"], now_s)
        if merged_from is not None and merged_from != view["id"]:
            events += self._merge(merged_from, view["id"])
        return events

    def refresh(
        self, asked_id: str, view: View, now_s: float, cause: str = "refreshed"
    ) -> list[FeedEvent]:
        """The database says what an incident is like; shown only where that is news."""
        events: list[FeedEvent] = []
        glance = Glance(
            view["id"], view["revision"], view["state"] != "resolved", view["alarm_count"]
        )
        if self.wants(glance):
            events.append(self._show(view, cause, now_s, None))
        else:
            self.note_word(view["id"], now_s)
        if asked_id != view["id"]:
            events += self._merge(asked_id, view["id"])
        return events

    def wants(self, glance: Glance) -> bool:
        """Whether a stored incident is news to this feed."""
        held = self.held.get(glance.id)
        if held is None:
            return glance.revision > self._closed.get(glance.id, 0 if glance.open else -1)
        if glance.revision > held.view["revision"]:
            # Ingest may already know of a press that the database does not have yet.
            return not held.provisional or glance.alarm_count >= held.view["alarm_count"]
        return (
            held.provisional
            and glance.revision == held.view["revision"]
            and glance.alarm_count >= held.view["alarm_count"]
            and held.view.get("pending_action") is None
        )

    def note_word(self, incident_id: str, now_s: float) -> None:
        """Somebody spoke of an incident, though nothing about it is new."""
        held = self.held.get(incident_id)
        if held is not None:
            held.spoken_of_s = now_s

    def ring(self, body: View) -> FeedEvent:
        """The ladder calls the desks."""
        return self._append(Whose(str(body.get("area_id", ""))), "ring", body)

    def withdraw(self, incident_id: str) -> list[FeedEvent]:
        """Nobody knows of a provisional incident any more: take it off the desks."""
        held = self.held.get(incident_id)
        if held is None:
            return []
        gone = held.view | {
            "state": "resolved",
            "provisional": False,
            "outcome": "withdrawn",
            "next_deadline_at": None,
            "pending_action": None,
        }
        event = self._show(gone, "withdrawn", held.spoken_of_s, None)
        del self._closed[incident_id]  # should it be announced again after all, it shows
        return [event]

    def unconfirmed(self, now_s: float, older_than_s: float) -> list[str]:
        """Provisional incidents of which nobody has spoken for a while."""
        return [
            incident_id
            for incident_id, held in self.held.items()
            if held.provisional and now_s - held.spoken_of_s > older_than_s
        ]

    def committed(self) -> list[str]:
        """Open incidents that the database must know."""
        return [incident_id for incident_id, held in self.held.items() if not held.provisional]

    # ---- what goes out ---------------------------------------------------------------------

    def find(self, incident_id: str) -> View | None:
        """An open incident by its id, or by the id it had before it was merged."""
        held = self.held.get(self.today(incident_id))
        return held.view if held else None

    def today(self, incident_id: str) -> str:
        """The id under which an incident goes on after merges."""
        into = self._merged.get(incident_id, incident_id)
        return self._merged.get(into, into)

    def open_views(self, visible: Visible) -> list[View]:
        """What somebody sees of what is open, newest first."""
        views = self.open_among(visible)
        return sorted(views, key=lambda view: (view["opened_at"], view["id"]), reverse=True)

    def open_among(self, visible: Visible) -> Iterator[View]:
        """The same in no order, for whoever only counts."""
        for held in self.held.values():
            if held.view["state"] != "resolved" and visible(held.whose):
                yield held.view

    def opening(
        self, last_event_id: str | None, visible: Visible, stats: View, shown: Shown = as_is
    ) -> bytes:
        """What a new connection gets first: what it missed, or everything."""
        missed = self._missed(last_event_id)
        if missed is None:
            return self._snapshot(visible, stats, shown)
        return b"".join(frame_shown(event.frame, shown) for event in missed if visible(event.whose))

    def _missed(self, last_event_id: str | None) -> list[FeedEvent] | None:
        """Events after the last one a desk has; None if the gap cannot be filled."""
        epoch, _, number = (last_event_id or "").rpartition("-")
        if epoch != self.epoch or not number.isascii() or not number.isdigit():
            return None
        last = int(number)
        oldest = self._events[0].number if self._events else self.number + 1
        if not oldest - 1 <= last <= self.number:
            return None
        return [event for event in self._events if event.number > last]

    def _snapshot(self, visible: Visible, stats: View, shown: Shown) -> bytes:
        body = {
            "epoch": self.epoch,
            "incidents": [
                msgspec.Raw(held.encoded) if shown is as_is else shown(held.view)
                for held in self.held.values()
                if visible(held.whose)
            ],
            "stats": stats,
        }
        return frame("snapshot", body, f"{self.epoch}-{self.number}")

    # ---- inside ----------------------------------------------------------------------------

    def _believes(self, view: View, cause: str) -> bool:
        """Whether an announcement is not older than what is known."""
        incident_id, revision = view["id"], view["revision"]
        if incident_id in self._merged:
            return False
        held = self.held.get(incident_id)
        if held is None:
            closed = self._closed.get(incident_id)
            return closed is None or revision > closed
        if cause == "refreshed":
            return revision > held.view["revision"] or self._differs(held, view)
        return cause in RINGING or held.provisional or revision >= held.view["revision"]

    def _differs(self, held: Held, view: View) -> bool:
        """Whether a repeated word of ingest about what is held says anything new."""
        if view["revision"] < held.view["revision"]:
            return False
        return bool(
            view.get("provisional") != held.view.get("provisional")
            or view.get("pending_action") != held.view.get("pending_action")
            or view["alarm_count"] > held.view["alarm_count"]
        )

    def _show(self, view: View, cause: str, now_s: float, alarm: View | None) -> FeedEvent:
        incident_id = view["id"]
        encoded = msgspec.json.encode(view)
        settled = not view.get("provisional") and view.get("pending_action") is None
        if view["state"] == "resolved" and settled:
            self.held.pop(incident_id, None)
            self._remember(self._closed, incident_id, view["revision"])
        else:
            self._closed.pop(incident_id, None)
            self.held[incident_id] = Held(view, encoded, now_s, Whose.of(view))
            if len(self.held) > HELD_LIMIT:
                self._drop_least_urgent()
        body = {"incident": msgspec.Raw(encoded), "cause": cause, "alarm": alarm}
        return self._append(Whose.of(view), "incident", body)

    def _merge(self, gone_id: str, into_id: str) -> Iterator[FeedEvent]:
        self._remember(self._merged, gone_id, into_id)
        held = self.held.pop(gone_id, None)
        if held is not None:
            body = {
                "incident": msgspec.Raw(held.encoded),
                "cause": "merged",
                "alarm": None,
                "merged_into": into_id,
            }
            yield self._append(held.whose, "incident", body)

    def _drop_least_urgent(self) -> None:
        ranks = {"high": 0, "medium": 1, "low": 2}
        least = max(
            self.held.values(),
            key=lambda held: (ranks.get(held.view["priority"], 0), held.view["opened_at"]),
        )
        del self.held[least.view["id"]]

    def _append(self, whose: Whose, name: str, body: Any) -> FeedEvent:
        self.number += 1
        event = FeedEvent(
            self.number, name, whose, frame(name, body, f"{self.epoch}-{self.number}")
        )
        self._events.append(event)
        return event

    @staticmethod
    def _remember(known: "OrderedDict[str, Any]", incident_id: str, value: int | str) -> None:
        known[incident_id] = value
        known.move_to_end(incident_id)
        if len(known) > CLOSED_REMEMBERED:
            known.popitem(last=False)


def frame(name: str, body: Any, event_id: str | None = None) -> bytes:
    """One server-sent event (JSON has no raw line breaks, so one data line suffices)."""
    numbered = b"" if event_id is None else b"id: %b\n" % event_id.encode()
    return b"%bevent: %b\ndata: %b\n\n" % (numbered, name.encode(), msgspec.json.encode(body))
