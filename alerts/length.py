"""How long a text may be on its way, and what is cut first. Pure.

A short message of one segment holds 160 characters of GSM 7-bit or 70 of UCS-2; of several, 153 or
67 each, because each carries a header (3GPP TS 23.038 and 23.040).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

SMS_SEGMENTS_MAX = 3
"""Ours: every further one costs money and may arrive out of order, or not at all."""

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWO = frozenset("\f^{}\\[~]|€")
"""The extension table: two septets each."""


def segments(text: str) -> int:
    """How many segments a short message of this text needs.

    >>> segments("a" * 160), segments("a" * 161), segments("救" * 70), segments("救" * 71)
    (1, 2, 1, 2)
    """
    if all(c in _GSM or c in _GSM_TWO for c in text):
        units, single, each = sum(2 if c in _GSM_TWO else 1 for c in text), 160, 153
    else:
        units, single, each = len(text.encode("utf-16-be")) // 2, 70, 67
    return 1 if units <= single else -(-units // each)


class Shrinks(StrEnum):
    """Which end of a sentence goes when even what is never cut is too long."""

    NOT = "not"
    """A link or an instruction is of use as a whole only."""
    AT_END = "end"
    AT_FRONT = "front"
    """A Chinese address begins with the city and ends with the door."""


SHORTEST = 12
"""Characters that are left of what shrinks."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence of a message, and when it goes if there is no room."""

    name: str
    text: str
    cut: int = 0
    """0: never. The highest goes first."""
    shrinks: Shrinks = Shrinks.NOT


def fitted(pieces: Sequence[Piece], between: str, most_segments: int = SMS_SEGMENTS_MAX) -> str:
    """The pieces as one short message: whole sentences go first, the least needed before the
    others; then what shrinks is shortened, the longest first."""
    kept = list(pieces)
    while segments(joined(kept, between)) > most_segments and any(p.cut for p in kept):
        kept.remove(max(kept, key=lambda piece: piece.cut))
    while segments(joined(kept, between)) > most_segments:
        found = [i for i, p in enumerate(kept)
                 if p.shrinks is not Shrinks.NOT and len(p.text) > SHORTEST]  # fmt: skip
        if not found:
            break
        longest = max(found, key=lambda i: len(kept[i].text))
        kept[longest] = _shorter(kept[longest])
    return joined(kept, between)


def _shorter(piece: Piece) -> Piece:
    most = max(len(piece.text) - 8, SHORTEST)
    if piece.shrinks is Shrinks.AT_FRONT:
        return replace(piece, text="..." + piece.text.lstrip(".")[-(most - 3) :])
    return replace(piece, text=shortened(piece.text.rstrip("."), most))


def joined(pieces: Sequence[Piece], between: str) -> str:
    """Sentences in a row."""
    return between.join(piece.text for piece in pieces).strip()


def shortened(text: str, most: int) -> str:
    """At most so many characters; what is missing shows. Three dots are in GSM's alphabet, the
    ellipsis is not and would halve a message.

    >>> shortened("a long way down", 10)
    'a long...'
    """
    if len(text) <= most:
        return text
    return text[: max(most - 3, 1)].rstrip() + "..."


def tidy(text: str, most: int) -> str:
    """One line, without control characters, at most so many characters."""
    plain = "".join(c if c.isprintable() else " " for c in text)
    return shortened(" ".join(plain.split()), most)
