"""What the database can do with observations beyond a plain table, and how it is told to.

Migrations decide what does not depend on settings. This comes after them, at every start, and says
the same again harmlessly: periods may have been changed, or the licence.

TimescaleDB is built under two licences. Without the Timescale License (Apache-2.0 builds of Debian
and of several clouds) hypertables remain, and compression, continuous aggregates and policies are
refused: the hub then makes its own aggregates, as on plain PostgreSQL.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

import psycopg
import structlog
from psycopg import sql
from psycopg.rows import dict_row

from hub.errors import MigrationError
from hub.settings import Settings
from hub.store import queries

_SQL = queries.load("engine")
_log = structlog.get_logger(__name__)

Connection = psycopg.Connection[Any]

REFRESH_MARGIN_DAYS = 1
"""Continuous aggregates look this much less far back than raw observations are kept: what was
dropped must not count as nothing measured."""
REFRESH_DAYS_EVERY_S = 3600
"""A day's bucket is read at once while it fills; hourly is enough to store it."""


class Engine(StrEnum):
    """Who keeps the observations."""

    PLAIN = "postgresql"
    """Native range partitions."""
    HYPERTABLE = "timescaledb (Apache-2.0)"
    """A hypertable; aggregates are the hub's own."""
    TIMESCALE = "timescaledb"
    """Everything: compression, continuous aggregates, policies."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the settings say about history."""

    time_zone: str
    keep_observations_days: int
    keep_hourly_days: int
    keep_daily_days: int
    compress_after_days: int
    chunk_hours: int
    aggregate_every_s: int

    @classmethod
    def of(cls, settings: Settings) -> "Terms":
        """Those among all settings."""
        return cls(**{name: getattr(settings, name) for name in cls.__slots__})


def engine_of(connection: Connection) -> Engine:
    """What this database's observations are kept by."""
    ((version, licence, hypertable),) = connection.execute(_SQL["engine"]).fetchall()
    if version is None:
        return Engine.PLAIN
    if not hypertable:
        # Made plain by migration 4, before the extension was there.
        _log.warning("timescaledb_not_used", why="observation was partitioned before it was there")
        return Engine.PLAIN
    if licence != "timescale":
        return Engine.HYPERTABLE
    return Engine.TIMESCALE


def arrange(database_url: str, settings: Settings) -> Engine:
    """Fix the zone of daily buckets, and set up what TimescaleDB can do; says what was found.

    Raises MigrationError.
    """
    try:
        with psycopg.connect(database_url, autocommit=True) as connection:
            return arrange_on(connection, Terms.of(settings))
    except psycopg.Error as error:
        raise MigrationError(f"history: {type(error).__name__}: {error}") from error


def arrange_on(connection: Connection, terms: Terms, engine: Engine | None = None) -> Engine:
    """The same on a connection; tests say which engine it is to take itself for."""
    ((zone,),) = connection.execute(_SQL["fix_zone"], {"time_zone": terms.time_zone}).fetchall()
    if zone != terms.time_zone:
        _log.warning("daily_buckets_keep_their_zone", zone=zone, time_zone=terms.time_zone)
    found = engine or engine_of(connection)
    if found is not Engine.PLAIN:
        _feature(connection, "chunk_interval", lambda: _chunks(connection, terms))
    if found is Engine.HYPERTABLE:
        for feature in ("compression", "continuous_aggregates", "policies"):
            _log.warning(
                "timescaledb_feature_missing",
                feature=feature,
                why="this build is under the Apache licence",
                instead="none" if feature == "compression" else "the worker does it",
            )
    elif found is Engine.TIMESCALE:
        _feature(connection, "compression", lambda: _compress(connection, terms))
        _feature(connection, "sparse_index", lambda: _do(connection, "sparse_index"))
        if _may_aggregate(connection):
            _feature(connection, "hourly", lambda: _aggregate(connection, terms, "hour", zone))
            _feature(connection, "daily", lambda: _aggregate(connection, terms, "day", zone))
    _log.info("history_arranged", engine=found.value, zone=zone)
    return found


def _feature(connection: Connection, name: str, arrange_it: Callable[[], None]) -> None:
    """Whole or not at all; what this build does not have is said once and done without."""
    try:
        with connection.transaction():
            arrange_it()
    except (
        psycopg.errors.FeatureNotSupported,
        psycopg.errors.UndefinedFunction,
        psycopg.errors.InvalidParameterValue,
        psycopg.errors.SyntaxError,
    ) as error:
        _log.warning("timescaledb_feature_missing", feature=name, why=str(error).splitlines()[0])


def _chunks(connection: Connection, terms: Terms) -> None:
    _do(connection, "chunk_interval", chunk_hours=terms.chunk_hours)


def _compress(connection: Connection, terms: Terms) -> None:
    """By an action of ours: TimescaleDB's policy would take the chunk of 1970 too."""
    _do(connection, "compression")
    _do(connection, "drop_compression_policy")
    _do(connection, "compression_action")
    wanted = timedelta(days=terms.compress_after_days)
    jobs = connection.execute(_SQL["compression_job"]).fetchall()
    if [is_set for _, is_set in jobs] != [wanted]:
        for job_id, _ in jobs:
            _do(connection, "drop_job", job_id=job_id)
        _do(connection, "add_compression_job", days=terms.compress_after_days)


def _may_aggregate(connection: Connection) -> bool:
    """Not where the hub's own aggregates have begun (the licence changed later): rows would be
    counted by both."""
    with connection.cursor(row_factory=dict_row) as cursor:
        (state,) = cursor.execute(_SQL["state"]).fetchall()
    if state["continuous"] or state["aggregated_batch_id"] == 0:
        return True
    _log.warning("timescaledb_feature_missing", feature="continuous_aggregates",
                 why="the hub's own aggregates have begun and go on")  # fmt: skip
    return False


def _aggregate(connection: Connection, terms: Terms, span: str, time_zone: str) -> None:
    table = f"history_{span}_auto"
    if _table_id(connection, table) is None:
        definition = sql.SQL(_SQL[f"{span}_aggregate"])
        connection.execute(definition.format(time_zone=sql.Literal(time_zone)))
        _do(connection, f"ask_{span}_aggregate")
    keep_days = {"hour": terms.keep_hourly_days, "day": terms.keep_daily_days}[span]
    back_days = terms.keep_observations_days - REFRESH_MARGIN_DAYS
    every_s = {"hour": terms.aggregate_every_s, "day": REFRESH_DAYS_EVERY_S}[span]
    if _set_now(connection, "policy_refresh_continuous_aggregate", table, "start_offset") != (
        timedelta(days=back_days)
    ):
        _do(connection, "drop_refresh_policy", table=table)
        _do(
            connection, "add_refresh_policy", table=table, days=back_days, every_s=every_s,
            end_offset=f"1 {span}",
        )  # fmt: skip
    if _set_now(connection, "policy_retention", table, "drop_after") != timedelta(days=keep_days):
        _do(connection, "drop_retention_policy", table=table)
        _do(connection, "add_retention_policy", table=table, days=keep_days)


def _set_now(connection: Connection, policy: str, table: str, key: str) -> timedelta | None:
    values = {"policy": policy, "table_id": _table_id(connection, table), "key": key}
    row = connection.execute(_SQL["policy"], values).fetchone()
    return None if row is None else row[0]


def _table_id(connection: Connection, table: str) -> str | None:
    row = connection.execute(_SQL["hypertable_id"], {"table": table}).fetchone()
    return None if row is None else str(row[0])


def _do(connection: Connection, query: str, **values: object) -> None:
    connection.execute(_SQL[query], values or None)
