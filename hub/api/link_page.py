"""The page behind a one-time link: plain HTML, no script, nothing from elsewhere. Pure."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape

from alerts.actions import Verb
from alerts.answers import ANSWERS_AT_THE_HOTLINE
from alerts.rendering import CHINESE, ENGLISH, language_of
from hub.answered import Shown

STYLE = (
    "body{font:18px/1.5 system-ui,sans-serif;max-width:32rem;margin:1.5rem auto;padding:0 1rem;"
    "color:#111;background:#fff}h1{font-size:1.4rem}button{font:inherit;font-weight:600;width:100%;"
    "min-height:3.2rem;margin:.4rem 0;border:2px solid #0b5;border-radius:.5rem;background:#0a7a3d;"
    "color:#fff}button.no{background:#fff;color:#111;border-color:#777}label{display:block;"
    "margin:.8rem 0 .2rem}input{font:inherit;width:6rem;min-height:2.6rem;padding:0 .5rem}"
    ".box{border-left:.4rem solid #0a7a3d;padding:.4rem .8rem;background:#f1f7f3}"
)
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    # With `no-referrer` browsers send `Origin: null` with a form, and the border refuses it.
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}
ALLOWED = frozenset({Verb.ACKNOWLEDGE, Verb.GOING, Verb.DECLINE})
"""What a link can do."""
MOST_MINUTES = 600

_WORDS: Mapping[str, Mapping[str, str]] = {
    "title": {ENGLISH: "Somebody needs help", CHINESE: "有人需要帮助"},
    "drill": {ENGLISH: "DRILL - this is practice.", CHINESE: "演练,并非真实求助。"},
    "who": {ENGLISH: "It is about {person}.", CHINESE: "求助人:{person}"},
    "where": {ENGLISH: "Address: {address}", CHINESE: "地址:{address}"},
    "since": {ENGLISH: "Since {time}.", CHINESE: "开始时间:{time}"},
    "take": {ENGLISH: "I take it", CHINESE: "由我负责"},
    "going": {ENGLISH: "I am going there", CHINESE: "我现在过去"},
    "minutes": {ENGLISH: "There in how many minutes? (may stay empty)",
                CHINESE: "大约几分钟到?(可不填)"},
    "cannot": {ENGLISH: "I cannot", CHINESE: "我去不了"},
    "nobody": {ENGLISH: "Nobody has it yet.", CHINESE: "目前还没有人接手。"},
    "owner": {ENGLISH: "{owner} is in charge of it.", CHINESE: "{owner}正在负责处理。"},
    "others": {ENGLISH: "On the way: {names}.", CHINESE: "正在前往:{names}。"},
    "attended": {ENGLISH: "Somebody is with the person.", CHINESE: "已有人到达现场。"},
    "resolved": {ENGLISH: "It is over. Nothing is left to do. Thank you.",
                 CHINESE: "本次求助已结束,无需再处理,谢谢。"},
    "expired": {ENGLISH: "This link is too old to answer with. Please call {hotline}.",
                CHINESE: "此链接已过期,不能再回复。如有需要请拨打{hotline}。"},
    "used": {ENGLISH: "You have answered with this link already ({answer}). To change that, use a "
                      "newer message or call {hotline}.",
             CHINESE: "您已用此链接回复过({answer})。如需更改,请使用较新的短信或拨打{hotline}。"},
    "unknown": {ENGLISH: "This link is not valid. Was it copied completely? For help call "
                         "{hotline}.",
                CHINESE: "链接无效,请确认是否复制完整。如需帮助请拨打{hotline}。"},
    "done_acknowledge": {ENGLISH: "Thank you. You have it now.", CHINESE: "谢谢,现由您负责。"},
    "done_going": {ENGLISH: "Thank you. Everybody knows that you are going.",
                   CHINESE: "谢谢,已记录您正在前往。"},
    "done_decline": {ENGLISH: "Thank you for telling us. Somebody else is being called.",
                     CHINESE: "谢谢告知,我们会联系其他人。"},
    "refused": {ENGLISH: "That was not possible: {why}.", CHINESE: "操作未成功:{why}。"},
    "away": {ENGLISH: "The answer could not be recorded just now. Please try again, or call "
                      "{hotline}.",
             CHINESE: "暂时无法记录您的回复,请稍后重试或拨打{hotline}。"},
    "answer_acknowledge": {ENGLISH: "I take it", CHINESE: "由我负责"},
    "answer_going": {ENGLISH: "I am going", CHINESE: "我过去"},
    "answer_decline": {ENGLISH: "I cannot", CHINESE: "我去不了"},
}  # fmt: skip


def text(key: str, language: str, **names: object) -> str:
    """A sentence of the page."""
    return _WORDS[key][language_of(language)].format(**names)


def page(shown: Shown, token: str, now: datetime, hotline: str, *, note: str = "") -> str:
    """The incident as this recipient may see it, and what they can still do."""
    language = shown.language
    lines = [text("drill", language)] if shown.drill else []
    if shown.person:
        lines.append(text("who", language, person=shown.person))
    if shown.address and shown.state != "resolved":
        lines.append(text("where", language, address=shown.address))
    if shown.zone is not None:
        at = shown.opened_at.astimezone(shown.zone).strftime("%Y-%m-%d %H:%M")
        lines.append(text("since", language, time=at))
    form = ""
    if shown.state != "resolved":
        if shown.used_for:
            answer = text(f"answer_{shown.used_for}", language)
            note = note or text("used", language, answer=answer, hotline=hotline)
        elif shown.expires_at <= now:
            note = note or text("expired", language, hotline=hotline)
        else:
            form = _form(shown, token)
    return _document(language, lines, standing(shown), note, form)


def standing(shown: Shown) -> str:
    """Who has it."""
    language = shown.language
    if shown.state == "resolved":
        return text("resolved", language)
    said = []
    if shown.state == "attended":
        said.append(text("attended", language))
    if shown.owner:
        said.append(text("owner", language, owner=shown.owner))
    if shown.going:
        comma = "、" if language_of(language) == CHINESE else ", "
        said.append(text("others", language, names=comma.join(shown.going)))
    return " ".join(said) or text("nobody", language)


def stranger(key: str, language: str, hotline: str) -> str:
    """A page that tells nothing of anybody."""
    return _document(language, [], "", text(key, language, hotline=hotline), "")


def _form(shown: Shown, token: str) -> str:
    language = shown.language
    take = shown.role in ANSWERS_AT_THE_HOTLINE
    verb = Verb.ACKNOWLEDGE if take else Verb.GOING
    label = text("take" if take else "going", language)
    minutes = (
        f'<label for="minutes">{escape(text("minutes", language))}</label>'
        f'<input id="minutes" name="minutes" type="number" min="1" max="{MOST_MINUTES}" '
        'inputmode="numeric">'
    )
    return (
        f'<form method="post" action="/l/{escape(token, quote=True)}">{minutes}'
        f'<button name="verb" value="{verb.value}">{escape(label)}</button>'
        f'<button class="no" name="verb" value="{Verb.DECLINE.value}">'
        f"{escape(text('cannot', language))}</button></form>"
    )


def _document(language: str, lines: Sequence[str], state: str, note: str, form: str) -> str:
    spoken = language_of(language)
    title = escape(text("title", spoken))
    body = "".join(f"<p>{escape(line)}</p>" for line in lines)
    if state:
        body += f'<p class="box" role="status">{escape(state)}</p>'
    if note:
        body += f"<p><strong>{escape(note)}</strong></p>"
    return (
        f'<!doctype html><html lang="{spoken}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>"
        f"<body><h1>{title}</h1>{body}{form}</body></html>"
    )
