"""What a device shows and says to the person who pressed it: never more than it knows.

Where the hub sent a sentence, the device says that; its own phrases are for what the hub cannot
say (calling, no connection) and for a receipt without text.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from device_sim.press import STILL_CALLING_AFTER_S, SentAlarm, minutes_until
from schemas.alarms import PressAction
from schemas.commands import Receipt, ReceiptStage


class Screen(StrEnum):
    """Which of its faces the device shows; the last four are the stages of the receipt."""

    CALLING = "calling"
    STILL_CALLING = "still_calling"
    NO_CONNECTION = "no_connection"
    QUESTION = "question"
    HEARD = "heard"
    RECEIVED = "received"
    COMING = "coming"
    OVER = "over"


SCREEN_OF_STAGE = {stage: Screen(stage.value) for stage in ReceiptStage}

PHRASES: dict[str, dict[str, str]] = {
    "en": {
        "calling": "calling ...",
        "calling_test": "testing ...",
        "calling_cancel": "cancelling ...",
        "still_calling": "still calling - nobody has answered yet",
        "no_connection": "no connection - keep trying",
        "heard": "heard",
        "received": "received",
        "coming": "help is coming",
        "coming_soon": "help is coming, about {minutes} min",
        "coming_who": "{who} is coming",
        "coming_who_soon": "{who} is coming, about {minutes} min",
        "over": "over",
    },
    "zh": {
        "calling": "正在呼叫……",
        "calling_test": "正在测试……",
        "calling_cancel": "正在取消……",
        "still_calling": "仍在呼叫，暂时无人应答",
        "no_connection": "没有连接，正在不断重试",
        "heard": "已听到",
        "received": "已收到",
        "coming": "救助正在赶来",
        "coming_soon": "救助正在赶来，大约{minutes}分钟",
        "coming_who": "{who}正在赶来",
        "coming_who_soon": "{who}正在赶来，大约{minutes}分钟",
        "over": "已结束",
    },
}


@dataclass(frozen=True, slots=True)
class Face:
    """One thing a device shows: text (shown or spoken), buzzer, light, vibration."""

    screen: Screen
    text: str
    tone: str = ""
    light: str = ""
    vibrate: bool = False


def face_of(
    alarm: SentAlarm,
    action: PressAction | None,
    *,
    now_s: float,
    now: datetime,
    language: str,
    connected: bool,
) -> Face:
    """What the device shows about this alarm now; `action` None: it is no press (fall, hazard)."""
    phrases = phrases_in(language)
    if alarm.receipt is not None and not (alarm.waiting and not connected):
        return receipt_face(alarm.receipt, now=now, language=language)
    if not connected:
        return Face(Screen.NO_CONNECTION, phrases["no_connection"], "rising", "red", vibrate=True)
    if now_s - alarm.raised_at_s >= STILL_CALLING_AFTER_S:
        return Face(Screen.STILL_CALLING, phrases["still_calling"], "short", "amber", vibrate=True)
    phrase = phrases.get(f"calling_{action}", phrases["calling"])
    return Face(Screen.CALLING, phrase, "short", "amber")


def receipt_face(receipt: Receipt, *, now: datetime, language: str) -> Face:
    """What the device shows for a receipt, of its own press or of another device's."""
    text = receipt.text.strip() or _phrase(receipt, now, phrases_in(language))
    return Face(
        SCREEN_OF_STAGE[receipt.stage], text, receipt.tone.value, receipt.light, receipt.vibrate
    )


def phrases_in(language: str) -> dict[str, str]:
    """The phrases of this language; one that a device does not speak becomes English."""
    return PHRASES.get(language.partition("-")[0].lower(), PHRASES["en"])


def _phrase(receipt: Receipt, now: datetime, phrases: dict[str, str]) -> str:
    if receipt.stage is not ReceiptStage.COMING:
        return phrases[receipt.stage.value]
    key = "coming_who" if receipt.who else "coming"
    if receipt.expected_at is None:
        return phrases[key].format(who=receipt.who)
    minutes = minutes_until(receipt.expected_at, now)
    return phrases[f"{key}_soon"].format(who=receipt.who, minutes=minutes)


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the simulator's output: what a device showed, when."""

    event: str = "shown"
    at: datetime
    premises_id: str
    device_id: str
    device_kind: str
    person: str
    screen: Screen
    text: str
    tone: str
    light: str
    vibrate: bool
    message_id: str | None
    """The press it is about; None: not about a press of this device."""


def as_line(shown: Shown) -> str:
    """For people."""
    clock = shown.at.astimezone().strftime("%H:%M:%S")
    who = f"{shown.premises_id} {shown.person}".strip()
    return f"{clock}  {who:<28} {shown.device_kind:<10} {shown.text}"


def as_json(shown: Shown) -> str:
    """For a parent process."""
    return msgspec.json.encode(shown).decode()
