"""Who may do what, and where: one table of roles, and the tree of areas. Pure."""

from collections.abc import Iterable
from enum import StrEnum

from hub.desk import AreaRow


class Deed(StrEnum):
    """What a log-in may be used for."""

    LOOK = "look"
    """Incidents, devices, observations, the live feed."""
    ACT = "act"
    """Acknowledge, attend, resolve."""
    PROVISION = "provision"
    """Register homes, people and devices."""
    INSPECT = "inspect"
    """Raw messages that could not be read."""


MAY: dict[str, frozenset[Deed]] = {
    "administrator": frozenset(Deed),
    "dispatcher": frozenset({Deed.LOOK, Deed.ACT}),
    "supervisor": frozenset({Deed.LOOK, Deed.INSPECT}),
}
"""A role that is not here may nothing."""


def may(role: str, deed: Deed) -> bool:
    """Whether somebody with this role may do that."""
    return deed in MAY.get(role, frozenset())


class AreaTree:
    """Which area lies in which. An account sees its own area and everything below."""

    def __init__(self, root_area_id: str, rows: Iterable[AreaRow] = ()) -> None:
        self._root = root_area_id
        self._parents = {row.area_id: row.parent_id for row in rows}
        self._above: dict[str, frozenset[str]] = {}

    def knows(self, area_id: str) -> bool:
        """Whether the area is in the tree."""
        return area_id in self._parents

    def sees(self, seat: str, area_id: str) -> bool:
        """Whether an account whose area is `seat` sees what belongs to `area_id`.

        The root sees everything, also areas the tree does not know yet.
        """
        return seat in (self._root, area_id) or seat in self._ancestors(area_id)

    def below(self, seat: str) -> list[str] | None:
        """The areas an account sees; None: all of them."""
        if seat == self._root:
            return None
        return [seat, *(area for area in self._parents if seat in self._ancestors(area))]

    def _ancestors(self, area_id: str) -> frozenset[str]:
        known = self._above.get(area_id)
        if known is None:
            found: list[str] = []
            parent = self._parents.get(area_id)
            while parent is not None and parent not in found:
                found.append(parent)
                parent = self._parents.get(parent)
            known = self._above[area_id] = frozenset(found)
        return known
