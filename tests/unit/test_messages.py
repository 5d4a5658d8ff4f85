"""What people read and hear: golden texts in both languages, bounds, what is cut first, consent."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import wording
from alerts.alarm import Category
from alerts.brief import Brief, Going, Purpose, Where, Whom, anonymous, permitted
from alerts.channels.push import PAYLOAD_MAX_BYTES
from alerts.consent import DEFAULTS, Audience, DataType, Decision, allowed
from alerts.incident import Outcome
from alerts.length import SMS_SEGMENTS_MAX, segments
from alerts.messages import render
from alerts.policy import ChannelName
from alerts.rendering import CHINESE, ENGLISH
from tests.scenes import START

LANGUAGES = (ENGLISH, CHINESE)
SPOKEN_TO = (ChannelName.SMS, ChannelName.VOICE, ChannelName.PUSH, ChannelName.EMAIL,
             ChannelName.WEBHOOK, ChannelName.APPRISE)  # fmt: skip
LINK = "https://hub.example.org/l/AbCdEfGhIjKlMnOpQrStUv"

RING = Brief(
    Purpose.RING, START, "Evergreen Care", "12349", ZoneInfo("Asia/Shanghai"),
    incident_id="i-1", kind="press", action="emergency", opened_at=START,
    whom=Whom("Anna Wang", 1940, medical_notes="diabetes"),
    where=Where(
        "1 Lake Street, Flat 1203", "key with the porter", phone="+8613800000000",
        fix_map="https://uri.amap.com/marker?position=121.50512,31.23921",
        fixed_at=START - timedelta(minutes=3), accuracy_m=22.0,
    ),
    going=(Going("Li Wei", START + timedelta(minutes=9)),), link=LINK, reply="1",
)  # fmt: skip


def sms(brief: Brief, language: str) -> str:
    return render(brief, ChannelName.SMS, language).text


# Golden texts


def test_a_ring_by_sms_says_who_where_how_exactly_and_how_to_answer() -> None:
    assert sms(RING, ENGLISH) == (
        "Emergency press: Anna Wang, 86. Address: 1 Lake Street, Flat 1203. Getting in: key with "
        "the porter. Position 3 min old, within 25 m: "
        "https://uri.amap.com/marker?position=121.50512,31.23921 Home: +8613800000000. Since "
        "16:00. Note: diabetes. On the way: Li Wei (16:09). Reply 1 if you are going, 2 if you "
        f"cannot. Answer here: {LINK}"
    )
    assert sms(RING, CHINESE) == (
        "紧急呼叫：Anna Wang，86岁。地址：1 Lake Street, Flat 1203。进门：key with the porter。"
        "前往请回复1，不能请回复2。"
        f"点此回应：{LINK}"
    )


def test_a_ring_by_telephone_is_short_and_reads_numbers_digit_by_digit() -> None:
    said = render(RING, ChannelName.VOICE, ENGLISH)
    assert said.spoken == (
        "This is Evergreen Care.",
        "Emergency press: Anna Wang, 86.",
        "Address: 1 Lake Street, Flat 1 2 0 3.",
        "Getting in: key with the porter.",
        "Last position: 3 min old, within 25 m.",
        "On the way: Li Wei (16:09).",
        "Press 1 if you are going.",
        "Press 2 if you cannot.",
    )
    assert said.data["digits"] == "12"
    assert render(RING, ChannelName.VOICE, CHINESE).spoken[-2:] == (
        "如果您前往，请按一。",
        "如果您不能前往，请按二。",
    )


@pytest.mark.parametrize(
    ("brief", "english", "chinese"),
    [
        (
            replace(RING, purpose=Purpose.COMING, owner="Lin", expected_at=START, link=None),
            ("Lin has it: Emergency press, Anna Wang, 86. Expected there by 16:00. On the way: "
            "Li Wei (16:09). You need not answer any more unless you are asked."),
            ("Lin已接手：紧急呼叫，Anna Wang，86岁。预计16:00前到达。前往中：Li Wei（16:09到）。"
            "如未另行通知，您无需再回应。"),
        ),
        (
            replace(RING, purpose=Purpose.COMING, link=None),
            ("Li Wei is going there: Emergency press, Anna Wang, 86. On the way: Li Wei (16:09)."),
            ("Li Wei正在赶往：紧急呼叫，Anna Wang，86岁。前往中：Li Wei（16:09到）。"),
        ),
        (
            # It waited for its provider, and meanwhile the owner's lease lapsed.
            replace(RING, purpose=Purpose.COMING, link=None, going=()),
            "Open again, nobody has it just now: Emergency press, Anna Wang, 86.",
            "重新待处理，目前无人负责：紧急呼叫，Anna Wang，86岁。",
        ),
        (
            replace(RING, purpose=Purpose.OVER, outcome=Outcome.HELPED),
            "It is over: Emergency press, Anna Wang, 86. Outcome: helped. Thank you.",
            "事件已结束：紧急呼叫，Anna Wang，86岁。结果：已得到帮助。谢谢您。",
        ),
        (
            Brief(Purpose.TEST, START, "Evergreen Care", "12349", reply="4711"),
            ("Test message of Evergreen Care. Nothing has happened. Reply 4711 so that we know it "
            "reached you. Questions: 12349."),
            "Evergreen Care测试信息，没有发生任何事件。请回复4711，确认您已收到。咨询电话：12349。",
        ),
        (
            Brief(Purpose.CHECK_IN, START, "Evergreen Care", "12349"),
            ("Hello, this is Evergreen Care. Are you well? Reply 1 if you are well, 2 if you need "
            "help. Without an answer we send somebody."),
            ("您好，这里是Evergreen Care。您还好吗？没事请回复1，需要帮助请回复2。"
            "如果没有应答，我们会派人联系您。"),
        ),
        (
            Brief(
                Purpose.NOTICE, START, "Evergreen Care", "12349",
                notice={ENGLISH: "nobody is on duty from 22:00", CHINESE: "22:00起无人值班"},
            ),
            "Notice: nobody is on duty from 22:00",
            "提醒：22:00起无人值班",
        ),
    ],
    ids=lambda value: value.purpose.value if isinstance(value, Brief) else "",
)  # fmt: skip
def test_every_other_message_as_it_is_sent(brief: Brief, english: str, chinese: str) -> None:
    assert sms(brief, ENGLISH) == english
    assert sms(brief, CHINESE) == chinese


# The catalogue


def test_everything_is_said_in_both_languages() -> None:
    for name, words in (*wording.TEXTS.items(), *wording.KINDS.items()):
        assert set(words) == set(LANGUAGES), name
        assert words[ENGLISH].isascii(), name
    assert set(wording.OUTCOMES) == set(Outcome)
    assert set(wording.CATEGORIES) == set(Category)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("channel", SPOKEN_TO)
@pytest.mark.parametrize("purpose", Purpose)
def test_nothing_is_left_unsaid(purpose: Purpose, channel: ChannelName, language: str) -> None:
    brief = replace(RING, purpose=purpose, outcome=Outcome.HELPED, notice={language: "x"})
    message = render(brief, channel, language)
    for said in (message.subject, message.text, *message.spoken, message.html or ""):
        assert "{" not in said
    assert message.subject
    assert message.text
    bare = render(Brief(purpose, START, "E", "1"), channel, language)
    assert "None" not in bare.text + bare.subject


def test_a_name_is_never_taken_for_a_template() -> None:
    odd = replace(RING, whom=Whom("{who} {0}\n<b>%s"))
    assert "{who} {0} <b>%s" in sms(odd, ENGLISH)
    html = render(odd, ChannelName.EMAIL, ENGLISH).html or ""
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


# Bounds


@pytest.mark.parametrize(
    ("text", "count"),
    [("a" * 160, 1), ("a" * 161, 2), ("a" * 459, 3), ("a" * 460, 4), ("[" * 80, 1),
     ("[" * 81, 2), ("救" * 70, 1), ("救" * 71, 2), ("救" * 201, 3), ("救" * 202, 4),
     ("😀" * 35, 1), ("😀" * 36, 2)],
)  # fmt: skip
def test_segments_are_counted_as_networks_count_them(text: str, count: int) -> None:
    assert segments(text) == count


PLACES = st.text(max_size=400)


@given(PLACES, PLACES, PLACES, st.sampled_from(LANGUAGES), st.sampled_from(list(Purpose)),
       st.booleans())  # fmt: skip
def test_an_sms_never_has_more_than_three_segments_and_always_says_how_to_answer(
    name: str, address: str, access: str, language: str, purpose: Purpose, drill: bool
) -> None:
    where = replace(RING.where or Where(), address=address, access_notes=access)
    brief = replace(RING, purpose=purpose, whom=Whom(name, 1940, None, access), where=where,
                    drill=drill, notice={language: access})  # fmt: skip
    said = sms(brief, language)
    assert segments(said) <= SMS_SEGMENTS_MAX
    if purpose in (Purpose.RING, Purpose.REMINDER):
        assert LINK in said
        assert "1" in said
    if drill:
        assert said.startswith(("DRILL", "【演练】"))


def test_what_is_cut_first_is_what_is_needed_least() -> None:
    """The notes go before the map, the map before the way in; the address is never cut."""
    order = ["diabetes", "Since 16:00", "Li Wei", "+8613800000000", "uri.amap.com", "porter"]
    gone: list[str] = []
    for length in range(0, 600, 4):
        access = "key with the porter" + " and so on" * (length // 10)
        where = replace(
            RING.where or Where(),
            access_notes=access,
            address="Lake Street " + "9" * min(length, 100),
        )
        said = sms(
            replace(RING, where=where, whom=Whom("W" * min(length, 40), 1940, None, "diabetes")),
            ENGLISH,
        )
        gone += [word for word in order if word not in said and word not in gone]
        assert "Lake Street" in said
        assert LINK in said
    assert gone == order[: len(gone)]
    assert len(gone) >= 3


def test_a_chinese_address_keeps_its_door_and_an_english_one_its_street() -> None:
    city = "上海市浦东新区" + "世纪大道" * 24
    chinese = replace(RING, where=Where(address=city[:112] + "12号301室"), whom=Whom("王" * 40))
    said = sms(replace(chinese, silent=True, going=(), drill=True), CHINESE)
    assert segments(said) <= SMS_SEGMENTS_MAX
    assert "12号301室" in said


def test_a_push_is_small_replaces_the_one_before_and_opens_the_link() -> None:
    long = replace(RING, where=Where(address="路" * 500, access_notes="钥" * 500))
    message = render(long, ChannelName.PUSH, CHINESE)
    assert len(json.dumps(dict(message.data), ensure_ascii=False).encode()) < PAYLOAD_MAX_BYTES
    assert (message.data["tag"], message.data["url"]) == ("i-1", LINK)
    assert (message.data["urgency"], message.data["ttl_s"]) == ("high", 900)
    over = render(replace(RING, purpose=Purpose.OVER), ChannelName.PUSH, ENGLISH)
    assert (over.data["tag"], over.data["urgency"]) == ("i-1", "normal")


# What must show, and what must not


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("channel", SPOKEN_TO)
def test_a_drill_says_so_first(channel: ChannelName, language: str) -> None:
    message = render(replace(RING, drill=True), channel, language)
    mark = wording.TEXTS["drill"][language].strip()
    assert message.subject.startswith(mark)
    if channel is ChannelName.VOICE:
        assert message.spoken[0] == mark
    elif channel is not ChannelName.PUSH:
        assert message.text.startswith(mark)
    assert mark not in render(RING, channel, language).text


@pytest.mark.parametrize("channel", SPOKEN_TO)
def test_under_duress_nobody_is_given_the_number_of_the_home(channel: ChannelName) -> None:
    silent = render(replace(RING, silent=True), channel, ENGLISH)
    said = silent.text + str(silent.spoken) + (silent.html or "")
    assert "do not call the home" in said
    assert "+8613800000000" not in said


def test_the_age_and_accuracy_of_a_fix_are_honest() -> None:
    assert RING.where is not None
    cases: list[tuple[datetime | None, float | None, str]] = [
        (START, 3.0, "just now, within 5 m"),
        (START - timedelta(hours=5), 431.0, "5 h old, within 435 m"),
        (START + timedelta(minutes=9), 20.0, "just now, within 20 m"),
        (None, None, "age unknown, accuracy unknown"),
    ]
    for fixed_at, accuracy_m, said in cases:
        where = replace(RING.where, fixed_at=fixed_at, accuracy_m=accuracy_m)
        assert said in render(replace(RING, where=where), ChannelName.EMAIL, ENGLISH).text


def test_without_a_zone_no_clock_time_is_guessed() -> None:
    text = render(replace(RING, zone=None), ChannelName.EMAIL, ENGLISH).text
    assert "16:" not in text
    assert "08:" not in text
    assert "Li Wei" in text


# Consent

FULL = frozenset(DataType)


def test_what_is_not_consented_to_is_in_no_form_of_the_message() -> None:
    heart = replace(RING, kind="heart_rate_high", action=None, category=Category.PHYSIOLOGICAL,
                    details={ENGLISH: "heart rate 134 /min", CHINESE: "心率134"})  # fmt: skip
    hidden = {
        DataType.LOCATION: ["uri.amap.com", "3 min old"],
        DataType.MEDICAL_NOTES: ["diabetes"],
        DataType.ACCESS_NOTES: ["porter"],
        DataType.HEALTH: ["eart rate", "134"],
    }
    for channel in SPOKEN_TO:
        for data, words in hidden.items():
            told = permitted(heart, FULL - {data})
            assert told is not None
            message = render(told, channel, ENGLISH)
            every = message.subject + message.text + str(message.spoken) + (message.html or "")
            every += json.dumps(dict(message.data))
            assert not [word for word in words if word in every], (channel, data)
            assert "Anna Wang" in every


def test_a_day_that_is_private_is_only_a_call_for_somebody() -> None:
    wandering = replace(RING, kind="wandering", category=Category.PHYSIOLOGICAL)
    told = permitted(wandering, FULL - {DataType.ACTIVITY})
    assert told is not None
    assert sms(told, ENGLISH).startswith("Needs somebody: Anna Wang")


def test_whoever_is_not_to_know_is_not_told_at_all() -> None:
    nobody = [Decision(Audience.FAMILY, DataType.INCIDENTS, allowed=False)]
    assert allowed(Audience.FAMILY, nobody) == frozenset()
    assert permitted(RING, frozenset()) is None
    assert "Anna" not in sms(anonymous(RING), ENGLISH)


def test_the_service_itself_cannot_be_excluded() -> None:
    refusals = [Decision(Audience.DISPATCHERS, data, allowed=False) for data in DataType]
    assert allowed(Audience.DISPATCHERS, refusals) == {DataType.INCIDENTS}


def test_every_audience_has_a_default_for_every_kind_of_data() -> None:
    assert set(DEFAULTS) == {(a, d) for a in Audience for d in DataType}
    for private in (DataType.MEDICAL_NOTES, DataType.HEALTH):
        for outsider in (Audience.FAMILY, Audience.RESPONDERS, Audience.OUTSIDE):
            assert not DEFAULTS[outsider, private]
