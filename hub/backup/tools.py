"""pg_dump and pg_restore, from the wheel or from the path."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from hub.embedded.database import binaries
from hub.errors import HubError, PartMissingError

COMMON = ("--no-owner", "--no-privileges", "--no-password")


class DumpFailed(HubError):
    """The database could not be dumped."""


class RestoreFailed(HubError):
    """The dump could not be restored; what was there before is still there."""


@contextmanager
def dumping(url: str, snapshot: str, server_version: int) -> Iterator[IO[bytes]]:
    """The dump of a database as a snapshot sees it, as a stream. Raises DumpFailed at its end."""
    line = [program("pg_dump", server_version), "--format=custom", f"--snapshot={snapshot}"]
    address, environment = _address(url)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [*line, *COMMON, address], stdout=subprocess.PIPE, stderr=said, env=environment
        )
        stream = cast("IO[bytes]", process.stdout)
        try:
            yield stream
            if process.wait() != 0:
                raise DumpFailed(_last_line(said))
        finally:
            stream.close()
            process.kill()
            process.wait()


def restore_dump(url: str, dump: Iterable[bytes], *, replace: bool) -> None:
    """Feed a dump to pg_restore, in one transaction. Raises RestoreFailed."""
    with psycopg.connect(url) as connection:
        version = connection.info.server_version
    line = [program("pg_restore", version), "--single-transaction", "--exit-on-error", *COMMON]
    line += ["--clean", "--if-exists"] if replace else []
    address, environment = _address(url)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [*line, f"--dbname={address}"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, env=environment,
        )  # fmt: skip
        stream = cast("IO[bytes]", process.stdin)
        try:
            for chunk in dump:
                stream.write(chunk)
            stream.close()
            if process.wait() != 0:
                raise RestoreFailed(_last_line(said))
        except BrokenPipeError:
            process.wait()
            raise RestoreFailed(_last_line(said)) from None
        finally:
            process.kill()
            process.wait()


def program(name: str, server_version: int) -> str:
    """The program that understands a server of this version (as libpq counts them).

    pg_dump refuses a server that is newer than itself. Raises PartMissingError.
    """
    beside = binaries() / name
    if beside.is_file() and _major(str(beside)) >= server_version // 10_000:
        return str(beside)
    found = shutil.which(name)
    if found is None or _major(found) < server_version // 10_000:
        raise PartMissingError(
            f"{name} for PostgreSQL {server_version // 10_000}: install its client programs"
        )
    return found


def _major(path: str) -> int:
    said = subprocess.run([path, "--version"], check=True, capture_output=True, text=True).stdout
    return int(said.split()[2].split(".")[0])


def _address(url: str) -> tuple[str, dict[str, str]]:
    """The address without its password, which every account could read in the list of processes."""
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    password = parts.pop("password", None)
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR") if key in os.environ}
    if password is not None:
        kept["PGPASSWORD"] = password
    return make_conninfo("", **parts), kept | {"LC_ALL": "C"}


def _last_line(said: IO[bytes]) -> str:
    """What the program complained about, without rows of the database: those follow in DETAIL."""
    said.seek(0)
    lines = said.read(64 * 1024).decode(errors="replace").splitlines()
    errors = [line for line in lines if "error:" in line.lower()]
    return (errors or lines or ["no reason given"])[0][:300]
