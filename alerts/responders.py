"""Who acts on an incident, by which way, and who goes there. Plain values."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

RESPONDERS_LIMIT = 50
"""Ours: more people at one door than any ladder tells; whoever comes after is in the log alone."""


class ActorKind(StrEnum):
    """What somebody is to the hub; together with an id it names them for ever."""

    ACCOUNT = "account"
    CONTACT = "contact"
    """Of the person's list of whom to call."""
    RESPONDER = "responder"
    """Of the area's register of neighbours, stations and teams."""
    HUB = "hub"


class Way(StrEnum):
    """How an action came to us."""

    DESK = "desk"
    FAMILY_PAGE = "family_page"
    SMS = "sms"
    VOICE = "voice"
    """A digit pressed in a call."""
    LINK = "link"
    """A signed link that works once."""
    API = "api"


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever did something."""

    kind: ActorKind
    id: str
    name: str

    @property
    def recipient(self) -> str:
        """The same one, as notifications are addressed: `contact:42`.

        >>> Actor(ActorKind.CONTACT, "42", "Mei").recipient
        'contact:42'
        """
        return f"{self.kind}:{self.id}"


class Answer(StrEnum):
    """How far a responder is."""

    TOLD = "told"
    """Called, and not heard from yet."""
    GOING = "going"
    DECLINED = "declined"
    ARRIVED = "arrived"


@dataclass(frozen=True, slots=True)
class Responding:
    """One responder of one incident; each is there once."""

    who: Actor
    answer: Answer
    way: Way | None
    """How they said so; None while they were only told."""
    told_at: datetime | None = None
    answered_at: datetime | None = None
    expected_at: datetime | None = None
    arrived_at: datetime | None = None


def answered(
    responders: Iterable[Responding],
    who: Actor,
    answer: Answer,
    way: Way | None,
    at: datetime,
    expected_at: datetime | None = None,
) -> tuple[Responding, ...]:
    """The responders after one of them was told or said something, in the order in which they
    came. Whoever answered already is not set back to `told`."""
    known = {responding.who.recipient: responding for responding in responders}
    before = known.get(who.recipient)
    if before is None:
        if len(known) >= RESPONDERS_LIMIT:
            return tuple(known.values())
        before = Responding(who, Answer.TOLD, None)
    known[who.recipient] = _after(before, answer, way, at, expected_at)
    return tuple(known.values())


def _after(
    before: Responding, answer: Answer, way: Way | None, at: datetime, expected_at: datetime | None
) -> Responding:
    if answer is Answer.TOLD:
        return replace(before, told_at=before.told_at or at)
    if answer is Answer.GOING and before.answer is Answer.ARRIVED:
        return before
    return replace(
        before,
        answer=answer,
        way=way,
        answered_at=at if before.answered_at is None else before.answered_at,
        expected_at=(expected_at or before.expected_at) if answer is Answer.GOING
        else before.expected_at,
        arrived_at=at if answer is Answer.ARRIVED else before.arrived_at,
    )  # fmt: skip


def first_there(responders: Iterable[Responding]) -> Responding | None:
    """Whoever is there or on the way, the earliest first; without a time they come last."""
    coming = [r for r in responders if r.answer in (Answer.ARRIVED, Answer.GOING)]
    return min(coming, key=_arrival, default=None)


def _arrival(responding: Responding) -> tuple[int, float]:
    known = responding.arrived_at or responding.expected_at
    rank = 0 if responding.answer is Answer.ARRIVED else 1
    return (rank, float("inf") if known is None else known.timestamp())
