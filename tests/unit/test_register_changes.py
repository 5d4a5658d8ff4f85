"""The snapshot of the register and what was appended to it say together what ingest knows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.embedded.admission import barred
from hub.embedded.door_register import DoorRegister
from hub.register import Register
from hub.register_changes import MOST_AT_ONCE, path_beside
from hub.snapshot import Snapshot
from schemas.ids import DeviceId
from tests.scenes import register

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def device(device_id: str, *, revoked: bool = False) -> dict[str, Any]:
    return {
        "device_id": device_id, "kind": "button", "area_id": "city", "premises_id": "home-1",
        "person_id": None, "label": "", "secret_sha256": "00", "revoked": revoked,
    }  # fmt: skip


class Folder:
    """A data folder with ingest on one side and the callout on the other."""

    def __init__(self, path: Path) -> None:
        self.path = path / "snapshot" / "register.json"
        self.snapshot = Snapshot(path)
        self.door = DoorRegister(self.path)

    def restarted(self) -> Register:
        read = self.snapshot.read_register()
        assert read is not None
        return read


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.snapshot.write_register(register(), NOW)
    return made


def test_the_file_written_in_pieces_is_the_register(folder: Folder) -> None:
    known, read = register(), folder.restarted()
    assert (read.devices, read.people, read.premises) == (
        known.devices, known.people, known.premises
    )  # fmt: skip
    assert (folder.door.devices() or {}).keys() == known.devices.keys()


def test_an_empty_register_is_written_too(tmp_path: Path) -> None:
    made = Folder(tmp_path)
    made.snapshot.write_register(Register(), NOW)
    assert made.restarted().devices == {}
    assert made.door.devices() == {}


def test_changes_are_appended_and_followed(folder: Folder) -> None:
    before = folder.door.devices()
    size = folder.path.stat().st_mtime_ns
    assert folder.snapshot.add_to_register([("device", "new-1", device("new-1"))])
    assert folder.snapshot.add_to_register(
        [("device", "new-1", device("new-1", revoked=True)), ("device", "button-1", None)]
    )
    after = folder.door.devices()
    assert before is not None
    assert after is not None
    assert barred(before, after) == {"button-1"}, "the doorman does not see whom to show out"
    assert folder.door.devices() is after, "nothing changed since"
    assert after is not None
    assert after["new-1"].revoked
    assert "button-1" not in after
    assert folder.path.stat().st_mtime_ns == size, "the snapshot was not written"
    read = folder.restarted()
    assert read.devices[DeviceId("new-1")].revoked
    assert DeviceId("button-1") not in read.devices


def test_changes_of_another_snapshot_say_nothing(folder: Folder) -> None:
    """Killed between the two files: the snapshot has everything that was in the changes."""
    folder.snapshot.add_to_register([("device", "button-1", None)])
    old = path_beside(folder.path).read_bytes()
    folder.snapshot.write_register(register(), NOW + timedelta(seconds=1))
    path_beside(folder.path).write_bytes(old)
    assert DeviceId("button-1") in folder.restarted().devices
    assert "button-1" in (folder.door.devices() or {})


def test_a_torn_line_costs_only_itself(folder: Folder) -> None:
    with path_beside(folder.path).open("ab") as file:
        file.write(b'{"noun":"device","key":"torn-1","ro')
    assert "torn-1" not in (folder.door.devices() or {})
    folder.snapshot.add_to_register([("device", "new-1", device("new-1"))])
    assert "new-1" in (folder.door.devices() or {})
    assert DeviceId("new-1") in folder.restarted().devices


def test_a_whole_import_is_written_whole(folder: Folder) -> None:
    rows = [("device", f"new-{n}", device(f"new-{n}")) for n in range(MOST_AT_ONCE + 1)]
    assert not folder.snapshot.add_to_register(rows)


def test_without_a_snapshot_there_is_nothing_to_append_to(tmp_path: Path) -> None:
    assert not Snapshot(tmp_path).add_to_register([("device", "button-1", None)])
