"""A real PostgreSQL with this release's schema; every test gets a database of its own."""

import asyncio
import itertools
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg

from hub.embedded import database
from hub.embedded.folder import HubFolder
from hub.store.migrate import migrate
from tests.integration.embedded import eventually

TEMPLATE = database.DATABASE
STARTED_WITHIN_S = 30.0


@dataclass(slots=True)
class DatabaseServer:
    """A running server; `fresh` makes databases from the migrated template."""

    folder: HubFolder
    process: subprocess.Popen[bytes]
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, name: str) -> str:
        sockets = quote(str(self.folder.sockets), safe="")
        return f"postgresql://{database.ROLE}@/{name}?host={sockets}"

    def fresh(self) -> str:
        """The address of a new database with the schema and nothing else."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(
                f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY".encode()
            )
        return self.url(name)

    def signal_all(self, number: signal.Signals) -> None:
        """Stop or continue postmaster and backends at once, as a frozen disk would."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        for pid in (self.process.pid, *map(int, listed.split())):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def restart(self) -> None:
        """Start again after the server was ended."""
        database.prepare(self.folder)
        self.process = _start(self.folder)


@contextmanager
def running_database() -> Iterator[DatabaseServer]:
    """Start a server in a folder of its own; stopped and removed in the end."""
    with tempfile.TemporaryDirectory(prefix="carebell-db-") as name:
        folder = HubFolder(Path(name))
        folder.create()
        database.prepare(folder)
        server = DatabaseServer(folder, _start(folder))
        try:
            asyncio.run(_until_ready(folder))
            migrate(database.database_url(folder.root))
            yield server
        finally:
            server.process.send_signal(signal.SIGCONT)
            server.process.send_signal(signal.SIGQUIT)
            server.process.wait(20)


def _start(folder: HubFolder) -> subprocess.Popen[bytes]:
    account = database.account()
    return subprocess.Popen(
        [*database.arguments(folder), "-c", "fsync=off"],
        cwd=folder.cluster,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=() if account else None,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )


async def _until_ready(folder: HubFolder) -> None:
    await eventually(lambda: database.is_ready(folder), STARTED_WITHIN_S)
