"""The process tree of one machine against kills, freezes, taken ports and stale folders."""

import asyncio
import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import psycopg
import pytest

from hub.embedded import proc
from hub.embedded.database import database_url
from hub.embedded.folder import HubFolder
from hub.embedded.status import ChildState, read_status
from hub.embedded.supervisor import Supervisor
from hub.errors import (
    AddressTakenError,
    FolderInUseError,
    FolderUnusableError,
    MigrationError,
    ServerNotReadyError,
)
from hub.settings import Settings
from tests.integration.embedded import (
    ALARM_FILTER,
    eventually,
    hub_client,
    make_session,
    no_migrations,
    own_folder,
    running,
    settings_in,
)


@pytest.fixture
def settings() -> Iterator[Settings]:
    with own_folder() as folder:
        yield settings_in(folder)


@contextlib.contextmanager
def other_process(settings: Settings, *names: str) -> Iterator[subprocess.Popen[str]]:
    """A supervisor in a process of its own that can be killed."""
    program = textwrap.dedent(
        """
        import asyncio, sys
        from hub.embedded.supervisor import Supervisor
        from hub.settings import load_settings

        async def run():
            supervisor = Supervisor(
                load_settings(), only=sys.argv[1:], prepare_database=lambda *_: None
            )
            supervisor.stop_on_signals()
            await supervisor.start()
            print("started", flush=True)
            await supervisor.run_until_stopped()

        asyncio.run(run())
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, *names],
        env=os.environ | settings.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        while "started" not in (line := process.stdout.readline()):
            assert line, "the supervisor ended before it was ready"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def of_folder(settings: Settings) -> list[proc.ProcessEntry]:
    """Every server process of this folder."""
    root = settings.data_dir
    return proc.find(
        lambda p: p.executable in ("postgres", "nats-server") and p.folder.is_relative_to(root)
    )


def freeze(entries: list[proc.ProcessEntry]) -> None:
    """Stop the processes; a backend may just have ended by itself."""
    for entry in entries:
        with contextlib.suppress(ProcessLookupError):
            os.kill(entry.pid, signal.SIGSTOP)


async def answers(settings: Settings) -> bool:
    """Whether the database takes a transaction."""
    try:
        async with await psycopg.AsyncConnection.connect(
            database_url(settings.data_dir), connect_timeout=2
        ) as connection:
            await connection.execute("CREATE TABLE IF NOT EXISTS press (id int PRIMARY KEY)")
    except psycopg.OperationalError:
        return False
    return True


async def test_a_killed_database_comes_back_with_what_it_committed(settings: Settings) -> None:
    async with running(settings, "database") as supervisor:
        assert await answers(settings)
        for kill in range(3):
            with psycopg.connect(database_url(settings.data_dir)) as connection:
                connection.execute("INSERT INTO press VALUES (%s)", (kill,))
            killed = supervisor.children["database"].pid
            assert killed is not None
            os.kill(killed, signal.SIGKILL)

            async def is_back(before: int = killed) -> bool:
                child = supervisor.children["database"]
                return child.state is ChildState.RUNNING and child.pid != before

            await eventually(is_back)
        with psycopg.connect(database_url(settings.data_dir)) as connection:
            assert len(connection.execute("SELECT id FROM press").fetchall()) == 3
        child = supervisor.children["database"]
        assert (child.state, child.restarts, child.last_exit) == (ChildState.RUNNING, 3, "SIGKILL")


async def test_a_killed_broker_comes_back_with_its_sessions(settings: Settings) -> None:
    async with running(settings, "broker") as supervisor:
        await make_session(settings, "carebell-alarm", ALARM_FILTER)
        killed = supervisor.children["broker"].pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)

        async def is_back() -> bool:
            child = supervisor.children["broker"]
            return child.state is ChildState.RUNNING and child.pid != killed

        await eventually(is_back)
        async with hub_client(settings, "hub-ingest", "carebell-alarm"):
            assert supervisor.children["broker"].restarts == 1


async def test_the_status_file_tells_what_the_supervisor_knows(settings: Settings) -> None:
    folder = HubFolder(settings.data_dir)
    async with running(settings, "database", "broker") as supervisor:
        status = read_status(folder)
        assert status is not None
        assert status.children == supervisor.children
        assert status.supervisor_pid == os.getpid()
        assert folder.status.stat().st_mode & 0o777 == 0o600
    status = read_status(folder)
    assert status is not None
    assert {child.state for child in status.children.values()} == {ChildState.STOPPED}
    assert of_folder(settings) == []


@pytest.mark.parametrize("key", ["mqtt_listen", "http_listen"])
async def test_a_taken_port_is_named_and_nothing_starts(settings: Settings, key: str) -> None:
    address = getattr(settings, key)
    with socket.socket() as taken:
        taken.bind((address.host, address.port))
        taken.listen()
        supervisor = Supervisor(settings, prepare_database=no_migrations)
        with pytest.raises(AddressTakenError, match=f"{address} \\({key}\\)"):
            await supervisor.start()
    assert of_folder(settings) == []


async def test_a_second_supervisor_on_the_same_folder_is_told_so(settings: Settings) -> None:
    async with running(settings, "broker") as first:
        second = Supervisor(settings, only=("broker",), prepare_database=no_migrations)
        with pytest.raises(FolderInUseError, match=str(os.getpid())):
            await second.start()
        assert first.children["broker"].state is ChildState.RUNNING
        assert len(of_folder(settings)) == 1
    async with running(settings, "broker"):
        pass


async def test_nothing_outlives_a_killed_supervisor(settings: Settings) -> None:
    with other_process(settings, "database", "broker") as other:
        assert len(of_folder(settings)) > 2
        other.kill()

        async def is_gone() -> bool:
            return of_folder(settings) == []

        await eventually(is_gone)


async def test_ctrl_c_ends_every_child(settings: Settings) -> None:
    with other_process(settings, "database", "broker") as other:
        other.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(other.wait, 20) == 0
        assert of_folder(settings) == []


async def test_stopped_leftovers_of_a_dead_supervisor_are_ended(settings: Settings) -> None:
    with other_process(settings, "database", "broker") as other:
        assert await answers(settings)
        with psycopg.connect(database_url(settings.data_dir)) as connection:
            connection.execute("INSERT INTO press VALUES (1)")
            connection.commit()
            left = of_folder(settings)
            freeze(left)
            other.kill()
            other.wait()
    # The kernel ended the broker (SIGKILL works on the stopped, too), the postmaster's SIGQUIT
    # is pending for ever.
    assert any(entry.executable == "postgres" for entry in of_folder(settings))
    async with running(settings, "database", "broker"):
        pids = {entry.pid for entry in of_folder(settings)}
        assert pids.isdisjoint(entry.pid for entry in left)
        with psycopg.connect(database_url(settings.data_dir)) as connection:
            assert connection.execute("SELECT id FROM press").fetchall() == [(1,)]


async def test_a_frozen_database_does_not_hold_up_the_end(settings: Settings) -> None:
    async with running(settings, "database") as supervisor:
        child = supervisor._children[0]
        child.plan = dataclasses.replace(child.plan, stop_within_s=0.5)
        freeze(of_folder(settings))
    assert of_folder(settings) == []


async def test_stale_lock_files_with_a_foreign_process_id_do_not_hinder(
    settings: Settings,
) -> None:
    folder = HubFolder(settings.data_dir)
    async with running(settings, "database"):
        stale = (folder.cluster / "postmaster.pid").read_text().splitlines()
    stale[0] = str(os.getppid())  # alive, and nothing to do with us
    (folder.cluster / "postmaster.pid").write_text("\n".join(stale) + "\n")
    (folder.sockets / ".s.PGSQL.5432.lock").write_text("\n".join(stale) + "\n")
    async with running(settings, "database"):
        assert await answers(settings)


async def test_a_cluster_of_another_version_is_refused_in_words(settings: Settings) -> None:
    async with running(settings, "database"):
        pass
    (HubFolder(settings.data_dir).cluster / "PG_VERSION").write_text("15\n")
    supervisor = Supervisor(settings, only=("database",), prepare_database=no_migrations)
    with pytest.raises(FolderUnusableError, match="PostgreSQL 15, and this release brings 18"):
        await supervisor.start()


async def test_a_failing_migration_stops_the_start(settings: Settings) -> None:
    def fail(url: str, settings: Settings, administrator_password: str) -> None:
        with psycopg.connect(url) as connection:
            connection.execute("SELECT * FROM missing_table")

    supervisor = Supervisor(settings, only=("database", "broker"), prepare_database=fail)
    with pytest.raises(MigrationError, match="missing_table"):
        await supervisor.start()
    assert of_folder(settings) == []


async def test_a_broker_that_cannot_start_says_why(settings: Settings) -> None:
    folder = HubFolder(settings.data_dir)
    folder.create()
    (folder.broker / "jetstream").write_text("a file where the store should be")
    supervisor = Supervisor(settings, only=("broker",), prepare_database=no_migrations)
    with pytest.raises(ServerNotReadyError, match="storage directory"):
        await supervisor.start()
    assert of_folder(settings) == []


async def test_a_crashing_child_backs_off_and_does_not_disturb_the_others(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/nonexistent")
    monkeypatch.chdir("/")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    async with running(settings, "broker", "callout") as supervisor:

        async def crashed_three_times() -> bool:
            return supervisor.children["callout"].restarts >= 3

        await eventually(crashed_three_times)
        assert supervisor.children["callout"].last_exit == "exit 1"
        assert supervisor.children["broker"].restarts == 0
        written = json.loads(HubFolder(settings.data_dir).status.read_text())
        assert written["children"]["callout"]["restarts"] >= 3


async def test_secrets_are_drawn_once_and_private(settings: Settings) -> None:
    secrets = HubFolder(settings.data_dir).secrets
    async with running(settings, "broker"):
        first = secrets.read_bytes()
        assert secrets.stat().st_mode & 0o777 == 0o600
    async with running(settings, "broker"):
        assert secrets.read_bytes() == first
