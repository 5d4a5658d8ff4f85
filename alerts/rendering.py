"""The sentences people read, in their language. Pure: a catalogue and look-ups."""

from datetime import datetime, timedelta, tzinfo

from schemas.commands import Receipt, ReceiptStage, Tone

ENGLISH = "en"
CHINESE = "zh-CN"

_RECEIPTS: dict[tuple[ReceiptStage, str], str] = {
    (ReceiptStage.HEARD, ENGLISH): "Your call is ringing. Please wait.",
    (ReceiptStage.HEARD, CHINESE): "呼叫已接通,请稍候。",
    (ReceiptStage.RECEIVED, ENGLISH): "Your call was received. Somebody will answer.",
    (ReceiptStage.RECEIVED, CHINESE): "已收到您的呼叫,正在为您接通工作人员。",
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
    CHINESE: "测试成功,您的呼叫器工作正常。",
}
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
