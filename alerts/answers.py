"""What a human means who answers a message: by SMS, by a key of the telephone. Pure.

Careful on purpose: somebody who is taken to be going stops others from being called. Only what says
so plainly is `going`; everything else is kept as a note, and they are told how to say it.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.actions import Verb
from alerts.rendering import CHINESE, ENGLISH, language_of

LONGEST_ARRIVAL_MIN = 600
"""Ours: whoever needs ten hours is not going now."""
TOLD_TOGETHER = timedelta(seconds=120)
"""Ours: of two incidents told within two minutes nobody can say which one an answer is about."""
MAX_TEXT = 1000
"""Characters of an answer that are kept; seven parts of a long short message."""


class Meaning(StrEnum):
    """What was said."""

    GOING = "going"
    CANNOT = "cannot"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Understood:
    """An answer as the hub takes it."""

    meaning: Meaning
    expected_arrival_s: int | None = None


_MINUTES = (
    r"(?:\s*[,;:.\-]?\s*(?:in\s+)?(?P<min>\d{1,3})\s*(?:m|min|mins|minutes?|分钟?|分)?\s*(?:到)?)?"
)
_GOING = re.compile(
    r"(?:1|going|i am going|i'm going|i go|on my way|coming|i am coming|i'm coming"
    r"|去|我去|我来|我过去|马上去|马上到|在路上|正在路上|我在路上)" + _MINUTES
)
_CANNOT = re.compile(
    r"(?:2|n|no|cannot|can't|can not|i cannot|i can't|i can not|not going"
    r"|不去|不能|不能去|去不了|来不了|我去不了|我不去|我不能去|没空)"
)
_ENDS = " \t\r\n.!,;。!,;~～"


def understood(text: str) -> Understood:
    """What an answer says.

    >>> understood("１").meaning, understood("去 20").expected_arrival_s
    (<Meaning.GOING: 'going'>, 1200)
    >>> understood("Going, 15 min!").expected_arrival_s, understood("不去").meaning
    (900, <Meaning.CANNOT: 'cannot'>)
    >>> understood("1 but I cannot find the key").meaning, understood("ok").meaning
    (<Meaning.OTHER: 'other'>, <Meaning.OTHER: 'other'>)
    """
    said = unicodedata.normalize("NFKC", text[:MAX_TEXT]).casefold().strip(_ENDS)
    said = said.replace("\u2019", "'")
    if found := _GOING.fullmatch(said):
        minutes = int(found["min"]) if found["min"] else None
        if minutes is not None and not 0 < minutes <= LONGEST_ARRIVAL_MIN:
            minutes = None
        return Understood(Meaning.GOING, None if minutes is None else minutes * 60)
    if _CANNOT.fullmatch(said):
        return Understood(Meaning.CANNOT)
    return Understood(Meaning.OTHER)


ANSWERS_AT_THE_HOTLINE = frozenset({"dispatcher", "supervisor", "administrator"})
"""Roles whose "1" takes the incident; everybody else's says that they go there."""


def verb_of(meaning: Meaning, role: str | None) -> Verb:
    """What is done. `role`: of an account; None: a contact or responder."""
    if meaning is Meaning.GOING:
        return Verb.ACKNOWLEDGE if role in ANSWERS_AT_THE_HOTLINE else Verb.GOING
    return Verb.DECLINE if meaning is Meaning.CANNOT else Verb.NOTE


@dataclass(frozen=True, slots=True)
class Told:
    """An open incident that somebody was told of."""

    incident_id: str
    told_at: datetime
    """Last."""


def meant(told: Sequence[Told]) -> tuple[Told, ...]:
    """Which incidents an answer without a reference can be about: the one told last, or several
    that were told too close together; none: they were told of nothing that is open."""
    newest = sorted(told, key=lambda one: one.told_at, reverse=True)
    return tuple(one for one in newest if newest[0].told_at - one.told_at <= TOLD_TOGETHER)


class Result(StrEnum):
    """What became of an answer."""

    DONE = "done"
    NOTED = "noted"
    """Not understood as a yes or no: a note on the incident."""
    REFUSED = "refused"
    """It could not be done: somebody else has it, or it is over."""
    AMBIGUOUS = "ambiguous"
    NOTHING_OPEN = "nothing_open"
    UNKNOWN_SENDER = "unknown_sender"
    TEST = "test"
    """An answer to a test message: this way reaches them."""
    TOO_MANY = "too_many"
    """From one number in a short time; kept and not acted upon."""


_SAID: Mapping[tuple[str, str], str] = {
    ("going", ENGLISH): "Thank you, {name}. Everybody knows that you are going.",
    ("going", CHINESE): "谢谢{name},已记录您正在前往。",
    ("acknowledge", ENGLISH): "You have it now, {name}.",
    ("acknowledge", CHINESE): "{name},该事件现由您负责。",
    ("decline", ENGLISH): "Thank you for telling us. Somebody else is being called.",
    ("decline", CHINESE): "谢谢告知,我们会联系其他人。",
    ("note", ENGLISH): "Your message was kept for the dispatcher. Reply 1 if you are going, "
    "2 if you cannot.",
    ("note", CHINESE): "您的消息已转给值班人员。前往请回复1,不能请回复2。",
    (Result.REFUSED, ENGLISH): "That was not possible: {why}.",
    (Result.REFUSED, CHINESE): "操作未成功:{why}。",
    (Result.AMBIGUOUS, ENGLISH): "You were told of {count} incidents at the same time. Please use "
    "the link in the message, or call {hotline}. Nothing was changed.",
    (Result.AMBIGUOUS, CHINESE): "您同时收到{count}个求助,请点开对应短信中的链接或拨打{hotline}。"
    "本次回复未作处理。",
    (Result.NOTHING_OPEN, ENGLISH): "There is nothing open that you were told of. Thank you.",
    (Result.NOTHING_OPEN, CHINESE): "您收到的求助均已结束,谢谢。",
    (Result.UNKNOWN_SENDER, ENGLISH): "This number is not known here. For help call {hotline}.",
    (Result.UNKNOWN_SENDER, CHINESE): "本号码未登记,如需帮助请拨打{hotline}。",
    (Result.TEST, ENGLISH): "Thank you, this way reaches you.",
    (Result.TEST, CHINESE): "谢谢,已确认可以联系到您。",
    (Result.TOO_MANY, ENGLISH): "Too many messages. Please call {hotline}.",
    (Result.TOO_MANY, CHINESE): "消息过多,请拨打{hotline}。",
}


def said(key: str, language: str, **names: object) -> str:
    """What they hear back."""
    return _SAID[key, language_of(language)].format(**names)
