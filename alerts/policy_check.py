"""Whether a policy that somebody wants to save names people who exist. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from alerts.alarm import Category, Priority
from alerts.ladders import Scope
from alerts.policy import (
    ALLOWED,
    DISPATCHERS,
    EMERGENCY_SERVICE,
    FALLBACK_CONTACT,
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


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something about one step."""

    step: int
    """From 1."""
    text: str
    fatal: bool
    """It cannot be saved so."""


def complaints(policy: Policy, scope: Scope, known: Known) -> list[Complaint]:
    """What stands against saving it, and what its author should know."""
    found = [each for n, _ in enumerate(policy.steps, 1) for each in _about(policy, n, known)]
    last = len(policy.steps)
    targets = policy.steps[-1].targets
    if not any(_exists(target, known) for target in targets):
        why = "; ".join(_why_not(target, known) for target in targets) or "it names nobody"
        text = (
            f"step {last} is the last and repeats until a human acknowledges, so it must name"
            f" somebody who exists: {why}. Allowed: {ALLOWED}"
        )
        found.append(Complaint(last, text, fatal=True))
    urgent = scope.priority in (None, Priority.HIGH) and scope.category in (None, Category.PERSONAL)
    if urgent and policy.steps[0].wait_s > NEXT_TIER_WITHIN_S:
        text = (
            f"step 1 waits {policy.steps[0].wait_s} s; an SOS should reach the next tier within"
            f" {NEXT_TIER_WITHIN_S} s"
        )
        found.append(Complaint(1, text, fatal=False))
    return found


def _about(policy: Policy, number: int, known: Known) -> Iterator[Complaint]:
    for target in policy.steps[number - 1].targets:
        gone = target.who.startswith(("account:", "responder:")) and target.who not in known.named
        if gone:
            yield Complaint(number, f"step {number}: {_why_not(target, known)}", fatal=True)
        elif not _exists(target, known) and target.who != EMERGENCY_SERVICE:
            yield Complaint(number, f"step {number}: {_why_not(target, known)}", fatal=False)
        silent = [name for name in target.channels if name not in known.reachable]
        if len(silent) == len(target.channels):
            words = ", ".join(silent)
            yield Complaint(
                number, f"step {number}: {target.who} by {words}: not configured", fatal=False
            )


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


def _why_not(target: Target, known: Known) -> str:
    noun = target.who.partition(":")[0]
    reasons = {
        DISPATCHERS: "nobody who may acknowledge belongs to the area or one above it",
        FALLBACK_CONTACT: "no fallback contact is configured (webhook_url)",
        EMERGENCY_SERVICE: "it is a prompt at the desk, the hub itself calls nobody",
        "on_duty": "the rota plans nobody for this duty",
        "family": "the policy is for an area: who has family differs from person to person"
        if known.contacts is None
        else f"the person has {known.contacts} contacts",
        "nearest": "the register has no responders there",
    }
    return f"{target.who}: {reasons.get(noun, 'does not exist, or may not be called')}"
