"""The sentences messages are made of: who, where, who is going, how to answer. Pure."""

from datetime import datetime, timedelta

from alerts.brief import Brief, Going, Where
from alerts.incident import State
from alerts.length import Piece, Shrinks, tidy
from alerts.wording import kind_words, text

NAME_MAX = 40
ADDRESS_MAX = 120
ACCESS_MAX = 160
"""Characters; the register allows more, a message does not."""
NO = {"1": "2"}
"""What to answer with to say that one cannot; with a code, `N` and the code."""


def what_and_who(brief: Brief, language: str) -> dict[str, str]:
    """What happened and to whom, as the sentences of the catalogue want it."""
    what = kind_words(brief.kind, brief.action, brief.category, language)
    if brief.whom is not None:
        who = tidy(brief.whom.name, NAME_MAX)
        if brief.whom.birth_year is not None and 1880 < brief.whom.birth_year <= brief.now.year:
            age = brief.now.year - brief.whom.birth_year
            who = text("who_aged", language, name=who, age=age)
    elif brief.subject:
        who = tidy(brief.subject, NAME_MAX)
    elif brief.where is not None and brief.where.address:
        who = tidy(brief.where.address, NAME_MAX)
    else:
        who = text("somebody", language)
    return {"what": what, "who": who}


def head(brief: Brief, language: str) -> str:
    """The first sentence of a ring."""
    return text(brief.purpose.value, language, **what_and_who(brief, language))


def where(brief: Brief, language: str) -> list[Piece]:
    """Where to go, how to get in, and where the person was last measured to be."""
    place = brief.where
    if place is None:
        return []
    found = []
    if place.address:
        address = tidy(place.address, ADDRESS_MAX)
        front = Shrinks.AT_END if address.isascii() else Shrinks.AT_FRONT
        found.append(Piece("address", text("address", language, address=address), shrinks=front))
    if place.access_notes:
        access = tidy(place.access_notes, ACCESS_MAX)
        found.append(Piece("access", text("access", language, access=access), cut=2))
    if place.fix_map:
        how = {"age": age(place, brief.now, language), "accuracy": accuracy(place, language)}
        found.append(Piece("map", text("fix", language, map=place.fix_map, **how), cut=3))
    elif place.home_map:
        found.append(Piece("map", text("home_map", language, map=place.home_map), cut=3))
    if place.indoor:
        indoor = tidy(place.indoor, NAME_MAX)
        found.append(Piece("indoor", text("indoor", language, indoor=indoor), cut=6))
    if place.phone and not brief.silent:
        found.append(Piece("phone", text("phone", language, phone=tidy(place.phone, 24)), cut=4))
    if (since := clock_time(brief.opened_at, brief)) is not None:
        found.append(Piece("opened", text("opened", language, time=since), cut=8))
    return found


def age(place: Where, now: datetime, language: str) -> str:
    """How old the fix is; one from the future counts as of now."""
    if place.fixed_at is None:
        return text("fix_age_unknown", language)
    minutes = max(0, int((now - place.fixed_at).total_seconds() // 60))
    if minutes < 1:
        return text("fix_now", language)
    if minutes < 120:
        return text("fix_min", language, n=minutes)
    return text("fix_h", language, n=minutes // 60)


def accuracy(place: Where, language: str) -> str:
    """How exact the fix is, rounded up to what a human can use."""
    if place.accuracy_m is None:
        return text("fix_accuracy_unknown", language)
    return text("fix_within", language, n=max(5, -(-int(place.accuracy_m) // 5) * 5))


def is_free(brief: Brief) -> bool:
    """Whether nobody has it, at the moment of sending: the message may have waited meanwhile."""
    return brief.owner is None and brief.state in (State.CHECKING, State.RAISED)


def who_comes(brief: Brief, language: str) -> str:
    """Who has it; where no dispatcher has, who is there or going. A neighbour who goes there has
    not taken it: the ladder may go on."""
    facts = what_and_who(brief, language)
    first = next((one for one in brief.going if one.there), next(iter(brief.going), None))
    if brief.owner:
        return text("coming", language, owner=tidy(brief.owner, NAME_MAX), **facts)
    if first is None:
        return text("open_again" if is_free(brief) else "coming_somebody", language, **facts)
    key = "coming_there" if first.there else "coming_going"
    return text(key, language, going=tidy(first.name, NAME_MAX), **facts)


def on_the_way(brief: Brief, language: str) -> list[Piece]:
    """Who has it, who is going, who is there, when they are expected."""
    found = []
    if brief.owner and brief.purpose.value != "coming":
        owner = text("owner", language, owner=tidy(brief.owner, NAME_MAX))
        found.append(Piece("owner", owner, cut=9))
    if (expected := clock_time(brief.expected_at, brief)) is not None:
        found.append(Piece("expected", text("expected", language, time=expected), cut=5))
    comma = text("and", language)
    going = [named(one, brief, language) for one in brief.going if not one.there]
    there = [named(one, brief, language) for one in brief.going if one.there]
    if there:
        found.append(Piece("there", text("there", language, names=comma.join(there)), cut=5))
    if going:
        found.append(Piece("going", text("going", language, names=comma.join(going)), cut=5))
    if not brief.going and not brief.owner and brief.purpose.value in ("ring", "reminder"):
        found.append(Piece("going", text("nobody_going", language), cut=7))
    return found


def named(one: Going, brief: Brief, language: str) -> str:
    """A name, with the time they are expected."""
    name = tidy(one.name, NAME_MAX)
    expected = clock_time(one.expected_at, brief)
    if expected is None or one.there:
        return name
    return text("going_at", language, name=name, time=expected)


def how_to_answer(brief: Brief, language: str) -> list[Piece]:
    """The ways this recipient has."""
    found = []
    if brief.reply:
        refusal = NO.get(brief.reply, f"N {brief.reply}")
        words = text("reply", language, reply=brief.reply, no=refusal)
        found.append(Piece("reply", words))
    if brief.link:
        found.append(Piece("link", text("link", language, link=brief.link)))
    return found


def clock_time(moment: datetime | None, brief: Brief) -> str | None:
    """The nearest minute at the home; None without a zone, for a guess is hours wrong."""
    if moment is None or brief.zone is None:
        return None
    return (moment + timedelta(seconds=30)).astimezone(brief.zone).strftime("%H:%M")
