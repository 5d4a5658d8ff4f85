"""What the person reads or hears: every stage, both languages, the right hour."""

import itertools
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.rendering import CHINESE, ENGLISH, language_of, quiet_receipt, receipt
from schemas.commands import Receipt, ReceiptStage
from tests.scenes import START

SHANGHAI = ZoneInfo("Asia/Shanghai")
LANGUAGES = (ENGLISH, CHINESE)


def coming(
    language: str, expected_at: datetime | None, zone: ZoneInfo | None = SHANGHAI
) -> Receipt:
    return receipt(
        ReceiptStage.COMING,
        START,
        language=language,
        message_id="7",
        incident_id="i",
        who="Lin",
        expected_at=expected_at,
        zone=zone,
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stage", ReceiptStage)
def test_every_stage_speaks_every_language(stage: ReceiptStage, language: str) -> None:
    said = receipt(stage, START, language=language, message_id="7")
    assert said.text
    assert "{" not in said.text
    assert said.text.isascii() == (language == ENGLISH)
    assert (said.stage, said.message_id) == (stage, "7")


def test_no_two_stages_say_or_sound_the_same() -> None:
    for language in LANGUAGES:
        said = [receipt(s, START, language=language, message_id=None) for s in ReceiptStage]
        for one, other in itertools.combinations(said, 2):
            assert one.text != other.text
            assert (one.tone, one.light) != (other.tone, other.light)


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_comes_is_named_and_only_at_coming(language: str) -> None:
    assert "Lin" in coming(language, None).text
    nobody_known = receipt(ReceiptStage.COMING, START, language=language, message_id="7")
    assert nobody_known.who is None
    earlier = receipt(
        ReceiptStage.RECEIVED,
        START,
        language=language,
        message_id="7",
        who="Lin",
        expected_at=START,
    )
    assert (earlier.who, earlier.expected_at) == (None, None)
    assert "Lin" not in earlier.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_hour_is_that_of_the_home(language: str) -> None:
    """08:00 in UTC is 16:00 in Shanghai, whatever clock the hub's machine shows."""
    assert "16:25" in coming(language, START + timedelta(minutes=25)).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_minute_is_the_nearest(language: str) -> None:
    assert "16:26" in coming(language, START + timedelta(minutes=25, seconds=31)).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_time_zone_no_hour_is_guessed(language: str) -> None:
    said = coming(language, START + timedelta(minutes=25), zone=None)
    assert ":" not in said.text
    assert said.expected_at == START + timedelta(minutes=25)


@pytest.mark.parametrize(
    ("wanted", "language"),
    [("en", ENGLISH), ("en-GB", ENGLISH), ("EN", ENGLISH), ("zh-CN", CHINESE), (None, CHINESE)],
)
def test_the_nearest_language_of_the_catalogue(wanted: str | None, language: str) -> None:
    assert language_of(wanted) == language


def test_a_name_is_never_taken_for_a_template() -> None:
    said = receipt(ReceiptStage.COMING, START, language="en", message_id=None, who="{0} {time}")
    assert "{0} {time}" in said.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_test_press_and_a_cancel_are_answered_quietly(language: str) -> None:
    tested = quiet_receipt(START, language=language, message_id="7", test=True)
    cancelled = quiet_receipt(START, language=language, message_id="7", test=False)
    assert tested.stage is cancelled.stage is ReceiptStage.RECEIVED
    assert tested.text != cancelled.text
