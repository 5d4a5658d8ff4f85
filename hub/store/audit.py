"""Reads the sealed log: how far it is sealed, whether it is whole, and the proof of single entries.

`verify` reads every entry and every block once, in one snapshot, and keeps only what is between
them; millions of entries need no more memory than thousands.
"""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
import psycopg

from hub.audit_chain import DIGEST_BYTES, FIRST_HASH, Block, EntryRow, Head, digest_of, proof_of
from hub.store import queries
from hub.store.audit_seal import CUT
from hub.store.reach import Cursor

_SQL = queries.load("audit")

PROBLEMS_KEPT = 10_000
"""Named one by one; further ones are only counted."""
ENTRIES_AT_ONCE = 2_000
BLOCKS_AT_ONCE = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Fault(StrEnum):
    """What can be wrong with a sealed log."""

    CHANGED = "changed"
    """An entry says something else than when it was sealed."""
    MISSING = "missing"
    """An entry that was sealed is not there."""
    INSERTED = "inserted"
    """An entry stands among sealed ones and was never sealed."""
    MOVED = "moved"
    """An entry says what another one said when it was sealed."""
    BLOCK_CHANGED = "block_changed"
    """A block does not have the hash of what it holds."""
    BLOCKS_MISSING = "blocks_missing"
    """Numbers are left out."""
    CHAIN_BROKEN = "chain_broken"
    """A block does not follow the one before it."""
    BEGINNING_MISSING = "beginning_missing"
    """The log begins later than it should, and no sealed entry says that retention cut it."""
    TRUNCATED = "truncated"
    """An anchor is of a block after the last one."""
    REWRITTEN = "rewritten"
    """An anchor's block is there with another hash."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault, and where."""

    fault: Fault
    entry_id: int | None = None
    block: int | None = None
    detail: str = ""

    def __str__(self) -> str:
        """For people."""
        what = f"entry {self.entry_id}" if self.entry_id is not None else f"block {self.block}"
        within = "" if self.entry_id is None or self.block is None else f" (block {self.block})"
        return f"{what}{within}: {self.fault.value}{f', {self.detail}' if self.detail else ''}"


@dataclass(slots=True)
class Verdict:
    """What verifying found."""

    entries: int = 0
    """Sealed entries that were compared."""
    blocks: int = 0
    head: Head | None = None
    cut: Head | None = None
    """Retention removed everything up to this block."""
    waiting: int = 0
    """Entries that are not sealed yet: only the table's own trigger guards them."""
    waiting_since: datetime | None = None
    problems: list[Problem] = field(default_factory=list)
    count: int = 0
    """Of all problems, also those that are not kept."""
    notes: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.count == 0

    def found(self, problem: Problem) -> None:
        """One more problem."""
        self.count += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(problem)


def verify(connection: psycopg.Connection[Any], anchors: Sequence[Head] = ()) -> Verdict:
    """Compare every entry with its seal, every block with the one before, and the chain with heads
    that were kept elsewhere."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return _Examination(connection, anchors).run()


class _Examination:
    """Two streams side by side: the log by id, and the blocks by number."""

    def __init__(self, connection: psycopg.Connection[Any], anchors: Sequence[Head]) -> None:
        self._connection = connection
        self._anchors = {anchor.number: anchor for anchor in anchors}
        self._verdict = Verdict()
        self._early: dict[int, bytes] = {}
        """Entries that no block up to here has: a later one must, or they were inserted."""
        self._lost: dict[bytes, list[int]] = {}
        """Digests of entries that are missing or changed, to know them again elsewhere."""
        self._strange: dict[int, bytes] = {}
        """Digests of what stands where something else stood, or where nothing should."""
        self._cuts: list[Head] = []

    def run(self) -> Verdict:
        """Everything once."""
        awaited = self._connection.execute(_SQL["awaited"]).fetchall()
        entries = self._entries()
        blocks = self._blocks()
        verdict, rest = self._verdict, next(entries, None)
        with closing(entries), closing(blocks):
            for block, stored_hash, root in blocks:
                self._link(block, stored_hash, root)
                own: dict[int, bytes] = {}
                while rest is not None and rest[0] <= block.upto_entry_id:
                    own[rest[0]] = rest[1]
                    rest = next(entries, None)
                self._compare(block, own)
            while rest is not None:
                self._wait(rest[2])
                rest = next(entries, None)
        for entry_id, digest in self._early.items():
            if any(first <= entry_id <= last for first, last, _ in awaited):
                self._wait(None)
            else:
                self._strange[entry_id] = digest
                verdict.found(Problem(Fault.INSERTED, entry_id))
        self._begin()
        for anchor in self._anchors.values():
            self._anchor(anchor)
        verdict.problems = [self._told(problem) for problem in verdict.problems]
        return verdict

    def _entries(self) -> Generator[tuple[int, bytes, str], None, None]:
        with self._connection.cursor(name="log") as cursor:
            cursor.itersize = ENTRIES_AT_ONCE
            cursor.execute(_SQL["entries"])
            for values in cursor:
                row = EntryRow(*values)
                if row.action == CUT:
                    self._note_cut(row)
                yield row.entry_id, digest_of(row), row.at_us

    def _blocks(self) -> Generator[tuple[Block, bytes, bytes], None, None]:
        with self._connection.cursor(name="seal") as cursor:
            cursor.itersize = BLOCKS_AT_ONCE
            cursor.execute(_SQL["blocks"])
            for number, sealed_us, previous, stored, root, upto, newest_us, ids, digests in cursor:
                yield (
                    Block(number, _number(sealed_us), bytes(previous), upto, _number(newest_us),
                          tuple(ids), split(bytes(digests))),
                    bytes(stored),
                    bytes(root),
                )  # fmt: skip

    def _note_cut(self, row: EntryRow) -> None:
        try:
            detail = msgspec.json.decode(row.detail or "")
            self._cuts.append(Head.parse(detail["upto"]))
        except (msgspec.DecodeError, LookupError, TypeError, ValueError):
            return  # such an entry explains nothing; its own digest tells whether it was changed

    def _link(self, block: Block, stored: bytes, root: bytes) -> None:
        verdict, number = self._verdict, block.number
        found_root = block.root
        if found_root != root or block.hash_over(found_root) != stored:
            verdict.found(Problem(Fault.BLOCK_CHANGED, block=number))
        head = verdict.head
        if head is None:
            if number > 1 or block.previous_hash != FIRST_HASH:
                verdict.cut = Head(number - 1, block.previous_hash)
        elif number != head.number + 1:
            left_out = f"{head.number + 1} to {number - 1}"
            verdict.found(Problem(Fault.BLOCKS_MISSING, block=number, detail=left_out))
        elif block.previous_hash != head.hash:
            verdict.found(Problem(Fault.CHAIN_BROKEN, block=number))
        verdict.head = Head(number, stored)
        verdict.blocks += 1
        anchor = self._anchors.get(number)
        if anchor is not None:
            del self._anchors[number]
            if anchor.hash != stored:
                verdict.found(Problem(Fault.REWRITTEN, block=number, detail="not as anchored"))

    def _compare(self, block: Block, own: dict[int, bytes]) -> None:
        """What a block sealed against what is there; what is there and not in it may be late."""
        for entry_id, digest in zip(block.entry_ids, block.digests, strict=True):
            found = own.pop(entry_id, None) or self._early.pop(entry_id, None)
            self._verdict.entries += 1
            if found == digest:
                continue
            self._lost.setdefault(digest, []).append(entry_id)
            if found is None:
                self._verdict.found(Problem(Fault.MISSING, entry_id, block.number))
            else:
                self._strange[entry_id] = found
                self._verdict.found(Problem(Fault.CHANGED, entry_id, block.number))
        self._early.update(own)

    def _wait(self, at_us: str | None) -> None:
        self._verdict.waiting += 1
        if at_us is not None and at_us.isdigit():
            at = _EPOCH + timedelta(microseconds=min(int(at_us), 253_000_000_000_000_000))
            since = self._verdict.waiting_since
            self._verdict.waiting_since = at if since is None else min(since, at)

    def _begin(self) -> None:
        """A log that does not begin with block 1 needs an entry that says why."""
        cut = self._verdict.cut
        if cut is not None and cut not in self._cuts:
            detail = f"nothing explains that {cut.number} blocks are gone"
            self._verdict.found(
                Problem(Fault.BEGINNING_MISSING, block=cut.number + 1, detail=detail)
            )

    def _anchor(self, anchor: Head) -> None:
        """An anchor whose block was not met on the way."""
        verdict = self._verdict
        last = verdict.head.number if verdict.head else 0
        cut = verdict.cut.number if verdict.cut else 0
        if anchor.number > last:
            detail = f"the log ends with block {last}"
            verdict.found(Problem(Fault.TRUNCATED, block=anchor.number, detail=detail))
        elif verdict.cut is not None and anchor.number == cut:
            if anchor.hash != verdict.cut.hash:
                verdict.found(Problem(Fault.REWRITTEN, block=cut, detail="not as anchored"))
        elif anchor.number < cut:
            verdict.notes.append(
                f"block {anchor.number} was removed by retention with all up to {cut}; "
                "its anchor says nothing any more"
            )
        else:
            verdict.found(Problem(Fault.TRUNCATED, block=anchor.number, detail="it is left out"))

    def _told(self, problem: Problem) -> Problem:
        """Whether a changed or inserted entry is one that stood elsewhere."""
        if problem.fault not in (Fault.CHANGED, Fault.INSERTED) or problem.entry_id is None:
            return problem
        stood = self._lost.get(self._strange[problem.entry_id], [])
        others = [str(each) for each in stood if each != problem.entry_id]
        if not others:
            return problem
        detail = f"it says what was sealed as entry {', '.join(others[:3])}"
        return Problem(Fault.MOVED, problem.entry_id, problem.block, detail)


def split(digests: bytes) -> tuple[bytes, ...]:
    """The digests of a block one by one."""
    starts = range(0, len(digests), DIGEST_BYTES)
    return tuple(digests[start : start + DIGEST_BYTES] for start in starts)


def _number(text: str) -> int:
    """What a column holds that somebody may have set to infinity: then the hash differs."""
    return int(text) if text.removeprefix("-").isdigit() else -1


async def seal_state(cursor: Cursor, now: datetime) -> dict[str, Any]:
    """The head as text, when it was sealed, and how many entries wait since when."""
    await cursor.execute(_SQL["state"], {"now": now})
    row = await cursor.fetchone() or {}
    head = Head(row["number"], bytes(row["hash"])) if row.get("number") is not None else None
    return {
        "head": None if head is None else str(head),
        "sealed_at": row.get("sealed_at"),
        "waiting": row.get("waiting", 0),
        "waiting_s": None if row.get("waiting_s") is None else round(float(row["waiting_s"]), 3),
    }


async def proofs(cursor: Cursor, rows: Sequence[EntryRow]) -> list[dict[str, Any] | None]:
    """For each entry its digest, its block and the way to the root; None: not sealed yet."""
    found: list[dict[str, Any] | None] = []
    block: dict[str, Any] | None = None
    for row in rows:
        if block is None or row.entry_id not in block["entry_ids"]:
            await cursor.execute(_SQL["block_of"], {"entry_id": row.entry_id})
            block = await cursor.fetchone()
        if block is None:
            found.append(None)
            continue
        ids, place = block["entry_ids"], block["entry_ids"].index(row.entry_id)
        digests, digest = split(bytes(block["digests"])), digest_of(row)
        found.append(
            {
                "entry_id": row.entry_id,
                "digest": digest.hex(),
                "as_sealed": digest == digests[place],
                "block": block["number"],
                "sealed_at": block["sealed_at"],
                "path": proof_of(ids, digests, place),
                "root": bytes(block["root"]).hex(),
                "hash": bytes(block["hash"]).hex(),
            }
        )
    return found
