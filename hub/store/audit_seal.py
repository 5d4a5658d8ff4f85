"""Seals what was committed to the audit log, block by block, and cuts off what is past its time.

Writers do nothing for it and never wait: ids come from a sequence, entries become visible when
their transactions commit. A block takes what is visible; ids that were passed and are not there
are remembered until every transaction that may hold them has ended, and what comes late is sealed
by a later block. So no entry is left out, however slow its transaction was (docs/adr/0027).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from hub.audit_chain import FIRST_HASH, Block, EntryRow, Head, digest_of
from hub.store import queries
from hub.store.ledger import log_values

_SQL = queries.load("audit")
_INCIDENTS = queries.load("incidents")
_SEAL_LOCK = 0x7365_616C
"""Advisory lock key: `seal` in ASCII."""

BLOCK_ENTRIES = 500
"""Digests of one block: 5 ms of the worker's core and 19 KB (measured, docs/how-to/record.md)."""
BLOCK_SPAN_US = 86_400_000_000
"""A day: retention removes whole blocks, so nothing stays more than a day longer than it should,
also of a log that was written before it was sealed."""
CUT_BLOCKS = 10
"""Blocks that retention removes in one transaction, 5,000 entries at most."""
CUT = "audit_cut"
"""The action of the entry that says what retention removed."""

Connection = psycopg.AsyncConnection[Any]
Span = tuple[int, int, datetime]
"""First and last of some ids that are awaited, and since when."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A block that was made."""

    head: Head
    entries: int
    more: bool
    """Whether further entries wait to be sealed."""


async def seal_some(connection: Connection, now: datetime) -> Sealed | None:
    """Make the next block in the caller's transaction; None: nothing waits, or another seals."""
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(_SQL["lock_seal"], {"key": _SEAL_LOCK})
        if not (await _one(cursor))[0]:
            return None
        await cursor.execute(_SQL["head"])
        found = await cursor.fetchone()
        head = Head(found[0], bytes(found[1])) if found else Head(0, FIRST_HASH)
        passed = found[2] if found else 0
        # In this order: whoever has ended before the second look is seen by the third.
        await cursor.execute(_SQL["awaited"])
        awaited: list[Span] = [(row[0], row[1], row[2]) for row in await cursor.fetchall()]
        await cursor.execute(_SQL["oldest_transaction"])
        (running_since,) = await _one(cursor)
        late: list[EntryRow] = []
        if awaited:
            await cursor.execute(_SQL["entries_awaited"], {"limit": BLOCK_ENTRIES})
            late = [EntryRow(*row) for row in await cursor.fetchall()]
        room = BLOCK_ENTRIES - len(late)
        await cursor.execute(_SQL["entries_after"], {"after": passed, "limit": room})
        fetched = [EntryRow(*row) for row in await cursor.fetchall()]
        new = _of_one_day(fetched)
        await cursor.execute(_SQL["clock"])
        (at,) = await _one(cursor)
        upto = new[-1].entry_id if new else passed
        whole = len(late) < BLOCK_ENTRIES
        still = _awaited_now(awaited, late, running_since if whole else None)
        still += _gaps(passed, new, at)
        await _save_awaited(cursor, awaited, still)
        if not late and not new:
            return None
        block = _block(head, sorted([*late, *new]), upto, now)
        root = block.root
        sealed = Head(block.number, block.hash_over(root))
        await cursor.execute(
            _SQL["add_block"],
            {
                "number": block.number,
                "sealed_at": _moment(block.sealed_at_us),
                "previous_hash": block.previous_hash,
                "hash": sealed.hash,
                "root": root,
                "upto_entry_id": block.upto_entry_id,
                "newest_at": _moment(block.newest_at_us),
                "entry_ids": list(block.entry_ids),
                "digests": b"".join(block.digests),
            },
        )
        return Sealed(
            sealed, len(block.entry_ids), more=not whole or len(fetched) == room or new != fetched
        )


async def cut_some(
    connection: Connection, before: datetime, now: datetime, area_id: str
) -> int | None:
    """Remove the oldest blocks of which every entry is older, with their entries, and say so in the
    log; how many entries went, None: nothing is left to remove.

    Stops at the first block that tells of an incident that is still kept: a case and its log go
    together.
    """
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(_SQL["oldest_blocks"], {"limit": CUT_BLOCKS})
        going: list[int] = []
        last: tuple[Head, datetime] | None = None
        for number, block_hash, newest_at, entry_ids in await cursor.fetchall():
            if newest_at >= before:
                break
            await cursor.execute(_SQL["still_told_of"], {"entry_ids": entry_ids})
            if (await _one(cursor))[0]:
                break
            going += entry_ids
            last = (Head(number, bytes(block_hash)), newest_at)
        if last is None:
            return None
        head, newest_at = last
        await cursor.execute(_SQL["let_retention"])
        await cursor.execute(_SQL["remove_entries"], {"entry_ids": going})
        await cursor.execute(_SQL["remove_blocks"], {"upto": head.number})
        detail = {"upto": str(head), "entries": len(going), "before": before,
                  "newest_at": newest_at}  # fmt: skip
        await cursor.execute(
            _INCIDENTS["log"],
            log_values(
                now, area_id, None, CUT, "past_its_time", detail, ("hub", "retention", None)
            ),
        )
        return len(going)


def _block(head: Head, rows: Sequence[EntryRow], upto: int, now: datetime) -> Block:
    now_us = _micros(now)
    known = [int(row.at_us) for row in rows if row.at_us.removeprefix("-").isdigit()]
    newest = max((us for us in known if us < _micros(_LATEST)), default=now_us)
    return Block(
        number=head.number + 1,
        sealed_at_us=now_us,
        previous_hash=head.hash,
        upto_entry_id=upto,
        newest_at_us=max(newest, 0),
        entry_ids=tuple(row.entry_id for row in rows),
        digests=tuple(digest_of(row) for row in rows),
    )


def _of_one_day(rows: Sequence[EntryRow]) -> list[EntryRow]:
    """The rows from the first on that are at most a day younger."""
    if not rows or not rows[0].at_us.isdigit():
        return list(rows)
    until = int(rows[0].at_us) + BLOCK_SPAN_US
    for place, row in enumerate(rows):
        if row.at_us.isdigit() and int(row.at_us) > until:
            return list(rows[:place])
    return list(rows)


def _gaps(passed: int, rows: Sequence[EntryRow], at: datetime) -> list[Span]:
    """Ids after `passed` that were skipped on the way to the last row."""
    gaps: list[Span] = []
    for row in rows:
        if row.entry_id > passed + 1:
            gaps.append((passed + 1, row.entry_id - 1, at))
        passed = row.entry_id
    return gaps


def _awaited_now(
    awaited: Sequence[Span], late: Sequence[EntryRow], running_since: datetime | None
) -> list[Span]:
    """What is awaited still: without those that came, and without those whose transactions have all
    ended (None: not everything that came was looked at)."""
    came = [row.entry_id for row in late]
    still: list[Span] = []
    for first, last, since in awaited:
        if running_since is not None and since < running_since:
            continue
        for entry_id in (each for each in came if first <= each <= last):
            if entry_id > first:
                still.append((first, entry_id - 1, since))
            first = entry_id + 1
        if first <= last:
            still.append((first, last, since))
    return still


async def _save_awaited(
    cursor: psycopg.AsyncCursor[Any], before: Sequence[Span], after: Sequence[Span]
) -> None:
    old, new = set(before), set(after)
    gone = [first for first, _, _ in old - new]
    if gone:
        await cursor.execute(_SQL["forget_awaited"], {"first_ids": gone})
    rows = [{"first_id": f, "last_id": t, "since": s} for f, t, s in sorted(new - old)]
    if rows:
        await cursor.executemany(_SQL["await"], rows)


async def _one(cursor: psycopg.AsyncCursor[Any]) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = await cursor.fetchone()
    if row is None:
        message = "a query that always answers did not"
        raise psycopg.InterfaceError(message)
    return row


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
