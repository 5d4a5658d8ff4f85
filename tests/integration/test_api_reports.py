"""Figures of the service over HTTP, as JSON and as a file, of a town that was counted by hand."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from hub.service_report import SERVICE_COLUMNS
from tests.integration.api_hub import ACCOUNTS, QUICK_HASH, ApiHub, api_hub
from tests.integration.desk_database import DatabaseServer
from tests.integration.service_town import Town, usual_days

pytestmark = pytest.mark.asyncio(loop_scope="module")

MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(
    postgres_server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ApiHub]:
    """A week that the worker has counted; tests here only read."""
    url = postgres_server.fresh()
    town = Town(url)
    with psycopg.connect(url) as connection:
        for username, area_id, role in (*ACCOUNTS, ("east-boss", "east", "supervisor")):
            connection.execute(
                "INSERT INTO account (account_id, area_id, username, name, password_hash, role,"
                " language) VALUES (%s, %s, %s, %s, %s, %s, 'en')",
                (username, area_id, username, username.title(), QUICK_HASH, role),
            )
    usual_days(town)
    await town.counts()
    async with api_hub(url, tmp_path_factory.mktemp("reports")) as running:
        await running.parts.switchboard.loaded.wait()
        yield running


async def asked(hub: ApiHub, what: str, who: str = "boss", **words: str) -> Any:
    async with hub.desk(who) as desk:
        answer = await desk.get(f"/api/v1/reports/{what}", params=MARCH | words)
    assert answer.status_code == 200, answer.text
    return answer


async def test_the_supervisor_reads_how_well_the_city_was_served(hub: ApiHub) -> None:
    told = (await asked(hub, "service")).json()
    (row,) = told.pop("items")
    assert told.pop("as_of") is not None
    assert told == {
        "area_id": "city", "from": "2026-03-01", "to": "2026-03-31", "concern": "people",
        "time_zone": "Asia/Shanghai", "by": "total", "next_cursor": None,
    }  # fmt: skip
    assert tuple(row) == SERVICE_COLUMNS
    assert (row["incidents"], row["rang"], row["answered_60"], row["answered_60_percent"]) == (
        7, 6, 2, 33.3,
    )  # fmt: skip
    assert (row["attended_within"], row["attended_of"]) == (1, 2)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("day", {"2026-03-01": 1, "2026-03-02": 4, "2026-03-03": 2}),
        ("area", {"city": 7, "east": 6, "east-1": 5, "west": 1}),
        ("dispatcher", {"": 2, "lin": 4, "wang": 1}),
    ],
)
async def test_told_apart(hub: ApiHub, by: str, expected: dict[str, int]) -> None:
    rows = (await asked(hub, "service", by=by)).json()["items"]
    assert {row["key"]: row["incidents"] for row in rows} == expected


async def test_whoever_sits_below_sees_only_what_lies_below(hub: ApiHub) -> None:
    rows = (await asked(hub, "service", "east-boss", by="area")).json()["items"]
    assert [row["key"] for row in rows] == ["east", "east-1"]
    assert (await asked(hub, "service", "east-boss")).json()["area_id"] == "east"
    async with hub.desk("east-boss") as desk:
        for what in ("service", "false-alarms", "pressers", "undelivered"):
            for area_id in ("city", "west", "none-such"):
                query = MARCH | {"area_id": area_id}
                answer = await desk.get(f"/api/v1/reports/{what}", params=query)
                assert answer.status_code == 404, (what, area_id)
    async with hub.desk("mei") as desk:
        assert (await desk.get("/api/v1/reports/service")).status_code == 403


async def test_false_alarms_by_model_and_detector(hub: ApiHub) -> None:
    first, *others = (await asked(hub, "false-alarms")).json()["items"]
    assert first == {
        "device_kind": "button", "device_model": "SOS-7", "firmware": "2.4.1",
        "detector": "press", "devices": 1,
        "incidents": 4, "judged": 4, "false_alarms": 3, "false_alarm_percent": 75.0,
        "unfounded": 0, "withdrawn": 0,
    }  # fmt: skip
    assert all(row["false_alarms"] == 0 for row in others)


async def test_frequent_false_pressers(hub: ApiHub) -> None:
    told = (await asked(hub, "pressers")).json()
    (row,) = told["items"]
    assert (told["least"], row["person_id"], row["false_presses"], row["presses"]) == (
        3, "anna", 3, 4,
    )  # fmt: skip
    assert row["last_day"] == "2026-03-03"
    assert (await asked(hub, "pressers", least="4")).json()["items"] == []


async def test_what_reached_nobody(hub: ApiHub) -> None:
    (row,) = (await asked(hub, "undelivered")).json()["items"]
    assert row == {
        "channel": "sms", "state": "failed", "reason": "refused", "kind": "ring",
        "notifications": 1, "incidents": 1,
    }  # fmt: skip


@pytest.mark.parametrize("what", ["service", "false-alarms", "pressers", "undelivered"])
async def test_each_report_is_also_a_file_with_the_same_numbers(hub: ApiHub, what: str) -> None:
    rows = (await asked(hub, what)).json()["items"]
    answer = await asked(hub, what, format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{what}.csv"'
    assert answer.content.count(b"\r\n") == len(rows) + 1
    told = list(csv.DictReader(io.StringIO(answer.text)))
    assert [list(row) for row in told] == [list(row) for row in rows]
    for mine, theirs in zip(told, rows, strict=True):
        assert mine == {k: "" if v is None else str(v) for k, v in theirs.items()}
    marked = await asked(hub, what, format="csv", bom="true")
    assert marked.content == b"\xef\xbb\xbf" + answer.content
    empty = await asked(hub, what, **{"format": "csv", "from": "2020-01-01", "to": "2020-01-02"})
    assert empty.text.splitlines()[0] == answer.text.splitlines()[0]


async def test_all_of_it_is_printed_in_the_readers_language(hub: ApiHub) -> None:
    """The same numbers as on the page, with a chart; as PDF for the file, in either language."""
    shown = (await asked(hub, "printed", format="html", language="en")).text
    for part in ("33.3 % (2 of 6)", "<polyline", "East 1", "SOS-7", "Button tests and visits"):
        assert part in shown, part
    printed = await asked(hub, "printed", language="zh-CN")
    assert printed.content.startswith(b"%PDF")
    assert "service_2026-03-01_2026-03-31.pdf" in printed.headers["content-disposition"]
    nothing = await asked(
        hub, "printed", format="html", **{"from": "2027-01-01", "to": "2027-01-02"}
    )
    assert "None in this time" in nothing.text


async def test_an_empty_span_is_told_as_nothing_not_as_a_hundred_percent(hub: ApiHub) -> None:
    told = await asked(hub, "service", **{"from": "2020-01-01", "to": "2020-01-02"})
    assert told.json()["items"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"from": "2026-03-02", "to": "2026-03-01"}, {"from": "2024-01-01", "to": "2026-03-01"},
        {"from": "yesterday"}, {"by": "weather"}, {"concern": "x"}, {"format": "xls"},
        {"cursor": "_w"}, {"area_id": "Not An Id"},
    ],
    ids=str,
)  # fmt: skip
async def test_what_makes_no_sense(hub: ApiHub, wrong: dict[str, str]) -> None:
    async with hub.desk("boss") as desk:
        answer = await desk.get("/api/v1/reports/service", params=wrong)
    assert answer.status_code == 422, answer.text


async def test_the_end_of_the_calendar_is_no_error_of_ours(hub: ApiHub) -> None:
    async with hub.desk("boss") as desk:
        for what in ("service", "false-alarms", "pressers", "undelivered"):
            for query in ({"to": "0001-01-01"}, {"from": "9999-12-31", "to": "9999-12-31"}):
                answer = await desk.get(f"/api/v1/reports/{what}", params=query)
                assert answer.status_code in (200, 422), (what, query, answer.text)


async def test_every_look_at_figures_is_logged(hub: ApiHub) -> None:
    await asked(hub, "pressers", "east-boss")
    looks = hub.rows("SELECT area_id, detail FROM audit_log WHERE action = 'look' AND actor_id ="
                     " 'east-boss' AND detail->>'what' = 'pressers'")  # fmt: skip
    assert looks == [("east", {
        "noun": "service_figures", "what": "pressers", "area_id": "east", "from": "2026-03-01",
        "to": "2026-03-31",
    })]  # fmt: skip


async def test_how_far_the_log_is_sealed(hub: ApiHub) -> None:
    async with hub.desk("boss") as desk:
        told = (await desk.get("/api/v1/audit/head")).json()
    assert (told["head"], told["sealed_at"]) == (None, None)
    assert told["waiting"] > 0
    assert told["waiting_s"] > 0
