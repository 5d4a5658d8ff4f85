"""What the register consists of, as one table: columns that may change, and what the log withholds.

The API's store and the import read the same rows of it. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MODEL_LENGTH = 100
"""Characters of a device's model: as on its label."""
NAME_LENGTH = 200
"""Characters of a name, an address, what people call a device."""
LABEL_LENGTH = 100
"""Characters of a short one: what somebody is to a person, a program's name."""
CONTACTS_LIMIT = 20
"""Whoever has more to call is not found in time by any of them."""
EMAIL = r"^[^@\s<>,;]{1,64}@[^@\s<>,;]{1,190}$"
"""RFC 5321 lets them be this long; whether it is theirs shows a test message."""


class Level(StrEnum):
    """Levels of areas, highest first: the four of the civil administration in China."""

    CITY = "city"
    COUNTY = "county"
    STREET = "street"
    COMMUNITY = "community"

    @property
    def rank(self) -> int:
        """0 is the highest."""
        return list(Level).index(self)


class Mobility(StrEnum):
    """How somebody walks: what a responder must bring, and how long the way to the door takes."""

    INDEPENDENT = "independent"
    STICK = "stick"
    WALKER = "walker"
    WHEELCHAIR = "wheelchair"
    BEDRIDDEN = "bedridden"


class ResponderKind(StrEnum):
    """Who goes there."""

    PERSON = "person"
    STATION = "station"
    TEAM = "team"


class Availability(StrEnum):
    """Whether a responder can be sent now."""

    AVAILABLE = "available"
    BUSY = "busy"
    OFF_DUTY = "off_duty"


@dataclass(frozen=True, slots=True)
class Noun:
    """One kind of row of the register."""

    name: str
    columns: tuple[str, ...]
    """What a caller may give and change, beside the id."""
    withheld: frozenset[str] = frozenset()
    """Of these the log says only that they changed: it is append-only, and what it holds nobody
    can take back (docs/adr/0010)."""

    @property
    def key(self) -> str:
        """The column of the id."""
        return f"{self.name}_id"


NOUNS: Mapping[str, Noun] = {
    noun.name: noun
    for noun in (
        Noun(
            "area",
            ("parent_id", "name", "level", "arrive_within_min", "settlement", "time_zone"),
        ),
        Noun(
            "premises",
            (
                "area_id", "address", "access_notes", "latitude", "longitude", "time_zone", "phone",
                "video_link",
            ),
            withheld=frozenset({"access_notes", "video_link"}),
        ),
        Noun(
            "person",
            (
                "area_id", "premises_id", "name", "birth_year", "language", "phone",
                "medical_notes", "lives_alone", "mobility",
            ),
            withheld=frozenset({"medical_notes"}),
        ),
        Noun(
            "responder",
            (
                "area_id", "kind", "name", "phone", "latitude", "longitude", "availability",
                "notes", "account_id", "travel_mode",
            ),
        ),
        Noun("account", ("area_id", "name", "role", "language", "disabled", "phone", "email")),
    )
}  # fmt: skip

WITHHELD = "(withheld)"
WEB_ADDRESS = r"^https?://[^\s<>\"']{3,490}$"
"""What a page may offer to open; anything else (javascript:) would run in the desk."""


def difference(
    noun: Noun, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What a log entry says of a change: the columns that differ, old and new."""
    old, new = before or {}, after or {}
    changed = [c for c in noun.columns if old.get(c) != new.get(c)]
    told: dict[str, Any] = {}
    if before is not None:
        told["before"] = {c: _told(noun, c, old.get(c)) for c in changed}
    if after is not None:
        told["after"] = {c: _told(noun, c, new.get(c)) for c in changed}
    return told


def _told(noun: Noun, column: str, value: Any) -> Any:
    return WITHHELD if column in noun.withheld and value is not None else value
