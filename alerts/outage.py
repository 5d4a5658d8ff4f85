"""Is it these devices, or their whole area? The fold of thousands of silences into one incident.

A burnt-out exchange or a power cut silences everything at once, but what is noticed comes one by
one, spread over a heartbeat. So two things are counted: devices that were *noticed* (three missed
heartbeats) start the question, and devices that are *overdue* (two missed) answer it: if nothing
of an area was heard for two heartbeats, the area is silent, however few were noticed yet.

Classes of devices are judged apart: when the wristbands of a street have missed three heartbeats
of a minute, its buttons are not even expected yet. Presses are never looked at here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

SINGLES_WAIT_S = 30
"""A single silence waits so long whether it is its area's (docs/promises.md, 5)."""
LEAST_DEVICES = 10
"""Ours: fewer are told one by one."""
LEAST_HOMES = 3
"""Ours: a home's own router or fuse is no area."""
LEAST_SHARE = 0.5
"""Ours: of the devices of one class that spoke before; a bad firmware silences a model, an outage
silences everything."""
WINDOW_S = 300
"""Silences noticed within so long belong together; what fell silent before is another story."""
OVERDUE_HEARTBEATS = 2
STRAGGLERS_SHARE = 0.02
"""Ours: when no more are left, the area is back, and the rest are told one by one."""
STRAGGLERS_WAIT_S = 120
"""Ours: after a power cut the last devices take two minutes to find their network."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One device as far as its silence goes; hub's clock, seconds since 1970."""

    device_id: str
    area_id: str
    premises_id: str
    heartbeat_s: int
    heard_s: float
    """Last heard, or since when the hub listens, whichever is later."""
    noticed_s: int = 0
    """When three heartbeats were missed; 0: they are not."""


@dataclass(frozen=True, slots=True)
class Fallen:
    """An area that is silent."""

    area_id: str
    silent: int
    """Devices overdue, of the classes that could be expected."""
    known: int
    """... of so many that spoke before."""


@dataclass(slots=True)
class _Count:
    known: int = 0
    overdue: int = 0
    noticed: int = 0
    homes: set[str] = field(default_factory=set)
    """Homes with an overdue device."""

    def add(self, other: "_Count") -> None:
        self.known += other.known
        self.overdue += other.overdue
        self.noticed += other.noticed
        self.homes |= other.homes

    @property
    def silent(self) -> bool:
        """Whether it looks silent, however few were noticed yet."""
        return self.overdue >= LEAST_SHARE * self.known and self.overdue > 0

    @property
    def explains(self) -> bool:
        """Whether it is an incident of its own."""
        enough = self.noticed > 0 and self.overdue >= LEAST_DEVICES
        return self.silent and enough and len(self.homes) >= LEAST_HOMES


def fallen(
    standings: Iterable[Standing], parents: Mapping[str, str | None], now_s: float
) -> list[Fallen]:
    """The smallest areas that explain what was noticed; none: they are single silences.

    Several silent areas of one larger area that is mostly silent itself are that larger one.

    >>> street = {"east": "city", "west": "city", "city": None}
    >>> down = [Standing(f"d{n}", "east", f"h{n}", 60, 0, 180) for n in range(20)]
    >>> well = [Standing(f"e{n}", "west", f"i{n}", 60, 170) for n in range(20)]
    >>> fallen(down + well, street, 185)
    [Fallen(area_id='east', silent=20, known=20)]
    >>> fallen(down, street, 185)
    [Fallen(area_id='east', silent=20, known=20)]
    """
    classes: dict[int, dict[str, _Count]] = {}
    noticed: set[int] = set()
    for one in standings:
        fresh = one.noticed_s > 0 and now_s - one.noticed_s <= WINDOW_S
        if one.noticed_s and not fresh:
            continue
        counts = classes.setdefault(one.heartbeat_s, {})
        count = counts.get(one.area_id)
        if count is None:
            count = counts[one.area_id] = _Count()
        count.known += 1
        if now_s - one.heard_s >= OVERDUE_HEARTBEATS * one.heartbeat_s:
            count.overdue += 1
            count.homes.add(one.premises_id)
        if fresh:
            count.noticed += 1
            noticed.add(one.heartbeat_s)
    found: dict[str, Fallen] = {}
    for heartbeat_s in sorted(noticed):
        for area_id, count in _smallest(classes[heartbeat_s], parents).items():
            above = set(chain_of(area_id, parents))
            if above & found.keys():
                continue
            below = [i for i in found if area_id in chain_of(i, parents)]
            for i in below:
                del found[i]
            found[area_id] = Fallen(area_id, count.overdue, count.known)
    return [found[area_id] for area_id in sorted(found)]


def _smallest(own: Mapping[str, _Count], parents: Mapping[str, str | None]) -> dict[str, _Count]:
    """Of one class of devices: the areas to tell, bottom up."""
    total: dict[str, _Count] = {}
    children: dict[str, set[str]] = {}
    roots: set[str] = set()
    for area_id, count in own.items():
        chain = chain_of(area_id, parents)
        for below, above in pairwise(chain):
            children.setdefault(above, set()).add(below)
        roots.add(chain[-1])
        for each in chain:
            total.setdefault(each, _Count()).add(count)

    def pick(area_id: str) -> dict[str, _Count]:
        below = sorted(children.get(area_id, ()))
        picked: dict[str, _Count] = {}
        for child in below:
            picked |= pick(child)
        here = total[area_id]
        if not here.explains:
            return picked
        silent_children = [child for child in below if total[child].silent]
        elsewhere = here.overdue - sum(count.overdue for count in picked.values())
        if len(picked) == 1 and len(silent_children) <= 1 and elsewhere < LEAST_DEVICES:
            return picked
        return {area_id: here}

    chosen: dict[str, _Count] = {}
    for root in sorted(roots):
        chosen |= pick(root)
    return {i: c for i, c in chosen.items() if c.noticed >= LEAST_DEVICES}


def chain_of(area_id: str, parents: Mapping[str, str | None]) -> list[str]:
    """An area and everything it lies in, outermost last; a circle in the tree ends it.

    >>> chain_of("east", {"east": "city", "city": None})
    ['east', 'city']
    """
    chain = [area_id]
    parent = parents.get(area_id)
    while parent is not None and parent not in chain:
        chain.append(parent)
        parent = parents.get(parent)
    return chain


def is_over(left: int, most: int) -> bool:
    """Whether so few are left that the area itself is back.

    >>> is_over(9, 12), is_over(200, 10_000), is_over(201, 10_000)
    (True, True, False)
    """
    return left <= max(LEAST_DEVICES - 1, STRAGGLERS_SHARE * most)
