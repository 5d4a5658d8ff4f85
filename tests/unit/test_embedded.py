"""The parts of the embedded servers that need no server."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hub.clock import SystemClock
from hub.embedded import broker, database, log_files, proc
from hub.embedded.child import back_off_s
from hub.embedded.children import plan_children, sweep_own_processes
from hub.embedded.folder import HubFolder, write_private
from hub.embedded.secrets import load_or_draw_secrets, load_secrets
from hub.embedded.status import ChildState, ChildStatus, SupervisorStatus, write_status
from hub.errors import FolderUnusableError, HubError
from hub.settings import Address, Settings


@pytest.fixture
def folder(tmp_path: Path) -> HubFolder:
    folder = HubFolder(tmp_path)
    folder.create()
    return folder


def test_the_back_off_doubles_up_to_its_longest_and_starts_anew() -> None:
    waits, wait = [], 0.0
    for _ in range(8):
        wait = back_off_s(wait, lived_s=1)
        waits.append(round(wait, 1))
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    assert back_off_s(wait, lived_s=30) == 0.2


def test_the_rows_of_the_table(folder: HubFolder) -> None:
    secrets = load_or_draw_secrets(folder)
    own = ["ingest", "worker", "api"]

    def names(**settings: str) -> list[str]:
        given = Settings(data_dir=folder.root, **settings)  # type: ignore[arg-type]
        return [plan.name for plan in plan_children(given, folder, secrets)]

    assert names() == ["database", "broker", "callout", *own]
    assert names(broker_url="mqtt://u:p@h:1") == ["database", *own]
    assert names(database_url="postgresql://h/d") == ["broker", "callout", *own]


def test_a_socket_path_that_is_too_long_moves(tmp_path: Path) -> None:
    assert HubFolder(tmp_path / "a").sockets == tmp_path / "a" / "postgres" / "socket"
    deep = HubFolder(tmp_path / ("d" * 90))
    assert not deep.sockets.is_relative_to(tmp_path)
    assert deep.sockets == HubFolder(deep.root).sockets
    assert len(str(deep.sockets / ".s.PGSQL.5432")) <= 107
    assert "host=%2F" in database.database_url(deep.root)


def test_the_configuration_holds_the_bounds(folder: HubFolder) -> None:
    settings = Settings(data_dir=folder.root, mqtt_ack_wait_s=7, mqtt_max_unacknowledged=99)
    secrets = load_or_draw_secrets(folder)
    at = broker.BrokerPorts(mqtt="127.0.0.1:1883", client=4222, monitor=8222)
    text = broker.render(settings, folder, secrets, at)
    for line in (
        'ack_wait: "7s"',
        "max_ack_pending: 99",
        "max_payload: 65536",
        'listen: "127.0.0.1:1883"',
    ):
        assert line in text
    assert all(password in text for password in secrets.broker_passwords.values())
    assert secrets.issuer_seed not in text


def test_the_internal_address_of_the_broker(folder: HubFolder) -> None:
    secrets = load_or_draw_secrets(folder)
    listening = Settings(data_dir=folder.root, mqtt_listen=Address("0.0.0.0", 1999))
    broker.prepare(listening, folder, secrets)
    password = secrets.broker_passwords["hub-api"]
    expected = f"mqtt://hub-api:{password}@127.0.0.1:1999"
    assert broker.broker_url(folder.root, "hub-api") == expected
    first = broker.ports(folder)
    broker.prepare(Settings(data_dir=folder.root), folder, secrets)
    assert (broker.ports(folder).client, broker.ports(folder).monitor) == (
        first.client,
        first.monitor,
    )
    assert broker.configuration_path(folder).stat().st_mode & 0o777 == 0o600


def test_secrets_differ_between_installations(tmp_path: Path) -> None:
    folders = [HubFolder(tmp_path / name) for name in ("a", "b")]
    for folder in folders:
        folder.create()
    first, second = (load_or_draw_secrets(folder) for folder in folders)
    assert first == load_secrets(folders[0])
    assert first.administrator_password != second.administrator_password
    assert first.issuer_seed != second.issuer_seed
    assert len(set(first.broker_passwords.values())) == 5


def test_missing_or_damaged_secrets_are_told_in_words(folder: HubFolder) -> None:
    with pytest.raises(FolderUnusableError, match="first `carebell up`"):
        load_secrets(folder)
    write_private(folder.secrets, b"{}")
    with pytest.raises(FolderUnusableError, match="restore it from a backup"):
        load_or_draw_secrets(folder)


def test_a_leftover_child_is_ended_only_if_it_is_ours(folder: HubFolder) -> None:
    program = [sys.executable, "-c", "import time; time.sleep(60)", "carebell", "ingest"]
    ours, foreign = (
        subprocess.Popen(program, env=os.environ | {"CAREBELL_DATA_DIR": data})
        for data in (str(folder.root), "/somewhere/else")
    )
    try:
        ours.send_signal(signal.SIGSTOP)
        now = SystemClock().now()
        children = {
            name: ChildStatus(ChildState.RUNNING, since=now, pid=pid)
            for name, pid in (("ingest", ours.pid), ("api", foreign.pid), ("worker", os.getpid()))
        }
        write_status(folder, SupervisorStatus(1, now, children))
        _wait_for_exec(ours.pid, foreign.pid)
        sweep_own_processes(folder)
        assert ours.wait(5) == -signal.SIGKILL
        assert foreign.poll() is None
    finally:
        for process in (ours, foreign):
            process.kill()
            process.wait()


def _wait_for_exec(*pids: int) -> None:
    for pid in pids:
        while (entry := proc.look_up(pid)) is None or "carebell" not in entry.arguments:
            pass


def test_a_long_log_is_cut_and_its_older_half_kept(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    with log.open("ab") as file:
        file.write(b"x" * (log_files.MAX_LOG_BYTES + 1))
        file.flush()
        log_files.trim(tmp_path)
        file.write(b"still open\n")
    assert log.read_bytes() == b"still open\n"
    assert (tmp_path / "api.log.1").stat().st_size == log_files.MAX_LOG_BYTES + 1
    assert log_files.last_lines(log) == ("still open",)
    assert log_files.last_lines(tmp_path / "none.log") == ()


def test_an_errors_docstring_is_its_message() -> None:
    def every(kind: type[HubError]) -> list[type[HubError]]:
        return [kind, *(found for sub in kind.__subclasses__() for found in every(sub))]

    said = [kind for kind in every(HubError) if kind.__init__ is HubError.__init__]
    assert len(said) > 5
    for kind in said:
        assert str(kind("the case")).startswith(str(kind.__doc__))
        assert str(kind("the case")).endswith("the case")
