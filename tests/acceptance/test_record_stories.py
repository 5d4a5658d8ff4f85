"""What the record says afterwards: each story one promise about log, figures, rounds or report."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors
from typer.testing import CliRunner

from alerts.actions import Verb
from alerts.incident import Outcome, Owner
from alerts.people import Account
from hub.audit_sealing import AuditSealing
from hub.cli import app
from hub.clock import SystemClock
from hub.desk import Entry
from hub.fact_keeping import FactKeeping
from hub.report.page import Section
from hub.report.story import page_of
from hub.service_report import By, Question, Report
from hub.store.incident_record import PostgresCases
from hub.store.reach import Reach
from hub.store.service_figures import PostgresServiceFigures
from hub.store.visits import PostgresVisits
from hub.visits import Overdue, Round, Visit, VisitKind
from schemas.ids import AccountId
from tests.acceptance.told import (
    DAUGHTER,
    DAUGHTERS_MAIL,
    DAUGHTERS_PHONE,
    NEIGHBOUR,
    Telling,
    telling_town,
)
from tests.acceptance.town import Town
from tests.scenes import LIN, ROOT, WU, HandClock

BOSS = Account(AccountId("boss"), "Boss", "supervisor", ROOT, "en")
NIGHT = datetime(2026, 3, 4, 19, 12, tzinfo=UTC)
"""Twelve past three in the morning, in the home's zone."""


@pytest.fixture
async def telling(database_url: str, tmp_path: Path) -> AsyncIterator[Telling]:
    async with telling_town(database_url, tmp_path) as running:
        yield running


def look(clock: HandClock, action: str = "look") -> Entry:
    return Entry(clock.now(), ROOT, BOSS, action, {})


async def asked(town: Town, store: Any, how: str, *words: Any, **named: Any) -> Any:
    """A question to the record, over connections as the API's."""
    reach = Reach(town.url, SystemClock(), patience_s=5.0)
    await reach.open()
    try:
        return await getattr(store(reach), how)(*words, **named)
    finally:
        await reach.close()


async def sealed(town: Town) -> str:
    """The worker's loop has come round; the head it writes down."""
    await AuditSealing(town.line, town.clock, every_s=1, head_every_s=1).seal()
    code, head = await carebell(town, "audit", "head")
    assert code == 0
    return head.strip()


async def carebell(town: Town, *words: str) -> tuple[int, str]:
    """Somebody types a command at the machine."""
    environment = {"CAREBELL_DATABASE_URL": town.url}
    result = await asyncio.to_thread(CliRunner().invoke, app, words, env=environment)
    return result.exit_code, result.output


async def helped(
    town: Town, device: str, by: Owner, *, after_s: float, outcome: Outcome = Outcome.HELPED
) -> str:
    """Somebody presses, and a dispatcher answers so much later; the incident's id."""
    await town.press(device, f"{device} {town.clock.now():%d %H:%M}")
    incident = await town.incident()
    await town.later(seconds=after_s)
    assert await town.desk(Verb.ACKNOWLEDGE, incident["incident_id"], by=by) is None
    await town.later(seconds=60)
    done = await town.desk(Verb.RESOLVE, incident["incident_id"], by=by, outcome=outcome)
    assert done is None
    return str(incident["incident_id"])


async def counted(town: Town, question: Question, by: By) -> Report:
    """The worker has counted, the supervisor asks."""
    await FactKeeping(town.line, town.clock).catch_up()
    report: Report = await asked(
        town, PostgresServiceFigures, "service", question, by, look(town.clock)
    )
    return report


# ---- the log ---------------------------------------------------------------------------------


async def test_somebody_changes_what_the_log_says_about_03_12_and_verify_names_it(
    town: Town,
) -> None:
    town.clock.move_to(NIGHT)
    await helped(town, "button-1", WU, after_s=400)
    head = await sealed(town)
    code, told = await carebell(town, "audit", "verify", "--head", head)
    assert code == 0, told

    (entry,) = await town.rows("SELECT * FROM audit_log WHERE action = 'acknowledge'")
    with pytest.raises(errors.RaiseException, match="append-only"):
        await town.change("UPDATE audit_log SET at = at - interval '6 minutes'")
    await owner_of_the_server(
        town, f"UPDATE audit_log SET at = at - interval '6 minutes'"
              f" WHERE entry_id = {entry['entry_id']}",
    )  # fmt: skip
    code, told = await carebell(town, "audit", "verify")
    assert code == 3
    assert f"entry {entry['entry_id']} (block 1): changed" in told

    # Whoever removes it instead is named as well, with what is gone.
    await owner_of_the_server(town, f"DELETE FROM audit_log WHERE entry_id = {entry['entry_id']}")
    code, told = await carebell(town, "audit", "verify")
    assert (code, f"entry {entry['entry_id']} (block 1): missing" in told) == (3, True)


async def test_whoever_makes_the_whole_seal_anew_is_told_by_the_head_on_paper(
    town: Town,
) -> None:
    town.clock.move_to(NIGHT)
    await helped(town, "button-1", WU, after_s=400)
    on_paper = await sealed(town)
    await owner_of_the_server(
        town, "UPDATE audit_log SET actor_id = 'lin', actor_name = 'Lin' WHERE actor_id = 'wu'",
        "DELETE FROM audit_block",
    )  # fmt: skip
    await sealed(town)
    code, told = await carebell(town, "audit", "verify", "--json")
    assert (code, json.loads(told)["whole"]) == (0, True), "in itself it is whole"
    code, told = await carebell(town, "audit", "verify", "--head", on_paper)
    assert (code, "rewritten" in told or "truncated" in told) == (3, True)


async def owner_of_the_server(town: Town, *statements: str) -> None:
    """What only whoever owns the database can do: the triggers are switched off."""
    async with await psycopg.AsyncConnection.connect(town.url) as connection:
        await connection.execute("SET session_replication_role = replica")
        for statement in statements:
            await connection.execute(statement.encode())


# ---- the figures -----------------------------------------------------------------------------


async def test_the_supervisor_asks_who_was_late_on_sunday(town: Town) -> None:
    """Sunday is the home's: it begins at four in the afternoon of a Saturday in Greenwich."""
    evening = datetime(2026, 3, 7, 16, 10, tzinfo=UTC)  # Sunday, ten past midnight
    town.clock.move_to(evening)
    await helped(town, "button-1", LIN, after_s=20)
    await town.later(hours=5)
    late = await helped(town, "button-2", WU, after_s=250)
    await town.later(hours=10)
    await helped(town, "button-1", LIN, after_s=59, outcome=Outcome.FALSE_ALARM)
    town.clock.move_to(datetime(2026, 3, 8, 16, 5, tzinfo=UTC))  # Monday, five past midnight
    await helped(town, "button-2", WU, after_s=600)

    sunday = Question(ROOT, None, date(2026, 3, 8), date(2026, 3, 8))
    (day,) = (await counted(town, sunday, By.DAY)).rows
    assert (day["key"], day["incidents"], day["answered_60"], day["answered_180"]) == (
        "2026-03-08", 3, 2, 2,
    )  # fmt: skip
    assert (day["answered_60_percent"], day["false_alarms"]) == (66.7, 1)
    people = {row["key"]: row for row in (await counted(town, sunday, By.DISPATCHER)).rows}
    assert {key: (row["answered_60"], row["answered"]) for key, row in people.items()} == {
        "lin": (2, 2), "wu": (0, 1),
    }  # fmt: skip
    assert people["wu"]["answer_p50_s"] == 250.0

    case = await asked(
        town, PostgresCases, "case", late, town.clock.now(), look(town.clock, "report"),
        observations=False,
    )  # fmt: skip
    (times,) = (s for s in page_of(case, "en").sections if s.heading == "Times and targets")
    answered = dict(times.pairs)["answered"]
    assert answered.startswith("2026-03-08 05:1")
    assert "by Wu; after 0:04:10; target 60 s: missed, target 180 s: missed" in answered


async def test_practice_and_tests_make_no_figure_better(town: Town) -> None:
    town.clock.move_to(NIGHT)
    await helped(town, "button-1", WU, after_s=400)
    for minute in range(3):
        await town.later(minutes=10)
        await town.press("button-2", f"t-{minute}", action="test")
        await helped(town, "button-2", LIN, after_s=1, outcome=Outcome.TEST)
    (row,) = (
        await counted(town, Question(ROOT, None, date(2026, 3, 1), date(2026, 3, 31)), By.TOTAL)
    ).rows
    assert (row["incidents"], row["tests"], row["answered_60"], row["answered_60_percent"]) == (
        1, 3, 0, 0.0,
    )  # fmt: skip


async def test_a_press_nobody_answered_counts_against_the_minute(town: Town) -> None:
    town.clock.move_to(NIGHT)
    await town.press("button-1", "1")
    await town.later(minutes=30)
    span = Question(ROOT, None, date(2026, 3, 1), date(2026, 3, 31))
    (row,) = (await counted(town, span, By.TOTAL)).rows
    assert (row["open"], row["rang"], row["answered"], row["answered_180_percent"]) == (1, 1, 0, 0)
    incident = await town.incident()
    await town.desk(Verb.ACKNOWLEDGE, incident["incident_id"])
    (row,) = (await counted(town, span, By.TOTAL)).rows
    assert (row["answered"], row["answered_180"], row["answer_p50_s"]) == (1, 0, 1800.0)


# ---- rounds ----------------------------------------------------------------------------------


async def test_the_weekly_test_was_forgotten(town: Town) -> None:
    """Served for a year: a test is owed every week, a visit every month."""
    town.clock.move_to(NIGHT)
    for noun in ("person", "device"):
        await town.change(f"UPDATE {noun} SET registered_at = %s", NIGHT - timedelta(days=365))
    for device in ("button-1", "button-2"):
        await town.press(device, "test 1", action="test")
    assert await behind(town) == {"anna": "visit", "bo": "visit"}
    await town.later(days=3)
    await town.press("button-2", "test 2", action="test")
    await town.later(days=4, hours=1)
    assert await behind(town) == {"anna": "test visit", "bo": "visit"}
    assert town.rings() == [], "a test rings nobody"
    assert town.receipts("button-1") == ["received"], "whoever tests hears that it works"

    # The visitor who comes presses the button with her; both are proven.
    visit = Visit("v-1", "anna", town.clock.now(), VisitKind.MONTHLY, "Sister Zhou",
                  signature_reference="folder 12")  # fmt: skip
    await asked(town, PostgresVisits, "add", visit, look(town.clock, "add"))
    await town.press("button-1", "test 3", action="test")
    assert await behind(town) == {"bo": "visit"}
    (row,) = (r for r in await rounds(town) if r["person_id"] == "anna")
    (alarm,) = await town.rows("SELECT * FROM alarm WHERE message_id = 'test 3'")
    assert (row["last_test_alarm_id"], row["visitor_name"], row["signature_reference"]) == (
        alarm["alarm_id"], "Sister Zhou", "folder 12",
    )  # fmt: skip

    await town.change("UPDATE person SET state = 'hospital' WHERE person_id = 'bo'")
    await town.later(days=6)
    assert await behind(town) == {}, "nobody tests a button at home from hospital"
    await town.later(days=2)
    assert await behind(town) == {"anna": "test"}


async def rounds(town: Town) -> list[dict[str, Any]]:
    """As the page asks, with the usual days."""
    now = town.clock.now()
    week_ago, month_ago = now - timedelta(days=7), now - timedelta(days=31)
    asking = Round(None, week_ago, month_ago, Overdue.ANY, "", 100)
    everybody = replace(asking, overdue=None)
    found: list[dict[str, Any]] = await asked(
        town, PostgresVisits, "rounds", everybody, look(town.clock)
    )
    overdue = await asked(town, PostgresVisits, "rounds", asking, look(town.clock))
    late = [row for row in found if row["test_overdue"] or row["visit_overdue"]]
    assert overdue == late, "the list of who is overdue is no other list"
    return found


async def behind(town: Town) -> dict[str, str]:
    """Who is behind with what."""
    told = {
        row["person_id"]: " ".join(what for what in ("test", "visit") if row[f"{what}_overdue"])
        for row in await rounds(town)
    }
    return {person: what for person, what in told.items() if what}


# ---- one incident ----------------------------------------------------------------------------


async def test_the_family_wants_to_know_what_happened(telling: Telling) -> None:
    """One report with everybody who was told, by which way, and what came of it."""
    town = telling.town
    town.clock.move_to(NIGHT)
    await town.press("button-1", "1")
    incident = await town.incident()
    for recipient, channel in ((DAUGHTER, "sms"), (DAUGHTER, "email"), (NEIGHBOUR, "voice")):
        await telling.tells(recipient, channel)
    await town.later(seconds=45)
    await town.desk(Verb.ACKNOWLEDGE, incident["incident_id"], by=WU)
    await town.later(minutes=9)
    await town.desk(Verb.ATTEND, incident["incident_id"], by=WU)
    note = "bruised, otherwise well"
    await town.desk(Verb.RESOLVE, incident["incident_id"], by=WU, note=note)
    await sealed(town)
    case = await asked(
        town, PostgresCases, "case", incident["incident_id"], town.clock.now(),
        look(town.clock, "report"), observations=False,
    )  # fmt: skip

    kept = await town.rows("SELECT notification_id FROM notification ORDER BY notification_id")
    assert [n["notification_id"] for n in case.notifications] == [
        row["notification_id"] for row in kept
    ], "every one, also those to desk and device"
    english = {section.heading: section for section in page_of(case, "en").sections}
    told = english["Who was told, and how it was delivered"].table
    assert told is not None
    assert len(told.rows) == len(kept)
    lines = [" | ".join(row) for row in told.rows]
    rings = [line for line in lines if "somebody is needed" in line]
    assert [line for line in rings if "Mei (daughter)" in line and "SMS +86138***01" in line]
    assert [line for line in rings if "Mei (daughter)" in line and "e-mail" in line]
    assert [line for line in rings if "Old Zhang" in line and "no receipt came" in line]
    assert [line for line in lines if "Mei (daughter)" in line and "it is over" in line]
    everything = str(page_of(case, "en"))
    assert DAUGHTERS_PHONE not in everything, "a report travels; numbers stay in the register"
    assert DAUGHTERS_MAIL not in everything
    times = dict(english["Times and targets"].pairs)
    assert "by Wu; after 0:00:45; target 60 s: met" in times["answered"]
    assert dict(english["Summary"].pairs)["note"] == note

    steps = english["What happened, step by step"].table
    assert steps is not None
    happened = [row[2] for row in steps.rows if row[2] not in ("message", "people were called")]
    assert happened == ["alarm", "took responsibility", "is with the person", "closed it"]
    proofs = english["Proof that the log was not changed"].table
    assert proofs is not None
    assert len(proofs.rows) == len(steps.rows), "each step is proven"

    chinese = page_of(case, "zh-CN")
    words = [cell for section in chinese.sections[1:-1] for cell in cells_of(section)]
    assert [cell for cell in words if "attempt" in cell or "recipient" in cell] == []


def cells_of(section: Section) -> list[str]:
    rows = section.table.rows if section.table else ()
    return [section.heading, *(cell for row in rows for cell in row)]
