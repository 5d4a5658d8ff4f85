"""`carebell rota` and `carebell reach` on a real database, as somebody types them."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from typer.testing import CliRunner

from hub.cli import app
from tests.integration.api_hub import seed

ZONE = ZoneInfo("Asia/Shanghai")


class Shell:
    """A terminal beside the hub."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.url = database_url
        self._run = CliRunner(
            env={"CAREBELL_DATABASE_URL": database_url, "CAREBELL_DATA_DIR": str(folder)}
        )

    def says(self, line: str, *more: str, code: int = 0) -> str:
        """What `carebell LINE` prints; `more` are arguments with spaces in them."""
        result = self._run.invoke(app, [*line.split(), *more])
        assert result.exit_code == code, result.output
        return result.output

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    seed(database_url)
    return Shell(database_url, tmp_path)


def local(days: int, hour: int) -> str:
    """So many days from today, in the hub's zone, as it is typed."""
    day = datetime.now(UTC).astimezone(ZONE).date() + timedelta(days=days)
    return f"{day}T{hour:02d}:00"


def test_a_week_is_planned_changed_once_and_ended(shell: Shell) -> None:
    assert shell.says("rota show") == "There is no rota.\n"
    assert shell.says("rota gaps") == "None.\n", "where nobody plans there is no hole"
    said = shell.says("rota set east east-desk daily 00:00-12:00")
    assert re.fullmatch(r"Weekly [\d, ]+: east-desk, daily 00:00-12:00.\n", said)
    shown = shell.says("rota show --days 2")
    assert shown.count("weekly ") == 7
    assert "east  dispatcher  mon 00:00-12:00 Asia/Shanghai  east-desk" in shown
    assert "East-Desk" in shown, "the shifts that come of it, by name"

    holes = shell.says("rota gaps --days 3", code=1)
    assert f"{local(1, 12).replace('T', ' ')} to " in holes
    assert "east  dispatcher" in holes
    shell.says("rota set east mei daily 12:00-00:00 --duty dispatcher")
    assert shell.says("rota gaps --days 3") == "None.\n"
    day = f"{local(2, 0)} {local(2, 12)}"
    changed = shell.says(f"rota swap east {day} --instead-of east-desk --why", "a wedding")
    assert "carebell rota gaps" in changed
    (number,) = re.findall(r"Change (\d+)", changed)
    holes = shell.says("rota gaps --days 3", code=1)
    assert [line.split("  ")[1:] for line in holes.splitlines()] == [["east", "dispatcher"]]
    assert "nobody instead of east-desk  a wedding" in shell.says("rota show")
    shell.says(f"rota swap east {day} --who nobody", code=1)
    shell.says(f"rota swap east {day} --who mei")
    assert shell.says("rota gaps --days 3") == "None.\n"
    assert f"Change {number} is taken back" in shell.says(f"rota drop {number}")
    shell.says(f"rota drop {number}", code=1)

    rows = [json.loads(line) for line in shell.says("rota show --json").splitlines()]
    weekly = {row["weekly_id"] for row in rows if row["what"] == "weekly"}
    for each in sorted(weekly):
        shell.says(f"rota end {each}")
    assert "weekly " not in shell.says("rota show")
    shell.says("rota end 999999", code=1)
    acts = {
        row[0] for row in shell.rows("SELECT action FROM audit_log WHERE actor_kind = 'operator'")
    }
    assert {"rota_planned", "rota_changed", "rota_change_dropped", "rota_ended"} <= acts


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("rota set east west-desk daily 08:00-16:00", "does not see east"),
        ("rota set east ghost daily 08:00-16:00", "ghost"),
        ("rota set mars mei daily 08:00-16:00", "mars"),
        ("rota set east mei someday 08:00-16:00", "someday"),
        ("rota set east mei daily 8-16", "08:00-16:00"),
        ("rota set east mei daily 08:00-16:00 --until yesterday", "2026-03-02"),
        ("rota swap east noon tonight --who mei", "2026-03-02T08:00"),
    ],
)
def test_what_cannot_be_planned_is_said(shell: Shell, line: str, why: str) -> None:
    assert why in shell.says(line, code=1)
    assert shell.rows("SELECT 1 FROM rota_weekly UNION ALL SELECT 1 FROM rota_change") == []


def test_circles_and_numbers_of_an_area(shell: Shell) -> None:
    said = shell.says("reach area east-1")
    assert re.search(r"arrive_within_min +\d+ +\(inherited\)", said)
    assert "ambulance  120" in said
    shell.says("reach area east --within 10 --settlement rural --ambulance 999")
    below = json.loads(shell.says("reach area east-1 --json"))
    assert below["own"]["arrive_within_min"] is None
    assert (below["holds"]["arrive_within_min"], below["holds"]["settlement"]) == (10, "rural")
    assert "ambulance  999" in shell.says("reach area east-1")
    shell.says("reach area east --within -")
    assert json.loads(shell.says("reach area east --json"))["own"]["arrive_within_min"] is None
    assert "mars" in shell.says("reach area mars", code=1)
    assert "minutes" in shell.says("reach area east --within soon", code=2).lower()
    logged = shell.rows("SELECT count(*) FROM audit_log WHERE action = 'change'")
    assert logged == [(2,)], "each setting, and no look"


def test_who_is_nearest_to_a_home(shell: Shell) -> None:
    assert "Nobody is available" in shell.says("reach nearest home-1")
    with psycopg.connect(shell.url) as connection:
        connection.execute(
            "INSERT INTO responder (responder_id, area_id, kind, name, phone, latitude, longitude)"
            " VALUES ('far', 'east', 'person', 'Zhou', '1', 31.3, 121.4),"
            " ('near', 'east', 'person', 'Chen', '2', 31.201, 121.4)"
        )
    listed = shell.says("reach nearest home-1").splitlines()
    assert [line.split()[0] for line in listed] == ["near", "far"]
    assert re.fullmatch(r"near  Chen  111 m  \d+ min", listed[0])
    (first,) = shell.says("reach nearest home-1 --limit 1 --json").splitlines()
    assert json.loads(first)["responder_id"] == "near"
