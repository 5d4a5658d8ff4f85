"""What changed in the register since its snapshot was written whole: one line a change, appended.

A snapshot of a city is fifty megabytes, a new device is two hundred bytes. The file beside the
snapshot begins with the mark of the snapshot it belongs to; with any other mark, and after a line
that is not whole (a power cut), it says nothing. Whoever reads both knows what ingest knows.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

MOST_BYTES = 4 * 1024 * 1024
"""Ours: twenty thousand changes; reading them costs a tenth of a second. Then the snapshot is
written whole."""
MOST_AT_ONCE = 5_000
"""An import: the snapshot is written whole at once."""

_NAME = "register-changes.jsonl"


class Change(msgspec.Struct, frozen=True):
    """One row of the register as it is now."""

    noun: str
    key: str
    row: msgspec.Raw = msgspec.Raw(b"null")
    """As its table has it; null: it is gone."""


class _Head(msgspec.Struct, frozen=True):
    mark: str


_encode, _change = msgspec.json.encode, msgspec.json.Decoder(Change).decode
_head = msgspec.json.Decoder(_Head).decode


def path_beside(register: Path) -> Path:
    """The file of changes that goes with a snapshot of the register."""
    return register.with_name(_NAME)


def beginning(mark: str) -> bytes:
    """The first line, for the snapshot with this mark."""
    return _encode(_Head(mark)) + b"\n"


def append(
    register: Path, found: Iterable[tuple[str, str, Mapping[str, Any] | None]]
) -> int | None:
    """Add changes as (noun, id, row), in one write that is on the disk when this returns; the
    file's size. None: there is no file yet. Raises OSError."""
    # The first newline ends what a write that was torn may have left.
    lines = b"\n" + b"".join(
        _encode({"noun": n, "key": k, "row": row}) + b"\n" for n, k, row in found
    )
    try:
        descriptor = os.open(path_beside(register), os.O_WRONLY | os.O_APPEND)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "ab", buffering=0) as file:
        size = file.tell()
        if file.write(lines) != len(lines):
            raise OSError("the disk is full")
        os.fsync(file.fileno())
        return size + len(lines)


class Follower:
    """Reads the changes of a snapshot, each once."""

    def __init__(self, register: Path) -> None:
        """`register` is the snapshot; neither file need exist."""
        self._path = path_beside(register)
        self._mark = ""
        self._seen: tuple[int, int] | None = None
        self._read = 0

    def begin(self, mark: str) -> None:
        """The snapshot with this mark was just read: its changes from the first one on."""
        self._mark, self._seen, self._read = mark, None, 0

    @property
    def follows(self) -> bool:
        """Whether the file is that of the snapshot: what is appended to it now will be read."""
        return self._seen is not None

    def news(self) -> Iterator[Change]:
        """What was appended since the last call. One stat if nothing was. Raises OSError."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return
        seen = (stat.st_ino, stat.st_size)
        if seen == self._seen:
            return
        if self._seen is None or self._seen[0] != seen[0] or stat.st_size < self._read:
            self._read = 0
        with self._path.open("rb") as file:
            file.seek(self._read)
            content = file.read()
        whole = content.rfind(b"\n") + 1
        lines = content[:whole].splitlines()
        if not self._read and (not lines or not self._is_ours(lines.pop(0))):
            return  # of another snapshot: the one it belongs to is not read yet
        self._seen = seen
        self._read += whole
        for line in lines:
            with suppress(msgspec.MsgspecError):  # torn by a power cut, or of a later release
                yield _change(line)

    def _is_ours(self, line: bytes) -> bool:
        try:
            return _head(line).mark == self._mark
        except msgspec.MsgspecError:
            return False
