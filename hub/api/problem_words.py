"""What the API says when it refuses, in the language that the reader's page asks for (RFC 9457
names content negotiation for a problem's title and detail): English, or Chinese."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hub.api.problem_sentences import FIELDS, MALFORMED, NOUNS, SENTENCES
from hub.register_file import CHINESE_HEADINGS

_PLACE = re.compile(r"\{(\d)(?::(word|field|heading|said))?\}")
_LISTED = re.compile(r", |、")


def wants_chinese(accept_language: str) -> bool:
    """Whether a request's Accept-Language puts Chinese before English.

    >>> wants_chinese("zh-CN,zh;q=0.9,en;q=0.8"), wants_chinese("en"), wants_chinese("")
    (True, False, False)
    """
    known = []
    for n, part in enumerate(accept_language.split(",")):
        tag, _, weight = part.strip().lower().partition(";")
        if tag.split("-")[0] in ("zh", "en"):
            found = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", weight)
            known.append((-float(found[1]) if found else -1.0, n, tag))
    return bool(known) and min(known)[2].startswith("zh")


def in_chinese(text: str) -> str:
    """Line by line; what nobody has put into words stays as it is.

    >>> in_chinese("There is no such device")
    '没有这个设备'
    """
    return "\n".join(_line(line.strip()) for line in text.split("\n"))


def malformed_in_chinese(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors: where, and what is wanted.

    >>> malformed_in_chinese({"type": "missing", "loc": ("body", "name"), "msg": "Field required"})
    '姓名或名称：必填'
    """
    where = [str(part) for part in error["loc"][1:]] or [str(error["loc"][0])]
    places = (f"第 {int(part) + 1} 项" if part.isdigit() else FIELDS.get(part, part)
              for part in where)  # fmt: skip
    wanted = MALFORMED.get(error["type"])
    if wanted is not None:
        said = wanted.format_map(error.get("ctx", {}))
    else:
        said = in_chinese(str(error["msg"]).removeprefix("Value error, "))
    return f"{' '.join(places)}：{said}"


def without_echo(title: str, detail: str) -> str:
    """A detail that begins by saying its title again says only what is particular to the case.

    >>> without_echo("Not like this", "Not like this.\\n  name a weekday")
    'name a weekday'
    """
    first, _, rest = detail.partition("\n")
    if first.rstrip(".").casefold() == title.rstrip(".").casefold():
        return rest.strip()
    return detail


def _line(line: str) -> str:
    exact = SENTENCES.get(line)
    if exact is not None:
        return exact
    for pattern, fillings, wanted in _PATTERNS:
        if (found := pattern.fullmatch(line)) is not None:
            given = found.groups()
            return wanted.format(
                *(fill(value) for fill, value in zip(fillings, given, strict=True))
            )
    return _listed(line)


def _listed(line: str) -> str:
    """A field with what is wrong about it, or counts of what belongs to something."""
    parts = [part.partition(": ") for part in line.split(", ")]
    if all(rest.isdigit() and name in NOUNS for name, _, rest in parts):
        return "，".join(f"{NOUNS[name]} {count}" for name, _, count in parts)
    name, colon, rest = line.partition(": ")
    said = _line(rest) if colon else rest
    return f"{FIELDS.get(name, name)}：{said}" if said != rest else line


def _words(value: str) -> str:
    """One or several of our words; where one of them is none of ours, all as they came."""
    words = [word.strip("' ") for word in _LISTED.split(value)]
    return "、".join(NOUNS[word] for word in words) if all(w in NOUNS for w in words) else value


def _field(value: str) -> str:
    return FIELDS.get(value, value)


def _headings(value: str) -> str:
    return "、".join(CHINESE_HEADINGS.get(word, word) for word in value.split(", "))


def _as_given(value: str) -> str:
    """What somebody called something: it may look like a word of ours."""
    return value


Filling = Callable[[str], str]
_FILLINGS: Mapping[str, Filling] = {
    "": _as_given, "word": _words, "field": _field, "heading": _headings, "said": _line,
}  # fmt: skip


def _patterns(
    sentences: Iterable[str],
) -> list[tuple[re.Pattern[str], tuple[Filling, ...], str]]:
    """The longest first: what is particular comes before what fits everything."""
    found = []
    for sentence in sorted(sentences, key=lambda each: (-len(_PLACE.sub("", each)), each)):
        places = list(_PLACE.finditer(sentence))
        if places:
            literal = map(re.escape, _PLACE.sub("\0", sentence).split("\0"))
            fillings = tuple(_FILLINGS[place[2] or ""] for place in places)
            found.append((re.compile("(.+?)".join(literal)), fillings, SENTENCES[sentence]))
    return found


_PATTERNS = _patterns(SENTENCES)
