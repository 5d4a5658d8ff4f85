"""Where people can be reached, read when something is sent; implements `alerts.address.Directory`.

Nothing of it is kept in memory: a number that was corrected, a contact that was removed, a person
whose service ended count from the next message on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from psycopg_pool import AsyncConnectionPool

from alerts.address import ACCOUNT, CONTACT, RESPONDER, Address
from alerts.errors import LookUpFailed
from alerts.people import PersonState
from alerts.policy import FALLBACK_CONTACT, ChannelName
from alerts.rendering import language_of
from hub.store import queries
from hub.store.gathered import AWAY, Gathered, by_key
from schemas.ids import IncidentId

_SQL = queries.load("address_book")
_NOUNS = {CONTACT: "contact", ACCOUNT: "account", RESPONDER: "responder"}

SHORTEST_NUMBER = 6
"""Digits of the shortest number that may stand behind a country's."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Addresses that stand in the configuration and not in the register."""

    language: str
    """Of whoever wrote down none."""
    by_recipient: Mapping[str, Mapping[ChannelName, tuple[str, ...]]]


class PostgresDirectory:
    """The register's contacts, accounts and responders, and what the configuration names."""

    def __init__(self, pool: AsyncConnectionPool[Any], elsewhere: Elsewhere) -> None:
        self._elsewhere = elsewhere
        self._people: dict[str, Gathered[str, Row]] = {
            noun: Gathered(partial(_found, pool, noun)) for noun in _NOUNS.values()
        }
        self._served: Gathered[str, Row] = Gathered(partial(_concerned, pool))

    async def look_up(self, recipient: str, incident_id: IncidentId) -> Address | None:
        """Raises LookUpFailed while the database is away."""
        kind, colon, found_id = recipient.partition(":")
        noun = _NOUNS.get(kind + colon)
        if noun is None:
            return self._without_register(recipient)
        try:
            row = await self._people[noun].ask(found_id)
            if row is None or not await self._is_served(noun, row, incident_id):
                return None
        except AWAY as error:
            raise LookUpFailed(type(error).__name__) from error
        language = row["language"] or row.get("account_language") or self._elsewhere.language
        return Address(recipient, row["name"], row["relation"], language_of(language), _values(row))

    async def _is_served(self, noun: str, row: Row, incident_id: IncidentId) -> bool:
        """After a move or the end of the service neither family nor neighbours are called
        (docs/adr/0009); dispatchers and supervisors are."""
        states = [row.get("person_state")]
        if noun == "responder":
            about = await self._served.ask(incident_id)
            states.append(about["person_state"] if about else None)
        return all(PersonState(state).served for state in states if state is not None)

    def _without_register(self, recipient: str) -> Address:
        """Desks, devices and what the configuration names: no look into the database."""
        values = self._elsewhere.by_recipient.get(recipient)
        if values is None and recipient != FALLBACK_CONTACT:
            values = {ChannelName.DESK: (recipient,), ChannelName.DEVICE: (recipient,)}
        return Address(recipient, recipient, "", self._elsewhere.language, values or {})


async def _found(pool: AsyncConnectionPool[Any], noun: str, ids: Sequence[str]) -> dict[str, Row]:
    return await by_key(pool, _SQL[noun], ids, "id")


async def _concerned(pool: AsyncConnectionPool[Any], ids: Sequence[str]) -> dict[str, Row]:
    return await by_key(pool, _SQL["incident_people"], ids, "incident_id")


def _values(row: Row) -> dict[ChannelName, tuple[str, ...]]:
    values: dict[ChannelName, tuple[str, ...]] = {}
    if row["phone"]:
        number = dialled(row["phone"])
        values[ChannelName.SMS] = values[ChannelName.VOICE] = (number,)
    email = row["email"] or row.get("account_email")
    if email:
        values[ChannelName.EMAIL] = (email,)
    return values


def dialled(phone: str) -> str:
    """A number as a gateway wants it: digits, with a leading plus if there was one.

    >>> dialled("+86 138-0013-8000")
    '+8613800138000'
    """
    digits = "".join(sign for sign in phone if sign.isdigit())
    return f"+{digits}" if phone.strip().startswith("+") else digits


def spellings(phone: str, *, country: str = "86") -> Sequence[str]:
    """The digits under which the same number may stand in the register.

    >>> spellings("+86 138-0013-8000")
    ['008613800138000', '13800138000', '8613800138000']
    """
    digits = dialled(phone).lstrip("+").removeprefix("00")
    forms = {digits, f"00{digits}"}
    if digits.startswith(country) and len(digits) > len(country) + SHORTEST_NUMBER:
        forms.add(digits.removeprefix(country))
    else:
        forms |= {f"{country}{digits}", f"00{country}{digits}"}
    return sorted(forms)
