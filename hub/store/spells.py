"""Whom a device was with, and in which area, at a moment. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Spell:
    """A device stays with somebody from `since` on, until the next spell."""

    since: datetime
    area_id: str
    person_id: str | None


@dataclass(frozen=True, slots=True)
class Spells:
    """Those of some devices, oldest first."""

    of: Mapping[str, Sequence[Spell]]

    def belongs(
        self,
        device_id: str,
        received_at: datetime,
        person_id: str | None,
        areas: Sequence[str] | None,
    ) -> bool:
        """Whether what came then was measured of this person; for None, in one of these areas
        (None: any). What came before the first spell counts to it: the register is younger than
        some devices."""
        spells = self.of.get(device_id)
        if not spells:
            return False
        begun = [spell for spell in spells if spell.since <= received_at]
        spell = begun[-1] if begun else spells[0]
        if person_id is not None:
            return spell.person_id == person_id
        return areas is None or spell.area_id in areas


def spells_of(rows: Iterable[Mapping[str, Any]]) -> Spells:
    """From the rows of the devices' history, each device's oldest first."""
    found: dict[str, list[Spell]] = {}
    for row in rows:
        spell = Spell(row["at"], row["area_id"], row["person_id"])
        found.setdefault(row["device_id"], []).append(spell)
    return Spells(found)
