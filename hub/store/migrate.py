"""Numbered SQL files, each applied once in its own transaction; the lock admits one at a time."""

from importlib.resources import files

import psycopg

from hub.errors import MigrationError

_LOCK = 0x6361_7265
"""Advisory lock key: `care` in ASCII."""
_GROUPING_LOCK = 0x6772_6F75
"""The key a hub takes first when it records alarms (`hub.store.cases`), in every release."""


def migration_names() -> list[str]:
    """The migrations this release knows, in order."""
    folder = files("hub.store") / "migrations"
    return sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))


def migrate(database_url: str) -> list[str]:
    """Bring the database to this release's schema; returns the names applied now.

    Raises MigrationError if a file fails (its transaction is rolled back) or if the database is
    newer than this release.
    """
    applied_now: list[str] = []
    try:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            connection.execute(
                "CREATE TABLE IF NOT EXISTS schema_migration ("
                "name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
            )
            rows = connection.execute("SELECT name FROM schema_migration").fetchall()
            applied: set[str] = {row[0] for row in rows}
            known = migration_names()
            if unknown := sorted(applied - set(known)):
                raise MigrationError(
                    f"the database knows {', '.join(unknown)}, this release does not: "
                    "it was used by a newer release"
                )
            for name in known:
                if name not in applied:
                    _apply(connection, name)
                    applied_now.append(name)
    except psycopg.Error as error:
        raise MigrationError(f"{type(error).__name__}: {error}") from error
    return applied_now


def _apply(connection: psycopg.Connection, name: str) -> None:
    script = (files("hub.store") / "migrations" / name).read_text(encoding="utf-8")
    try:
        with connection.transaction():
            _wait_for_writers(connection)
            connection.execute(script)
            connection.execute("INSERT INTO schema_migration (name) VALUES (%s)", (name,))
    except psycopg.Error as error:
        raise MigrationError(f"{name}: {error}") from error


def _wait_for_writers(connection: psycopg.Connection) -> None:
    """Take what a running hub's transactions begin with, before any other table: whoever comes
    now waits with nothing in hand, so that neither side is a deadlock's victim."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_GROUPING_LOCK,))
    row = connection.execute("SELECT to_regclass('incident')").fetchone()
    if row is not None and row[0] is not None:
        connection.execute("LOCK TABLE incident IN ACCESS EXCLUSIVE MODE")
