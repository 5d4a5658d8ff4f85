"""`carebell account` and `carebell import` on a real database."""

import re
from pathlib import Path

import psycopg
import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner

from hub.cli import app
from tests.integration.api_hub import seed


@pytest.fixture
def carebell(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Command":
    seed(database_url)
    monkeypatch.setenv("CAREBELL_DATABASE_URL", database_url)
    monkeypatch.setenv("CAREBELL_DATA_DIR", str(tmp_path))
    return Command(database_url)


class Command:
    """The command line with a database behind it."""

    def __init__(self, database_url: str) -> None:
        self.url = database_url

    def run(self, *arguments: str, said: str | None = None, code: int = 0) -> str:
        result = CliRunner().invoke(app, arguments, input=said)
        assert result.exit_code == code, result.output
        return result.output

    def value(self, query: str) -> object:
        with psycopg.connect(self.url) as connection:
            row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


def test_an_account_is_added_disabled_and_given_a_new_password(carebell: Command) -> None:
    carebell.run("account", "add", "lin", "--name", "Lin", "--role", "supervisor", "--area",
                 "east", said="eleven blue bicycles\n")  # fmt: skip
    listed = carebell.run("account", "list", "--area", "east")
    assert "lin\tsupervisor\teast\tLin" in listed
    assert "argon2" not in listed
    carebell.run("account", "disable", "lin")
    assert carebell.value("SELECT disabled FROM account WHERE account_id = 'lin'") is True
    carebell.run("account", "enable", "lin")
    assert carebell.value("SELECT disabled FROM account WHERE account_id = 'lin'") is False
    told = carebell.run("account", "reset-password", "lin")
    (password,) = re.findall(r"lin +(\S+)", told)
    kept = carebell.value("SELECT password_hash FROM account WHERE account_id = 'lin'")
    assert PasswordHasher().verify(str(kept), password)
    must = carebell.value("SELECT must_change_password FROM account WHERE account_id = 'lin'")
    assert must is True
    logged = carebell.value("SELECT string_agg(action, ' ' ORDER BY entry_id) FROM audit_log")
    assert logged == "add change change reset_password"
    assert password not in str(carebell.value("SELECT string_agg(detail::text, '') FROM audit_log"))


def test_disabling_ends_log_ins(carebell: Command) -> None:
    with psycopg.connect(carebell.url) as connection:
        connection.execute(
            "INSERT INTO desk_session (token_sha256, account_id, created_at, expires_at)"
            " VALUES ('x', 'mei', now(), now() + interval '1 hour')"
        )
    carebell.run("account", "disable", "mei")
    assert carebell.value("SELECT count(*) FROM desk_session") == 0


@pytest.mark.parametrize(
    ("arguments", "said", "why"),
    [
        (("add", "mei", "--name", "M"), "eleven blue bicycles\n", "taken"),
        (("add", "Mei", "--name", "M"), "eleven blue bicycles\n", "allowed"),
        (("add", "lin", "--name", "L", "--role", "king"), "eleven blue bicycles\n", "dispatcher"),
        (("add", "lin", "--name", "L", "--area", "moon"), "eleven blue bicycles\n", "area"),
        (("add", "lin", "--name", "L"), "short\n", "10 characters"),
        (("add", "lin", "--name", "L"), "lin is my name\n", "name"),
        (("disable", "nobody-here"), None, "none"),
        (("disable", "admin"), None, "last administrator"),
        (("reset-password", "nobody-here"), None, "none"),
    ],
)
def test_what_cannot_be_done_is_said(
    carebell: Command, arguments: tuple[str, ...], said: str | None, why: str
) -> None:
    assert why in carebell.run("account", *arguments, said=said, code=1)


def test_a_file_is_looked_at_and_then_brought_in(carebell: Command, tmp_path: Path) -> None:
    file = tmp_path / "town.csv"
    file.write_text("kind,id,area,address,premises,name\npremises,home-9,west,9 Sea Road,,\n"
                    "person,zhao,,,home-9,赵玉珍\nperson,wu,,,nowhere,Wu\n")  # fmt: skip
    told = carebell.run("import", "register", str(file), code=1)
    assert "row 4, premises: 'nowhere'" in told
    assert "premises: 1 created, 0 changed, 0 unchanged" in told
    assert "Nothing was changed." in told
    carebell.run("import", "register", str(file), "--commit", code=1)
    assert carebell.value("SELECT count(*) FROM premises") == 2
    assert "Committed." in carebell.run("import", "register", str(file), "--commit", "--skip-bad")
    assert carebell.value("SELECT name FROM person WHERE person_id = 'zhao'") == "赵玉珍"
    actor = carebell.value("SELECT actor_kind FROM audit_log WHERE detail ->> 'id' = 'zhao'")
    assert actor == "operator"


def test_a_device_is_described_from_the_command_line(carebell: Command) -> None:
    made = carebell.run("device", "add", "band-9", "--kind", "wristband", "--premises", "home-1",
                        "--model", "W3", "--voice-number", "+86 139 0013 9000")  # fmt: skip
    assert "password" in made
    kept = "SELECT model || '|' || coalesce(voice_number, '-') FROM device WHERE device_id = "
    assert carebell.value(kept + "'band-9'") == "W3|+8613900139000"
    told = carebell.run("device", "describe", "band-9", "--model", "W4", "--voice-number", "")
    assert told == "band-9\twristband\tW4\t-\t\n"
    assert carebell.value(kept + "'band-9'") == "W4|-"
    listed = carebell.run("device", "list", "--premises", "home-1")
    assert "\tW4" in listed
    swapped = carebell.run("device", "swap", "band-9", "band-10", "--voice-number", "sip:a@b.cd")
    assert "band-10" in swapped
    assert carebell.value(kept + "'band-10'") == "W4|sip:a@b.cd"
    carebell.run("device", "describe", "band-10", code=2)
    wrong = carebell.run("device", "describe", "band-10", "--voice-number", "none", code=1)
    assert "sip:name@host" in wrong
    actor = carebell.value("SELECT actor_kind FROM audit_log WHERE action = 'change'")
    assert actor == "operator"


def test_an_area_is_added_renamed_moved_and_removed_at_the_machine(carebell: Command) -> None:
    carebell.run("area", "add", "lake", "--name", "Lake", "--level", "community", "--below",
                 "east")  # fmt: skip
    carebell.run("area", "rename", "lake", "湖滨")
    carebell.run("area", "move", "lake", "--below", "west")
    carebell.run("area", "zone", "lake", "--zone", "Asia/Urumqi")
    listed = carebell.run("area", "list").splitlines()
    at = listed.index("  west\tcounty\tWest")
    assert listed[at + 1] == "    lake\tcommunity\t湖滨\tAsia/Urumqi"
    carebell.run("area", "remove", "lake")
    told = "SELECT string_agg(action || ' ' || actor_kind, ', ' ORDER BY entry_id) FROM audit_log"
    assert carebell.value(told) == ", ".join(
        f"{action} operator" for action in ("add", "change", "change", "change", "remove")
    )
    assert carebell.value("SELECT count(*) FROM area WHERE area_id = 'lake'") == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("add", "east", "--name", "E", "--level", "street"), "such an area already"),
        (("add", "x", "--name", "X", "--level", "street", "--below", "moon"), "no area moon"),
        (("move", "east", "--below", "moon"), "no area moon"),
        (("add", "x", "--name", "X", "--level", "city", "--below", "east"), "below its parent"),
        (("rename", "moon", "M"), "no area moon"),
        (("move", "city", "--below", "east"), "it is the root"),
        (("move", "east", "--below", "east-1"), "below its parent"),
        (("zone", "east", "--zone", "Moon/Sea"), "time zone"),
        (("remove", "east"), "still holds something"),
    ],
)
def test_what_cannot_be_done_to_an_area_is_said(
    carebell: Command, arguments: tuple[str, ...], why: str
) -> None:
    assert why in carebell.run("area", *arguments, code=1)
    assert carebell.value("SELECT count(*) FROM audit_log") == 0
