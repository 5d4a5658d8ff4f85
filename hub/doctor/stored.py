"""What the database says: itself, what waits in it, who is there."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from alerts.policy import ChannelName
from hub.configured import configured
from hub.doctor.verdict import Patient, Verdict, failure, note, ok, warning
from hub.store.migrate import migration_names

OLDEST_SERVER = 150_000
"""PostgreSQL 15 as libpq counts: the oldest the tests of this release's SQL were written for."""
OVERDUE_S = 30.0
"""An escalator's cycle takes a second; 30 s is the first rung of the ladder."""
UNSENT_S = 60.0
IDLE_S = 30.0
"""Ours: nothing of the hub leaves a transaction open for a second without working in it."""
_TO_PEOPLE = {ChannelName.SMS, ChannelName.VOICE, ChannelName.EMAIL, ChannelName.PUSH}
"""To neighbours, family and duty; the fallback contact has ways of its own."""

_WAITING = """
SELECT
    (SELECT count(*) FROM quarantine WHERE state = 'waiting' AND lane = 'alarm'),
    (SELECT count(*) FROM quarantine WHERE state = 'waiting' AND lane = 'telemetry'),
    (SELECT count(*) FROM notification WHERE state IN ('failed', 'poisoned'))
"""
_OVERDUE = """
SELECT count(*), min(next_deadline_at) FROM incident
WHERE state <> 'resolved' AND next_deadline_at < %s
"""
_UNSENT = "SELECT count(*), min(due_at) FROM notification WHERE state = 'pending' AND due_at < %s"
_ON_DUTY = """
SELECT count(DISTINCT a.account_id) FROM desk_session s JOIN account a USING (account_id)
WHERE s.expires_at > %s AND NOT a.disabled AND a.role IN ('dispatcher', 'administrator')
"""
_ADMINISTRATORS = """
SELECT count(*) FROM account
WHERE area_id = %s AND role = 'administrator' AND NOT disabled
"""
AGGREGATED_WITHIN_S = 7200.0
"""Twice an hourly bucket: then the job has failed, not just not run yet."""
RETENTION_SLACK_DAYS = 2
"""Whole days are removed, once a day."""

_UNAGGREGATED = """
SELECT 1 FROM history_state WHERE aggregated_batch_id < (SELECT last_value FROM batch_id) LIMIT 1
"""
_OLDEST = """
SELECT min(observed_at) FROM observation WHERE observed_at > '1970-01-02T00:00:00Z'
"""
_STALE = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND state = 'idle in transaction'
  AND now() - state_change > make_interval(secs => %s)
"""


def database_reachable(patient: Patient) -> Iterator[Verdict]:
    """Does it answer, and is it new enough?"""
    if patient.database is None:
        yield failure("database_away", why=patient.database_error or "?")
        return
    version = patient.database.info.server_version
    values = {"version": f"{version // 10_000}.{version % 10_000}"}
    if version < OLDEST_SERVER:
        yield failure("database_old", **values)
    else:
        yield ok("database_reachable", **values)


def schema_current(patient: Patient) -> Iterator[Verdict]:
    """Are there migrations to apply, or is the database newer than this release?"""
    if patient.database is None:
        return
    (exists,) = _one(patient, "SELECT to_regclass('public.schema_migration') IS NOT NULL")
    rows = _all(patient, "SELECT name FROM schema_migration") if exists else []
    applied = {name for (name,) in rows}
    known = set(migration_names())
    if applied - known:
        yield failure("database_newer", names=", ".join(sorted(applied - known)))
    elif known - applied:
        yield warning("migrations_pending", names=", ".join(sorted(known - applied)))
    else:
        yield ok("schema_current", count=len(known))


def extensions_there(patient: Patient) -> Iterator[Verdict]:
    """Which tier of history this database gives."""
    if patient.database is None:
        return
    found = dict(_all(patient, "SELECT extname, extversion FROM pg_extension"))
    if "timescaledb" in found:
        yield ok("timescaledb", version=found["timescaledb"])
    else:
        yield note("plain_postgresql")


def ladders_move(patient: Patient) -> Iterator[Verdict]:
    """A deadline that passed and that nobody looked at is a ladder that stands still."""
    if not _ready(patient):
        return
    count, oldest = _one(patient, _OVERDUE, patient.now)
    if count and _age_s(patient, oldest) > OVERDUE_S:
        yield failure("ladder_stands", count=count, age_s=round(_age_s(patient, oldest)))
    else:
        yield ok("ladders_move")
    unsent, due = _one(patient, _UNSENT, patient.now)
    if unsent and _age_s(patient, due) > UNSENT_S:
        yield failure("courier_stands", count=unsent, age_s=round(_age_s(patient, due)))


def operator_wanted(patient: Patient) -> Iterator[Verdict]:
    """Quarantine and dead letters."""
    if not _ready(patient):
        return
    alarms, telemetry, letters = _one(patient, _WAITING)
    if alarms:
        yield warning("quarantined_alarms", count=alarms)
    if telemetry:
        yield note("quarantined_telemetry", count=telemetry)
    if letters:
        yield warning("dead_letters", count=letters)
    if not (alarms or telemetry or letters):
        yield ok("nothing_waits")


def desk_on_duty(patient: Patient) -> Iterator[Verdict]:
    """Is anybody logged in who may acknowledge?"""
    if not _ready(patient):
        return
    (count,) = _one(patient, _ON_DUTY, patient.now)
    if count == 0:
        yield failure("nobody_on_duty")
    else:
        yield ok("desk_on_duty", count=count)
    settings = patient.settings
    if not (settings.webhook_url or settings.fallback_by_area or settings.apprise_urls):
        yield warning("no_fallback")


def reachable_elsewhere(patient: Patient) -> Iterator[Verdict]:
    """Does anything reach people who are not at the desk, and may anybody change it?"""
    ways = sorted(configured(patient.settings) & _TO_PEOPLE)
    if ways:
        yield ok("channels_set", channels=", ".join(ways))
    else:
        yield warning("no_channel")
    if not _ready(patient):
        return
    (count,) = _one(patient, _ADMINISTRATORS, patient.settings.root_area_id)
    if count == 0:
        yield failure("no_administrator", area=patient.settings.root_area_id)
    else:
        yield ok("administrator_there", count=count)


def transactions_end(patient: Patient) -> Iterator[Verdict]:
    """A client that holds locks and does nothing stops others."""
    if patient.database is None:
        return
    (count,) = _one(patient, _STALE, IDLE_S)
    if count:
        yield warning("idle_transactions", count=count)


def _ready(patient: Patient) -> bool:
    """Whether the tables of operation are there; before the first `carebell up` they are not."""
    if patient.database is None:
        return False
    (exists,) = _one(patient, "SELECT to_regclass('public.muted_condition') IS NOT NULL")
    return bool(exists)


def _one(patient: Patient, query: str, *parameters: object) -> tuple[Any, ...]:
    (row,) = _all(patient, query, *parameters)
    return row


def _all(patient: Patient, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    if patient.database is None:
        return []
    return patient.database.execute(query.encode(), parameters).fetchall()


def _age_s(patient: Patient, since: datetime) -> float:
    return (patient.now - since).total_seconds()


def history_current(patient: Patient) -> Iterator[Verdict]:
    """Do the nightly jobs of history keep up: aggregates, and what should have been removed?"""
    if patient.database is None:
        return
    (exists,) = _one(patient, "SELECT to_regclass('public.history_state') IS NOT NULL")
    if not exists:
        return
    (aggregated_at,) = _one(patient, "SELECT aggregated_at FROM history_state")
    waiting = _all(patient, _UNAGGREGATED) if aggregated_at is not None else []
    if waiting and _age_s(patient, aggregated_at) > AGGREGATED_WITHIN_S:
        yield warning("aggregates_lag", hours=round(_age_s(patient, aggregated_at) / 3600, 1))
    keep_days = patient.settings.keep_observations_days
    (oldest,) = _one(patient, _OLDEST)
    if oldest is not None and _age_s(patient, oldest) > (keep_days + RETENTION_SLACK_DAYS) * 86400:
        days = round(_age_s(patient, oldest) / 86400)
        yield warning("retention_lags", days=days, keep_days=keep_days)
    else:
        yield ok("history_current")
