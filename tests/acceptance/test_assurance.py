"""Stories of an alarm before the emergency."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from alerts.policy import DISPATCHERS, ChannelName, Policy, Step, Target, to_data
from alerts.rota import DutyRole
from hub.rota import PlannedChange, PlannedWeekly, weekdays
from hub.store.presence import ALIVE_FOR
from hub.store.proofs import answered_text
from hub.store.reach import Cursor
from hub.store.rota import on_duty
from tests.acceptance.watchtower import BOSS, Watchtower, running_watchtower
from tests.providers import Gateway, Providers, Server, running_providers
from tests.scenes import ROOT, START

DISPATCHER = DutyRole.DISPATCHER


@pytest.fixture
async def providers() -> AsyncIterator[Providers]:
    async with running_providers() as running:
        yield running


@pytest.fixture
def gateway(providers: Providers) -> Gateway:
    return providers.gateway


@pytest.fixture
async def tower(database_url: str, tmp_path: Path, gateway: Gateway) -> AsyncIterator[Watchtower]:
    async with running_watchtower(database_url, tmp_path, gateway) as running:
        yield running


async def plan(
    tower: Watchtower, account: str, days: str, begin_h: int, end_h: int,
    duty: DutyRole = DISPATCHER,
) -> None:  # fmt: skip
    planned = PlannedWeekly(
        ROOT, duty, account, weekdays(days), begin_h * 60, end_h * 60 % 1440, "Asia/Shanghai",
        START.date() - timedelta(days=30),
    )  # fmt: skip
    await tower.rota.plan(planned, BOSS, tower.clock.now())


async def test_the_desk_nobody_sits_at_is_known_before_the_press(tower: Watchtower) -> None:
    await tower.sits("mei")
    await tower.later(minutes=5)
    assert await tower.open() == {}

    await tower.sits()  # the page is closed; she is still logged in
    await tower.later(seconds=90)
    assert await tower.open() == {}, "a page that is reloaded rings nobody"
    await tower.later(seconds=60)
    incident = (await tower.open())["nobody_reachable"]
    assert (incident["subject_kind"], incident["subject_id"]) == ("area", ROOT)
    assert (incident["category"], incident["priority"]) == ("technical", "high")
    assert "no desk is connected" in await tower.text("nobody_reachable")

    await tower.sits("lin")
    await tower.later(minutes=1)
    assert await tower.open() == {}, "it ends by itself"
    assert [what for _, _, what in tower.announced] == ["raised", "resolved"]


async def test_an_api_process_that_is_killed_takes_its_desks_with_it(tower: Watchtower) -> None:
    await tower.sits("mei")
    await tower.killed()
    await tower.later(seconds=ALIVE_FOR.total_seconds() + 120)
    assert "nobody_reachable" not in await tower.open()
    await tower.later(seconds=30)
    assert "nobody_reachable" in await tower.open()


async def test_who_is_on_duty_and_can_be_telephoned_counts(tower: Watchtower) -> None:
    await plan(tower, "mei", "daily", 0, 24)
    await tower.later(minutes=3)
    assert "on duty should be Mei" in await tower.text("nobody_reachable")
    await tower.rows("UPDATE account SET phone = '+8613800000009' WHERE account_id = 'mei'")
    await tower.later(minutes=1)
    assert "nobody_reachable" not in await tower.open()


async def test_the_rota_has_a_hole_on_sunday(tower: Watchtower) -> None:
    """Today is Monday. Somebody has until Saturday to fill it, and is told again a day before."""
    await tower.sits("lin")
    await plan(tower, "mei", "mon-sat", 0, 24)
    await tower.later(minutes=20)
    assert set(await tower.open()) == {"rota_gap"}
    assert "03-08 00:00 to 03-09 00:00" in await tower.text("rota_gap")

    tower.clock.move_to(tower.local("2026-03-07", "12:00"))
    await tower.later(minutes=2)
    opened = await tower.open()
    assert "rota_gap" not in opened, "it is the same hole"
    assert opened["rota_gap_soon"]["priority"] == "medium"

    filling = PlannedChange(
        ROOT, DISPATCHER, "lin", None, tower.local("2026-03-08"), tower.local("2026-03-09")
    )
    await tower.rota.change(filling, BOSS, tower.clock.now())
    await tower.later(minutes=1)
    assert not {"rota_gap", "rota_gap_soon"} & set(await tower.open())
    sunday = tower.local("2026-03-08", "03:00").astimezone(UTC)

    async def then(cursor: Cursor) -> list[str]:
        return [duty.account_id for duty in await on_duty(cursor, [ROOT], sunday)]

    assert await tower.reach.run(then) == ["lin"]


async def test_a_hole_that_nobody_filled_comes_true(tower: Watchtower) -> None:
    await tower.sits("lin")
    await plan(tower, "mei", "mon-sat", 0, 24)
    tower.clock.move_to(tower.local("2026-03-08", "00:00"))
    await tower.later(minutes=2)
    assert "nobody on duty" in await tower.text("nobody_on_duty")
    await tower.sits()
    await tower.later(minutes=3)
    opened = await tower.open()
    assert "nobody_reachable" in opened, "and now nobody is there at all"
    assert "nobody_on_duty" not in opened, "one trouble, one incident"
    assert "the rota has nobody" in await tower.text("nobody_reachable")


async def test_a_provider_dies_at_two_in_the_morning(
    database_url: str, tmp_path: Path, gateway: Gateway
) -> None:
    """Nobody presses that night; the provider proves itself every hour, and at 02:00 it cannot."""
    async with running_watchtower(
        database_url, tmp_path, gateway, probe_recipients="sms=account:boss"
    ) as tower:
        await tower.sits("mei")
        await tower.rows("UPDATE account SET phone = '+8613800000001' WHERE account_id = 'boss'")
        tower.clock.move_to(tower.local("2026-03-02", "23:30"))
        await tower.look()
        await tower.sends()
        assert "Carebell" in gateway.phone("+8613800000001").inbox[-1].text
        await tower.later(minutes=30, step_s=60)
        assert len(gateway.phone("+8613800000001").inbox) == 1, "once an hour"

        gateway.fails(503)
        tower.clock.move_to(tower.local("2026-03-03", "02:00"))
        for _ in range(16):
            await tower.look()
            await tower.sends()
            tower.clock.pass_time(15)
        incident = (await tower.open())["provider_fails"]
        assert incident["subject_id"] == "provider-fails-sms"
        assert incident["opened_at"] < tower.local("2026-03-03", "02:10")

        gateway.recovers()
        for _ in range(90):
            await tower.look()
            await tower.sends()
            tower.clock.pass_time(15)
        assert "provider_fails" not in await tower.open()


async def test_a_shift_ends_with_open_incidents(tower: Watchtower) -> None:
    """Mei acknowledged, her shift ended, she went home. Somebody else is there, but it is hers."""
    await plan(tower, "mei", "daily", 8, 16)
    await plan(tower, "lin", "daily", 16, 8)
    tower.clock.move_to(tower.local("2026-03-02", "15:50"))
    await tower.sits("mei")
    await tower.rows(
        "INSERT INTO incident (incident_id, area_id, subject_kind, subject_id, state, category,"
        " priority, kind, opened_at, last_alarm_at, alarm_count, step, silent, revision,"
        " next_deadline_at, owner_id, owner_name) VALUES ('i-1', %s, 'person', 'anna',"
        " 'acknowledged', 'personal', 'high', 'press', %s, %s, 1, 1, false, 1, %s, 'mei', 'Mei')",
        ROOT, tower.clock.now(), tower.clock.now(), tower.clock.now() + timedelta(hours=2),
    )  # fmt: skip
    await tower.later(minutes=9)
    await tower.sits("lin")
    await tower.later(minutes=5)
    assert "incidents_orphaned" not in await tower.open(), "five minutes to hand over"
    await tower.later(minutes=2)
    told = (await tower.open())["incidents_orphaned"]
    assert "Mei" in await tower.text("incidents_orphaned")
    assert told["area_id"] == ROOT

    await tower.rows("UPDATE incident SET owner_id = 'lin', owner_name = 'Lin'"
                     " WHERE incident_id = 'i-1'")  # fmt: skip
    await tower.later(minutes=1)
    assert "incidents_orphaned" not in await tower.open()


async def test_a_ladder_names_somebody_whose_account_is_disabled(tower: Watchtower) -> None:
    """Mei leaves, the ladder of the falls still names her: by day, whose name stands in which."""
    ladder = Policy(
        (Step((Target("account:mei", (ChannelName.SMS,)),), 30), Step((Target(DISPATCHERS),), 60)),
        600, 3600,
    )  # fmt: skip
    await tower.rows(
        "INSERT INTO policy (policy_id, area_id, kind, ladder, changed_at, changed_by)"
        " VALUES ('falls', %s, 'fall', %s, now(), 'test')",
        ROOT, json.dumps(to_data(ladder)),
    )  # fmt: skip
    tower.clock.move_to(tower.local("2026-03-02", "22:00"))
    await tower.sits("lin")
    await tower.later(minutes=5)
    await tower.rows("UPDATE account SET disabled = true WHERE account_id = 'mei'")
    await tower.later(minutes=10)
    assert "policy_names_gone" not in await tower.open()
    tower.clock.move_to(tower.local("2026-03-03", "08:01"))
    await tower.sits("lin")
    await tower.later(minutes=2)
    told = (await tower.open())["policy_names_gone"]
    assert (told["area_id"], told["priority"]) == (ROOT, "medium")
    assert "called any more: Mei (falls)" in await tower.text("policy_names_gone")

    await tower.rows("UPDATE account SET disabled = false WHERE account_id = 'mei'")
    await tower.later(minutes=1)
    assert "policy_names_gone" not in await tower.open()
    await tower.rows("DELETE FROM account WHERE account_id = 'mei'")
    await tower.later(minutes=2)
    assert (await tower.text("policy_names_gone")).endswith("any more: account:mei (falls)")


async def test_a_wrong_number_is_found_by_the_test_message(
    tower: Watchtower, gateway: Gateway
) -> None:
    """Anna's daughter is all she has. Her number is wrong, and nobody has pressed yet."""
    await tower.sits("mei")
    await tower.rows(
        "INSERT INTO person_contact (person_id, place, area_id, name, relation, phone, contact_id)"
        " VALUES ('anna', 1, %s, 'Ying', 'daughter', '+8613800000002', 'ying'),"
        " ('bo', 1, %s, 'Tao', 'son', '+8613800000003', 'tao')", ROOT, ROOT,
    )  # fmt: skip
    await tower.later(minutes=5)
    assert await tower.open() == {}
    now = tower.clock.now()
    await tower.asked.ask("contact:ying", ChannelName.SMS, BOSS, now)
    await tower.asked.ask("contact:tao", ChannelName.SMS, BOSS, now)
    gateway.fails(422, times=1)
    await tower.sends()
    await tower.look()
    proofs = {row["recipient"]: row for row in await tower.rows("SELECT * FROM contact_proof")}
    (refused,) = [one for one, row in proofs.items() if row["failed_at"] is not None]
    (asked,) = set(proofs) - {refused}
    number = {"contact:ying": "+8613800000002", "contact:tao": "+8613800000003"}[asked]
    code = next(word for word in gateway.phone(number).inbox[-1].text.split()
                if word.strip(".,;!").isdigit()).strip(".,;!")  # fmt: skip

    async def answers(cursor: Cursor) -> bool:
        return await answered_text(cursor, [asked], f"收到 {code}", tower.clock.now())

    assert await tower.reach.run(answers)
    overdue = await tower.asked.overdue(None, now - timedelta(days=1), "", 10)
    assert [row["recipient"] for row in overdue] == [refused]
    assert overdue[0]["failure"] == "refused"

    tower.clock.move_to(tower.local("2026-03-03", "08:10"))
    await tower.later(minutes=70, step_s=300)
    alone = {"contact:ying": "anna", "contact:tao": "bo"}[refused]
    (row,) = await tower.rows(
        "SELECT evidence FROM assurance_condition WHERE concern = 'no_responder'"
    )
    assert row["evidence"]["ids"] == [alone]
    assert "1 people" in await tower.text("no_responder")

    await tower.rows("UPDATE person_contact SET phone = '+8613800000004' WHERE contact_id = %s",
                     refused.partition(":")[2])  # fmt: skip
    await tower.later(minutes=6, step_s=60)
    assert "no_responder" not in await tower.open(), "a corrected number may work"


async def test_nobody_answers_and_the_way_stays_unproven(
    tower: Watchtower, gateway: Gateway
) -> None:
    await tower.rows(
        "INSERT INTO person_contact (person_id, place, area_id, name, relation, phone, contact_id)"
        " VALUES ('anna', 1, %s, 'Ying', 'daughter', '+8613800000002', 'ying')", ROOT,
    )  # fmt: skip
    await tower.asked.ask("contact:ying", ChannelName.SMS, BOSS, tower.clock.now())
    await tower.sends()
    await tower.later(hours=25, step_s=3600)
    (row,) = await tower.rows("SELECT * FROM contact_proof")
    assert (row["failure"], row["failed_at"], row["verified_at"]) == ("no_answer", None, None)


async def test_many_are_asked_at_a_bounded_rate(tower: Watchtower, gateway: Gateway) -> None:
    for number in range(25):
        await tower.rows(
            "INSERT INTO person_contact (person_id, place, area_id, name, relation, phone)"
            " VALUES ('anna', %s, %s, 'C', 'friend', %s)", number, ROOT, f"+861380000{number:04d}",
        )  # fmt: skip
    began = tower.clock.now()
    await tower.asked.start(ROOT, [ChannelName.SMS], 10, BOSS, began)
    await tower.later(minutes=1, step_s=10)
    await tower.sends()
    assert 9 <= len(gateway.requests) <= 11
    await tower.later(minutes=3, step_s=10)
    await tower.sends()
    assert len(gateway.requests) == 25
    (row,) = await tower.rows("SELECT asked, ended_at FROM proof_campaign")
    assert row["asked"] == 25
    assert row["ended_at"] is not None


async def test_the_hubs_own_press_stops(
    database_url: str, tmp_path: Path, gateway: Gateway
) -> None:
    async with running_watchtower(
        database_url, tmp_path, gateway, synthetic_press_every_s=60
    ) as tower:
        await tower.sits("mei")

        async def arrives(topic: str, payload: bytes, *, qos: int) -> None:
            """Broker, lane, database and feed: all that the press meets on its way."""
            del topic, payload, qos
            (row,) = await tower.rows("SELECT * FROM synthetic_press ORDER BY sent_at DESC LIMIT 1")
            at = tower.clock.now()
            await tower.rows(
                "INSERT INTO alarm (alarm_id, area_id, grouping_reason, subject_kind, subject_id,"
                " device_id, kind, category, priority, received_at, recorded_at, flags, text)"
                " VALUES (%s, %s, 'test_recorded', 'premises', 'hub-synthetic', 'hub-synthetic',"
                " 'press', 'personal', 'low', %s, %s, '{}', '')", row["alarm_id"], ROOT, at, at,
            )  # fmt: skip
            await tower.presence.renew("api-1", ROOT, (), (row["press_id"], at), at)
            said = b'{"stage": "received", "message_id": "%b"}' % row["press_id"].encode()
            tower.press.hear(said, at)

        async def nothing_comes(topic: str, payload: bytes, *, qos: int) -> None:
            del topic, payload, qos

        for _ in range(5):
            assert await tower.press.press(arrives) is not None
            await tower.later(minutes=1)
        assert await tower.open() == {}
        assert await tower.dead_man.unwell(tower.clock.now()) is None

        for _ in range(2):
            assert await tower.press.press(nothing_comes) is None
            await tower.later(seconds=45)
        assert await tower.open() == {}, "two are bad luck"
        for _ in range(2):
            await tower.press.press(nothing_comes)
            await tower.later(seconds=45)
        assert "synthetic_press_missing" in await tower.open()
        assert "no receipt" not in await tower.text("synthetic_press_missing")
        assert await tower.dead_man.unwell(tower.clock.now()) == "synthetic_press_missing"

        await tower.press.press(arrives)
        await tower.later(minutes=1)
        assert await tower.open() == {}
        (said,) = [m for t, m in tower.bus.said if m["type"] == "assurance"][-1:]
        assert sum(said["synthetic"]) == 6


async def test_the_hubs_own_presses_leave_nothing_behind(
    database_url: str, tmp_path: Path, gateway: Gateway
) -> None:
    async with running_watchtower(
        database_url, tmp_path, gateway, synthetic_press_every_s=60
    ) as tower:
        store = tower.watch._store
        for number in range(300):
            at = tower.clock.now()
            await store.pressed(f"s{number}", ROOT, f"a-{number}", at)
            await tower.rows(
                "INSERT INTO alarm (alarm_id, area_id, grouping_reason, subject_kind, subject_id,"
                " device_id, kind, category, priority, received_at, flags, text)"
                " VALUES (%s, %s, 'test_recorded', 'premises', 'p', 'hub-synthetic', 'press',"
                " 'personal', 'low', %s, '{}', '')", f"a-{number}", ROOT, at,
            )  # fmt: skip
            tower.clock.pass_time(3600)
            await store.tidy(tower.clock.now())
        (alarms,) = await tower.rows("SELECT count(*) AS n FROM alarm")
        (times,) = await tower.rows("SELECT count(*) AS n FROM synthetic_press")
        assert alarms["n"] <= 1
        assert times["n"] <= 7 * 24


async def test_a_loop_stands_still(tower: Watchtower) -> None:
    await tower.sits("mei")
    await tower.later(minutes=1)
    tower.loops.discard("courier")
    await tower.later(seconds=60)
    opened = await tower.open()
    assert opened["loop_stands"]["subject_id"] == "loop-stands-courier"
    assert await tower.dead_man.unwell(tower.clock.now()) == "loop_stands"
    tower.loops.add("courier")
    await tower.later(seconds=30)
    assert await tower.open() == {}


async def test_a_loop_that_nobody_started_is_found(tower: Watchtower) -> None:
    await tower.sits("mei")
    tower.loops.discard("escalator")
    await tower.later(minutes=1)
    assert (await tower.open())["loop_stands"]["subject_id"] == "loop-stands-escalator"


async def test_ingest_says_nothing_more(tower: Watchtower) -> None:
    await tower.sits("mei")
    await tower.later(minutes=1)
    tower.ingest = False
    await tower.later(minutes=1)
    assert "no press would ring" in await tower.text("ingest_silent")
    tower.ingest = True
    await tower.later(minutes=1)
    assert await tower.open() == {}


async def test_what_a_human_resolved_comes_back_while_it_goes_on(tower: Watchtower) -> None:
    await tower.later(minutes=3)
    incident = (await tower.open())["nobody_reachable"]
    await tower.rows(
        "UPDATE incident SET state = 'resolved', outcome = 'unfounded', resolved_at = %s,"
        " next_deadline_at = NULL WHERE incident_id = %s",
        tower.clock.now(), incident["incident_id"],
    )  # fmt: skip
    await tower.later(minutes=10)
    assert await tower.open() == {}
    await tower.later(minutes=10)
    again = (await tower.open())["nobody_reachable"]
    assert again["follows"] == incident["incident_id"]


async def test_a_silent_night_wakes_nobody_for_what_can_wait(tower: Watchtower) -> None:
    """Nobody could be sent to Anna or Bo; that is for the morning."""
    await tower.sits("mei")
    tower.clock.move_to(tower.local("2026-03-02", "22:00"))
    await tower.later(hours=9, step_s=600)
    assert await tower.open() == {}
    await tower.later(hours=2, step_s=600)
    opened = await tower.open()
    assert set(opened) == {"no_responder"}
    assert opened["no_responder"]["opened_at"] >= tower.local("2026-03-03", "08:00")


async def test_two_workers_look_and_it_rings_once(tower: Watchtower) -> None:
    await tower.later(minutes=2)
    tower.clock.pass_time(30)
    await asyncio.gather(tower.watch.run_once(), tower.watch.run_once(), tower.watch.run_once())
    await tower.look()
    rows = await tower.rows("SELECT alarm_count FROM incident WHERE kind = 'nobody_reachable'")
    assert rows == [{"alarm_count": 1}]


@dataclass(slots=True)
class Outside(Server):
    """Somebody's watcher: takes whatever comes."""

    heard: list[tuple[str, Any]] = field(default_factory=list)

    async def answer(self, request: web.Request, body: bytes) -> web.StreamResponse:
        self.heard.append((request.method, json.loads(body) if body else None))
        return web.Response(status=204)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_watcher_outside_hears_nothing_while_something_is_wrong(
    database_url: str, tmp_path: Path, gateway: Gateway, method: str
) -> None:
    outside = Outside()
    await outside.lives()
    url = f"{outside.url}/ping"
    async with running_watchtower(
        database_url, tmp_path, gateway, dead_man_url=url, dead_man_method=method
    ) as tower:
        assert await tower.dead_man.ping() is None
        assert tower.dead_man.reached_at == tower.clock.now()
        ((said, body),) = outside.heard
        assert said == method
        assert body is None or (body["hub"], body["audit_head"]) == (ROOT, "7:abc")
        assert (body is None) is (method == "GET")
        tower.clock.pass_time(60)
        tower.loops.discard("escalator")
        assert await tower.dead_man.ping() == "loop_stands"
        assert len(outside.heard) == 1, "silence is the message"

        tower.loops.add("escalator")
        await tower.sits("mei")
        await tower.look()
        await outside.dies()
        assert await tower.dead_man.ping() is None
        await tower.later(minutes=11, step_s=60)
        assert "was not reached" in await tower.text("watcher_unreachable")
        await outside.lives()
        await tower.dead_man.ping()
        await tower.look()
        assert await tower.open() == {}
    await outside.dies()


def test_the_stories_begin_on_a_monday() -> None:
    assert datetime(2026, 3, 2, 8, 0, tzinfo=UTC) == START
    assert START.weekday() == 0
