"""Figures of the service against a town that was counted by hand."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from hub.clock import SystemClock
from hub.service_report import By, Concern, Question, Report
from hub.store.reach import Reach
from hub.store.service_figures import PostgresServiceFigures
from tests.integration.service_town import MORNING, RING, Town, usual_days

MARCH = Question("city", None, date(2026, 3, 1), date(2026, 3, 31))


@pytest.fixture
def town(database_url: str) -> Town:
    living = Town(database_url)
    usual_days(living)
    assert living.counted() == 10
    return living


def asked(town: Town, how: str, *words: Any) -> Report:
    async def ask() -> Report:
        reach = Reach(town.url, SystemClock(), patience_s=5.0)
        await reach.open()
        try:
            answer: Report = await getattr(PostgresServiceFigures(reach), how)(*words, None)
            return answer
        finally:
            await reach.close()

    return asyncio.run(ask())


def test_a_tested_channel_stops_no_count(town: Town) -> None:
    """Its notification belongs to no incident."""
    with psycopg.connect(town.url) as connection:
        tested = MORNING + timedelta(days=1)
        connection.execute(RING, ("city", None, "sms", "sent", tested, tested, tested, "taken"))
    town.incident("i-late", answered=30)
    assert town.counted() > 0
    assert asked(town, "service", MARCH, By.TOTAL).rows[0]["incidents"] == 8


def test_everything_together(town: Town) -> None:
    report = asked(town, "service", MARCH, By.TOTAL)
    (row,) = report.rows
    assert report.time_zone == "Asia/Shanghai"
    assert report.as_of is not None
    assert row == {
        "key": "", "label": None,
        "incidents": 7, "tests": 1, "high": 7, "open": 1,
        # i-1 20 s, i-2 100 s, late-evening 200 s, i-4 61 s, i-5 5 s; i-3 nobody; `asked` never rang
        "rang": 6, "answered": 5,
        "answered_60": 2, "answered_60_percent": 33.3,
        "answered_180": 4, "answered_180_percent": 66.7,
        "answer_p50_s": 61.0, "answer_p90_s": 160.0, "answer_p99_s": 196.0,
        "attended": 2, "attended_of": 2, "attended_within": 1, "attended_within_percent": 50.0,
        "attend_p50_s": 900.0, "attend_p90_s": 1140.0,
        "sent_first": 2, "dwell_p50_s": 2.0, "dwell_p90_s": 2.4, "dwell_p99_s": 2.5,
        "resolved": 6, "false_alarms": 3, "false_alarm_percent": 50.0,
        "rerang": 1, "told": 2, "undelivered": 1,
    }  # fmt: skip


def test_days_are_those_of_the_area(town: Town) -> None:
    rows = asked(town, "service", MARCH, By.DAY).rows
    assert [(r["key"], r["incidents"]) for r in rows] == [
        ("2026-03-01", 1),  # half past ten in the evening in the west, past midnight in Beijing
        ("2026-03-02", 4),
        ("2026-03-03", 2),
    ]
    page = replace(MARCH, after="2026-03-01", limit=1)
    assert [r["key"] for r in asked(town, "service", page, By.DAY).rows] == ["2026-03-02"]


def test_an_area_counts_what_lies_below_it(town: Town) -> None:
    rows = asked(town, "service", MARCH, By.AREA).rows
    assert {r["key"]: (r["label"], r["incidents"]) for r in rows} == {
        "city": ("City", 7), "east": ("East", 6), "east-1": ("East 1", 5), "west": ("West", 1),
    }  # fmt: skip
    east = replace(MARCH, seat="east", areas=["east", "east-1"])
    assert {r["key"]: r["incidents"] for r in asked(town, "service", east, By.AREA).rows} == {
        "east": 6, "east-1": 5,
    }  # fmt: skip


def test_by_dispatcher_is_who_answered_first(town: Town) -> None:
    rows = asked(town, "service", MARCH, By.DISPATCHER).rows
    assert {(r["key"], r["answered"], r["answered_60"]) for r in rows} == {
        ("", 0, 0), ("lin", 4, 2), ("wang", 1, 0),
    }  # fmt: skip


def test_equipment_is_counted_apart(town: Town) -> None:
    (row,) = asked(town, "service", replace(MARCH, concern=Concern.TECHNICAL), By.TOTAL).rows
    assert (row["incidents"], row["attended_within_percent"]) == (1, None)


def test_what_raises_false_alarms(town: Town) -> None:
    first, second, *_ = asked(town, "false_alarms", MARCH).rows
    assert first == {
        "device_kind": "button", "device_model": "SOS-7", "firmware": "2.4.1",
        "detector": "press", "incidents": 4,
        "judged": 4, "false_alarms": 3, "unfounded": 0, "withdrawn": 0, "devices": 1,
    }  # fmt: skip
    assert second["false_alarms"] == 0


def test_a_new_firmware_is_counted_by_itself(town: Town) -> None:
    """What was raised before an update stays with the old version, looked at anew or not."""
    with psycopg.connect(town.url) as connection:
        connection.execute("UPDATE device_last SET state = '2.5.0' WHERE device_id = 'button-1'")
        connection.execute("UPDATE incident SET revision = 9, changed_txid = pg_current_xact_id()")
    town.incident("i-9", at=MORNING + timedelta(days=2), answered=5, outcome="false_alarm")
    assert town.counted(MORNING + timedelta(days=3)) >= 11
    found = {
        (r["device_model"], r["firmware"]): r["false_alarms"]
        for r in asked(town, "false_alarms", MARCH).rows
        if r["device_kind"] == "button"
    }
    assert found == {("SOS-7", "2.4.1"): 3, ("SOS-7", "2.5.0"): 1}


def test_who_presses_falsely_again_and_again(town: Town) -> None:
    (row,) = asked(town, "pressers", MARCH, 3).rows
    assert (row["person_id"], row["name"], row["false_presses"], row["presses"]) == (
        "anna", "安娜", 3, 4,
    )  # fmt: skip
    assert asked(town, "pressers", MARCH, 4).rows == []
    assert asked(town, "pressers", replace(MARCH, areas=["west"]), 3).rows == []


def test_what_reached_nobody(town: Town) -> None:
    (row,) = asked(town, "undelivered", MARCH).rows
    assert (row["channel"], row["state"], row["reason"], row["notifications"]) == (
        "sms", "failed", "refused", 1,
    )  # fmt: skip


def test_what_changes_later_is_counted_later(town: Town) -> None:
    """A resolve, a late send, and an incident that turns out to be practice."""
    assert town.counted(MORNING + timedelta(days=2)) == 0, "nothing new"
    with psycopg.connect(town.url) as connection:
        connection.execute(
            "UPDATE incident SET state = 'resolved', outcome = 'helped', next_deadline_at = NULL,"
            " changed_txid = pg_current_xact_id() WHERE incident_id = 'i-3'"
        )
        connection.execute("UPDATE incident SET drill = true, changed_txid = pg_current_xact_id()"
                           " WHERE incident_id = 'i-5'")  # fmt: skip
    assert town.counted(MORNING + timedelta(days=2)) == 2
    (row,) = asked(town, "service", MARCH, By.TOTAL).rows
    assert (row["open"], row["incidents"], row["false_alarms"]) == (0, 6, 2)
