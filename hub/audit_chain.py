"""How the audit log is sealed: digests of entries, blocks over them, and a chain of blocks. Pure.

An entry's digest is SHA-256 over its fields as netstrings (`<bytes>:<text>,`, `-` for nothing), so
that no two entries have the same bytes. A block is a Merkle tree over ids and digests (RFC 6962,
section 2.1: leaves and nodes are told apart by their first byte), and its hash covers the block
before it. The form is fixed: a change of it needs another `FORM`.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

FORM = "carebell audit 1"
DIGEST_BYTES = 32
FIRST_HASH = bytes(DIGEST_BYTES)
"""What the first block follows."""


class EntryRow(NamedTuple):
    """An entry as the database shows it, every field as text; `detail` is PostgreSQL's own text of
    the jsonb, which a dump carries unchanged."""

    entry_id: int
    at_us: str
    """Microseconds since 1970, UTC."""
    area_id: str | None
    incident_id: str | None
    actor_kind: str | None
    actor_id: str | None
    actor_name: str | None
    action: str | None
    reason: str | None
    detail: str | None


def digest_of(row: EntryRow) -> bytes:
    """What an entry says, without its id: where that stands is the block's to say."""
    return hashlib.sha256(_netstrings((FORM, *row[1:]))).digest()


def root_of(entry_ids: Sequence[int], digests: Sequence[bytes]) -> bytes:
    """The root of the tree over entries in the order of their ids; of nothing: SHA-256 of b""."""
    level = [_leaf(number, digest) for number, digest in zip(entry_ids, digests, strict=True)]
    if not level:
        return hashlib.sha256(b"").digest()
    while len(level) > 1:
        level = [_pair(level, place) for place in range(0, len(level), 2)]
    return level[0]


def proof_of(entry_ids: Sequence[int], digests: Sequence[bytes], place: int) -> list[str]:
    """What leads from the leaf at `place` to the root: `L` or `R` (the side on which the other hash
    stands) and that hash, from the leaf upwards."""
    level = [_leaf(number, digest) for number, digest in zip(entry_ids, digests, strict=True)]
    path = []
    while len(level) > 1:
        other = place ^ 1
        if other < len(level):
            path.append(("R" if other > place else "L") + level[other].hex())
        level = [_pair(level, each) for each in range(0, len(level), 2)]
        place //= 2
    return path


def leads_to(entry_id: int, digest: bytes, path: Iterable[str]) -> bytes:
    """The root an entry's proof leads to."""
    found = _leaf(entry_id, digest)
    for step in path:
        other = bytes.fromhex(step[1:])
        found = _node(other, found) if step[0] == "L" else _node(found, other)
    return found


@dataclass(frozen=True, slots=True)
class Block:
    """One link of the chain."""

    number: int
    """From 1, without gaps."""
    sealed_at_us: int
    previous_hash: bytes
    upto_entry_id: int
    newest_at_us: int
    entry_ids: tuple[int, ...]
    digests: tuple[bytes, ...]

    @property
    def root(self) -> bytes:
        """Of the tree over its entries."""
        return root_of(self.entry_ids, self.digests)

    def hash_over(self, root: bytes) -> bytes:
        """The block's hash, given its root."""
        fields = (
            f"{FORM} block", str(self.number), str(self.sealed_at_us), self.previous_hash.hex(),
            str(self.upto_entry_id), str(self.newest_at_us), str(len(self.entry_ids)), root.hex(),
        )  # fmt: skip
        return hashlib.sha256(_netstrings(fields)).digest()


@dataclass(frozen=True, slots=True)
class Head:
    """A block by number and hash: kept elsewhere, it is the anchor a log is compared with."""

    number: int
    hash: bytes

    def __str__(self) -> str:
        """The text `parse` reads."""
        return f"{self.number}:{self.hash.hex()}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `NUMBER:HASH`. Raises ValueError."""
        match = re.fullmatch(r"\s*(\d{1,18}):([0-9a-fA-F]{64})\s*", text)
        if match is None:
            message = "NUMBER:HASH as `carebell audit head` prints it"
            raise ValueError(message)
        return cls(int(match[1]), bytes.fromhex(match[2]))


def _netstrings(fields: Iterable[str | None]) -> bytes:
    parts = []
    for each in fields:
        if each is None:
            parts.append(b"-")
        else:
            content = each.encode()
            parts.append(b"%d:%b," % (len(content), content))
    return b"".join(parts)


def _leaf(entry_id: int, digest: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + str(entry_id).encode() + b":" + digest).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _pair(level: Sequence[bytes], place: int) -> bytes:
    """A node over two neighbours; the last of an odd level goes up as it is."""
    if place + 1 == len(level):
        return level[place]
    return _node(level[place], level[place + 1])
