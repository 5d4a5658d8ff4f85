"""Whether a policy that somebody wants to save names people who exist. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from alerts.alarm import Category, Priority
from alerts.ladders import Scope
from alerts.policy import (
    ALLOWED,
    EMERGENCY_SERVICE,
    ChannelName,
    Policy,
    Target,
)

NEXT_TIER_WITHIN_S = 60
"""An unaccepted SOS reaches the next tier within a minute: the floor that European telecare
standards and our own promise share; 30 s is what the shipped ladder does."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the register says about the policy's area and person."""

    dispatchers: bool
    """Whether somebody who may acknowledge belongs to the area or one above it."""
    duties: frozenset[str]
    """Duties that the rota plans for the area or one above it."""
    contacts: int | None
    """How many contacts the policy's person has; None: it is not of one person."""
    responders: bool
    """Whether the register has responders there."""
    named: frozenset[str]
    """Of the accounts and responders it names, those that exist and may be called."""
    reachable: frozenset[ChannelName]
    """The channels that are configured."""
    twin: str | None = None
    """Another policy for exactly the same."""


class Fault(StrEnum):
    """What is wrong, for whoever says it in another language."""

    NOBODY_AT_LAST = "nobody_at_last"
    NO_DISPATCHER = "no_dispatcher"
    NO_FALLBACK = "no_fallback"
    PROMPT_ONLY = "prompt_only"
    NOBODY_PLANNED = "nobody_planned"
    FAMILY_DIFFERS = "family_differs"
    FEW_CONTACTS = "few_contacts"
    NO_RESPONDER = "no_responder"
    GONE = "gone"
    NOT_CONFIGURED = "not_configured"
    WAITS_LONG = "waits_long"
    TWIN = "twin"


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something about one step."""

    step: int
    """From 1; 0: the policy as a whole."""
    fault: Fault
    text: str
    fatal: bool
    """It cannot be saved so."""
    target: int | None = None
    """Which of the step's targets, from 1; None: the step as a whole."""
    figure: int | None = None
    """How many contacts there are, or the seconds that it should not wait longer than."""


def complaints(policy: Policy, scope: Scope, known: Known) -> list[Complaint]:
    """What stands against saving it, and what its author should know."""
    found = [each for n, _ in enumerate(policy.steps, 1) for each in _about(policy, n, known)]
    last = len(policy.steps)
    targets = policy.steps[-1].targets
    if not any(_exists(target, known) for target in targets):
        why = "; ".join(_said(target, known) for target in targets) or "it names nobody"
        text = (
            f"step {last} is the last and repeats until a human acknowledges, so it must name"
            f" somebody who exists: {why}. Allowed: {ALLOWED}"
        )
        found.append(Complaint(last, Fault.NOBODY_AT_LAST, text, fatal=True))
    urgent = scope.priority in (None, Priority.HIGH) and scope.category in (None, Category.PERSONAL)
    if urgent and policy.steps[0].wait_s > NEXT_TIER_WITHIN_S:
        text = (
            f"step 1 waits {policy.steps[0].wait_s} s; an SOS should reach the next tier within"
            f" {NEXT_TIER_WITHIN_S} s"
        )
        found.append(Complaint(1, Fault.WAITS_LONG, text, fatal=False, figure=NEXT_TIER_WITHIN_S))
    if known.twin is not None:
        text = f"{known.twin} is for exactly this area, kind, category, priority and person"
        found.append(Complaint(0, Fault.TWIN, text, fatal=True))
    return found


def _about(policy: Policy, number: int, known: Known) -> Iterator[Complaint]:
    for place, target in enumerate(policy.steps[number - 1].targets, 1):
        if not _exists(target, known) and target.who != EMERGENCY_SERVICE:
            fault, _ = _why_not(target, known)
            yield Complaint(
                number,
                fault,
                f"step {number}: {_said(target, known)}",
                fatal=fault is Fault.GONE,
                target=place,
                figure=known.contacts if fault is Fault.FEW_CONTACTS else None,
            )
        silent = [name for name in target.channels if name not in known.reachable]
        if len(silent) == len(target.channels):
            text = f"step {number}: {target.who} by {', '.join(silent)}: not configured"
            yield Complaint(number, Fault.NOT_CONFIGURED, text, fatal=False, target=place)


def _exists(target: Target, known: Known) -> bool:
    noun, _, which = target.who.partition(":")
    match noun:
        case "dispatchers":
            return known.dispatchers
        case "fallback":
            return ChannelName.WEBHOOK in known.reachable
        case "on_duty":
            return which in known.duties
        case "family":
            # Of an area's people some have contacts and some do not: nobody can be promised.
            return known.contacts is not None and known.contacts >= int(which or 1)
        case "nearest":
            return known.responders
        case "account" | "responder":
            return target.who in known.named
        case _:
            return False


def _said(target: Target, known: Known) -> str:
    return f"{target.who}: {_why_not(target, known)[1]}"


def _why_not(target: Target, known: Known) -> tuple[Fault, str]:
    match target.who.partition(":")[0]:
        case "dispatchers":
            text = "nobody who may acknowledge belongs to the area or one above it"
            return Fault.NO_DISPATCHER, text
        case "fallback":
            return Fault.NO_FALLBACK, "no fallback contact is configured (webhook_url)"
        case "emergency_service":
            return Fault.PROMPT_ONLY, "it is a prompt at the desk, the hub itself calls nobody"
        case "on_duty":
            return Fault.NOBODY_PLANNED, "the rota plans nobody for this duty"
        case "family" if known.contacts is None:
            text = "the policy is for an area: who has family differs from person to person"
            return Fault.FAMILY_DIFFERS, text
        case "family":
            return Fault.FEW_CONTACTS, f"the person has {known.contacts} contacts"
        case "nearest":
            return Fault.NO_RESPONDER, "the register has no responders there"
        case _:
            return Fault.GONE, "does not exist, or may not be called"
