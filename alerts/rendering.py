"""The sentences people read, in their language. Pure: a catalogue and look-ups."""

from datetime import datetime, timedelta, tzinfo

from schemas.commands import CheckIn, Receipt, ReceiptStage, Tone

ENGLISH = "en"
CHINESE = "zh-CN"

_RECEIPTS: dict[tuple[ReceiptStage, str], str] = {
    (ReceiptStage.HEARD, ENGLISH): "Your call is ringing. Please wait.",
    (ReceiptStage.HEARD, CHINESE): "呼叫已接通，请稍候。",
    (ReceiptStage.RECEIVED, ENGLISH): "Your call was received. Somebody will answer.",
    (ReceiptStage.RECEIVED, CHINESE): "已收到您的呼叫，正在为您接通工作人员。",
    (ReceiptStage.COMING, ENGLISH): "Help is coming. {who} is looking after you.",
    (ReceiptStage.COMING, CHINESE): "帮助马上就到。{who}正在为您处理。",
    (ReceiptStage.OVER, ENGLISH): "This call is closed. Press again if you need help.",
    (ReceiptStage.OVER, CHINESE): "本次呼叫已结束。如需帮助请再按一次。",
}
_EXPECTED = {ENGLISH: " Expected by {time}.", CHINESE: "预计{time}前到达。"}
_CANCELLED = {
    ENGLISH: "Your message was received.",
    CHINESE: "已收到您的消息。",
}
_TEST = {
    ENGLISH: "Test received. Your button works.",
    CHINESE: "测试成功，您的呼叫器工作正常。",
}
_QUESTIONS = {
    ENGLISH: "Are you well? If so, press cancel. If you need help, press the emergency button. "
    "Without an answer we call somebody.",
    CHINESE: "您还好吗？没事请按取消键，需要帮助请按呼叫键。没有应答我们会联系工作人员。",
}
_AFTER_A_FALL = {
    ENGLISH: "Did you fall? If you are well, press cancel. If you need help, press the emergency "
    "button. Without an answer we call somebody.",
    CHINESE: "您是不是摔倒了？没事请按取消键，需要帮助请按呼叫键。没有应答我们会联系工作人员。",
}
_CALLING = {
    ENGLISH: "We did not hear from you. We are calling somebody for you now.",
    CHINESE: "没有收到您的应答，正在为您联系工作人员。",
}
_ANSWERED = {ENGLISH: "Thank you. Your answer was received.", CHINESE: "谢谢，已收到您的应答。"}
_SOMEBODY = {ENGLISH: "A dispatcher", CHINESE: "值班人员"}
_TONES = {
    ReceiptStage.HEARD: (Tone.SHORT, "amber"),
    ReceiptStage.RECEIVED: (Tone.SHORT, "green"),
    ReceiptStage.COMING: (Tone.RISING, "green"),
    ReceiptStage.OVER: (Tone.CALM, "off"),
}


def language_of(wanted: str | None) -> str:
    """The catalogue's language nearest to a wanted one; Chinese where nothing is known."""
    return ENGLISH if (wanted or "").lower().startswith("en") else CHINESE


def receipt(
    stage: ReceiptStage,
    at: datetime,
    *,
    language: str | None,
    message_id: str | None,
    incident_id: str | None = None,
    who: str | None = None,
    expected_at: datetime | None = None,
    zone: tzinfo | None = None,
) -> Receipt:
    """The hub's answer to a press, ready to be shown or spoken on the device.

    `zone` is the home's; without it no clock time is said: a guess is eight hours wrong in China.
    """
    spoken = language_of(language)
    name = who or _SOMEBODY[spoken]
    text = _RECEIPTS[(stage, spoken)].format(who=name)
    if stage is ReceiptStage.COMING and expected_at is not None and zone is not None:
        clock_time = (expected_at + timedelta(seconds=30)).astimezone(zone).strftime("%H:%M")
        text += _EXPECTED[spoken].format(time=clock_time)
    tone, light = _TONES[stage]
    return Receipt(
        stage=stage,
        at=at,
        text=text,
        message_id=message_id,
        incident_id=incident_id,
        who=who if stage is ReceiptStage.COMING else None,
        expected_at=expected_at if stage is ReceiptStage.COMING else None,
        tone=tone,
        light=light,
    )


def quiet_receipt(
    at: datetime, *, language: str | None, message_id: str | None, test: bool
) -> Receipt:
    """The answer to a test press or a cancel: recorded, nobody is called.

    The same words answer a cancel and a cancel under duress: whoever stands beside the person
    must not see the difference.
    """
    text = (_TEST if test else _CANCELLED)[language_of(language)]
    return Receipt(
        stage=ReceiptStage.RECEIVED, at=at, text=text, message_id=message_id, tone=Tone.SHORT
    )


def noted(at: datetime, *, message_id: str | None) -> Receipt:
    """The answer to a message nobody pressed for, while nothing rings: it ends the repeats and
    shows nothing."""
    return Receipt(
        stage=ReceiptStage.RECEIVED,
        at=at,
        text="",
        message_id=message_id,
        tone=Tone.CALM,
        light="off",
        vibrate=False,
    )


def check_in(
    incident_id: str, at: datetime, *, kind: str, answer_within_s: int, language: str | None
) -> CheckIn:
    """The question to the person, before anybody else is woken."""
    words = _AFTER_A_FALL if kind == "fall" else _QUESTIONS
    return CheckIn(
        check_in_id=incident_id,
        text=words[language_of(language)],
        answer_within_s=answer_within_s,
        at=at,
    )


def calling(at: datetime, *, language: str | None, incident_id: str) -> Receipt:
    """The question was not answered: whoever lies there and cannot press hears that help is
    being called."""
    return Receipt(
        stage=ReceiptStage.RECEIVED,
        at=at,
        text=_CALLING[language_of(language)],
        incident_id=incident_id,
        tone=Tone.SHORT,
        light="amber",
    )


def question_answered(at: datetime, *, language: str | None, incident_id: str) -> Receipt:
    """Ends the question on the person's other devices after a cancel, forced or not: whoever
    stands beside the person must not see the difference."""
    return Receipt(
        stage=ReceiptStage.OVER,
        at=at,
        text=_ANSWERED[language_of(language)],
        incident_id=incident_id,
        tone=Tone.CALM,
        light="off",
    )
