"""TimescaleDB from npm, under Node: the extension itself, in PostgreSQL compiled to WebAssembly.

It speaks PostgreSQL's protocol to one connection at a time. `COPY FROM STDIN` kills it, so this
tier proves schema, policies and queries; the COPY path is proven on PostgreSQL. It has no
background workers: tests run the policies' jobs themselves.

`python -m tests.timescale.server` installs it where it is missing (`make test` does).
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from hatch_build import FrontEndError, ensure_node, npm_command
from tests.integration.embedded import free_address

FOLDER = Path(__file__).resolve().parent
READY_WITHIN_S = 60.0
INSTALLED = FOLDER / "node_modules" / ".package-lock.json"

Connection = psycopg.Connection[tuple[Any, ...]]


def install() -> None:
    """What package-lock.json pins, unless it is there."""
    if INSTALLED.is_file() and INSTALLED.stat().st_mtime >= _locked_at():
        return
    ensure_node()
    command = npm_command()
    if command is None:
        raise FrontEndError("no Node")
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", os.defpath)])
    subprocess.run(
        [*command, "ci", "--loglevel=error"],
        cwd=FOLDER,
        check=True,
        env={**os.environ, "PATH": path},
    )


@contextmanager
def running_timescale() -> Iterator[str]:
    """A server with an empty database `postgres`; its address."""
    install()
    address = free_address()
    node = "node"
    command = npm_command()
    if command is not None and Path(command[0]).name == "node":
        node = command[0]
    process = subprocess.Popen(
        [node, "serve.mjs", str(address.port)], cwd=FOLDER, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        # Its answer to a request for TLS is not one; so none is asked for.
        yield (
            f"postgresql://postgres:postgres@{address}/postgres?sslmode=disable&gssencmode=disable"
        )
    finally:
        process.kill()
        process.wait(10)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """The one connection; the server takes a moment to let the last one go."""
    with _connect(url) as connection:
        # Behind every connection there is the same one backend, with all that was left in it.
        connection.execute("DISCARD ALL")
        yield connection


def _connect(url: str) -> Connection:
    deadline_s = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            return psycopg.connect(url, autocommit=True, connect_timeout=10, prepare_threshold=None)
        except psycopg.OperationalError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.1)


def _locked_at() -> float:
    return (FOLDER / "package-lock.json").stat().st_mtime


if __name__ == "__main__":
    install()
