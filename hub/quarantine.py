"""What waits for an operator: why a message could not be read, and what to do about it. Pure.

The reasons are stored as the lanes wrote them; this table finds the words for a human.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from alerts.incident import State
from alerts.notification import NotificationKind
from hub.errors import HubError


class Reason(StrEnum):
    """Why a message is in quarantine, by what helps."""

    UNKNOWN_DEVICE = "unknown_device"
    FOREIGN_TOPIC = "foreign_topic"
    HUB_FAILED = "hub_failed"
    DATABASE_REFUSED = "database_refused"
    UNREADABLE = "unreadable"


_PATTERNS: tuple[tuple[re.Pattern[str], Reason], ...] = (
    (re.compile(r"the device is not in the register"), Reason.UNKNOWN_DEVICE),
    (re.compile(r"the topic is not one of the contract's"), Reason.FOREIGN_TOPIC),
    (re.compile(r"the hub failed"), Reason.HUB_FAILED),
    (re.compile(r"the database refuses it"), Reason.DATABASE_REFUSED),
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an operator reads."""

    what: str
    to_do: str


WORDS: dict[Reason, dict[str, Explanation]] = {
    Reason.UNKNOWN_DEVICE: {
        "en": Explanation(
            "The message came from a device that is not in the register.",
            "Provision the device (or correct its id), then retry. Nobody knows it: discard.",
        ),
        "zh-CN": Explanation(
            "消息来自未登记的设备。", "请登记该设备（或更正编号）后重试；若无人认得，请丢弃。"
        ),
    },
    Reason.FOREIGN_TOPIC: {
        "en": Explanation(
            "The topic is not one a device may use (docs/contract.md).",
            "Correct the device's topic prefix. Retrying helps only after an update of the hub.",
        ),
        "zh-CN": Explanation(
            "主题不符合约定（见 docs/contract.md）。",
            "请更正设备的主题前缀；仅在升级系统后重试才有用。",
        ),
    },
    Reason.HUB_FAILED: {
        "en": Explanation(
            "A step of the hub failed on it; that is a mistake of the hub.",
            "Report it with the log lines around that time; retry after an update.",
        ),
        "zh-CN": Explanation(
            "系统处理该消息时出错，这是系统的缺陷。", "请连同当时的日志上报；升级后重试。"
        ),
    },
    Reason.DATABASE_REFUSED: {
        "en": Explanation(
            "The database refused to store what the message says.",
            "Retry after an update or after the database was mended; else discard.",
        ),
        "zh-CN": Explanation("数据库拒绝保存该消息的内容。", "升级或修复数据库后重试；否则丢弃。"),
    },
    Reason.UNREADABLE: {
        "en": Explanation(
            "The payload is not what the contract asks for (docs/contract.md).",
            "Correct the device or its gateway. Retrying helps only after an update of the hub.",
        ),
        "zh-CN": Explanation(
            "内容不符合约定（见 docs/contract.md）。",
            "请修正设备或网关；仅在升级系统后重试才有用。",
        ),
    },
}


def reason_of(text: str) -> Reason:
    """Which reason a stored text is.

    >>> reason_of("the hub failed: KeyError").value
    'hub_failed'
    """
    return next((r for pattern, r in _PATTERNS if pattern.match(text)), Reason.UNREADABLE)


def explained(text: str, language: str) -> Explanation:
    """What a stored reason means, in a language of the hub."""
    words = WORDS[reason_of(text)]
    return words.get(language, words["en"])


GIVEN_UP = ("failed", "poisoned", "unconfirmed")
"""States of notifications that wait for an operator: nobody took it, the hub stumbled over it, or
nobody knows whether it arrived."""
UNREACHED = "nobody"
"""State of a notification whose recipient had no way to be told. It waits for nobody, but may be
sent again once they have one."""


class NothingToDo(HubError):
    """There is nothing to do with it."""


class NotSent(HubError):
    """The broker did not take it; it waits as before."""

    retryable = True


def still_true(kind: str, state: str, *, comes: bool) -> None:
    """Whether what a notification says of its incident is so now: hours may lie between. Raises
    NothingToDo.

    `comes`: whether somebody is on the way of whom the recipient was told nothing newer.

    >>> still_true("ring", "raised", comes=False)
    >>> still_true("over", "resolved", comes=False)
    """
    match kind:
        case NotificationKind.RING if state == State.RESOLVED:
            raise NothingToDo("the incident is over: nobody is to be called for it any more")
        case NotificationKind.CHECK_IN if state != State.CHECKING:
            raise NothingToDo("the question is settled: the person is not asked any more")
        case NotificationKind.CALLING if state != State.RAISED:
            raise NothingToDo("nobody is being called any more: somebody has it, or it is over")
        case NotificationKind.COMING if state == State.RESOLVED:
            raise NothingToDo("the incident is over: nobody comes to it any more")
        case NotificationKind.COMING if not comes:
            raise NothingToDo("nobody is on the way now, or something newer was said of it")
        case NotificationKind.OVER if state != State.RESOLVED:
            raise NothingToDo("the incident is open again: nobody is to hear that it is over")
        case NotificationKind.CONNECT:
            raise NothingToDo("the call is not made any more: call the home from the desk")
        case _:
            return


@dataclass(frozen=True, slots=True)
class Operator:
    """Who asks: an account of the API, or somebody at the machine (`carebell`)."""

    kind: str
    id: str
    name: str | None
    areas: tuple[str, ...] | None
    """Whose rows they may touch; None: all."""

    @property
    def seat(self) -> list[str] | None:
        """The areas as a parameter."""
        return None if self.areas is None else list(self.areas)


@dataclass(frozen=True, slots=True)
class Question:
    """Which quarantined messages to show."""

    areas: tuple[str, ...] | None
    before: int
    limit: int
    state: str = "waiting"
    lane: str | None = None
    device_id: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A whole quarantined message, to be handed to its lane again."""

    id: int
    lane: str
    topic: str
    payload: bytes
    received_at: datetime


Row = dict[str, Any]
