"""A policy as somebody writes it: what the API and the command line hand to the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from alerts.alarm import Category, Priority
from alerts.errors import PolicyError
from alerts.ladders import SHIPPED, Scope
from alerts.policy import Policy, from_data, to_data
from alerts.policy_check import Complaint
from alerts.selection import Rung
from hub.errors import HubError
from schemas.ids import is_id

POLICIES_LIMIT = 5000
"""Ours: one for every community of a city of 100,000, and some people's own."""


class BadPolicy(HubError):
    """The policy cannot be saved."""

    def __init__(self, found: list[Complaint] | str) -> None:
        self.complaints = [] if isinstance(found, str) else [c for c in found if c.fatal]
        text = found if isinstance(found, str) else "; ".join(c.text for c in self.complaints)
        self.text = text
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Draft:
    """A policy to be checked, and saved."""

    id: str
    scope: Scope
    policy: Policy


@dataclass(frozen=True, slots=True)
class Case:
    """What a preview asks: who would be called for this person then."""

    person_id: str
    at: datetime
    kind: str = "press"
    category: Category = Category.PERSONAL
    priority: Priority = Priority.HIGH


@dataclass(frozen=True, slots=True)
class Preview:
    """A ladder, and whom each of its rungs means."""

    policy: Policy
    policy_id: str | None
    """None: a shipped one."""
    rungs: tuple[Rung, ...]
    step: int = 0
    """The rung that was climbed last."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What the accounts and responders it names are called, also those who cannot be called."""


def draft_of(written: Mapping[str, Any]) -> Draft:
    """A policy out of JSON or TOML. Raises BadPolicy: what is wrong, and what is allowed."""
    known = {"id", "area_id", "kind", "category", "priority", "person_id", "ladder"}
    if unknown := sorted(set(written) - known):
        raise BadPolicy(f"{', '.join(unknown)}: allowed: {', '.join(sorted(known))}")
    policy_id = written.get("id")
    if not isinstance(policy_id, str) or not is_id(policy_id):
        raise BadPolicy(f"id = {policy_id!r}; allowed: 1 to 64 of a-z, 0-9 and -")
    if policy_id in SHIPPED:
        raise BadPolicy(f"id = {policy_id!r} is the name of a shipped ladder; choose another")
    try:
        category, priority = written.get("category"), written.get("priority")
        scope = Scope(
            area_id=str(written.get("area_id") or ""),
            kind=written.get("kind") or None,
            category=Category(category) if category else None,
            priority=Priority(priority) if priority else None,
            person_id=written.get("person_id") or None,
        )
    except ValueError as error:
        raise BadPolicy(
            f"{error}; allowed: category personal, physiological, hazard or technical; priority"
            " high, medium or low"
        ) from None
    try:
        policy = from_data(written.get("ladder"))
    except PolicyError as error:
        raise BadPolicy(f"ladder: {error}") from None
    return Draft(policy_id, scope, policy)


def shipped_rows() -> list[dict[str, Any]]:
    """The ladders a hub comes with, as policies of everywhere."""
    return [{"id": name, "ladder": to_data(policy)} for name, policy in SHIPPED.items()]
