"""The states of all detectors in memory, and the shards and single rows they are stored as.

Each detector has a column, each device, person, home or area a row in the columns of its kind: a
message finds its rows with one step however many are known, and a state costs eight bytes and
itself. A shard of all rows is written every minute or so. A state that stored observations alone
would not bring back (it reported something, a deadline passed, its person's circumstances changed)
is written at once with the batch that changed it: a kept state.
"""

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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

_KINDS = tuple(KeptFor)

Column = list[Any]
"""The states of one detector by row; None where there is none."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a detector's states lie."""

    index: int
    """The detector's, in the table of detectors; also its column's."""
    kind: KeptFor


@dataclass(frozen=True, slots=True)
class KeptState:
    """One state as stored with the batch that changed it; also that there is none any more."""

    detector: str
    key: str
    shard: int
    state: bytes


class Rows:
    """The keys of one kind and their rows.

    A row that was let go of is given to nobody else while somebody may still hold its number, that
    is until `reuse`.
    """

    def __init__(self) -> None:
        self.of: dict[str, int] = {}
        self.keys: list[str | None] = []
        """By row; None where nobody is any more."""
        self.let_go = 0
        """Rows that belong to nobody and are not free yet."""
        self.settled = bytearray()
        """By row, whether it is known to be somebody's."""
        self._free: list[int] = []
        self._shards = tuple(array("I") for _ in range(SHARDS))

    def add(self, key: str) -> int:
        """A row for a key that has none."""
        if self._free:
            row = self._free.pop()
            self.keys[row] = key
        else:
            row = len(self.keys)
            self.keys.append(key)
            self.settled.append(0)
        self.of[key] = row
        self._shards[shard_of(key)].append(row)
        return row

    def add_all(self, keys: Sequence[str]) -> range:
        """Rows at the end for keys that have none."""
        added = range(len(self.keys), len(self.keys) + len(keys))
        self.of.update(zip(keys, added, strict=True))
        self.keys += keys
        self.settled += bytes(len(keys))
        for row, key in zip(added, keys, strict=True):
            self._shards[shard_of(key)].append(row)
        return added

    def forget(self, key: str) -> int | None:
        """Let go of a key; the row that was its."""
        row = self.of.pop(key, None)
        if row is not None:
            self.keys[row] = None
            self.settled[row] = 0
            self.let_go += 1
        return row

    def reuse(self) -> None:
        """Nobody holds the number of a row that was let go of."""
        if not self.let_go:
            return
        for shard in self._shards:
            living = [row for row in shard if self.keys[row] is not None]
            self._free += [row for row in shard if self.keys[row] is None]
            shard[:] = array("I", living)
        self.let_go = 0

    def in_shard(self, number: int) -> list[int]:
        """The rows of everybody in a shard."""
        rows: list[int] = self._shards[number].tolist()
        if not self.let_go:
            return rows
        return [row for row in rows if self.keys[row] is not None]


class Table(Mapping[str, Any]):
    """The states of one detector by key: a view."""

    def __init__(self, rows: Rows, column: Column) -> None:
        self._rows = rows
        self._column = column

    def __getitem__(self, key: str) -> Any:
        """The state. Raises KeyError where there is none."""
        state = self._column[self._rows.of[key]]
        if state is None:
            raise KeyError(key)
        return state

    def __iter__(self) -> Iterator[str]:
        """The keys, as of now."""
        column = self._column
        return (key for key, row in list(self._rows.of.items()) if column[row] is not None)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._column) - self._column.count(None)


class States:
    """Columns by detector, rows by kind and key."""

    def __init__(self, detectors: Sequence[Detector[Any]]) -> None:
        self._detectors = tuple(detectors)
        self.places = tuple(
            Place(index, kept_for(detector.name, detector.scope))
            for index, detector in enumerate(detectors)
        )
        self.columns: tuple[Column, ...] = tuple([] for _ in detectors)
        self.looked_at = tuple(array("q") for _ in detectors)
        """By place and row the second in which the state's deadline is looked at; 0: never."""
        self.rows = tuple(Rows() for _ in KeptFor)
        """By `KeptFor`."""
        self._of_kind = tuple(
            tuple(place for place in self.places if place.kind is kind) for kind in KeptFor
        )
        self._by_name = {d.name: place for d, place in zip(detectors, self.places, strict=True)}
        self._encoder = msgspec.msgpack.Encoder()
        self._decoders = tuple(
            msgspec.msgpack.Decoder(dict[str, detector.state_type])  # type: ignore[name-defined]
            for detector in detectors
        )

    def __len__(self) -> int:
        """How many states there are."""
        return sum(len(column) - column.count(None) for column in self.columns)

    def row(self, kind: KeptFor, key: str) -> int:
        """The row of this key, an empty one if there was none."""
        rows = self.rows[kind]
        row = rows.of.get(key)
        if row is None:
            row = rows.add(key)
            for place in self._of_kind[kind]:
                column = self.columns[place.index]
                if row == len(column):
                    column.append(None)
                    self.looked_at[place.index].append(0)
                else:
                    column[row] = None
                    self.looked_at[place.index][row] = 0
        return row

    def rows_of(self, keys: Sequence[str]) -> tuple[int, ...]:
        """The rows of a device's keys, one of each kind, empty ones where there were none."""
        return tuple(
            [
                self.row(kind, key) if (row := rows.of.get(key)) is None else row
                for kind, rows, key in zip(_KINDS, self.rows, keys, strict=True)
            ]
        )

    def _rows_of_all(self, kind: KeptFor, keys: Collection[str]) -> list[int]:
        """The rows of many keys: a city's million states at a start, half of the keys unknown."""
        rows = self.rows[kind]
        try:
            return list(map(rows.of.__getitem__, keys))
        except KeyError:
            new = [key for key in keys if key not in rows.of]
        added = rows.add_all(new)
        for place in self._of_kind[kind]:
            self.columns[place.index].extend([None] * len(new))
            self.looked_at[place.index].frombytes(bytes(8 * len(new)))
        return list(added if len(new) == len(keys) else map(rows.of.__getitem__, keys))

    def forget(self, kind: KeptFor, key: str) -> None:
        """Nobody's any more."""
        row = self.rows[kind].forget(key)
        if row is not None:
            for place in self._of_kind[kind]:
                self.columns[place.index][row] = None
                self.looked_at[place.index][row] = 0

    def is_empty(self, kind: KeptFor, row: int) -> bool:
        """Whether no detector keeps anything in this row."""
        return all(self.columns[place.index][row] is None for place in self._of_kind[kind])

    def table(self, name: str) -> Mapping[str, Any]:
        """The states of one detector by key, as they are whenever one looks."""
        place = self._by_name.get(name)
        if place is None:
            return {}
        return Table(self.rows[place.kind], self.columns[place.index])

    def shard(self, number: int) -> bytes:
        """One shard of all states, as stored."""
        parts: list[tuple[str, list[bytes]]] = []
        for kind in KeptFor:
            rows = self.rows[kind].in_shard(number)
            some = [rows[at : at + ENCODED_AT_ONCE] for at in range(0, len(rows), ENCODED_AT_ONCE)]
            keys = [list(map(self.rows[kind].keys.__getitem__, each)) for each in some]
            for place in self._of_kind[kind]:
                state_of, pieces = self.columns[place.index].__getitem__, list[bytes]()
                for named, each in zip(keys, some, strict=True):
                    states = list(map(state_of, each))
                    nobodys = states.count(None)
                    if nobodys == len(states):
                        continue
                    found = zip(named, states, strict=True)
                    pieces.append(
                        self._encoder.encode(
                            {key: state for key, state in found if state is not None}
                            if nobodys
                            else dict(found)
                        )
                    )
                parts.append((self._detectors[place.index].name, pieces))
        return self._encoder.encode(parts)

    def load(self, stored: bytes) -> Iterator[tuple[Place, list[int]]]:
        """Take the states of a stored shard and say in which rows they lie; unknown detectors and
        damaged states are left."""
        try:
            content = msgspec.msgpack.decode(stored)
        except msgspec.DecodeError:
            return
        for name, piece in _pieces(content):
            place = self._by_name.get(name)
            if place is None:
                continue
            states, column = self._decoded(place.index, piece), self.columns[place.index]
            loaded = self._rows_of_all(place.kind, states)
            for row, state in zip(loaded, states.values(), strict=True):
                column[row] = state
            yield place, loaded

    def kept(self, place: Place, key: str) -> KeptState:
        """One state, as stored."""
        row = self.rows[place.kind].of.get(key)
        state = None if row is None else self.columns[place.index][row]
        name = self._detectors[place.index].name
        return KeptState(name, key, shard_of(key), self._encoder.encode(state))

    def load_kept(self, kept: KeptState) -> tuple[Place, int] | None:
        """Take a state stored alone; None if its detector is unknown or it is damaged."""
        place = self._by_name.get(kept.detector)
        if place is None:
            return None
        try:
            state_type = self._detectors[place.index].state_type
            state = msgspec.msgpack.decode(kept.state, type=state_type | None)
        except msgspec.MsgspecError:
            return None
        row = self.row(place.kind, kept.key)
        self.columns[place.index][row] = state
        return place, row

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
