"""Who may do what, and where: one table of roles, and the tree of areas. Pure.

The checks of the routes, `docs/roles.md` and the tests all read `MAY`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from alerts.consent import DataType
from alerts.people import Account
from hub.desk import AreaRow, Within
from schemas.ids import PersonId


class Deed(StrEnum):
    """What a log-in may be used for."""

    LOOK = "look"
    ACT = "act"
    BROWSE = "browse"
    REVEAL = "reveal"
    PROVISION = "provision"
    REGISTER = "register"
    CARE = "care"
    ACCOUNTS = "accounts"
    HISTORY = "history"
    REPORT = "report"
    INSPECT = "inspect"
    PLAN = "plan"
    OPERATE = "operate"
    KIN = "kin"
    GO = "go"


MEANING: Mapping[Deed, str] = {
    Deed.LOOK: "see incidents and the live feed",
    Deed.ACT: "acknowledge, attend, resolve",
    Deed.BROWSE: "read the register: areas, homes, people, devices, responders",
    Deed.REVEAL: "read the code of a home's key safe; every look is logged",
    Deed.PROVISION: "provision, move, swap and revoke devices",
    Deed.REGISTER: "change areas, homes, people and responders; import the register",
    Deed.CARE: "set limits, fences and where a person is (home, away, hospital ...)",
    Deed.ACCOUNTS: "add, change and disable accounts, API tokens and family links",
    Deed.HISTORY: "read observations and their aggregates",
    Deed.REPORT: "read figures of the service, and export whole incidents",
    Deed.INSPECT: "read the log, and messages that could not be read",
    Deed.PLAN: "plan who is on duty",
    Deed.OPERATE: "plan maintenance, retry what was set aside",
    Deed.KIN: "see how one's own people are",
    Deed.GO: "say whether one is going, and where one is",
}
"""For the documentation and for whoever is refused."""


class Sight(StrEnum):
    """How far what a role may look at reaches."""

    AREA = "area"
    """The account's area and everything below it."""
    KIN = "kin"
    """Only the people the account is linked to, wherever they live."""
    OWN = "own"
    """Only incidents the account is a responder of."""


@dataclass(frozen=True, slots=True)
class Role:
    """One row of the table."""

    meaning: str
    deeds: frozenset[Deed]
    sight: Sight = Sight.AREA
    by_token: bool = False
    """Whether a program may hold it, by an API token. Responsibility stays with humans."""


MAY: Mapping[str, Role] = {
    "administrator": Role("keeps the register, the accounts and the hub", frozenset(Deed)),
    "dispatcher": Role(
        "answers at the hotline",
        frozenset({Deed.LOOK, Deed.ACT, Deed.BROWSE, Deed.REVEAL, Deed.CARE, Deed.HISTORY}),
    ),
    "supervisor": Role(
        "watches how well the area is served, and plans who is on duty",
        frozenset({Deed.LOOK, Deed.BROWSE, Deed.HISTORY, Deed.REPORT, Deed.INSPECT, Deed.PLAN}),
        by_token=True,
    ),
    "responder": Role("goes there", frozenset({Deed.LOOK, Deed.GO}), sight=Sight.OWN),
    "family": Role(
        "belongs to somebody", frozenset({Deed.LOOK, Deed.KIN, Deed.GO}), sight=Sight.KIN
    ),
    "installer": Role(
        "puts devices into homes",
        frozenset({Deed.BROWSE, Deed.PROVISION}),
        by_token=True,
    ),
    "auditor": Role(
        "reads everything, changes nothing",
        frozenset({Deed.LOOK, Deed.BROWSE, Deed.HISTORY, Deed.REPORT, Deed.INSPECT}),
        by_token=True,
    ),
    "integration": Role(
        "a program of another system",
        frozenset({Deed.LOOK, Deed.BROWSE, Deed.REGISTER, Deed.HISTORY}),
        by_token=True,
    ),
}
"""A role that is not here may nothing."""

_NOBODY = Role("unknown", frozenset(), sight=Sight.OWN)


def may(role: str, deed: Deed) -> bool:
    """Whether somebody with this role may do that."""
    return deed in MAY.get(role, _NOBODY).deeds


def sight_of(role: str) -> Sight:
    """How far somebody with this role sees."""
    return MAY.get(role, _NOBODY).sight


class Whose(NamedTuple):
    """Whom an incident is about, as far as that decides who may see it."""

    area_id: str
    person_id: str | None = None
    premises_id: str | None = None
    told: frozenset[str] = frozenset()
    """Who goes there or was asked to, as `responder:ID` or `account:ID`."""

    @classmethod
    def of(cls, view: Mapping[str, Any]) -> "Whose":
        """The subject counts where the register knew no card."""
        subject = view.get("subject") or {}
        found = {
            noun: (view.get(noun) or {}).get("id")
            or (subject.get("id") if subject.get("kind") == noun else None)
            for noun in ("person", "premises")
        }
        told = frozenset(f"{r['kind']}:{r['id']}" for r in view.get("responders") or ())
        return cls(view["area_id"], found["person"], found["premises"], told)


Visible = Callable[[Whose], bool]
"""Whether somebody sees what is about these."""


def visible_to(account: Account, tree: "AreaTree") -> Visible:
    """What an account sees of incidents. Family also see what concerns the home of their people,
    but not what concerns somebody else who lives there."""
    match sight_of(account.role):
        case Sight.AREA:
            return lambda whose: tree.sees(account.area_id, whose.area_id)
        case Sight.KIN:
            people = _agreeing(account)
            return lambda whose: (
                whose.person_id in people
                if whose.person_id is not None
                else whose.premises_id in account.homes
            )
        case Sight.OWN:
            recipients = account.recipients
            return lambda whose: not recipients.isdisjoint(whose.told)


def _agreeing(account: Account) -> frozenset[PersonId]:
    """Those of their people who let a family know of incidents: whoever did not say no."""
    return frozenset(
        person
        for person in account.people
        if (person, DataType.INCIDENTS.value, False) not in account.decided
    )


def within(account: Account, tree: "AreaTree") -> Within:
    """The same for a query."""
    match sight_of(account.role):
        case Sight.AREA:
            return Within(areas=tree.below(account.area_id))
        case Sight.KIN:
            return Within(people=sorted(_agreeing(account)), homes=sorted(account.homes))
        case Sight.OWN:
            return Within(people=[], homes=[], recipients=sorted(account.recipients))


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

    def above(self, area_id: str) -> frozenset[str]:
        """Every area it lies in."""
        return self._ancestors(area_id)

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
