"""Where everything lies inside the one data folder."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hub.errors import FolderUnusableError

_LONGEST_SOCKET_PATH = 107
"""Bytes of `sockaddr_un.sun_path` on Linux, less its closing zero (unix(7))."""


@dataclass(frozen=True, slots=True)
class HubFolder:
    """The paths below `data_dir`."""

    root: Path

    @property
    def postgres(self) -> Path:
        """All of the embedded database."""
        return self.root / "postgres"

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.postgres / "cluster"

    @property
    def sockets(self) -> Path:
        """Where PostgreSQL's socket lies: beside the cluster, or where its path is not too long.

        The folder elsewhere has a name that follows from ours, so that every process finds it.
        """
        beside = self.postgres / "socket"
        if len(os.fsencode(beside / ".s.PGSQL.5432")) <= _LONGEST_SOCKET_PATH:
            return beside
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"carebell-{digest}"

    @property
    def broker(self) -> Path:
        """Configuration and JetStream store of the embedded broker."""
        return self.root / "broker"

    @property
    def run(self) -> Path:
        """What is true only while the hub runs: status, lock, ports."""
        return self.root / "run"

    @property
    def status(self) -> Path:
        """State of every child, written by the supervisor."""
        return self.run / "status.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor."""
        return self.run / "supervisor.lock"

    @property
    def secrets(self) -> Path:
        """Keys and passwords, readable by the owner only."""
        return self.root / "secrets.json"

    @property
    def register(self) -> Path:
        """The snapshot by which the hub lives while the database is away."""
        return self.root / "snapshot" / "register.json"

    @property
    def own_certificates(self) -> Path:
        """What the hub's own clients show to its own broker."""
        return self.root / "certificates"

    def has_sessions(self, wanted: int) -> bool:
        """Whether ingest has recorded at least so many persistent sessions at the broker."""
        for path in self.register.parent.glob("**/sessions.json"):
            with contextlib.suppress(OSError, ValueError):
                if len(json.loads(path.read_bytes())["client_ids"]) >= wanted:
                    return True
        return False

    def log(self, child: str) -> Path:
        """What a child wrote."""
        return self.root / "log" / f"{child}.log"

    def create(self) -> None:
        """Make the folder, private to its owner; existing ones stay as they are."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in (self.broker, self.run, self.register.parent, self.root / "log"):
                part.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise FolderUnusableError(f"{self.root}: {error.strerror}") from error
        if not os.access(self.root, os.R_OK | os.W_OK | os.X_OK):
            raise FolderUnusableError(f"{self.root}: not writable for this account")


def write_private(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Replace a file as a whole, readable by the owner only: no reader sees half of it."""
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for piece in (content,) if isinstance(content, bytes) else content:
            file.write(piece)
        file.flush()
        os.fsync(descriptor)  # else a power cut may leave an empty file under the final name
    draft.replace(path)
