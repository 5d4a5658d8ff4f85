"""Whatever is done to a sealed log is named, and whatever writers do the chain stays whole."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hub.audit_chain import Head
from hub.store import audit_seal
from hub.store.audit import Fault, Verdict, verify

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
WRITE = (
    "INSERT INTO audit_log (at, area_id, incident_id, actor_kind, actor_id, actor_name, action,"
    " reason, detail) VALUES (%s, 'east', %s, 'account', 'lin', '林', %s, %s, %s)"
    " RETURNING entry_id"
)
EMPTY = (
    "SET session_replication_role = replica; TRUNCATE audit_log, audit_block, audit_awaited;"
    " SET session_replication_role = origin"
)


@dataclass(slots=True)
class Log:
    """A log with its writers; tampering goes past the triggers, as whoever owns the server can."""

    url: str
    runner: asyncio.Runner
    owner: psycopg.Connection[Any]
    sealer: psycopg.AsyncConnection[Any]
    writers: list[psycopg.Connection[Any]]
    written: list[int] = field(default_factory=list)

    def write(self, writer: int, text: str) -> None:
        row = (
            self.writers[writer]
            .execute(WRITE, (NOW, "i-1", "look", text, json.dumps({"q": text, "n": 1.5})))
            .fetchone()
        )
        assert row is not None
        self.written.append(row[0])

    def seal(self) -> list[audit_seal.Sealed]:
        """Until nothing waits."""

        async def work() -> list[audit_seal.Sealed]:
            made: list[audit_seal.Sealed] = []
            while True:
                async with self.sealer.transaction():
                    one = await audit_seal.seal_some(self.sealer, NOW)
                if one is None:
                    return made
                made.append(one)

        return self.runner.run(work())

    def tamper(self, query: str, *values: object) -> int:
        self.owner.execute("SET session_replication_role = replica")
        done = self.owner.execute(query.encode(), values).rowcount
        self.owner.execute("SET session_replication_role = origin")
        return done

    def verified(self, *anchors: Head) -> Verdict:
        self.owner.autocommit = True
        return verify(self.owner, anchors)

    def reset(self) -> None:
        for writer in self.writers:
            writer.rollback()
        self.owner.execute(EMPTY)
        self.written.clear()


@pytest.fixture
def log(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    monkeypatch.setattr(audit_seal, "BLOCK_ENTRIES", 4)
    with asyncio.Runner() as runner:
        owner = psycopg.connect(database_url, autocommit=True)
        writers = [psycopg.connect(database_url) for _ in range(3)]
        sealer = runner.run(psycopg.AsyncConnection.connect(database_url, autocommit=True))
        yield Log(database_url, runner, owner, sealer, writers)
        runner.run(sealer.close())
        for connection in (owner, *writers):
            connection.close()


STEP = st.one_of(
    st.tuples(st.just("write"), st.integers(0, 2)),
    st.tuples(st.just("commit"), st.integers(0, 2)),
    st.tuples(st.just("roll back"), st.integers(0, 2)),
    st.tuples(st.just("seal"), st.just(0)),
)
MANY = settings(
    max_examples=50, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def lived(log: Log, steps: list[tuple[str, int]]) -> list[audit_seal.Sealed]:
    """Writers come and go, also slow ones; in the end everybody has committed and all is sealed."""
    log.reset()
    made: list[audit_seal.Sealed] = []
    for number, (verb, writer) in enumerate(steps):
        match verb:
            case "write":
                log.write(writer, f"entry {number}")
            case "commit":
                log.writers[writer].commit()
            case "roll back":
                log.writers[writer].rollback()
            case _:
                made += log.seal()
                assert log.verified().whole
    for connection in log.writers:
        connection.commit()
    return made + log.seal()


@MANY
@given(st.lists(STEP, max_size=40))
def test_concurrent_and_slow_writers_never_break_the_chain(
    log: Log, steps: list[tuple[str, int]]
) -> None:
    lived(log, steps)
    verdict = log.verified()
    assert verdict.whole, verdict.problems
    (there,) = log.owner.execute("SELECT count(*) FROM audit_log").fetchone() or (0,)
    assert (verdict.entries, verdict.waiting) == (there, 0), "every committed entry is sealed"
    awaited = log.owner.execute("SELECT * FROM audit_awaited").fetchall()
    log.seal()
    assert not awaited or not log.owner.execute("SELECT * FROM audit_awaited").fetchall()


SAID = "at, area_id, incident_id, actor_kind, actor_id, actor_name, action, reason, detail"
TAMPERING = st.sampled_from(
    ["at", "area", "actor", "reason", "detail", "nulled", "remove", "insert", "swap", "renumber"]
)


@MANY
@given(st.lists(STEP, min_size=8, max_size=40), TAMPERING, st.data())
def test_any_single_tampering_is_named(
    log: Log, steps: list[tuple[str, int]], deed: str, data: st.DataObject
) -> None:
    lived(log, steps)
    ids = [row[0] for row in log.owner.execute("SELECT entry_id FROM audit_log ORDER BY 1")]
    assume(len(ids) >= 2)
    victim = data.draw(st.sampled_from(ids))
    changes = {
        "at": "at = at + interval '1 microsecond'",
        "area": "area_id = 'west'",
        "actor": "actor_name = actor_name || ' '",
        "reason": "reason = reason || '.'",
        "detail": "detail = detail || '{\"n\": 1.51}'",
        "nulled": "incident_id = NULL",
    }
    if deed in changes:
        assert log.tamper(f"UPDATE audit_log SET {changes[deed]} WHERE entry_id = %s", victim) == 1
        wanted = [(Fault.CHANGED, victim)]
    elif deed == "remove":
        log.tamper("DELETE FROM audit_log WHERE entry_id = %s", victim)
        wanted = [(Fault.MISSING, victim)]
    elif deed == "insert":
        free = data.draw(st.integers(min(ids) - 3, max(ids) - 1).filter(lambda n: n not in ids))
        log.tamper(
            "INSERT INTO audit_log (entry_id, at, area_id, actor_kind, action)"
            " OVERRIDING SYSTEM VALUE VALUES (%s, %s, 'east', 'hub', 'never')",
            free,
            NOW,
        )
        wanted = [(Fault.INSERTED, free)]
    elif deed == "swap":
        other = data.draw(st.sampled_from([each for each in ids if each != victim]))
        assert log.tamper(
            f"UPDATE audit_log a SET ({SAID}) = (SELECT {SAID} FROM audit_log b"
            " WHERE b.entry_id = %s - a.entry_id) WHERE a.entry_id IN (%s, %s)",
            victim + other, victim, other) == 2  # fmt: skip
        wanted = [(Fault.MOVED, min(victim, other)), (Fault.MOVED, max(victim, other))]
    else:
        log.tamper(
            f"INSERT INTO audit_log (entry_id, {SAID}) OVERRIDING SYSTEM VALUE"
            f" SELECT -7, {SAID} FROM audit_log WHERE entry_id = %s", victim)  # fmt: skip
        log.tamper("DELETE FROM audit_log WHERE entry_id = %s", victim)
        wanted = [(Fault.MOVED, -7), (Fault.MISSING, victim)]
    verdict = log.verified()
    found = sorted((p.fault, p.entry_id or 0) for p in verdict.problems)
    assert found == sorted(wanted), (deed, verdict.problems)
    assert not verdict.whole


def test_the_chain_itself_is_watched(log: Log) -> None:
    steps = [("write", 0), ("commit", 0), ("seal", 0)] * 6
    made = lived(log, steps)
    heads = [one.head for one in made]
    assert [head.number for head in heads] == [1, 2, 3, 4, 5, 6]
    assert log.verified(*heads).whole

    log.tamper("UPDATE audit_block SET sealed_at = sealed_at - interval '1 day' WHERE number = 3")
    assert [(p.fault, p.block) for p in log.verified().problems] == [(Fault.BLOCK_CHANGED, 3)]
    log.tamper("UPDATE audit_block SET sealed_at = sealed_at + interval '1 day' WHERE number = 3")

    ids = log.owner.execute("SELECT entry_ids FROM audit_block WHERE number = 4").fetchone()
    assert ids is not None
    log.tamper("DELETE FROM audit_block WHERE number = 4")
    found = {(p.fault, p.block or p.entry_id) for p in log.verified().problems}
    assert found == {(Fault.BLOCKS_MISSING, 5), (Fault.INSERTED, ids[0][0])}


def test_a_tail_that_was_cut_off_shows_only_against_an_anchor(log: Log) -> None:
    made = lived(log, [("write", 0), ("commit", 0), ("seal", 0)] * 4)
    last = made[-1].head
    log.tamper("DELETE FROM audit_block WHERE number >= 3")
    log.tamper("DELETE FROM audit_log WHERE entry_id >= %s", sorted(log.written)[2])
    assert log.verified().whole, "what is left is a chain"
    (problem,) = log.verified(last).problems
    assert (problem.fault, problem.block) == (Fault.TRUNCATED, 4)
    assert "ends with block 2" in problem.detail


def test_a_chain_that_was_made_anew_shows_against_an_anchor(log: Log) -> None:
    made = lived(log, [("write", 0), ("commit", 0), ("seal", 0)] * 3)
    log.tamper("UPDATE audit_log SET actor_id = 'wang' WHERE entry_id = %s", log.written[0])
    log.tamper("DELETE FROM audit_block")
    log.seal()
    assert log.verified().whole
    problems = log.verified(made[0].head, made[1].head).problems
    assert {p.fault for p in problems} <= {Fault.REWRITTEN, Fault.TRUNCATED}
    assert problems


def test_retention_cuts_and_says_so(log: Log) -> None:
    steps = [("write", 0), ("commit", 0), ("seal", 0)]
    lived(log, steps * 2)
    old, later = NOW, NOW + timedelta(days=400)

    async def cut(before: datetime) -> int | None:
        async with log.sealer.transaction():
            return await audit_seal.cut_some(log.sealer, before, later, "city")

    log.write(1, "young")
    log.writers[1].commit()
    log.seal()
    assert log.runner.run(cut(old)) is None, "nothing is older than itself"
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        log.owner.execute("DELETE FROM audit_block WHERE number = 1")
    aged = "SET newest_at = newest_at - interval '300 days' WHERE number <= 2"
    log.tamper(f"UPDATE audit_block {aged}")
    log.tamper("UPDATE audit_log SET at = at - interval '300 days' WHERE entry_id <= %s",
               sorted(log.written)[1])  # fmt: skip
    assert not log.verified().whole, "we have just rewritten history to make it old"
    reseal(log)
    heads = log.verified().head
    assert log.runner.run(cut(NOW - timedelta(days=200))) == 2
    log.seal()
    verdict = log.verified()
    assert verdict.whole, verdict.problems
    assert verdict.cut is not None
    assert verdict.cut.number == 1, "two old entries were sealed together, the young one apart"
    assert heads is not None
    assert log.verified(heads).whole
    log.tamper("DELETE FROM audit_log WHERE action = 'audit_cut'")
    faults = {p.fault for p in log.verified().problems}
    assert faults == {Fault.MISSING, Fault.BEGINNING_MISSING}


def reseal(log: Log) -> None:
    """The same log, sealed as if it had always been old."""
    log.tamper("DELETE FROM audit_block")
    log.seal()


def test_an_incident_keeps_its_log(log: Log) -> None:
    lived(log, [("write", 0), ("commit", 0), ("seal", 0)] * 2)
    log.owner.execute(
        "INSERT INTO incident (incident_id, area_id, subject_kind, subject_id, state, category,"
        " priority, kind, opened_at, last_alarm_at, alarm_count, step, silent, revision,"
        " next_deadline_at) VALUES ('i-1', 'east', 'person', 'anna', 'raised', 'personal', 'high',"
        " 'press', %s, %s, 1, 0, false, 1, %s)", (NOW, NOW, NOW))  # fmt: skip

    async def cut() -> int | None:
        async with log.sealer.transaction():
            return await audit_seal.cut_some(log.sealer, NOW + timedelta(days=1), NOW, "city")

    assert log.runner.run(cut()) is None
