"""The table of checks, and one examination of a hub."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import structlog

from alerts.ports import Clock
from hub.backup.scratch import is_running
from hub.doctor import machine, running, stored
from hub.doctor.verdict import Check, Level, Patient, Verdict, failure, warning
from hub.doctor.words import WORDS
from hub.embedded.database import database_url
from hub.embedded.folder import HubFolder
from hub.embedded.status import read_status
from hub.log import named
from hub.settings import Settings

CHECKS: dict[str, Check] = {
    "settings": machine.settings_read,
    "folder": machine.folder_private,
    "disk": machine.disk_room,
    "clock": machine.clock_right,
    "certificates": machine.certificates_valid,
    "backup": machine.backup_recent,
    "children": running.children_run,
    "callout": running.callout_answers,
    "ports": running.ports_free,
    "broker": running.broker_reachable,
    "broker_keeps": running.broker_keeps,
    "sessions": running.sessions_exist,
    "health": running.press_would_ring,
    "snapshot": running.snapshot_fresh,
    "logs": running.logs_writable,
    "database": stored.database_reachable,
    "schema": stored.schema_current,
    "extensions": stored.extensions_there,
    "ladders": stored.ladders_move,
    "operator": stored.operator_wanted,
    "desk": stored.desk_on_duty,
    "reachable": stored.reachable_elsewhere,
    "transactions": stored.transactions_end,
    "history": stored.history_current,
}
"""In the order in which somebody would look."""

CONNECT_WITHIN_S = 3
STATEMENT_TIMEOUT_MS = 10_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict in words."""

    check: str
    level: Level
    key: str
    what: str
    to_do: str


def examine(settings: Settings, clock: Clock) -> Iterator[tuple[str, Verdict]]:
    """Every check's verdicts. A check that fails itself is a verdict too: the others go on. Who may
    not work in the hub's folder is told only that: everything else would be a guess."""
    folder = HubFolder(settings.data_dir)
    if not machine.usable(folder.root):
        yield "folder", failure("folder_unusable", folder=str(folder.root))
        return
    database, why = _connected(settings)
    patient = Patient(
        settings,
        folder,
        clock.now(),
        clock,
        is_running(folder),
        read_status(folder),
        database,
        why,
    )
    try:
        for name, check in CHECKS.items():
            try:
                yield from ((name, verdict) for verdict in check(patient))
            except Exception as error:  # noqa: BLE001 - one broken check must not hide the others
                _log.exception("check_failed", name=name)
                yield name, warning("check_failed", check=name, why=named(error))
    finally:
        if database is not None:
            database.close()


def told(check: str, verdict: Verdict, language: str) -> Told:
    """A verdict in a language of the hub."""
    what, to_do = WORDS.get(language, WORDS["en"])[verdict.key]
    return Told(
        check,
        verdict.level,
        verdict.key,
        what.format_map(verdict.values),
        to_do.format_map(verdict.values),
    )


def _connected(
    settings: Settings,
) -> tuple[psycopg.Connection[tuple[object, ...]] | None, str | None]:
    url = settings.database_url or database_url(settings.data_dir)
    try:
        connection = psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=CONNECT_WITHIN_S,
            options=f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC",
        )
    except psycopg.Error as error:
        return None, named(error)
    return connection, None
