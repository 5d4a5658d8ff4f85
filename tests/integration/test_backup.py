"""A backup is worth what comes back: a hub that goes on, from one file."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from benchmarks.harness import Hub
from benchmarks.ledger import Ledger
from hub.backup.archive import BackupDamaged
from hub.backup.restore import OfNewerRelease, WouldOverwrite, examine, restore
from hub.embedded.database import database_url
from hub.settings import Settings
from schemas.commands import ReceiptStage
from tests.integration.desk_database import DatabaseServer
from tests.integration.embedded import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="carebell-test-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def carebell(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "carebell", *arguments]
    return subprocess.run(
        line, capture_output=True, text=True, timeout=120, env=os.environ | environment,
        check=False,
    )  # fmt: skip


async def test_a_hub_comes_back_from_its_backup_and_its_ladders_go_on(folder: Path) -> None:
    hub = Hub(folder)
    data, file = str(hub.settings.data_dir), folder / "away" / "hub.tar"
    file.parent.mkdir()
    try:
        await hub.start()
        button, *_ = [d for d in await hub.provision(2) if d.kind == "button"]
        ledger = Ledger([button])
        await ledger.connect()
        press = ledger.press(button)

        async def received() -> bool:
            return ReceiptStage.RECEIVED in press.told_at_s

        await eventually(received)
        administrator = hub.administrator()
        made = await asyncio.to_thread(carebell, "backup", str(file), "--verify", "--data", data)
        assert made.returncode == 0, made.stderr
        assert "Verified" in made.stdout
        assert file.stat().st_mode & 0o077 == 0, "others could read secrets and names"
        before = incident_of(hub)
        hub.stop()
        shutil.rmtree(hub.settings.data_dir)

        back = await asyncio.to_thread(carebell, "restore", str(file), "--data", data)
        assert back.returncode == 0, back.stderr
        await hub.start()
        async with httpx.AsyncClient(base_url=hub.url, timeout=10) as desk:
            entered = await desk.post("/api/v1/session", json=administrator)
            assert entered.status_code == 200, "accounts came back"
            listed = (await desk.get("/api/v1/incidents")).json()["items"]
            assert before[0] in [i["id"] for i in listed if i["state"] == "raised"]

        with hub.database() as connection:  # rather than a minute's wait
            connection.execute("UPDATE incident SET next_deadline_at = now() WHERE kind = 'press'")

        async def climbed() -> bool:
            return incident_of(hub)[2] > before[2]

        await eventually(climbed)
        assert incident_of(hub)[0] == before[0]
        await eventually(lambda: is_up(ledger), 30.0)
        again = ledger.press(button)

        async def heard() -> bool:
            return ReceiptStage.RECEIVED in again.told_at_s

        await eventually(heard)
        assert incident_of(hub)[1] == before[1] + 1, "the button's credential and case came back"
        with hub.database() as connection:
            kinds = {k for (k,) in connection.execute("SELECT kind FROM incident").fetchall()}
        assert "session_lost" in kinds, "what waited in the broker is missing, and somebody knows"
        await ledger.close()
    finally:
        hub.stop()


async def is_up(ledger: Ledger) -> bool:
    return all(line.up.is_set() for line in ledger.lines.values())


def incident_of(hub: Hub) -> tuple[str, int, int]:
    """Id, alarms and rung of the one case a person is in."""
    with hub.database() as connection:
        ((found),) = connection.execute(
            "SELECT incident_id, alarm_count, (SELECT count(*) FROM audit_log a"
            " WHERE a.incident_id = i.incident_id AND a.action = 'escalate')"
            " FROM incident i WHERE kind = 'press'"
        ).fetchall()
    return found


async def test_a_stopped_hub_is_backed_up_with_what_waits_in_its_broker(folder: Path) -> None:
    hub = Hub(folder)
    data, file = str(hub.settings.data_dir), folder / "hub.tar"
    try:
        await hub.start()
        await hub.provision(1)
    finally:
        hub.stop()
    made = await asyncio.to_thread(carebell, "backup", str(file), "--data", data)
    assert made.returncode == 0, made.stderr
    manifest = examine(file)
    assert manifest.broker_at_rest
    refused = await asyncio.to_thread(carebell, "restore", str(file), "--data", data)
    assert refused.returncode == 1
    assert "--replace" in refused.stderr
    back = await asyncio.to_thread(carebell, "restore", str(file), "--data", data, "--replace")
    assert back.returncode == 0, back.stderr
    assert kept_beside(folder), "what was there is kept beside"
    try:
        await hub.start()
        with hub.database() as connection:
            rows = connection.execute("SELECT kind FROM incident").fetchall()
        assert rows == [], "the broker's sessions came back too"
        with psycopg.connect(database_url(hub.settings.data_dir)) as connection:
            horizon = connection.execute(
                "SELECT count(*) FROM context_change WHERE txid > pg_current_xact_id()"
            ).fetchone()
        assert horizon == (0,), "no row may seem newer than the new server's newest"
    finally:
        hub.stop()


def kept_beside(folder: Path) -> list[Path]:
    return list(folder.glob("hub.2*"))


async def test_an_external_database_is_restored_whole_or_not_at_all(
    folder: Path, postgres_server: DatabaseServer, database_url: str
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO area VALUES ('city', NULL, 'City')")
    data, file = str(folder / "hub"), folder / "hub.tar"
    made = await asyncio.to_thread(
        carebell, "backup", str(file), "--data", data, CAREBELL_DATABASE_URL=database_url
    )
    assert made.returncode == 0, made.stderr
    theirs = folder / "theirs"
    theirs.mkdir()
    (theirs / "letters.txt").touch()
    arguments = ("restore", str(file), "--data", str(theirs))
    refused = await asyncio.to_thread(
        carebell, *arguments, CAREBELL_DATABASE_URL=postgres_server.fresh()
    )
    assert refused.returncode == 1
    assert "--replace" in refused.stderr, "a folder of somebody else is not moved away"
    target = postgres_server.fresh()
    with psycopg.connect(target) as connection:
        connection.execute("INSERT INTO area VALUES ('other', NULL, 'Other')")
    arguments = ("restore", str(file), "--data", data)
    refused = await asyncio.to_thread(carebell, *arguments, CAREBELL_DATABASE_URL=target)
    assert refused.returncode == 1
    assert "--replace" in refused.stderr
    assert areas(target) == ["other"]
    done = await asyncio.to_thread(carebell, *arguments, "--replace", CAREBELL_DATABASE_URL=target)
    assert done.returncode == 0, done.stderr
    assert areas(target) == ["city"]


async def test_a_containers_volume_is_filled_where_it_is_mounted(
    folder: Path, postgres_server: DatabaseServer, database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    file, volume = folder / "hub.tar", folder / "volume"
    made = await asyncio.to_thread(
        carebell, "backup", str(file), "--data", str(folder / "none"),
        CAREBELL_DATABASE_URL=database_url,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    for name in ("lost+found", "run"):
        (volume / name).mkdir(parents=True)
    # Mounting wants more rights than a test has.
    monkeypatch.setattr(Path, "is_mount", lambda path: path == volume)
    inode = volume.stat().st_ino
    settings = Settings(data_dir=volume, database_url=postgres_server.fresh())
    now = datetime(2026, 3, 2, 8, tzinfo=UTC)
    with pytest.raises(WouldOverwrite):
        await restore(settings, file, now, replace=False)
    await restore(settings, file, now, replace=True)
    assert volume.stat().st_ino == inode, "a mount point can be neither renamed nor replaced"
    found = {path.name for path in volume.iterdir()}
    assert {"settings.json", "snapshot", "lost+found", "before-20260302T080000Z"} <= found
    assert (volume / "before-20260302T080000Z" / "run").is_dir()
    assert "restoring" not in found


def areas(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [area for (area,) in connection.execute("SELECT area_id FROM area").fetchall()]


async def test_a_damaged_backup_restores_nothing(folder: Path, database_url: str) -> None:
    file = folder / "hub.tar"
    made = await asyncio.to_thread(
        carebell, "backup", str(file), "--data", str(folder / "hub"),
        CAREBELL_DATABASE_URL=database_url,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    whole = file.read_bytes()
    start = whole.index(b"PGDMP")
    file.write_bytes(whole[: start + 400] + b"X" + whole[start + 401 :])
    with pytest.raises(BackupDamaged, match="not what the manifest says"):
        examine(file)
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BackupDamaged):
        examine(file)
    file.write_bytes(with_manifest(whole, folder, "9999_later.sql"))
    with pytest.raises(OfNewerRelease, match=r"9999_later\.sql"):
        examine(file)
    refused = await asyncio.to_thread(carebell, "restore", str(file), "--data", str(folder / "new"))
    assert refused.returncode == 1
    assert not (folder / "new").exists()


def with_manifest(whole: bytes, folder: Path, migration: str) -> bytes:
    """The same archive, said to be of a later release."""
    (folder / "in.tar").write_bytes(whole)
    out = folder / "out.tar"
    with tarfile.open(folder / "in.tar") as source, tarfile.open(out, "w") as target:
        for header in source:
            file = source.extractfile(header)
            assert file is not None
            content = file.read()
            if header.name == "manifest.json":
                changed = json.loads(content)
                changed["migrations"].append(migration)
                content = json.dumps(changed).encode()
            header.size = len(content)
            (folder / "member").write_bytes(content)
            with (folder / "member").open("rb") as member:
                target.addfile(header, member)
    return out.read_bytes()
