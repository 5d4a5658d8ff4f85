"""What is in a database: what a restored one must equal, and what it must forget."""

from typing import Any

import psycopg
from psycopg import sql

from hub.backup.archive import Table

Connection = psycopg.Connection[Any]

_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname
"""
_TRANSACTION_COLUMNS = """
SELECT c.relname, a.attname FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND a.atttypid = 'xid8'::regtype AND NOT a.attisdropped AND a.attnum > 0
"""


def tables_of(connection: Connection) -> dict[str, Table]:
    """Rows of each table and a sum over the hashes of their text: the order does not matter.

    Two equal pairs of wrong rows would be needed to deceive it; the dump itself has a SHA-256.
    """
    connection.execute("SET LOCAL timezone TO 'UTC'")
    found: dict[str, Table] = {}
    for (name,) in connection.execute(_TABLES).fetchall():
        query = sql.SQL(
            "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM {} AS t"
        ).format(sql.Identifier(name))
        ((rows, checksum),) = connection.execute(query).fetchall()
        found[name] = Table(rows, checksum)
    return found


def migrations_of(connection: Connection) -> list[str]:
    """The migrations that were applied; empty where there is no schema."""
    row = connection.execute("SELECT to_regclass('public.schema_migration')").fetchone()
    if row is None or row[0] is None:
        return []
    return [n for (n,) in connection.execute("SELECT name FROM schema_migration ORDER BY 1")]


def extensions_of(connection: Connection) -> dict[str, str]:
    """Extensions beyond PostgreSQL's own procedural language, with their versions."""
    rows = connection.execute("SELECT extname, extversion FROM pg_extension").fetchall()
    return {name: version for name, version in rows if name != "plpgsql"}


def forget_foreign_transactions(connection: Connection) -> None:
    """Rows remember which transaction changed them, and readers ask for what came after a horizon.

    A new server counts from the start: until it had caught up with the old one, every row of the
    old one would look new at every look.
    """
    for table, column in connection.execute(_TRANSACTION_COLUMNS).fetchall():
        connection.execute(
            sql.SQL(
                "UPDATE {} SET {} = pg_current_xact_id() WHERE {} > pg_current_xact_id()"
            ).format(sql.Identifier(table), sql.Identifier(column), sql.Identifier(column))
        )
