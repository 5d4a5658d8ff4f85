"""`carebell figures`, `incident report`, `visits import` and `rounds`, typed at the machine."""

import asyncio
import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from hub.api.record_models import RoundRow, ServiceRow
from hub.cli import app
from hub.service_report import SERVICE_COLUMNS
from hub.visits import ROUND_COLUMNS
from tests.integration.desk_database import DatabaseServer
from tests.integration.service_town import Town, usual_days

MARCH = ("--from", "2026-03-01", "--to", "2026-03-31")
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def url(postgres_server: DatabaseServer) -> str:
    """A week that the worker has counted."""
    address = postgres_server.fresh()
    town = Town(address)
    usual_days(town)
    asyncio.run(town.counts())
    return address


def carebell(url: str, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, words, env={"CAREBELL_DATABASE_URL": url})
    return result.exit_code, result.output


def written(url: str, path: Path, *words: str) -> bytes:
    code, told = carebell(url, *words, "--out", str(path))
    assert (code, told.strip()) == (0, str(path))
    return path.read_bytes()


def test_figures_in_words(url: str) -> None:
    code, told = carebell(url, "figures", *MARCH)
    assert code == 0, told
    assert "2026-03-01 to 2026-03-31, days of Asia/Shanghai" in told
    assert "all: 7 incidents, 1 open" in told
    assert "answered within 60 s 2 of 6 (33.3 %), within 180 s 4 of 6 (66.7 %)" in told
    assert "attended within target 1 of 2 (50.0 %)" in told
    assert "false alarms 3 of 6 (50.0 %); rang again 1; undelivered 1" in told
    code, told = carebell(url, "figures", *MARCH, "--by", "dispatcher", "--area", "east")
    assert "Wang: 1 incidents" in told
    assert carebell(url, "figures")[0] == 0, "of the last month, in which nothing was"


def test_figures_as_a_file(url: str, tmp_path: Path) -> None:
    content = written(url, tmp_path / "f.csv", "figures", *MARCH, "--by", "day", "--csv", "--bom")
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [(row["key"], row["incidents"]) for row in rows] == [
        ("2026-03-01", "1"), ("2026-03-02", "4"), ("2026-03-03", "2"),
    ]  # fmt: skip
    assert tuple(rows[0]) == SERVICE_COLUMNS == tuple(ServiceRow.model_fields)


@pytest.mark.parametrize(
    "words",
    [("--from", "yesterday"), ("--from", "2026-03-05", "--to", "2026-03-01"),
     ("--from", "0001-01-01"), ("--to", "0001-01-01"), ("--to", "9999-12-31"),
     ("--area", "none-such"), ("--by", "weather")],
    ids=" ".join,
)  # fmt: skip
def test_what_makes_no_sense_is_told_in_words(url: str, words: tuple[str, ...]) -> None:
    code, told = carebell(url, "figures", *words)
    assert code in (1, 2), told
    assert "Traceback" not in told
    assert told.strip(), "it says why"


def test_one_incident_as_a_report(url: str, tmp_path: Path) -> None:
    page = written(url, tmp_path / "r.html", "incident", "report", "i-2").decode()
    assert "事件报告" in page
    assert "安娜" in page
    english = written(url, tmp_path / "e.html", "incident", "report", "i-2", "--language", "en")
    assert b"target 60 s: missed" in english
    case = json.loads(written(url, tmp_path / "r.json", "incident", "report", "i-2",
                              "--format", "json"))  # fmt: skip
    assert case["incident"]["incident_id"] == "i-2"
    assert {n["channel"]: n["state"] for n in case["notifications"]} == {
        "desk": "sent", "sms": "failed",
    }  # fmt: skip
    printed = written(url, tmp_path / "r.pdf", "incident", "report", "i-2", "--format", "pdf")
    assert printed.startswith(b"%PDF")
    with psycopg.connect(url) as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM audit_log WHERE action = 'report' AND incident_id = 'i-2'"
        ).fetchall()
    assert count == (4,), "each export is logged"
    code, told = carebell(url, "incident", "report", "none-such")
    assert (code, "no such incident" in told) == (1, True)
    code, told = carebell(url, "incident", "report", "i-2", "--language", "klingon")
    assert code == 2, told


def test_visits_from_a_file_and_who_is_overdue(url: str, tmp_path: Path) -> None:
    with psycopg.connect(url) as connection:  # they are not new
        connection.execute("UPDATE person SET registered_at = NULL")
        connection.execute("UPDATE device SET registered_at = NULL")
    code, told = carebell(url, "rounds", "--overdue", "visit")
    assert code == 0, told
    assert "ben\tBen\thome\tnever OVERDUE\tnever OVERDUE" in told
    assert told.strip().endswith(
        "2 people; overdue: 2 with the test of the button (every 7 days),"
        " 2 with a visit (every 31 days)"
    )
    at = (NOW - timedelta(days=2)).isoformat()
    file = tmp_path / "visits.csv"
    file.write_text(f"person_id,at,visitor_name\nanna,{at},Wu\nnobody,{at},Wu\n", encoding="utf-8")
    code, told = carebell(url, "visits", "import", str(file), "--commit")
    assert (code, "row 2: person_id: there is no person nobody" in told) == (1, True)
    file.write_text(f"person_id,at,visitor_name\nanna,{at},Wu\n", encoding="utf-8")
    code, told = carebell(url, "visits", "import", str(file))
    assert (code, told.strip()) == (0, "1 visits would be brought in (--commit), 0 known already")
    code, told = carebell(url, "visits", "import", str(file), "--commit")
    assert (code, told.strip()) == (0, "1 visits brought in, 0 known already")
    code, told = carebell(url, "visits", "import", str(file), "--commit")
    assert told.strip() == "0 visits brought in, 1 known already"
    code, told = carebell(url, "rounds", "--overdue", "visit")
    assert "anna" not in told
    content = written(url, tmp_path / "rounds.csv", "rounds", "--csv", "--area", "east")
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert tuple(rows[0]) == ROUND_COLUMNS == tuple(RoundRow.model_fields)
    assert [(r["person_id"], r["visit_overdue"], r["visitor_name"]) for r in rows] == [
        ("anna", "false", "Wu"), ("ben", "true", ""),
    ]  # fmt: skip
    code, told = carebell(url, "rounds", "--area", "none-such")
    assert code == 1
    with psycopg.connect(url) as connection:
        (actor,) = connection.execute(
            "SELECT DISTINCT actor_kind FROM audit_log WHERE action = 'import'"
        ).fetchall()
    assert actor == ("operator",), "no account did it"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01", b"a,b\n1,2\n"])
def test_what_is_no_table_is_told_in_words(url: str, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "visits.csv"
    file.write_bytes(content)
    code, told = carebell(url, "visits", "import", str(file))
    assert code == 1, told
    assert "Traceback" not in told
    assert carebell(url, "visits", "import", str(tmp_path / "none.csv"))[0] == 1


def test_without_a_database_commands_say_so(tmp_path: Path) -> None:
    nowhere = "postgresql://carebell@127.0.0.1:1/none"
    for words in (("figures",), ("rounds",), ("incident", "report", "i-1"), ("audit", "verify"),
                  ("audit", "head")):  # fmt: skip
        code, told = carebell(nowhere, *words)
        assert code == 1, (words, told)
        assert "Traceback" not in told
        assert told.strip(), words
