"""What ingest knows keeps up with the database, and survives without it."""

from pathlib import Path

import psycopg
import pytest

from alerts.incident import State
from hub.board import Board
from hub.database import Session
from hub.register import Register
from hub.register_watch import RegisterWatch
from hub.snapshot import Snapshot
from hub.store.cases import record
from hub.view import Cards, incident_view
from schemas.ids import DeviceId
from tests.scenes import HandClock, delivery, register, settle_in, taken

BUTTON = DeviceId("button-1")
NEWCOMER = DeviceId("button-9")


class Watched:
    """A watch with its own register, board and folder."""

    def __init__(self, url: str, folder: Path) -> None:
        self.register, self.board, self.clock = Register(), Board(), HandClock()
        self.snapshot = Snapshot(folder)
        self.session = Session(url)
        self.watch = RegisterWatch(
            self.register,
            self.board,
            self.snapshot,
            self.clock,
            self.session,
            lambda incident: incident_view(incident, Cards(), ()),
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
