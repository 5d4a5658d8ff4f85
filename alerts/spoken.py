"""What a voice says: short sentences, digits one by one. Pure."""

import re

from alerts.brief import Brief, Purpose
from alerts.length import tidy
from alerts.sentences import accuracy, age, clock_time, head, named, what_and_who, who_comes
from alerts.wording import OUTCOMES, text

SENTENCES_MAX = 12
"""Ours: half a minute; nobody listens longer before they may press."""
_NUMBER = re.compile(r"\d{3,}")
"""Two digits are an age or a minute and are read as a number."""


def spoken(brief: Brief, language: str) -> tuple[tuple[str, ...], str]:
    """The sentences in order, and the digits that are listened for."""
    match brief.purpose:
        case Purpose.CHECK_IN:
            keys = ("ask", "ask_press", "ask_press_help", "ask_silence")
            said = [text(key, language, service=brief.service) for key in keys]
            return _read_out(said), "12"
        case Purpose.TEST:
            said = [text("test", language, service=brief.service), text("test_press", language)]
            return _read_out(said), "1"
        case Purpose.CALLING:
            return _read_out([text("calling", language)]), ""
        case Purpose.CONNECT:
            who = what_and_who(brief, language)["who"]
            return _read_out([text("connect", language, who=who)]), ""
        case Purpose.NOTICE:
            words = tidy((brief.notice or {}).get(language, ""), 300)
            return _read_out([text("notice", language, text=words)]), ""
        case _:
            return _of_an_incident(brief, language)


def _of_an_incident(brief: Brief, language: str) -> tuple[tuple[str, ...], str]:
    said = [text("service", language, service=brief.service)]
    digits = ""
    if brief.purpose is Purpose.OVER:
        said.append(text("over", language, **what_and_who(brief, language)))
        if brief.outcome:
            said.append(text("outcome", language, outcome=OUTCOMES[brief.outcome][language]))
        said.append(text("thanks", language))
    elif brief.purpose is Purpose.COMING:
        said += [who_comes(brief, language), *_going(brief, language)]
    else:
        said.append(head(brief, language))
        if brief.silent:
            said.append(text("silent", language))
        said += [*_where(brief, language), *_going(brief, language)]
        if brief.presses:
            said += [text("press", language), text("press_no", language)]
            digits = "12"
    return _read_out(said), digits


def _where(brief: Brief, language: str) -> list[str]:
    place = brief.where
    found: list[str] = []
    if place is None:
        return found
    if place.address:
        found.append(text("address", language, address=tidy(place.address, 100)))
    if place.access_notes:
        found.append(text("access", language, access=tidy(place.access_notes, 100)))
    if place.fix_map:
        how = {"age": age(place, brief.now, language), "accuracy": accuracy(place, language)}
        found.append(text("fix_spoken", language, **how))
    return found


def _going(brief: Brief, language: str) -> list[str]:
    found = []
    if (expected := clock_time(brief.expected_at, brief)) is not None:
        found.append(text("expected", language, time=expected))
    going = [named(one, brief, language) for one in brief.going if not one.there]
    if going:
        found.append(text("going", language, names=text("and", language).join(going)))
    return found


def _read_out(sentences: list[str]) -> tuple[str, ...]:
    """Digit by digit: a door is not "one thousand two hundred and three"."""
    return tuple(_NUMBER.sub(lambda m: " ".join(m[0]), one) for one in sentences)[:SENTENCES_MAX]
