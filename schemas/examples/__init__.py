"""Golden examples: what devices send and what the hub answers, file by file.

`valid/{lane}/{kind}/*.json` is the payload itself. `invalid` and `damaged` hold envelopes: the
payload as `json`, `text` or `hex`, and what must come of it. An invalid payload is `Malformed` for
the stated reason; a damaged alarm raises all the same, and the hub names what it could not read.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from schemas.topics import Lane

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Example:
    """One golden payload."""

    name: str
    lane: Lane
    kind: str
    payload: bytes
    about: str = ""
    reason: str = ""
    """Invalid: a part of the reason that `Malformed` must state."""
    message: dict[str, Any] | None = None
    """Damaged: what must be read all the same."""
    damage: tuple[str, ...] = ()
    """Damaged: the beginnings of the notes on what could not be read, in order."""


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    about: str
    json: msgspec.Raw = msgspec.Raw()
    text: str | None = None
    hex: str | None = None
    reason: str = ""
    message: dict[str, Any] | None = None
    damage: tuple[str, ...] = ()

    def payload(self) -> bytes:
        if bytes(self.json):
            return bytes(self.json)
        if self.text is not None:
            return self.text.encode()
        return bytes.fromhex(self.hex or "")


def load(verdict: Literal["valid", "damaged", "invalid"]) -> list[Example]:
    """Every example with this verdict, in the order of their names."""
    return [_read(path, verdict) for path in sorted((FOLDER / verdict).glob("*/*/*.json"))]


def _read(path: Path, verdict: str) -> Example:
    lane, kind, _ = path.relative_to(FOLDER / verdict).parts
    raw = path.read_bytes()
    if verdict == "valid":
        return Example(path.stem, Lane(lane), kind, raw)
    envelope = msgspec.json.decode(raw, type=_Envelope)
    return Example(
        path.stem,
        Lane(lane),
        kind,
        envelope.payload(),
        envelope.about,
        envelope.reason,
        envelope.message,
        envelope.damage,
    )
