"""What ingest remembers of its calls to the fallback contacts beyond its own life.

The file outlives the process: a restart in the middle of an outage neither calls again at once nor
forgets what is to be recorded.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec
import structlog

from alerts.fallback import Wait
from hub.embedded.folder import write_private
from hub.fallback_calls import Call

_log = structlog.get_logger(__name__)


class Kept(msgspec.Struct):
    """The file."""

    calls: list[Call] = []
    waits: dict[str, Wait] = {}
    """By incident: of those that were called for and nobody took."""


class Journal:
    """`snapshot/fallback.json` of the data folder; every write is all or nothing."""

    def __init__(self, data_dir: Path, owner: str = "") -> None:
        """`owner` of a split hub writes a file of its own."""
        folder = data_dir / "snapshot" / owner
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / "fallback.json"

    def read(self) -> Kept:
        """What the process before left; empty if there is nothing that can be read."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Kept)
        except (OSError, msgspec.DecodeError):
            return Kept()

    def write(self, calls: Iterable[Call], waits: dict[str, Wait]) -> None:
        """Replace it. A full disk costs the memory of a restart, not the call."""
        try:
            write_private(self._path, msgspec.json.encode(Kept(list(calls), waits)))
        except OSError as error:
            _log.error("fallback_journal_failed", error=str(error))
