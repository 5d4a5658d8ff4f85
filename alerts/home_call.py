"""A call to a home, and what follows from how it went. Pure.

`talk`: a dispatcher's telephone rings first, then the home. `check_in`: a robot asks how somebody
is and listens for a digit; silence is no answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from alerts.actions import CallResult
from schemas.alarms import PressAction

DIALS_FOR_S = 120
"""Ours: ringing, asking twice and listening; after that the gateway owed a word."""
AT_ONCE = 2
"""Ours: calls to one incident's home that are under way together."""


class CallKind(StrEnum):
    """What it is for."""

    TALK = "talk"
    CHECK_IN = "check_in"


class CallState(StrEnum):
    """How far it is."""

    ASKED = "asked"
    PLACED = "placed"
    ANSWERED = "answered"
    ENDED = "ended"


class HomeResult(StrEnum):
    """How it went; set once."""

    ANSWERED = "answered"
    WELL = "well"
    HELP = "help"
    NO_REPLY = "no_reply"
    BUSY = "busy"
    FAILED = "failed"
    """The call itself did not work: nothing is known about the home."""


@dataclass(frozen=True, slots=True)
class HomeCall:
    """One call as far as it is known."""

    kind: CallKind
    state: CallState = CallState.ASKED
    result: HomeResult | None = None


_DIGITS: Mapping[str, HomeResult] = {"1": HomeResult.WELL, "2": HomeResult.HELP}
_ENDS: Mapping[str, HomeResult] = {
    "completed": HomeResult.NO_REPLY,
    "no_answer": HomeResult.NO_REPLY,
    "busy": HomeResult.BUSY,
    "failed": HomeResult.FAILED,
}
"""What a state of the gateway means where nothing better is known."""


def heard(call: HomeCall, state: str | None, digits: str | None) -> HomeCall:
    """The call after a word of the gateway; words may come twice and in any order.

    >>> heard(HomeCall(CallKind.CHECK_IN), None, "1").result.value
    'well'
    >>> heard(HomeCall(CallKind.CHECK_IN, CallState.ANSWERED), "completed", None).result.value
    'no_reply'
    """
    if digits is not None and call.kind is CallKind.CHECK_IN:
        said = _DIGITS.get(digits[:1])
        # Help that is asked for after "well" counts; the other way round it does not.
        if said is HomeResult.HELP or (said is not None and call.result is not HomeResult.HELP):
            return replace(call, state=CallState.ENDED, result=said)
        return call
    if call.state is CallState.ENDED or state is None:
        return call
    if state == "answered":
        result = HomeResult.ANSWERED if call.kind is CallKind.TALK else call.result
        return replace(call, state=CallState.ANSWERED, result=result)
    if state in _ENDS:
        return replace(call, state=CallState.ENDED, result=call.result or _ENDS[state])
    return call


def overdue(call: HomeCall) -> HomeCall:
    """The gateway said nothing more in time: nobody is known to have answered."""
    return replace(call, state=CallState.ENDED, result=call.result or HomeResult.NO_REPLY)


@dataclass(frozen=True, slots=True)
class Consequence:
    """What the hub does when a result is known."""

    recorded: CallResult | None
    """The outcome on the incident; None: there is nothing to say about the home."""
    press: PressAction | None = None
    """What the person said by a digit, as their own button would have: `cancel` answers an open
    question, `emergency` raises."""


CONSEQUENCES: Mapping[HomeResult, Consequence] = {
    HomeResult.ANSWERED: Consequence(CallResult.ANSWERED),
    HomeResult.WELL: Consequence(CallResult.ANSWERED, PressAction.CANCEL),
    HomeResult.HELP: Consequence(CallResult.ANSWERED, PressAction.EMERGENCY),
    HomeResult.NO_REPLY: Consequence(CallResult.NO_REPLY),
    HomeResult.BUSY: Consequence(CallResult.NO_REPLY),
    HomeResult.FAILED: Consequence(None),
}


def consequence(before: HomeCall, after: HomeCall) -> Consequence | None:
    """None: nothing new is known."""
    if after.result is None or after.result is before.result:
        return None
    return CONSEQUENCES[after.result]
