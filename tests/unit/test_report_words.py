"""Everything the hub stores as a reason has words in a report, in both languages."""

from enum import StrEnum

import pytest

from alerts import delivery, escalation, grouping
from alerts.actions import CallResult, Verb
from alerts.alarm import Flag, Priority
from alerts.errors import AlertsError
from alerts.handoff import EmergencyService
from alerts.home_call import CallKind, CallState, HomeResult
from alerts.incident import State
from alerts.notification import NotificationKind, NotificationState, NotNeeded
from alerts.policy import ChannelName
from alerts.responders import Answer
from alerts.selection import Nobody
from hub.report import words
from schemas.vocabulary import DeviceKind

REASONS: tuple[type[StrEnum], ...] = (
    grouping.Reason, escalation.Reason, delivery.Reason, delivery.DeliveryState, NotificationState,
    Nobody, NotNeeded,
)  # fmt: skip
STATES: tuple[type[StrEnum], ...] = (
    State, Priority, Answer, EmergencyService, ChannelName, NotificationKind, CallResult,
    CallKind, CallState, HomeResult,
)  # fmt: skip


@pytest.mark.parametrize("names", REASONS, ids=lambda names: str(names.__qualname__))
def test_every_reason_has_words(names: type[StrEnum]) -> None:
    assert {name.value for name in names} - words.REASONS.keys() == set()


@pytest.mark.parametrize("names", STATES, ids=lambda names: str(names.__qualname__))
def test_every_state_has_words(names: type[StrEnum]) -> None:
    assert {name.value for name in names} - words.STATES.keys() == set()


@pytest.mark.parametrize(
    ("reason", "detail", "english"),
    [
        ("cleared", "clear", "over by itself"),
        ("human_acted", "acknowledge", "a human had acted before"),
        ("rung_just_now", "another ring reached them", "was rung by this way just before"),
        (None, "clear", "over by itself"),
        (None, "acknowledge", "a human had acted before"),
    ],
)
def test_what_was_not_sent_says_why(reason: str | None, detail: str, english: str) -> None:
    row = {"state": "superseded", "reason": reason, "detail": detail}
    assert words.said(words.REASONS, words.fate(row), "en") == english
    assert words.fate({"state": "sent", "reason": "taken", "detail": ""}) == "sent"


def test_every_deed_has_words() -> None:
    assert {verb.value for verb in Verb} - words.ACTIONS.keys() == set()
    assert words.action_words("acknowledge_refused", "en") == "not possible: took responsibility"
    assert words.action_words("acknowledge_refused", "zh-CN") == "未成功：接手"


def test_every_kind_of_device_has_words() -> None:
    assert words.DEVICE_KINDS.keys() == set(DeviceKind)


def test_every_mark_and_refusal_has_words() -> None:
    assert {flag.value for flag in Flag} == set(words.FLAGS)
    refusals = {cls.__name__ for cls in AlertsError.__subclasses__() if not cls.retryable}
    assert set(words.REFUSALS) <= refusals
    assert words.target("family:2", "zh-CN") == "第2联系人"
    assert words.target("nearest:3", "en") == "3 nearest responders"
    assert words.target("account:gone", "en") == "account:gone"


@pytest.mark.parametrize(
    "catalogue",
    [
        words.HEADINGS, words.ACTIONS, words.REASONS, words.STATES, words.DETAILS, words.FLAGS,
        words.RECIPIENTS, words.REFUSALS, words.DEVICE_KINDS,
    ],
)  # fmt: skip
def test_every_word_is_there_in_both_languages(catalogue: words.Words) -> None:
    for key, (english, chinese) in catalogue.items():
        assert english.isascii(), key
        assert not chinese.isascii(), key


def test_what_a_later_release_stores_is_shown_as_it_is_called() -> None:
    assert words.said(words.REASONS, "sent_by_pigeon", "zh-CN") == "sent by pigeon"
