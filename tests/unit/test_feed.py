"""The feed as a value: what is believed, what shows, what can be resumed."""

from typing import Any

import msgspec
import pytest

from hub.api.access import Whose
from hub.api.feed import Feed, FeedEvent
from hub.desk import Glance
from hub.view import View


def view(incident_id: str = "a", revision: int = 1, **changes: Any) -> View:
    return {
        "id": incident_id,
        "revision": revision,
        "state": "raised",
        "provisional": False,
        "priority": "high",
        "area_id": "east",
        "alarm_count": 1,
        "opened_at": "2026-01-01T00:00:00.000Z",
        "last_alarm_at": "2026-01-01T00:00:00.000Z",
        "acknowledged_at": None,
        "next_deadline_at": "2026-01-01T00:00:30.000Z",
        "pending_action": None,
        "outcome": None,
    } | changes


def body(event: FeedEvent) -> Any:
    return msgspec.json.decode(event.frame.split(b"data: ", 1)[1])


def told(events: list[FeedEvent]) -> list[tuple[str, str]]:
    return [(body(event)["incident"]["id"], body(event)["cause"]) for event in events]


@pytest.fixture
def feed() -> Feed:
    return Feed("epoch", events_kept=8)


def everything(_whose: Whose) -> bool:
    return True


def opening(feed: Feed, last: str | None) -> list[tuple[str, str]]:
    """Name and id of the events in an opening."""
    frames = feed.opening(last, everything, {}).decode().split("\n\n")
    return [
        (frame.split("event: ")[1].split("\n")[0], frame.split("id: ")[1].split("\n")[0])
        for frame in frames
        if frame
    ]


def test_events_are_numbered_and_encoded_once(feed: Feed) -> None:
    (first,) = feed.announce(view("a"), "raised", 0.0)
    (second,) = feed.announce(view("b"), "raised", 0.0)
    assert (first.number, second.number) == (1, 2)
    assert first.frame.startswith(b"id: epoch-1\nevent: incident\ndata: {")
    assert body(first)["alarm"] is None


def test_an_older_word_never_replaces_a_newer_one(feed: Feed) -> None:
    feed.announce(view(revision=3, state="acknowledged"), "acknowledged", 0.0)
    assert feed.announce(view(revision=2), "committed", 1.0) == []
    assert feed.refresh("a", view(revision=2), 1.0) == []
    assert feed.find("a") == view(revision=3, state="acknowledged")


def test_a_press_shows_even_if_ingest_missed_a_step_of_the_ladder(feed: Feed) -> None:
    feed.announce(view(revision=7), "escalated", 0.0)
    pressed = view(revision=5, alarm_count=2, provisional=True)
    assert told(feed.announce(pressed, "realarmed", 1.0)) == [("a", "realarmed")]
    assert not feed.wants(Glance("a", 8, open=True, alarm_count=1))
    assert feed.wants(Glance("a", 8, open=True, alarm_count=2))


def test_the_commit_turns_provisional_into_certain(feed: Feed) -> None:
    feed.announce(view(provisional=True), "raised", 0.0)
    assert feed.committed() == []
    assert told(feed.announce(view(), "committed", 0.1)) == [("a", "committed")]
    assert feed.committed() == ["a"]
    feed.announce(view("b", provisional=True), "raised", 0.0)
    assert told(feed.refresh("b", view("b"), 1.0)) == [("b", "refreshed")]


def test_a_repeated_word_is_not_repeated(feed: Feed) -> None:
    feed.announce(view(), "raised", 0.0)
    assert feed.announce(view(), "refreshed", 5.0) == []
    assert feed.refresh("a", view(), 5.0) == []
    assert not feed.wants(Glance("a", 1, open=True, alarm_count=1))
    assert feed.wants(Glance("a", 2, open=True, alarm_count=1))


def test_what_is_resolved_stays_resolved(feed: Feed) -> None:
    feed.announce(view(), "raised", 0.0)
    over = view(revision=2, state="resolved", outcome="helped")
    assert told(feed.announce(over, "resolved", 1.0)) == [("a", "resolved")]
    assert feed.find("a") is None
    assert feed.announce(view(), "raised", 2.0) == []
    assert feed.announce(view(), "refreshed", 2.0) == []
    assert feed.refresh("a", over, 2.0) == []
    assert told(feed.announce(view(revision=3), "raised", 3.0)) == [("a", "raised")]


def test_a_resolve_that_is_not_committed_can_be_taken_back(feed: Feed) -> None:
    feed.announce(view(), "raised", 0.0)
    kept = view(revision=2, state="resolved", pending_action="resolve")
    feed.announce(kept, "pending", 1.0)
    assert feed.open_views(everything) == []
    assert told(feed.announce(view(revision=2), "refreshed", 2.0)) == [("a", "refreshed")]
    assert feed.open_views(everything) == [view(revision=2)]


def test_a_merge_shows_the_real_one_before_the_other_goes(feed: Feed) -> None:
    feed.announce(view("real"), "raised", 0.0)
    feed.announce(view("gone", provisional=True), "raised", 0.0)
    real = view("real", revision=2, alarm_count=2)
    events = feed.announce(real, "merged", 1.0, merged_from="gone")
    assert told(events) == [("real", "merged"), ("gone", "merged")]
    assert body(events[1])["merged_into"] == "real"
    assert feed.find("gone") == real
    assert feed.announce(view("gone", provisional=True), "raised", 2.0) == []


def test_the_database_knows_where_a_provisional_incident_went(feed: Feed) -> None:
    feed.announce(view("real"), "raised", 0.0)
    feed.announce(view("gone", provisional=True), "raised", 0.0)
    events = feed.refresh("gone", view("real", revision=2), 1.0)
    assert told(events) == [("real", "refreshed"), ("gone", "merged")]


def test_a_provisional_incident_nobody_speaks_of_can_be_withdrawn_and_come_back(
    feed: Feed,
) -> None:
    feed.announce(view(provisional=True), "raised", 0.0)
    feed.announce(view(provisional=True), "refreshed", 10.0)
    assert feed.unconfirmed(11.0, older_than_s=2.0) == []
    assert feed.unconfirmed(13.0, older_than_s=2.0) == ["a"]
    assert told(feed.withdraw("a")) == [("a", "withdrawn")]
    assert feed.find("a") is None
    assert told(feed.announce(view(provisional=True), "raised", 20.0)) == [("a", "raised")]


def test_resuming_gives_what_was_missed_or_everything(feed: Feed) -> None:
    assert opening(feed, None) == [("snapshot", "epoch-0")]
    assert opening(feed, "epoch-0") == []
    for number in range(1, 5):
        feed.announce(view(str(number)), "raised", 0.0)
    assert opening(feed, "epoch-2") == [("incident", "epoch-3"), ("incident", "epoch-4")]
    assert opening(feed, "epoch-4") == []
    for stranger in ("epoch-5", "other-2", "epoch-", "epoch-x", "", "epoch-²"):
        assert opening(feed, stranger) == [("snapshot", "epoch-4")], stranger


def test_memory_is_bounded_and_says_so(feed: Feed) -> None:
    for number in range(20):
        feed.announce(view(str(number)), "raised", 0.0)
    assert len(opening(feed, "epoch-12")) == 8
    assert opening(feed, "epoch-11") == [("snapshot", "epoch-20")]


def test_too_many_open_incidents_cost_the_least_urgent(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.api.feed.HELD_LIMIT", 2)
    feed.announce(view("old"), "raised", 0.0)
    feed.announce(view("low", priority="low"), "raised", 0.0)
    feed.announce(view("new"), "raised", 0.0)
    assert sorted(feed.held) == ["new", "old"]


def test_a_snapshot_holds_only_what_may_be_seen(feed: Feed) -> None:
    feed.announce(view("east"), "raised", 0.0)
    feed.announce(view("west", area_id="west"), "raised", 0.0)
    sent = feed.opening(None, lambda whose: whose.area_id == "west", {"open_incidents": 1})
    read = msgspec.json.decode(sent.split(b"data: ", 1)[1])
    assert [incident["id"] for incident in read["incidents"]] == ["west"]
    assert read["stats"] == {"open_incidents": 1}


def test_a_ring_is_passed_on(feed: Feed) -> None:
    event = feed.ring({"type": "ring", "incident_id": "a", "area_id": "east", "step": 2})
    assert (event.name, event.whose) == ("ring", Whose("east"))
    assert body(event)["step"] == 2
