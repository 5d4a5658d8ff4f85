"""What a human reads or hears of an incident, for each channel. Pure: a brief in, a message out.

Who, what, where, how old and how exact that is, who is going, how to answer. Every channel has its
bound; docs/gateway.md has the table of what is cut first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from alerts.alarm import Category
from alerts.brief import Brief, Purpose
from alerts.length import Piece, Shrinks, fitted, segments, shortened, tidy
from alerts.policy import ChannelName
from alerts.rendering import language_of
from alerts.sentences import (
    head,
    how_to_answer,
    is_free,
    on_the_way,
    what_and_who,
    where,
    who_comes,
)
from alerts.spoken import spoken
from alerts.wording import OUTCOMES, text

SUBJECT_MAX = 120
"""Characters; mail programs show about 70 of a subject, phones 40 of a push title."""
PUSH_BODY_MAX = 400
"""Characters; every system shows less. With everything else it stays far below 3 kB."""
PUSH_TTL_S: Mapping[Purpose, int] = {Purpose.OVER: 86_400, Purpose.COMING: 21_600}
"""How long a push service keeps it for a browser that sleeps, seconds."""
PUSH_TTL_OTHERWISE_S = 900
"""Ours: as long as a ring is tried at all."""
_SMS_OF_ONE_SEGMENT = frozenset({Purpose.TEST, Purpose.CONNECT})


@dataclass(frozen=True, slots=True)
class Message:
    """One text in every form its channel may need."""

    subject: str
    text: str
    """Bounded for the channel it was rendered for."""
    spoken: tuple[str, ...] = ()
    """Short sentences for a voice; empty where the channel has none."""
    html: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    """For programs: what a push shows, which digits a call listens for."""
    language: str = "zh-CN"


def render(brief: Brief, channel: ChannelName, language: str | None) -> Message:
    """The message by this channel, in the nearest language of the catalogue."""
    spoken_language = language_of(language)
    return _FORMS.get(channel, _plain)(brief, spoken_language)


def pieces(brief: Brief, language: str) -> list[Piece]:
    """The sentences of a message in the order in which they are read."""
    return [piece for piece in _body(brief, language) if piece.text]


def _body(brief: Brief, language: str) -> list[Piece]:
    match brief.purpose:
        case Purpose.RING | Purpose.REMINDER:
            return _ring(brief, language)
        case Purpose.COMING:
            stay = "" if is_free(brief) else text("stay", language)
            return [
                Piece("head", who_comes(brief, language), shrinks=Shrinks.AT_END),
                *on_the_way(brief, language),
                Piece("stay", stay, cut=9),
            ]
        case Purpose.OVER:
            return _over(brief, language)
        case Purpose.NOTICE:
            said = tidy((brief.notice or {}).get(language, ""), 400)
            return [Piece("head", text("notice", language, text=said), shrinks=Shrinks.AT_END)]
        case Purpose.TEST:
            return _test(brief, language)
        case Purpose.CHECK_IN:
            return [
                Piece("head", text("ask", language, service=brief.service)),
                Piece("reply", text("ask_reply", language)),
                Piece("silence", text("ask_silence", language), cut=9),
            ]
        case Purpose.CALLING:
            return [Piece("head", text("calling", language))]
        case Purpose.CONNECT:
            who = what_and_who(brief, language)
            return [Piece("head", text("connect", language, who=who["who"]))]


def _ring(brief: Brief, language: str) -> list[Piece]:
    detail = tidy((brief.details or {}).get(language, ""), 120)
    medical = tidy(brief.whom.medical_notes or "", 160) if brief.whom else ""
    silent = text("silent", language) if brief.silent else ""
    return [
        Piece("head", head(brief, language), shrinks=Shrinks.AT_END),
        Piece("silent", silent),
        *where(brief, language),
        Piece("detail", text("detail", language, detail=detail) if detail else "", cut=11),
        Piece("medical", text("medical", language, medical=medical) if medical else "", cut=10),
        *on_the_way(brief, language),
        *how_to_answer(brief, language),
    ]


def _over(brief: Brief, language: str) -> list[Piece]:
    said = OUTCOMES[brief.outcome][language] if brief.outcome else ""
    return [
        Piece(
            "head",
            text("over", language, **what_and_who(brief, language)),
            shrinks=Shrinks.AT_END,
        ),
        Piece("outcome", text("outcome", language, outcome=said) if said else "", cut=2),
        Piece("thanks", text("thanks", language), cut=9),
    ]


def _test(brief: Brief, language: str) -> list[Piece]:
    reply = text("test_reply", language, reply=brief.reply) if brief.reply else ""
    link = text("link", language, link=brief.link) if brief.link else ""
    return [
        Piece("head", text("test", language, service=brief.service)),
        Piece("reply", reply),
        Piece("link", link),
        Piece("hotline", text("hotline", language, hotline=brief.hotline), cut=9),
    ]


def subject_of(brief: Brief, language: str) -> str:
    """One line: what happened and to whom."""
    keys = {
        Purpose.CHECK_IN: "subject_ask",
        Purpose.CALLING: "subject_calling",
        Purpose.CONNECT: "connect",
    }
    key = keys.get(brief.purpose, f"subject_{brief.purpose}")
    if brief.purpose is Purpose.COMING and brief.owner is None and brief.going:
        key = "subject_there" if any(one.there for one in brief.going) else "subject_going"
    elif brief.purpose is Purpose.COMING and brief.owner is None and is_free(brief):
        key = "subject_open_again"
    said = text(key, language, service=brief.service, **what_and_who(brief, language))
    return tidy(_drill(brief, language) + said, SUBJECT_MAX)


def _drill(brief: Brief, language: str) -> str:
    return text("drill", language) if brief.drill else ""


def _sms(brief: Brief, language: str) -> Message:
    said = [Piece("drill", _drill(brief, language).strip()), *pieces(brief, language)]
    most = 1 if brief.purpose in _SMS_OF_ONE_SEGMENT else 3
    words = fitted([p for p in said if p.text], text("between", language), most)
    data = {"segments": segments(words), **_facts(brief, language)}
    return Message(subject_of(brief, language), words, data=data, language=language)


def _voice(brief: Brief, language: str) -> Message:
    said, digits = spoken(brief, language)
    first = _drill(brief, language).strip()
    lines = (first, *said) if first else said
    return Message(
        subject_of(brief, language),
        text("between", language).join(lines),
        spoken=lines,
        data={"digits": digits, **_facts(brief, language)},
        language=language,
    )


def _facts(brief: Brief, language: str) -> dict[str, str]:
    """For vendors that know only templates of their own: they fill in variables."""
    address = (brief.where.address if brief.where else None) or ""
    return {
        **what_and_who(brief, language),
        "address": tidy(address, 120),
        "link": brief.link or "",
    }


def _push(brief: Brief, language: str) -> Message:
    """The title says what, the body where and how; a link opens with a tap, not in the text."""
    titled = brief.purpose in (Purpose.RING, Purpose.REMINDER, Purpose.COMING, Purpose.OVER)
    unsaid = {"link", "reply", "map"} | ({"head"} if titled else set())
    body = [p.text for p in pieces(brief, language) if p.name not in unsaid]
    title = shortened(subject_of(brief, language), 80)
    words = shortened(text("between", language).join(body).strip(), PUSH_BODY_MAX)
    urgent = brief.purpose in (Purpose.RING, Purpose.REMINDER, Purpose.CHECK_IN)
    data = {
        "title": title,
        "body": words,
        "tag": brief.incident_id or brief.purpose.value,
        "url": brief.link,
        "kind": brief.purpose.value,
        "incident_id": brief.incident_id,
        "drill": brief.drill,
        "language": language,
        "urgency": "high" if urgent and brief.category is not Category.TECHNICAL else "normal",
        "ttl_s": PUSH_TTL_S.get(brief.purpose, PUSH_TTL_OTHERWISE_S),
    }
    return Message(title, words, data=data, language=language)


def _email(brief: Brief, language: str) -> Message:
    lines = [line for line in (_drill(brief, language).strip(), *_lines(brief, language)) if line]
    plain = "\n".join(lines) + "\n"
    paragraphs = "".join(f"<p>{_linked(line)}</p>\n" for line in lines)
    html = f'<!doctype html>\n<html lang="{language}"><body>\n{paragraphs}</body></html>\n'
    return Message(subject_of(brief, language), plain, html=html, language=language)


def _lines(brief: Brief, language: str) -> Sequence[str]:
    said = [piece.text.strip() for piece in pieces(brief, language) if piece.name != "reply"]
    if brief.purpose in (Purpose.RING, Purpose.COMING, Purpose.TEST):
        said.append(text("hotline", language, hotline=brief.hotline))
    return list(dict.fromkeys(said))


def _linked(line: str) -> str:
    """Escaped, with what is an address of ours made a link."""
    before, found, address = line.partition("https://")
    if not found:
        before, found, address = line.partition("http://")
    if not found:
        return escape(line)
    address = found + address.strip()
    return f'{escape(before)}<a href="{escape(address, quote=True)}">{escape(address)}</a>'


def _plain(brief: Brief, language: str) -> Message:
    """For robots of groups and whatever Apprise reaches: a title and a few lines."""
    lines = [_drill(brief, language).strip(), *_lines(brief, language)]
    return Message(subject_of(brief, language), "\n".join(filter(None, lines)), language=language)


def _webhook(brief: Brief, language: str) -> Message:
    """For programs: the facts, and the sentence a human may be shown."""
    plain = _plain(brief, language)
    names = {"what": "", "who": ""} | what_and_who(brief, language)
    facts = {
        "purpose": brief.purpose.value,
        "drill": brief.drill,
        "silent": brief.silent,
        "priority": brief.priority.value,
        "category": brief.category.value,
        "kind": brief.kind,
        "what": names["what"],
        "who": names["who"],
        "address": brief.where.address if brief.where else None,
        "access_notes": brief.where.access_notes if brief.where else None,
        "map": (brief.where.fix_map or brief.where.home_map) if brief.where else None,
        "owner": brief.owner,
        "going": [one.name for one in brief.going],
        "outcome": brief.outcome.value if brief.outcome else None,
        "link": brief.link,
        "subject": plain.subject,
        "text": plain.text,
        "language": language,
    }
    return Message(plain.subject, plain.text, data=facts, language=language)


_FORMS: Mapping[ChannelName, Callable[[Brief, str], Message]] = {
    ChannelName.SMS: _sms,
    ChannelName.VOICE: _voice,
    ChannelName.PUSH: _push,
    ChannelName.EMAIL: _email,
    ChannelName.WEBHOOK: _webhook,
}
"""What is not here is told in plain lines."""
