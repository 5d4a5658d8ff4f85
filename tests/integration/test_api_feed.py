"""The live feed over a real socket: fast, resumable, bounded, right although messages get lost."""

import asyncio
import statistics
import time
from pathlib import Path

import httpx
import msgspec
import pytest

from alerts.alarm import Subject, SubjectKind
from alerts.incident import opened_by
from hub.view import Cards, View, incident_view
from schemas import topics
from tests.integration.api_hub import ApiHub, api_hub, listening, press, until


def provisional(device_id: str = "button-1") -> View:
    """What ingest announces before the commit."""
    alarm = press(device_id)
    incident = opened_by(alarm, alarm.received_at)
    return incident_view(incident, Cards(), [alarm], provisional=True)


async def test_a_new_desk_gets_everything_first(hub: ApiHub) -> None:
    opened = await hub.ingest.take_press(press())
    async with hub.desk() as desk, listening(desk) as line:
        snapshot = await line.next()
        assert snapshot.name == "snapshot"
        assert [item["id"] for item in snapshot.body["incidents"]] == [opened["id"]]
        assert snapshot.id is not None
        assert snapshot.id.startswith(snapshot.body["epoch"] + "-")
        stats = (await line.next("stats")).body
        assert stats["messages_per_s"] == 12.5
        assert (stats["database"], stats["broker"], stats["ingest"]) == ("ok", "ok", "ok")
        assert stats["open_incidents"] == 1
        assert stats["oldest_unacknowledged_s"] >= 0
        again = await line.next("stats", within_s=3)
        assert again.id is None


async def test_an_announcement_reaches_the_socket_at_once(hub: ApiHub) -> None:
    taken: list[float] = []
    async with hub.desk() as desk, listening(desk) as line:
        await line.next("snapshot")
        for _ in range(50):
            view = provisional()
            started = time.perf_counter()
            hub.ingest.announce("raised", view)
            event = await line.next("incident")
            taken.append(time.perf_counter() - started)
            assert event.body["incident"]["id"] == view["id"]
            assert event.body["cause"] == "raised"
    assert statistics.median(taken) < 0.005


async def test_a_desk_that_was_cut_off_misses_nothing(hub: ApiHub) -> None:
    async with hub.desk() as desk:
        async with listening(desk) as line:
            await line.next("snapshot")
            hub.ingest.announce("raised", provisional())
            last = (await line.next("incident")).id
        missed = [provisional() for _ in range(3)]
        for view in missed:
            hub.ingest.announce("raised", view)
        async with listening(desk, last) as line:
            events = [await line.next() for _ in missed]
        assert [event.body["incident"]["id"] for event in events] == [v["id"] for v in missed]
        for foreign in ("other-12", "nonsense", f"{last}9999"):
            async with listening(desk, foreign) as line:
                assert (await line.next()).name == "snapshot"


async def test_the_feed_is_filtered_by_area_also_when_resumed(hub: ApiHub) -> None:
    async with hub.desk("west-desk") as desk:
        async with listening(desk) as line:
            last = (await line.next("snapshot")).id
            hub.ingest.announce("raised", provisional("button-1"))
            mine = provisional("button-2")
            hub.ingest.announce("raised", mine)
            ring = {"type": "ring", "incident_id": "i", "area_id": "east-1", "step": 1}
            hub.bus.say(topics.DESK_ANNOUNCE, ring)
            hub.bus.say(topics.DESK_ANNOUNCE, ring | {"area_id": "west"})
            assert (await line.next("incident", "ring")).body["incident"]["id"] == mine["id"]
            assert (await line.next("incident", "ring")).body["area_id"] == "west"
        async with listening(desk, last) as line:
            assert (await line.next()).body["incident"]["id"] == mine["id"]
        async with listening(desk) as line:
            snapshot = (await line.next("snapshot")).body
            assert [item["id"] for item in snapshot["incidents"]] == [mine["id"]]


async def test_a_lost_announcement_shows_from_the_database(hub: ApiHub) -> None:
    async with hub.desk() as desk, listening(desk) as line:
        await line.next("snapshot")
        hub.ingest.silent = True
        opened = await hub.ingest.take_press(press())
        event = await line.next("incident", within_s=2.5)
        assert event.body["cause"] == "refreshed"
        assert event.body["incident"]["id"] == opened["id"]
        assert event.body["incident"]["person"]["name"] == "王秀英"
        await desk.post(f"/api/v1/incidents/{opened['id']}/resolve", json={"outcome": "test"})
        event = await line.next("incident", within_s=2.5)
        assert event.body["incident"]["state"] == "resolved"
        with pytest.raises(TimeoutError):  # and it shows once
            await line.next("incident", within_s=2.5)


async def test_a_lost_commit_turns_provisional_into_committed(hub: ApiHub) -> None:
    async with hub.desk() as desk, listening(desk) as line:
        await line.next("snapshot")
        alarm = press()
        shown = incident_view(
            opened_by(alarm, alarm.received_at), Cards(), [alarm], provisional=True
        )
        hub.ingest.announce("raised", shown)
        assert (await line.next("incident")).body["incident"]["provisional"] is True
        hub.ingest.silent = True
        await hub.ingest.take_press(alarm)
        event = await line.next("incident", within_s=2.5)
        assert event.body["incident"]["provisional"] is False


async def test_what_the_worker_changed_is_read_and_shown_with_its_cause(hub: ApiHub) -> None:
    opened = await hub.ingest.take_press(press())
    async with hub.desk() as desk, listening(desk) as line:
        await line.next("snapshot")
        hub.rows(
            "UPDATE incident SET step = 1, revision = revision + 1,"
            " changed_txid = pg_current_xact_id() WHERE incident_id = %s RETURNING 1",
            opened["id"],
        )
        hub.bus.say(
            topics.DESK_ANNOUNCE,
            {"type": "changed", "incident_id": opened["id"], "cause": "escalated", "detail": {}},
        )
        event = await line.next("incident", within_s=1)
        assert event.body["cause"] == "escalated"
        assert event.body["incident"]["step"] == 1


async def test_a_merge_takes_the_provisional_incident_away(hub: ApiHub) -> None:
    async with hub.desk() as desk, listening(desk) as line:
        await line.next("snapshot")
        gone = provisional()
        hub.ingest.announce("raised", gone)
        real = await hub.ingest.take_press(press())
        message = {"type": "incident", "cause": "merged", "incident": real | {"revision": 2},
                   "merged_from": gone["id"], "alarm": None}  # fmt: skip
        hub.bus.say(topics.DESK_ANNOUNCE, message)
        events = [(await line.next("incident")).body for _ in range(4)]
        assert events[-1]["incident"]["id"] == gone["id"]
        assert events[-1]["merged_into"] == real["id"]
        page = (await desk.get("/api/v1/incidents")).json()
        assert [item["id"] for item in page["items"]] == [real["id"]]
        answer = await desk.get(f"/api/v1/incidents/{gone['id']}")
        assert answer.json()["id"] == real["id"]


async def test_a_press_overtakes_the_records_of_earlier_ones(hub: ApiHub) -> None:
    async with hub.desk() as desk, listening(desk) as line:
        await line.next("snapshot")
        recorded = [provisional() | {"provisional": False} for _ in range(300)]
        for view in recorded:
            hub.ingest.announce("committed", view)
        pressed = provisional()
        hub.ingest.announce("raised", pressed)
        first = (await line.next("incident")).body
        assert (first["cause"], first["incident"]["id"]) == ("raised", pressed["id"])
        later = [(await line.next("incident")).body for _ in recorded]
        assert [each["incident"]["id"] for each in later] == [view["id"] for view in recorded]


async def test_nothing_overtakes_an_earlier_word_about_the_same_incident(hub: ApiHub) -> None:
    async with hub.desk() as desk, listening(desk) as line:
        await line.next("snapshot")
        recorded = provisional() | {"provisional": False}
        again = recorded | {"provisional": True, "alarm_count": 2}
        gone = provisional()
        for cause, view in (("committed", recorded), ("committed", gone), ("realarmed", again)):
            hub.ingest.announce(cause, view)
        merged = {"type": "incident", "cause": "merged", "incident": again | {"revision": 2},
                  "merged_from": gone["id"], "alarm": None}  # fmt: skip
        hub.bus.say(topics.DESK_ANNOUNCE, merged)
        events = [(await line.next("incident")).body for _ in range(5)]
        assert [(e["cause"], e["incident"]["id"]) for e in events] == [
            ("committed", recorded["id"]),
            ("realarmed", recorded["id"]),
            ("committed", gone["id"]),
            ("merged", recorded["id"]),
            ("merged", gone["id"]),
        ]


async def test_of_many_records_of_one_incident_the_newest_shows(hub: ApiHub) -> None:
    async with hub.desk() as desk, listening(desk) as line:
        await line.next("snapshot")
        view = provisional() | {"provisional": False}
        for revision in range(1, 21):
            hub.ingest.announce("committed", view | {"revision": revision})
        assert (await line.next("incident")).body["incident"]["revision"] == 20
        hub.ingest.announce("raised", provisional())
        assert (await line.next("incident")).body["cause"] == "raised"


async def test_more_records_than_may_wait_show_at_once(
    hub: ApiHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.api.switchboard.BACKLOG_LIMIT", 2)
    async with hub.desk() as desk, listening(desk) as line:
        await line.next("snapshot")
        recorded = [provisional() | {"provisional": False} for _ in range(5)]
        for view in recorded:
            hub.ingest.announce("committed", view)
        assert len(hub.parts.switchboard.feed.held) == 3
        told = [(await line.next("incident")).body["incident"]["id"] for _ in recorded]
        assert told == [view["id"] for view in recorded]


async def test_what_ingest_is_about_to_announce_is_not_read(hub: ApiHub) -> None:
    async with hub.desk() as desk, listening(desk) as line:
        await line.next("snapshot")
        alarm = press()
        hub.ingest.silent = True
        opened = await hub.ingest.take_press(alarm)
        hub.parts.switchboard.news.set()
        await asyncio.sleep(0.1)
        hub.ingest.silent = False
        hub.ingest.announce("raised", opened, alarm)
        assert (await line.next("incident")).body["cause"] == "raised"
        with pytest.raises(TimeoutError):
            await line.next("incident", within_s=1.5)


async def test_of_many_changes_those_that_ring_are_read_first(hub: ApiHub) -> None:
    alarms = [press(subject=Subject(SubjectKind.DEVICE, f"device-{n}")) for n in range(35)]
    opened = [await hub.ingest.take_press(alarm) for alarm in alarms]
    async with hub.desk() as desk, listening(desk) as line:
        await line.next("snapshot")
        hub.rows(
            "UPDATE incident SET revision = revision + 1, changed_txid = pg_current_xact_id()"
            " RETURNING 1"
        )
        for view in opened:
            cause = "realarmed" if view is opened[-1] else "escalated"
            hub.bus.say(
                topics.DESK_ANNOUNCE,
                {"type": "changed", "incident_id": view["id"], "cause": cause, "detail": {}},
            )
        told = [(await line.next("incident")).body for _ in opened]
        assert {e["incident"]["id"] for e in told} == {view["id"] for view in opened}
        assert [e["cause"] for e in told].index("realarmed") < 10
        assert [e["cause"] for e in told].count("escalated") == 34


async def test_a_lost_merge_is_found_in_the_database(hub: ApiHub) -> None:
    real = await hub.ingest.take_press(press())
    alarm = press()
    async with hub.desk() as desk, listening(desk) as line:
        await line.next("snapshot")
        shown = incident_view(
            opened_by(alarm, alarm.received_at), Cards(), [alarm], provisional=True
        )
        hub.ingest.announce("raised", shown)
        hub.ingest.silent = True
        await hub.ingest.take_press(alarm)
        while (event := (await line.next("incident")).body)["cause"] != "merged":
            assert event["incident"]["id"] in (real["id"], shown["id"])
        assert (event["incident"]["id"], event["merged_into"]) == (shown["id"], real["id"])


async def test_a_desk_that_reads_nothing_is_cut_and_can_resume(
    hub: ApiHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.api.listeners.QUEUE_LIMIT", 20)
    async with hub.desk() as desk, listening(desk) as line:
        last = (await line.next("snapshot")).id
        big = provisional() | {"note": "x" * 200_000}
        for number in range(200):
            hub.ingest.announce("realarmed", big | {"revision": number + 2})
            if number % 10 == 0:
                await asyncio.sleep(0)
        await until(lambda: not hub.parts.switchboard.listeners, 2)
        with pytest.raises((EOFError, httpx.HTTPError)):
            await line.next("never")
        async with listening(desk, line.last_id or last) as again:
            event = await again.next("incident")
            assert event.body["incident"]["id"] == big["id"]


async def test_a_desk_that_hangs_up_is_forgotten(hub: ApiHub) -> None:
    async with hub.desk() as desk:
        async with listening(desk) as line:
            await line.next("snapshot")
            assert len(hub.parts.switchboard.listeners) == 1
        await until(lambda: not hub.parts.switchboard.listeners, 2)


async def test_nonsense_on_the_bus_breaks_nothing(hub: ApiHub) -> None:
    async with hub.desk() as desk, listening(desk) as line:
        await line.next("snapshot")
        view = provisional()
        for nonsense in (
            b"\xff\x00", b"[]", b"7", b"{}", {"type": "incident"},
            {"type": "incident", "cause": "raised", "incident": {"id": 7}},
            {"type": "incident", "cause": "raised", "incident": view | {"revision": "7"}},
            {"type": "incident", "cause": "committed", "incident": {"id": "a"}},
            {"type": "ring"}, {"type": "action_result"}, {"type": "changed"},
        ):  # fmt: skip
            hub.bus.say(topics.DESK_ANNOUNCE, nonsense)
            hub.bus.say(topics.DESK_STATS, nonsense)
        hub.ingest.announce("raised", view)
        assert (await line.next("incident")).body["incident"]["id"] == view["id"]


async def test_every_connection_of_the_bus_asks_for_what_is_open(hub: ApiHub) -> None:
    asked = [body for topic, body in hub.bus.published if topic == topics.DESK_SYNC]
    assert asked == [{"from": hub.parts.switchboard.feed.epoch}]
    hub.bus.come_back()
    assert hub.bus.published[-1][0] == topics.DESK_SYNC


async def test_a_shutdown_ends_feeds_in_good_order(desk_database: str, tmp_path: Path) -> None:
    started = 0.0
    async with api_hub(desk_database, tmp_path) as hub:
        desk_context = hub.desk()
        desk = await desk_context.__aenter__()
        feed_context = listening(desk)
        line = await feed_context.__aenter__()
        await line.next("snapshot")
        started = time.monotonic()
    assert time.monotonic() - started < 3
    with pytest.raises((EOFError, httpx.HTTPError)):
        await line.next("never")
    await feed_context.__aexit__(None, None, None)
    await desk_context.__aexit__(None, None, None)


def test_frames_are_one_line_of_json() -> None:
    from hub.api.feed import frame

    text = frame("incident", {"note": "two\nlines\r\n"}, "e-1").decode()
    assert text.startswith("id: e-1\nevent: incident\ndata: ")
    assert text.endswith("\n\n")
    assert msgspec.json.decode(text.split("data: ")[1]) == {"note": "two\nlines\r\n"}
