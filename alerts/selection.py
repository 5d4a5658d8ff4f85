"""From the selectors of a rung to people, or to the named reason why there is nobody. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum

from alerts.alarm import Category, Priority
from alerts.incident import Incident
from alerts.policy import (
    DISPATCHERS,
    EMERGENCY_SERVICE,
    EVERY_CHANNEL,
    FALLBACK_CONTACT,
    ChannelName,
    Policy,
    Step,
    Target,
)
from alerts.responders import Actor, Answer

NEAREST_TOLD = 1
"""How many `nearest` tells; `nearest:3` tells three."""


class Nobody(StrEnum):
    """Why a target reaches nobody; stored, and shown on the desk."""

    NOT_SIGNED_IN = "nobody_signed_in"
    """It rings at the desks, but nobody is logged in at any that sees the area."""
    NOT_ON_DUTY = "nobody_on_duty"
    NO_CONTACT = "no_contact"
    """The person has no contact in this place of their list."""
    NO_RESPONDER = "no_responder_near"
    NOT_THERE = "not_there"
    """The account or responder named does not exist (any more), or may not log in."""
    NO_CHANNEL = "channel_not_configured"
    NOT_SERVED = "not_served"
    """The person moved or their service ended: neither family nor neighbours are called."""
    QUIET_HOURS = "quiet_hours"
    """A notice of low priority waits for the morning."""
    DECLINED = "declined"
    """They said that they cannot come."""
    COMING_ALREADY = "coming_already"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody to tell, by the first of these channels that works."""

    recipient: str
    """`dispatchers`, `fallback`, `account:ID`, `contact:ID` or `responder:ID`."""
    channels: tuple[ChannelName, ...]
    actor: Actor | None = None
    """Who that is; None: not one human."""
    prompt: str | None = None
    """What the desk is told to do besides."""
    heard: bool = True
    """False: it rings, but nobody is known to be there."""


@dataclass(frozen=True, slots=True)
class Unreached:
    """A target that reached nobody."""

    who: str
    reason: Nobody


@dataclass(frozen=True, slots=True)
class Roster:
    """Whom the selectors mean just now; loaded for one incident."""

    reachable: frozenset[ChannelName] = EVERY_CHANNEL
    """The channels that are configured."""
    at_desk: bool = True
    """Whether anybody is signed in at a desk that sees the area."""
    on_duty: Mapping[str, tuple[Actor, ...]] = field(default_factory=dict)
    """By role on duty: dispatcher, second, supervisor."""
    contacts: Mapping[int, Actor] = field(default_factory=dict)
    """The person's contacts by place, from 1."""
    preferred: Mapping[str, tuple[ChannelName, ...]] = field(default_factory=dict)
    """By recipient: the ways in which they want to be tried, the first one first."""
    nearest: tuple[Actor, ...] = ()
    """Available responders, the nearest first."""
    named: Mapping[str, Actor] = field(default_factory=dict)
    """Accounts and responders that the ladder names and that exist, by recipient."""
    served: bool = True
    zone: tzinfo | None = None
    """The home's."""


@dataclass(frozen=True, slots=True)
class Rung:
    """What became of one step."""

    told: tuple[Recipient, ...]
    nobody: tuple[Unreached, ...]

    @property
    def reaches(self) -> bool:
        """Whether anybody is known to hear it."""
        return any(each.heard for each in self.told)


def select(step: Step, incident: Incident, policy: Policy, roster: Roster, now: datetime) -> Rung:
    """Everybody the step means. Whoever declined or is coming already is called again only where
    nobody else would hear it: a ladder must not fall silent because one said no."""
    told: dict[str, Recipient] = {}
    nobody: list[Unreached] = []
    spared: dict[str, Recipient] = {}
    answers = {each.who.recipient: each.answer for each in incident.responders}
    for target in step.targets:
        meant = _quiet(target, incident, policy, roster, now) or _meant(target, roster)
        if isinstance(meant, Nobody):
            nobody.append(Unreached(target.who, meant))
            continue
        for one in meant:
            if (why := _SPARED.get(answers.get(one.recipient))) is not None:
                nobody.append(Unreached(one.recipient, why))
                spared[one.recipient] = one
            elif one.recipient not in told or one.prompt:
                told[one.recipient] = one
            if not one.heard:
                nobody.append(Unreached(target.who, Nobody.NOT_SIGNED_IN))
    if not any(each.heard for each in told.values()):
        told |= spared
        nobody = [each for each in nobody if each.who not in spared]
    return Rung(tuple(told.values()), tuple(nobody))


_SPARED: Mapping[Answer | None, Nobody] = {
    Answer.DECLINED: Nobody.DECLINED,
    Answer.GOING: Nobody.COMING_ALREADY,
    Answer.ARRIVED: Nobody.COMING_ALREADY,
}


def _meant(target: Target, roster: Roster) -> Nobody | tuple[Recipient, ...]:
    channels = tuple(channel for channel in target.channels if channel in roster.reachable)
    if not channels:
        return Nobody.NO_CHANNEL
    if target.who in (DISPATCHERS, EMERGENCY_SERVICE):
        prompt = target.who if target.who == EMERGENCY_SERVICE else None
        return (Recipient(DISPATCHERS, channels, prompt=prompt, heard=roster.at_desk),)
    if target.who == FALLBACK_CONTACT:
        return (Recipient(FALLBACK_CONTACT, channels),)
    people = _people(target.who, roster)
    if isinstance(people, Nobody):
        return people
    return tuple(
        Recipient(one.recipient, _as_preferred(channels, roster.preferred.get(one.recipient)), one)
        for one in people
    )


def _as_preferred(
    channels: tuple[ChannelName, ...], wanted: tuple[ChannelName, ...] | None
) -> tuple[ChannelName, ...]:
    """The target says by which ways somebody is told, they themselves say which one first.

    >>> _as_preferred((ChannelName.PUSH, ChannelName.SMS), (ChannelName.EMAIL, ChannelName.SMS))
    (<ChannelName.SMS: 'sms'>, <ChannelName.PUSH: 'push'>)
    """
    if not wanted:
        return channels
    first = tuple(channel for channel in wanted if channel in channels)
    return first + tuple(channel for channel in channels if channel not in first)


def _people(who: str, roster: Roster) -> Nobody | tuple[Actor, ...]:
    noun, _, which = who.partition(":")
    match noun:
        case "on_duty":
            return roster.on_duty.get(which) or Nobody.NOT_ON_DUTY
        case "family" | "nearest" if not roster.served:
            return Nobody.NOT_SERVED
        case "family":
            contacts = roster.contacts
            chosen = [contacts.get(int(which))] if which else list(contacts.values())
            return tuple(one for one in chosen if one is not None) or Nobody.NO_CONTACT
        case "nearest":
            return roster.nearest[: int(which or NEAREST_TOLD)] or Nobody.NO_RESPONDER
        case _:
            actor = roster.named.get(who)
            return Nobody.NOT_THERE if actor is None else (actor,)


def _quiet(
    target: Target, incident: Incident, policy: Policy, roster: Roster, now: datetime
) -> Nobody | None:
    """Only a technical notice of low priority to a family may wait for the morning."""
    low = incident.category is Category.TECHNICAL and incident.priority is Priority.LOW
    if not low or policy.quiet_hours is None or roster.zone is None:
        return None
    if not target.who.startswith(("family", "nearest")):
        return None
    local = now.astimezone(roster.zone)
    quiet = policy.quiet_hours.cover(local.hour * 60 + local.minute)
    return Nobody.QUIET_HOURS if quiet else None
