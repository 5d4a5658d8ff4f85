"""The file of a backup: a tar of parts, with a manifest that tells length and hash of each.

Everything streams: the memory it takes does not grow with the database. The database's dump, whose
length nobody knows beforehand, lies in numbered parts. The manifest is the last member.
"""

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec

from hub.errors import HubError

FORMAT = 1
MANIFEST = "manifest.json"
PART_BYTES = 8 * 1024 * 1024
"""One part of the dump, held in memory: large enough that ten thousand of them are 80 GB."""
READ_BYTES = 1024 * 1024
MANIFEST_MAX_BYTES = 64 * 1024 * 1024
"""A manifest of ten thousand parts has 2 MB."""


class BackupDamaged(HubError):
    """The backup is damaged or incomplete; nothing was restored from it."""


class Member(msgspec.Struct, frozen=True):
    """A file of the archive as it must be."""

    size_bytes: int
    sha256: str


class Table(msgspec.Struct, frozen=True):
    """What is in a table, in whatever order: its rows, and a sum over hashes of them."""

    rows: int
    checksum: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup is."""

    format: int
    release: str
    created_at: datetime
    root_area_id: str
    database_version: str
    extensions: dict[str, str]
    migrations: list[str]
    broker_at_rest: bool
    """Whether messages that waited in the embedded broker are in it."""
    tables: dict[str, Table]
    members: dict[str, Member]


class ArchiveWriter:
    """Adds members and remembers what they are."""

    def __init__(self, file: IO[bytes]) -> None:
        self._tar = tarfile.TarFile(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)
        self.members: dict[str, Member] = {}

    def add_bytes(self, name: str, content: bytes) -> None:
        """A small member."""
        self._add(name, io.BytesIO(content), len(content))

    def add_file(self, name: str, path: Path) -> None:
        """A file as it is now; one that is replaced meanwhile is taken as it was."""
        with path.open("rb") as file:
            self._add(name, file, os.fstat(file.fileno()).st_size)

    def add_stream(self, prefix: str, stream: IO[bytes]) -> int:
        """A stream of unknown length, in parts `prefix`0000000 ...; its length."""
        number = total = 0
        while part := _read_fully(stream, PART_BYTES):
            self.add_bytes(f"{prefix}{number:07d}", part)
            number, total = number + 1, total + len(part)
        return total

    def finish(self, manifest: Manifest) -> None:
        """The manifest last: an archive without one is not complete."""
        content = msgspec.json.format(msgspec.json.encode(manifest))
        self._add(MANIFEST, io.BytesIO(content), len(content))
        self._tar.close()

    def _add(self, name: str, file: IO[bytes], size: int) -> None:
        header = tarfile.TarInfo(name)
        header.size, header.mode = size, 0o600
        hashing = _Hashing(file)
        self._tar.addfile(header, hashing)
        self.members[name] = Member(size, hashing.digest.hexdigest())


class _Hashing:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self.digest.update(chunk)
        return chunk


@contextmanager
def new_archive(path: Path) -> Iterator[ArchiveWriter]:
    """An archive under another name until it is complete: no reader sees half a backup."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield ArchiveWriter(file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read_manifest(path: Path) -> Manifest:
    """What the archive says of itself; its members are not read. Raises BackupDamaged."""
    try:
        with tarfile.open(path, mode="r:") as tar:
            found = None
            for header in tar:
                found = header
            file = tar.extractfile(found) if found and found.name == MANIFEST else None
            if file is None or found is None or found.size > MANIFEST_MAX_BYTES:
                raise BackupDamaged(f"{path}: there is no manifest at its end; it was cut short")
            manifest = msgspec.json.decode(file.read(), type=Manifest)
    except (tarfile.TarError, EOFError) as error:
        raise BackupDamaged(f"{path}: not a backup: {error}") from error
    except msgspec.MsgspecError as error:
        raise BackupDamaged(f"{path}: its manifest cannot be read: {error}") from error
    if manifest.format != FORMAT:
        raise BackupDamaged(f"{path}: format {manifest.format}; this release reads {FORMAT}")
    return manifest


def check(path: Path, manifest: Manifest) -> None:
    """Read everything and compare it with the manifest. Raises BackupDamaged."""
    missing = set(manifest.members)
    for name, chunks in _members(path):
        wanted = manifest.members.get(name)
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
        if name == MANIFEST:
            continue
        if wanted is None or (size, digest.hexdigest()) != (wanted.size_bytes, wanted.sha256):
            raise BackupDamaged(f"{path}: {name} is not what the manifest says")
        missing.discard(name)
    if missing:
        raise BackupDamaged(f"{path}: {min(missing)} is missing")


def stream_of(path: Path, prefix: str) -> Iterator[bytes]:
    """What `add_stream` took in, chunk by chunk."""
    for name, chunks in _members(path):
        if name.startswith(prefix):
            yield from chunks


def extract(path: Path, prefix: str, into: Path) -> int:
    """Write the members below `prefix` into a folder, private to their owner; how many.

    Their names come from a file: one that would leave the folder is refused.
    """
    count = 0
    for name, chunks in _members(path):
        if not name.startswith(prefix):
            continue
        target = into / name.removeprefix(prefix)
        if not target.resolve().is_relative_to(into.resolve()):
            raise BackupDamaged(f"{path}: {name} would lie outside its folder")
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
        count += 1
    return count


def _members(path: Path) -> Iterator[tuple[str, Iterator[bytes]]]:
    try:
        with tarfile.open(path, mode="r:") as tar:
            for header in tar:
                file = tar.extractfile(header) if header.isreg() else None
                if file is None:
                    raise BackupDamaged(f"{path}: {header.name} is no plain file")
                yield header.name, _chunks(file)
    except (tarfile.TarError, EOFError) as error:
        raise BackupDamaged(f"{path}: {error}") from error


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(READ_BYTES):
        yield chunk


def _read_fully(stream: IO[bytes], size: int) -> bytes:
    """As much as there is, up to `size`: a pipe gives less at a time."""
    parts: list[bytes] = []
    while size > 0 and (chunk := stream.read(min(size, READ_BYTES))):
        parts.append(chunk)
        size -= len(chunk)
    return b"".join(parts)
