"""The states of all detectors in memory, and the shards and single rows they are stored as.

What one device, person, home or area has of states lies together in a cell: a message finds all of
them with one step, however many people are known. A shard of cells is written whole every minute
or so. A state that stored observations alone would not bring back (it reported something, a
deadline passed, its person's circumstances changed) is written at once with the batch that changed
it: a kept state.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from hub.detect.belonging import SHARDS, KeptFor, kept_for, shard_of
from hub.detect.detector import Detector

State = TypeVar("State")

ENCODED_AT_ONCE = 256
"""States turned into bytes in one call, about a tenth of a millisecond: no other thread can run
meanwhile, and one of them carries presses."""


class Cell:
    """The states kept for one key, a place for each detector of its kind."""

    __slots__ = ("key", "queued", "states", "touched")

    def __init__(self, key: str, places: int) -> None:
        self.key = key
        self.states: list[Any] = [None] * places
        self.touched: object = None
        """The batch that has changed it last."""
        self.queued = 0
        """A bit a place: its deadline is in the heap."""

    def __lt__(self, other: "Cell") -> bool:
        """The heap asks where two are due in the same instant."""
        return self.key < other.key


@dataclass(frozen=True, slots=True)
class Place:
    """Where a detector's states lie."""

    index: int
    """The detector's, in the table of detectors."""
    kind: KeptFor
    at: int
    """In the cells of that kind."""


@dataclass(frozen=True, slots=True)
class KeptState:
    """One state as stored with the batch that changed it; also that there is none any more."""

    detector: str
    key: str
    shard: int
    state: bytes


class Table(Mapping[str, Any]):
    """The states of one detector by key: a view."""

    def __init__(self, cells: dict[str, Cell], at: int) -> None:
        self._cells = cells
        self._at = at

    def __getitem__(self, key: str) -> Any:
        """The state. Raises KeyError where there is none."""
        state = self._cells[key].states[self._at]
        if state is None:
            raise KeyError(key)
        return state

    def __iter__(self) -> Iterator[str]:
        """The keys, as of now."""
        at = self._at
        return (key for key, cell in list(self._cells.items()) if cell.states[at] is not None)

    def __len__(self) -> int:
        """How many there are."""
        return sum(1 for _ in self)


class States:
    """Cells by kind and key."""

    def __init__(self, detectors: Sequence[Detector[Any]]) -> None:
        self._detectors = tuple(detectors)
        self._counts = [0] * len(KeptFor)
        places: list[Place] = []
        for index, detector in enumerate(detectors):
            kind = kept_for(detector.name, detector.scope)
            places.append(Place(index, kind, self._counts[kind]))
            self._counts[kind] += 1
        self.places = tuple(places)
        self._by_name = {d.name: place for d, place in zip(detectors, places, strict=True)}
        self._cells: tuple[dict[str, Cell], ...] = tuple({} for _ in KeptFor)
        self._shards: list[list[list[Cell]]] = [[[] for _ in range(SHARDS)] for _ in KeptFor]
        self._emptied: set[tuple[KeptFor, int]] = set()
        """Shards that still list cells which were forgotten."""
        self._encoder = msgspec.msgpack.Encoder()
        self._decoders = tuple(
            msgspec.msgpack.Decoder(dict[str, detector.state_type])  # type: ignore[name-defined]
            for detector in detectors
        )

    def __len__(self) -> int:
        """How many states there are."""
        cells = (cell for cells in self._cells for cell in cells.values())
        return sum(len(cell.states) - cell.states.count(None) for cell in cells)

    def cell(self, kind: KeptFor, key: str) -> Cell:
        """The cell of this key, an empty one if there was none."""
        cell = self._cells[kind].get(key)
        if cell is None:
            cell = self._cells[kind][key] = Cell(key, self._counts[kind])
            if self._counts[kind]:
                self._shards[kind][shard_of(key)].append(cell)
        return cell

    def forget(self, kind: KeptFor, key: str) -> None:
        """Nobody's any more. Its shard lets go of it when it is written next."""
        cell = self._cells[kind].pop(key, None)
        if cell is not None:
            cell.states = [None] * self._counts[kind]
            self._emptied.add((kind, shard_of(key)))

    def known(self, kind: KeptFor, key: str) -> Cell | None:
        """The cell of this key; None if there is none."""
        return self._cells[kind].get(key)

    def table(self, name: str) -> Mapping[str, Any]:
        """The states of one detector by key, as they are whenever one looks."""
        place = self._by_name.get(name)
        return Table({}, 0) if place is None else Table(self._cells[place.kind], place.at)

    def shard(self, number: int, before: Mapping[Cell, list[Any]]) -> bytes:
        """One shard of all committed states, as stored. `before` has what cells held that were
        changed since the last commit."""
        parts: list[tuple[str, list[bytes]]] = []
        for kind in KeptFor:
            cells = self._shards[kind][number]
            if (kind, number) in self._emptied:
                self._emptied.discard((kind, number))
                living = self._cells[kind]
                cells = [cell for cell in cells if living.get(cell.key) is cell]
                self._shards[kind][number] = cells
            places = [place for place in self.places if place.kind is kind]
            pieces: dict[int, list[bytes]] = {place.index: [] for place in places}
            for start in range(0, len(cells), ENCODED_AT_ONCE):
                some = [
                    (cell.key, before.get(cell, cell.states))
                    for cell in cells[start : start + ENCODED_AT_ONCE]
                ]
                for place in places:
                    at = place.at
                    found = {key: states[at] for key, states in some if states[at] is not None}
                    if found:
                        pieces[place.index].append(self._encoder.encode(found))
            parts += ((self._detectors[index].name, each) for index, each in pieces.items())
        return self._encoder.encode(parts)

    def keys(self, kind: KeptFor, number: int) -> list[str]:
        """The keys of one shard."""
        return [cell.key for cell in self._shards[kind][number]]

    def load(self, stored: bytes) -> Iterator[tuple[Place, Cell]]:
        """Take the states of a stored shard and say where they lie; unknown detectors and damaged
        states are left."""
        try:
            content = msgspec.msgpack.decode(stored)
        except msgspec.DecodeError:
            return
        for name, piece in _pieces(content):
            place = self._by_name.get(name)
            if place is None:
                continue
            for key, state in self._decoded(place.index, piece).items():
                cell = self.cell(place.kind, key)
                cell.states[place.at] = state
                yield place, cell

    def kept(self, place: Place, cell: Cell) -> KeptState:
        """One state, as stored."""
        encoded = self._encoder.encode(cell.states[place.at])
        name = self._detectors[place.index].name
        return KeptState(name, cell.key, shard_of(cell.key), encoded)

    def load_kept(self, kept: KeptState) -> tuple[Place, Cell] | None:
        """Take a state stored alone; None if its detector is unknown or it is damaged."""
        place = self._by_name.get(kept.detector)
        if place is None:
            return None
        try:
            state_type = self._detectors[place.index].state_type
            state = msgspec.msgpack.decode(kept.state, type=state_type | None)
        except msgspec.MsgspecError:
            return None
        cell = self.cell(place.kind, kept.key)
        cell.states[place.at] = state
        return place, cell

    def _decoded(self, index: int, piece: bytes) -> dict[str, Any]:
        """All at once; one by one where a state of an earlier release is among them."""
        try:
            return self._decoders[index].decode(piece)
        except msgspec.MsgspecError:
            pass
        states: dict[str, Any] = {}
        try:
            content = msgspec.msgpack.decode(piece, type=dict[str, Any])
        except msgspec.MsgspecError:
            return states
        for key, value in content.items():
            try:
                states[key] = msgspec.convert(value, self._detectors[index].state_type)
            except msgspec.ValidationError:
                continue
        return states


def stored_states(stored: bytes, name: str, state_type: type[State]) -> dict[str, State]:
    """The states of one detector in a stored shard; what is damaged is left out."""
    found: dict[str, State] = {}
    try:
        content = msgspec.msgpack.decode(stored)
    except msgspec.DecodeError:
        return found
    for part, piece in _pieces(content):
        if part != name:
            continue
        for key, value in msgspec.msgpack.decode(piece, type=dict[str, Any]).items():
            with suppress(msgspec.ValidationError):
                found[key] = msgspec.convert(value, state_type)
    return found


def _pieces(content: Any) -> Iterable[tuple[str, bytes]]:
    """The parts of a shard; release 0.1 wrote one map of maps."""
    if isinstance(content, dict):
        for name, states in content.items():
            yield name, msgspec.msgpack.encode(states)
        return
    try:
        parts = msgspec.convert(content, list[tuple[str, list[bytes]]])
    except msgspec.ValidationError:
        return
    for name, pieces in parts:
        for piece in pieces:
            yield name, piece
