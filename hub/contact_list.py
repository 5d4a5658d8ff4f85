"""Which contact of a new list is which of the old one: their ids stay. Pure.

Notifications, proofs and answers name a contact by its id, and a list of contacts is always
replaced as a whole, by callers who may not know ids at all.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Contact = Mapping[str, Any]

_EMPTY: Mapping[str, Any] = {
    "has_key": False, "email": None, "language": None, "channels": [], "account_id": None,
}  # fmt: skip


def same_contacts(
    before: Sequence[Contact], after: Sequence[Contact], *, new_id: Callable[[], str]
) -> list[dict[str, Any]]:
    """The new list with ids: the one it names if that is this person's, else that of the same
    number, else that of the same name; each once. Whoever is new gets a new one.

    >>> old = [{"contact_id": "a", "name": "Mei", "phone": "138 1"}]
    >>> new = [{"name": "Mei", "phone": "139"}, {"name": "Bo", "phone": "1381"}]
    >>> [c["contact_id"] for c in same_contacts(old, new, new_id=lambda: "new")]
    ['new', 'a']
    """
    free = {str(contact["contact_id"]): contact for contact in before}
    found: list[str | None] = [None] * len(after)
    for match in (_named, _same_number, _same_name):
        for index, contact in enumerate(after):
            if found[index] is None:
                known = next((i for i, old in free.items() if match(i, old, contact)), None)
                if known is not None:
                    found[index] = known
                    del free[known]
    return [
        {**_EMPTY, **contact, "contact_id": known or new_id()}
        for contact, known in zip(after, found, strict=True)
    ]


def _named(known_id: str, old: Contact, contact: Contact) -> bool:
    del old
    return contact.get("contact_id") == known_id


def _same_number(known_id: str, old: Contact, contact: Contact) -> bool:
    del known_id
    return _digits(old["phone"]) == _digits(contact["phone"])


def _same_name(known_id: str, old: Contact, contact: Contact) -> bool:
    del known_id
    return bool(old["name"] == contact["name"])


def _digits(phone: str) -> str:
    return "".join(sign for sign in phone if sign.isdigit())
