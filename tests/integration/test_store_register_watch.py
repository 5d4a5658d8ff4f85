"""What ingest knows keeps up with the database, and survives without it."""

from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from alerts.incident import State
from hub.board import Board
from hub.database import Session
from hub.embedded.door_register import DoorRegister
from hub.register import TABLES, Register
from hub.register_watch import SAVED_WITHIN_S, RegisterWatch
from hub.snapshot import Snapshot
from hub.store.cases import record
from hub.view import Cards, incident_view
from schemas.ids import DeviceId, PremisesId
from tests.scenes import HandClock, delivery, register, settle_in, taken

BUTTON = DeviceId("button-1")
NEWCOMER = DeviceId("button-9")


class Watched:
    """A watch with its own register, board and folder."""

    def __init__(self, url: str, folder: Path) -> None:
        self.register, self.board, self.clock = Register(), Board(), HandClock()
        self.snapshot = Snapshot(folder)
        self.session = Session(url)
        self.busy = False
        self.watch = RegisterWatch(
            self.register,
            self.board,
            self.snapshot,
            self.clock,
            self.session,
            lambda incident: incident_view(incident, Cards(), ()),
            busy=lambda: self.busy,
        )

    async def look(self) -> None:
        await self.session.run(self.watch._look)


def provision(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO device (device_id, area_id, premises_id, kind, secret_sha256)"
            " VALUES ('button-9', 'city', 'home-1', 'button', '00')"
        )


async def test_a_new_device_is_known_at_the_next_look(database_url: str, tmp_path: Path) -> None:
    settle_in(database_url)
    watched = Watched(database_url, tmp_path)
    await watched.watch.start()
    assert watched.register.devices.keys() == register().devices.keys()
    provision(database_url)
    await watched.look()
    assert NEWCOMER in watched.register.devices
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM device WHERE device_id = 'button-9'")
    await watched.look()
    assert NEWCOMER not in watched.register.devices
    await watched.session.close()


async def test_a_look_that_fails_is_made_good(database_url: str, tmp_path: Path) -> None:
    """Nothing that changed meanwhile is passed over."""
    settle_in(database_url)
    watched = Watched(database_url, tmp_path)
    await watched.watch.start()
    provision(database_url)
    with psycopg.connect(database_url) as other:
        other.execute("LOCK TABLE context_change IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(psycopg.OperationalError):
            await watched.session.run(watched.watch._look, 0.2)
    await watched.look()
    assert NEWCOMER in watched.register.devices
    await watched.session.close()


async def test_a_snapshot_that_could_not_be_written_is_written_later(
    database_url: str, tmp_path: Path
) -> None:
    """Otherwise a revoked device would be admitted until something else changes."""
    settle_in(database_url)
    watched = Watched(database_url, tmp_path)
    await watched.watch.start()
    folder = tmp_path / "snapshot"
    away = tmp_path / "away"
    folder.rename(away)
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE device SET revoked = true WHERE device_id = 'button-1'")
    with pytest.raises(FileNotFoundError):
        await watched.look()
    away.rename(folder)
    await watched.look()
    stored = watched.snapshot.read_register()
    assert stored is not None
    assert stored.devices[BUTTON].revoked
    await watched.session.close()


async def test_it_starts_from_the_snapshot_while_the_database_is_away(
    database_url: str, tmp_path: Path
) -> None:
    settle_in(database_url)
    watched = Watched(database_url, tmp_path)
    await watched.watch.start()
    press = taken(delivery("button-1", message_id="1"), watched.clock.now())
    await watched.session.run(lambda connection: record(connection, [press]))
    await watched.look()
    await watched.watch._save_register(desk=True, devices=True)
    await watched.watch._save_incidents()
    (known,) = watched.board.open.values()
    await watched.session.close()

    later = Watched("postgresql://nobody@127.0.0.1:1/none", tmp_path)
    await later.watch.start()
    assert not later.watch.loaded
    assert later.register.devices.keys() == register().devices.keys()
    assert later.register.devices_of(later.register.devices[BUTTON].person_id)
    assert list(later.board.open.values()) == [known]
    assert known.state is State.RAISED


OF_EVERY_KIND: tuple[LiteralString, ...] = (
    "UPDATE device SET voice_number = '1001', label = 'hall' WHERE device_id = 'button-1'",
    """UPDATE device SET revoked = true
        WHERE device_id = (SELECT max(device_id) FROM device)""",
    """UPDATE person SET state = 'hospital', phone = '2', medical_notes = 'none'
        WHERE person_id = (SELECT max(person_id) FROM person)""",
    "UPDATE premises SET latitude = 24.9, longitude = 118.6 WHERE premises_id = 'home-1'",
    """INSERT INTO inactivity_line (premises_id, area_id, minutes, days, learned_on, version)
        VALUES ('home-1', 'city', '{480,30}', 28, '2026-03-01', 1)""",
    """INSERT INTO person_care (person_id, area_id, on_oxygen, author, set_on)
        SELECT max(person_id), 'city', true, 'nurse', '2026-03-01' FROM person""",
)


def known(of: Register, table: str) -> dict[str, Any]:
    """A dictionary of a register; in which order somebody's devices were met is nobody's matter."""
    content: dict[str, Any] = getattr(of, table)
    return {key: set(ids) for key, ids in content.items()} if table.startswith("by_") else content


async def test_a_start_brings_what_a_look_would_have_brought(
    database_url: str, tmp_path: Path
) -> None:
    """At a start everybody is read by column, later only those who changed, row by row."""
    looked, started = Watched(database_url, tmp_path), Watched(database_url, tmp_path)
    await looked.watch.start()
    settle_in(database_url)
    with psycopg.connect(database_url) as connection:
        for change in OF_EVERY_KIND:
            connection.execute(change)
    await looked.look()
    await started.watch.start()
    for table in TABLES:
        assert known(started.register, table) == known(looked.register, table), table
    assert started.register.lines == {PremisesId("home-1"): (480, 30)}
    assert any(device.revoked for device in started.register.devices.values())
    await looked.session.close()
    await started.session.close()


async def test_a_start_forgets_whom_the_snapshot_knew_and_the_database_does_not(
    database_url: str, tmp_path: Path
) -> None:
    settle_in(database_url)
    provision(database_url)
    watched = Watched(database_url, tmp_path)
    await watched.watch.start()
    assert NEWCOMER in watched.register.devices
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM device WHERE device_id = 'button-9'")
    await watched.watch.start()
    assert NEWCOMER not in watched.register.devices
    assert watched.register.devices.keys() == register().devices.keys()
    await watched.session.close()


CHANGED_MEANWHILE: tuple[LiteralString, ...] = (
    "UPDATE device SET revoked = true WHERE device_id = 'button-1'",
    """UPDATE device SET secret_sha256 = 'ff'
        WHERE device_id = (SELECT max(device_id) FROM device)""",
    """INSERT INTO device (device_id, area_id, premises_id, kind, secret_sha256)
        VALUES ('button-9', 'city', 'home-1', 'button', '00')""",
)


async def one_process(watched: Watched) -> None:
    """Ingest from its start to the first snapshot, and its end."""
    await watched.watch.start()
    await watched.watch._save_loaded()
    await watched.session.close()


async def test_the_door_hears_at_once_what_changed_while_ingest_was_down(
    database_url: str, tmp_path: Path
) -> None:
    """A city's snapshot takes half a second that ingest needs to come back, so it waits; whom the
    door would judge otherwise does not."""
    settle_in(database_url)
    await one_process(Watched(database_url, tmp_path))
    path = tmp_path / "snapshot" / "register.json"
    written = path.stat()
    door = DoorRegister(path)
    before = dict(door.devices() or {})
    with psycopg.connect(database_url) as connection:
        for change in CHANGED_MEANWHILE:
            connection.execute(change)
        connection.execute(
            "DELETE FROM device WHERE device_id = "
            "(SELECT min(device_id) FROM device WHERE device_id <> 'button-1')"
        )
    again = Watched(database_url, tmp_path)
    again.busy = True
    await one_process(again)
    after = door.devices() or {}
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)
    assert after["button-1"].revoked
    assert "button-9" in after
    assert len([d for d in after.values() if d.secret_sha256 == "ff"]) == 1
    assert len(before.keys() - after.keys()) == 1
    assert after.keys() == again.register.devices.keys()
    restarted = again.snapshot.read_register()
    assert restarted is not None
    assert restarted.devices == again.register.devices


@pytest.mark.parametrize("lost", ["register.json", "register-changes.jsonl"])
async def test_a_snapshot_to_which_nothing_can_be_added_is_written_anew_at_once(
    database_url: str, tmp_path: Path, lost: str
) -> None:
    """Killed between its two files, or deleted: the door must not wait for a busy start."""
    settle_in(database_url)
    await one_process(Watched(database_url, tmp_path))
    (tmp_path / "snapshot" / lost).unlink()
    if lost != "register.json":
        (tmp_path / "snapshot" / lost).write_text('{"mark":"of the one before"}\n')
    with psycopg.connect(database_url) as connection:
        connection.execute(CHANGED_MEANWHILE[0])
    again = Watched(database_url, tmp_path)
    again.busy = True
    await one_process(again)
    known = DoorRegister(tmp_path / "snapshot" / "register.json").devices() or {}
    assert known["button-1"].revoked


async def test_a_busy_start_writes_the_snapshot_later_but_not_much_later(
    database_url: str, tmp_path: Path
) -> None:
    settle_in(database_url)
    await one_process(Watched(database_url, tmp_path))
    path = tmp_path / "snapshot" / "register.json"
    written = path.stat().st_ino
    watched = Watched(database_url, tmp_path)
    watched.busy = True
    await watched.watch.start()
    await watched.watch._save_loaded()
    assert path.stat().st_ino == written
    watched.clock.pass_time(SAVED_WITHIN_S)
    await watched.watch._save_loaded()
    assert path.stat().st_ino != written
    await watched.session.close()
