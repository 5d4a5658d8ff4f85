"""Which ways to people are proven: what a test message is, and what becomes of it. Pure."""

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta

from alerts.delivery import Reason
from alerts.notification import NotificationState
from alerts.policy import ChannelName
from hub.errors import HubError

PROVABLE = (ChannelName.SMS, ChannelName.VOICE, ChannelName.EMAIL, ChannelName.PUSH)
"""Ways that end at one human who can answer."""
ANSWER_WITHIN = timedelta(hours=24)
"""Ours: somebody who works in shifts reads it the next day."""
MOST_PER_MINUTE = 600
"""Ours: ten a second; a city of 100,000 contacts takes three hours, and the gateway's own limits
delay without loss."""
USUAL_PER_MINUTE = 30
URGENCY = 14
"""Behind everything that is about somebody (`alerts.notification.urgency_of` ends at 13)."""
NOT_ARRIVED = frozenset({Reason.REFUSED, Reason.NO_ADDRESS, Reason.NOT_DELIVERED})
"""Why a way itself does not work; everything else may be the provider's or the hub's trouble."""

_CODE = re.compile(r"(?<!\d)\d{4}(?!\d)")


class CannotAsk(HubError):
    """Nobody can be sent a test message like this."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What is known of a test message that nobody answered yet."""

    over: bool
    failed: bool = False
    """The way itself does not work."""
    failure: str = ""


def fate(state: str | None, reason: str | None, *, late: bool) -> Fate:
    """Whether there is still something to wait for. A receipt is no answer: a telephone that lies
    in a drawer has one too.

    >>> fate("sent", "taken", late=False)
    Fate(over=False, failed=False, failure='')
    >>> fate("failed", "refused", late=False)
    Fate(over=True, failed=True, failure='refused')
    """
    gone = (NotificationState.FAILED, NotificationState.UNCONFIRMED, NotificationState.NOBODY,
            NotificationState.DISCARDED, NotificationState.POISONED)  # fmt: skip
    if state is not None and state in gone:
        return Fate(over=True, failed=reason in NOT_ARRIVED, failure=reason or state)
    return Fate(over=True, failure="no_answer") if late else Fate(over=False)


def code_in(text: str) -> str | None:
    """The four digits of an answer.

    >>> code_in("ok 4711!"), code_in("12345")
    ('4711', None)
    """
    found = _CODE.findall(text)
    return found[0] if len(found) == 1 else None


def address_sha256(address: str) -> str:
    """What a proof is bound to: a number that is corrected must be proven anew."""
    return hashlib.sha256(address.encode()).hexdigest()


def channels_of(names: list[str]) -> tuple[ChannelName, ...]:
    """Channels a campaign may use. Raises CannotAsk."""
    allowed = {channel.value for channel in PROVABLE}
    unknown = [name for name in names if name not in allowed]
    if unknown or not names:
        raise CannotAsk(f"channels: {', '.join(sorted(allowed))}")
    return tuple(ChannelName(name) for name in dict.fromkeys(names))


def probes(setting: str) -> dict[ChannelName, str]:
    """`probe_recipients` as channel and recipient.

    >>> probes("sms=account:boss")
    {<ChannelName.SMS: 'sms'>: 'account:boss'}
    """
    pairs = (part.partition("=") for part in setting.split(",") if part)
    return {ChannelName(channel): recipient for channel, _, recipient in pairs}
