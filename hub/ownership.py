"""Static split: which ingest process takes in which areas (docs/adr/0012).

Every owner hears every alarm and leaves alone only what it knows to be another's; telemetry it
subscribes by area. What nobody owns, or what cannot be told just now, is taken: an alarm taken
twice is one alarm, an alarm taken by nobody is lost.
"""

import fcntl
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from hub.errors import StartError
from schemas.topics import PREFIX, TELEMETRY_FILTER, Lane

EVERYTHING = "everything"
LONGEST_NAME = 40
"""Of an owner; longer lists of areas become a hash. It is part of client ids."""


class OwnedElsewhere(StartError):
    """Another ingest process owns these areas."""


class UnknownAreas(StartError):
    """The register has no such area; correct --areas (`carebell area list` shows all)."""


@dataclass(slots=True)
class Territory:
    """What one process owns, and what it knows of the others."""

    area_ids: tuple[str, ...]
    """As asked for; empty: everything."""
    areas: Mapping[str, Mapping[str, Any]]
    """The register's, as they are now: id to row with `parent_id`."""
    others: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The other owners' areas by owner, as the table said last."""

    @classmethod
    def parse(cls, text: str, areas: Mapping[str, Mapping[str, Any]]) -> "Territory":
        """Read `east,west`; blanks around an id mean nothing."""
        named = {part.strip() for part in text.split(",")}
        return cls(tuple(sorted(named - {""})), areas)

    @property
    def name(self) -> str:
        """The owner's: in client ids, in the table, of its checkpoints."""
        if not self.area_ids:
            return EVERYTHING
        plain = "+".join(self.area_ids)
        if len(plain) <= LONGEST_NAME:
            return plain
        return f"{self.area_ids[0][:20]}-{sha256(plain.encode()).hexdigest()[:12]}"

    def client_id(self, base: str) -> str:
        """One of this owner's sessions; whoever owns everything keeps the plain name."""
        return f"{base}-{self.name}" if self.area_ids else base

    def owns(self, area_id: str) -> bool:
        """Whether the area or one above it is ours."""
        return not self.area_ids or self._within(area_id, self.area_ids)

    def is_anothers(self, area_id: str) -> bool:
        """Whether another process is known to own it. False where nobody does."""
        return bool(self.others) and any(
            not theirs or self._within(area_id, theirs) for theirs in self.others.values()
        )

    def leaves_alone(self, area_id: str) -> bool:
        """Whether an alarm or a desk action there is somebody else's for sure."""
        return not self.owns(area_id) and self.is_anothers(area_id)

    def telemetry_filters(self) -> dict[str, int]:
        """What to subscribe to: a filter for each area of ours that the register knows."""
        if not self.area_ids:
            return {TELEMETRY_FILTER: 1}
        ours = {area_id for area_id in [*self.areas, *self.area_ids] if self.owns(area_id)}
        return {f"{PREFIX}/{area_id}/+/+/{Lane.TELEMETRY}/+": 1 for area_id in sorted(ours)}

    def _within(self, area_id: str, tops: tuple[str, ...]) -> bool:
        seen: set[str] = set()
        at: str | None = area_id
        while at is not None and at not in seen:
            if at in tops:
                return True
            seen.add(at)
            row = self.areas.get(at)
            at = row["parent_id"] if row is not None else None
        return False


def take_folder(data_dir: Path, owner: str) -> int:
    """Hold the lock of this owner in this data folder until the process ends; also after kill -9
    the next one gets it at once. Raises OwnedElsewhere."""
    folder = data_dir / "run"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / f"ingest-{owner}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise OwnedElsewhere(f"{owner}: a process on this folder, {data_dir}") from None
    return descriptor
