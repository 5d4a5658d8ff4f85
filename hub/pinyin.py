"""Chinese names in Latin letters, as somebody types what they heard. Pure.

Readings from the library pypinyin (MIT; its data from the Unihan database).
"""

import re
from itertools import islice, product

MOST_SPELLINGS = 12
"""A name of three characters with two or three readings each; more finds strangers."""
LONGEST_NAME = 40
"""Characters that are spelt out; names are shorter, and work grows with each."""

_LETTERS = re.compile(r"[a-zü' ]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


def spellings(name: str) -> str:
    """Every likely spelling, whole and as initials, separated by spaces.

    >>> spellings("王秀兰")
    'wangxiulan wxl yuxiulan yxl'
    >>> spellings("Anna Berg")
    ''
    """
    if _CHINESE.search(name) is None:
        return ""
    # Its dictionary takes most of a second to load, which every start of the hub would wait for.
    from pypinyin import Style, pinyin  # noqa: PLC0415

    readings = pinyin(name[:LONGEST_NAME], style=Style.NORMAL, heteronym=True)
    parts = [[part for each in one if (part := _plain(each))] for one in readings]
    words: dict[str, None] = {}
    for chosen in islice(product(*filter(None, parts)), MOST_SPELLINGS):
        words["".join(chosen)] = None
        words["".join(part[0] for part in chosen)] = None
    return " ".join(words)


def typed(q: str) -> str | None:
    """What was typed, as letters to look for; None if it cannot be pinyin.

    >>> typed("Wang Xiu-lan"), typed("lǚ"), typed("139")
    (None, None, None)
    >>> typed("Wang Xiulan"), typed("LÜ"), typed("w")
    ('wangxiulan', 'lv', None)
    """
    sought = q.strip().lower()
    if _LETTERS.fullmatch(sought) is None:
        return None
    letters = _plain(sought)
    return letters if len(letters) > 1 else None


def _plain(text: str) -> str:
    """Letters only; ü is typed as v."""
    return re.sub(r"[^a-z]", "", text.lower().replace("ü", "v"))
