"""Everything the hub stores as a reason has words in a report, in both languages."""

from enum import StrEnum

import pytest

from alerts import delivery, escalation, grouping
from alerts.actions import CallResult, Verb
from alerts.alarm import Priority
from alerts.handoff import EmergencyService
from alerts.incident import State
from alerts.notification import NotificationKind, NotificationState
from alerts.policy import ChannelName
from alerts.responders import Answer
from alerts.selection import Nobody
from hub.report import words

REASONS: tuple[type[StrEnum], ...] = (
    grouping.Reason, escalation.Reason, delivery.Reason, delivery.DeliveryState, NotificationState,
    Nobody,
)  # fmt: skip
STATES: tuple[type[StrEnum], ...] = (
    State, Priority, Answer, EmergencyService, ChannelName, NotificationKind, CallResult,
)  # fmt: skip


@pytest.mark.parametrize("names", REASONS, ids=lambda names: str(names.__qualname__))
def test_every_reason_has_words(names: type[StrEnum]) -> None:
    assert {name.value for name in names} - words.REASONS.keys() == set()


@pytest.mark.parametrize("names", STATES, ids=lambda names: str(names.__qualname__))
def test_every_state_has_words(names: type[StrEnum]) -> None:
    assert {name.value for name in names} - words.STATES.keys() == set()


def test_every_deed_has_words() -> None:
    assert {verb.value for verb in Verb} - words.ACTIONS.keys() == set()
    assert words.action_words("acknowledge_refused", "en") == "not possible: took responsibility"
    assert words.action_words("acknowledge_refused", "zh-CN") == "未成功：接手"


@pytest.mark.parametrize("catalogue", [words.HEADINGS, words.ACTIONS, words.REASONS, words.STATES])
def test_every_word_is_there_in_both_languages(catalogue: words.Words) -> None:
    for key, (english, chinese) in catalogue.items():
        assert english.isascii(), key
        assert not chinese.isascii(), key


def test_what_a_later_release_stores_is_shown_as_it_is_called() -> None:
    assert words.said(words.REASONS, "sent_by_pigeon", "zh-CN") == "sent by pigeon"
