"""The register as a table in a file: which columns there are, and what may stand in them. Pure.

One CSV holds areas, homes, people, devices, responders and contacts, told apart by `kind`. A
column that is missing changes nothing; an empty cell empties what may be empty.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from alerts.actions import MAX_NOTE_LENGTH
from alerts.reach import Settlement, TravelMode
from hub.errors import HubError
from hub.register_nouns import (
    EMAIL,
    LABEL_LENGTH,
    MODEL_LENGTH,
    NAME_LENGTH,
    WEB_ADDRESS,
    Availability,
    Level,
    Mobility,
    ResponderKind,
)
from hub.voice_number import dialled
from schemas.ids import is_id
from schemas.vocabulary import DeviceKind

ROWS_LIMIT = 500_000
"""Five times the largest city this is measured with."""
CELL_LIMIT = MAX_NOTE_LENGTH
"""Characters, as at the API: a page of notes."""
ERRORS_LIMIT = 10_000
"""Listed one by one; the rest is counted. A file with more has one mistake, made everywhere."""
CHANGES_LIMIT = 1000
"""Listed one by one of what would be created or changed; the rest is counted."""


class ImportRefused(HubError):
    """The file was not read; nothing was changed."""


class ImportRuns(ImportRefused):
    """Another import runs just now."""

    retryable = True


class ImportOvertaken(ImportRefused):
    """Somebody changed what the file changes too; nothing was changed. Bring it in again."""

    retryable = True


@dataclass(frozen=True, slots=True)
class RowError:
    """One cell that cannot be."""

    row: int
    """As a spreadsheet counts: the headings are row 1."""
    column: str
    value: str
    allowed: str


@dataclass(frozen=True, slots=True)
class RowChange:
    """What becomes of one row."""

    row: int
    kind: str
    id: str
    action: str
    """created or changed."""
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """How a file is to be brought in."""

    commit: bool
    skip_bad: bool
    """Commit although rows are wrong, without them."""
    areas: Sequence[str] | None
    """Where the one who asks may change anything; None: everywhere."""
    at: datetime
    provisions: bool = True
    """Whether who asks may bring in and change devices."""
    actor_kind: str = "account"
    """As the log names whoever asks: an account, or the operator of the machine."""


@dataclass(slots=True)
class ImportOutcome:
    """What a file would do, or did."""

    committed: bool = False
    rows: int = 0
    bad_rows: int = 0
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    """By kind: created, changed, unchanged."""
    errors: list[RowError] = field(default_factory=list)
    error_count: int = 0
    changes: list[RowChange] = field(default_factory=list)
    headings: Mapping[str, str] = field(default_factory=dict)
    """Our word of a column and the file's own; what is told of a column uses the latter."""


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """A row that makes sense by itself; what it refers to is checked later."""

    row: int
    kind: str
    id: str
    cells: Mapping[str, Any]


Parser = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of one kind of row."""

    heading: str
    chinese: str
    parse: Parser
    name: str = ""
    """As the register calls it, where that differs from the heading."""
    required: bool = False
    """A new row must say it, and no row may empty it."""
    most: int = CELL_LIMIT
    """Characters, as at the API."""

    @property
    def key(self) -> str:
        """As the register calls it."""
        return self.name or self.heading


def _text(cell: str) -> str:
    return cell


def _link(cell: str) -> str:
    if not re.fullmatch(WEB_ADDRESS, cell):
        raise ValueError("an address that begins with https:// or http://")
    return cell


def _id(cell: str) -> str:
    if not is_id(cell):
        raise ValueError("1 to 64 of a-z, 0-9 and -")
    return cell


def _phone(cell: str) -> str:
    if not 3 <= len(cell) <= 30 or not set(cell) <= set("0123456789+() -"):
        raise ValueError("3 to 30 digits, +, brackets, spaces and hyphens")
    return cell


def _email(cell: str) -> str:
    if not re.fullmatch(EMAIL, cell):
        raise ValueError("a mail address")
    return cell


def _channels(cell: str) -> list[str]:
    found = [_CHANNELS.get(word.lower(), "") for word in cell.replace("、", " ").split()]
    if "" in found or len(found) > len(set(found)):
        raise ValueError("of push, sms, voice, email, with spaces between, each once")
    return found


_CHANNELS = {
    "push": "push", "sms": "sms", "voice": "voice", "email": "email", "推送": "push",
    "短信": "sms", "电话": "voice", "邮件": "email",
}  # fmt: skip


def _number(low: float, high: float) -> Parser:
    def parse(cell: str) -> float:
        try:
            value = float(cell)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return value

    return parse


def _minutes(cell: str) -> int:
    if not (cell.isascii() and cell.isdigit() and 1 <= int(cell) <= 240):
        raise ValueError("whole minutes from 1 to 240, usually 10, 15 or 40")
    return int(cell)


def _year(cell: str) -> int:
    if not (cell.isascii() and cell.isdigit() and 1880 <= int(cell) <= 2200):
        raise ValueError("a year from 1880 to 2200")
    return int(cell)


def _zone(cell: str) -> str:
    if cell not in _ZONES:
        raise ValueError("a name like Asia/Shanghai")
    return cell


_ZONES = frozenset(available_timezones())


def _hash(cell: str) -> str:
    if len(cell) != 64 or not set(cell) <= set("0123456789abcdef"):
        raise ValueError("the SHA-256 of the secret: 64 of 0-9 and a-f")
    return cell


def _choice(words: Mapping[str, Any]) -> Parser:
    """Of words in either case: a spreadsheet writes `true` as TRUE."""
    folded = {word.casefold(): meant for word, meant in words.items()}

    def parse(cell: str) -> Any:
        if cell.casefold() not in folded:
            raise ValueError(", ".join(words))
        return folded[cell.casefold()]

    return parse


LEVELS = {level.value: level.value for level in Level} | {
    "市": "city", "区县": "county", "区": "county", "县": "county", "街道": "street",
    "镇": "street", "乡": "street", "社区": "community", "村": "community",
}  # fmt: skip
_MOBILITIES = {each.value: each.value for each in Mobility} | {
    "自理": "independent", "拐杖": "stick", "助行器": "walker", "轮椅": "wheelchair",
    "卧床": "bedridden",
}  # fmt: skip
_RESPONDERS = {each.value: each.value for each in ResponderKind} | {
    "个人": "person", "站点": "station", "队伍": "team",
}  # fmt: skip
_SETTLEMENTS = {each.value: each.value for each in Settlement} | {
    "城镇": "urban", "城市": "urban", "农村": "rural", "乡村": "rural",
}  # fmt: skip
_MODES = {each.value: each.value for each in TravelMode} | {
    "步行": "foot", "骑行": "bicycle", "驾车": "car",
}  # fmt: skip
_AVAILABILITIES = {each.value: each.value for each in Availability} | {
    "可用": "available", "忙碌": "busy", "下班": "off_duty",
}  # fmt: skip
_YES_NO = {"yes": True, "no": False, "true": True, "false": False, "是": True, "否": False}
_LANGUAGES = {"zh-CN": "zh-CN", "en": "en", "中文": "zh-CN", "英文": "en"}
_DEVICE_KINDS = {kind.value: kind.value for kind in DeviceKind} | {
    "按钮": "button", "手环": "wristband", "护理床": "care_bed", "人体感应器": "motion_sensor",
    "门磁": "door_sensor", "险情探测器": "hazard_sensor", "手机": "phone", "网关": "gateway",
}  # fmt: skip
"""In Chinese as the page calls them."""

_NAME = Column("name", "名称", _text, required=True, most=NAME_LENGTH)
_AREA = Column("area", "所属区域", _id, "area_id", required=True)
_PHONE = Column("phone", "电话", _phone)
_TIME_ZONE = Column("time_zone", "时区", _zone)
_PREMISES = Column("premises", "住所编号", _id, "premises_id", required=True)
_POSITION = (
    Column("latitude", "纬度", _number(-90, 90)),
    Column("longitude", "经度", _number(-180, 180)),
)

COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "area": (
        _NAME,
        Column("parent", "上级区域", _id, "parent_id"),
        Column("level", "级别", _choice(LEVELS), required=True),
        Column("arrive_within_min", "到达时限", _minutes),
        Column("settlement", "城乡", _choice(_SETTLEMENTS)),
        _TIME_ZONE,
    ),
    "premises": (
        _AREA,
        Column("address", "地址", _text, required=True, most=NAME_LENGTH),
        Column("access_notes", "进门说明", _text),
        *_POSITION,
        _TIME_ZONE,
        _PHONE,
        Column("video_link", "视频链接", _link),
    ),
    "person": (
        _PREMISES,
        _NAME,
        Column("birth_year", "出生年份", _year),
        Column("language", "语言", _choice(_LANGUAGES)),
        _PHONE,
        Column("medical_notes", "医疗备注", _text),
        Column("lives_alone", "独居", _choice(_YES_NO)),
        Column("mobility", "行动能力", _choice(_MOBILITIES)),
    ),
    "device": (
        _PREMISES,
        Column("person", "人员编号", _id, "person_id"),
        Column("device_kind", "设备类型", _choice(_DEVICE_KINDS), "kind", required=True),
        Column("label", "标签", _text, most=NAME_LENGTH),
        Column("model", "型号", _text, most=MODEL_LENGTH),
        Column("voice_number", "通话号码", dialled),
        Column("secret_sha256", "密钥摘要", _hash),
    ),
    "responder": (
        _AREA,
        Column("responder_kind", "响应者类型", _choice(_RESPONDERS), "kind", required=True),
        _NAME,
        _PHONE,
        *_POSITION,
        Column("availability", "状态", _choice(_AVAILABILITIES)),
        Column("travel_mode", "出行方式", _choice(_MODES)),
        Column("notes", "备注", _text),
    ),
    "contact": (
        Column("person", "人员编号", _id, "person_id", required=True),
        _NAME,
        Column("relation", "关系", _text, required=True, most=LABEL_LENGTH),
        Column("phone", "电话", _phone, required=True),
        Column("email", "电子邮箱", _email, most=254),
        Column("language", "语言", _choice(_LANGUAGES)),
        Column("channels", "通知方式", _channels),
        Column("has_key", "有钥匙", _choice(_YES_NO)),
    ),
}
"""In the order in which rows are brought in: each kind refers only to itself and those before."""

KINDS = {kind: kind for kind in COLUMNS} | {
    "区域": "area", "住所": "premises", "人员": "person", "设备": "device", "响应者": "responder",
    "联系人": "contact",
}  # fmt: skip
KIND, ID = "kind", "id"
_HEADINGS = (
    {KIND: KIND, ID: ID, "类型": KIND, "编号": ID, "姓名": "name"}
    | {c.heading: c.heading for columns in COLUMNS.values() for c in columns}
    | {c.chinese: c.heading for columns in COLUMNS.values() for c in columns}
)
"""What may stand in the first row."""
CHINESE_HEADINGS = {KIND: "类型", ID: "编号"} | {
    c.heading: c.chinese for columns in COLUMNS.values() for c in columns
}
"""The same for whoever reads what is wrong in Chinese."""


def heading_of(kind: str, key: str) -> str:
    """What a column of the register is called in files.

    >>> heading_of("device", "person_id"), heading_of("person", "area_id")
    ('person', 'area')
    """
    known = {column.key: column.heading for column in (*COLUMNS[kind], _AREA)}
    return known.get(key, key)


@dataclass(slots=True)
class Errors:
    """Collected up to a bound; the rest is counted."""

    listed: list[RowError] = field(default_factory=list)
    count: int = 0

    def add(self, row: int, column: str, value: str, allowed: str) -> None:
        """Note one."""
        self.count += 1
        if len(self.listed) < ERRORS_LIMIT:
            shown = value if len(value) <= 100 else value[:100] + "…"
            self.listed.append(RowError(row, column, shown, allowed))


def headings(cells: Sequence[str]) -> dict[str, str]:
    """The columns of a file: in our words, each with the file's own. Raises ImportRefused.

    Columns without heading at the right end are those a spreadsheet once had something in.
    """
    found: dict[str, str] = {}
    words = [cell.strip() for cell in cells]
    while words and not words[-1]:
        words.pop()
    for word in words:
        heading = _HEADINGS.get(word) or _HEADINGS.get(word.lower())
        if heading is None:
            known = ", ".join(dict.fromkeys(_HEADINGS.values()))
            raise ImportRefused(f"row 1: there is no column {word!r}; there are: {known}")
        if heading in found:
            raise ImportRefused(f"row 1: the column {word} is there twice")
        found[heading] = word
    if missing := [name for name in (KIND, ID) if name not in found]:
        raise ImportRefused(f"row 1: the column {missing[0]} is missing")
    if ("latitude" in found) != ("longitude" in found):
        raise ImportRefused("row 1: latitude and longitude, or neither")
    return found


def rows(
    lines: Iterator[tuple[int, Sequence[str]]], columns: Sequence[str], errors: Errors
) -> Iterator[ParsedRow | None]:
    """What each line says; None where something in it is wrong. Empty lines do not count.

    Raises ImportRefused beyond ROWS_LIMIT.
    """
    count = 0
    for number, line in lines:
        if not any(cell.strip() for cell in line):
            continue
        count += 1
        if count > ROWS_LIMIT:
            raise ImportRefused(f"more than {ROWS_LIMIT} rows; split the file")
        yield _row(number, line, columns, errors)


def _row(
    number: int, line: Sequence[str], columns: Sequence[str], errors: Errors
) -> ParsedRow | None:
    before = errors.count
    if any(cell.strip() for cell in line[len(columns) :]):
        errors.add(number, "", str(len(line)), f"{len(columns)} cells, as in row 1")
        return None
    said = dict(zip(columns, (cell.strip() for cell in line), strict=False))
    kind = KINDS.get(said.get(KIND, "")) or KINDS.get(said.get(KIND, "").lower())
    if kind is None:
        errors.add(number, KIND, said.get(KIND, ""), ", ".join(KINDS))
        return None
    if not is_id(said.get(ID, "")):
        errors.add(number, ID, said.get(ID, ""), "1 to 64 of a-z, 0-9 and -")
    mine = {column.heading: column for column in COLUMNS[kind]}
    cells: dict[str, Any] = {}
    for heading, cell in said.items():
        if heading in (KIND, ID):
            continue
        column = mine.get(heading)
        if column is None:
            if cell:
                errors.add(number, heading, cell, f"nothing: {kind} has no such column")
            continue
        cells[column.key] = _cell(number, column, cell, errors)
    if bool(said.get("latitude")) != bool(said.get("longitude")):
        errors.add(number, "longitude", said.get("longitude", ""), "both coordinates, or neither")
    return ParsedRow(number, kind, said[ID], cells) if errors.count == before else None


def _cell(number: int, column: Column, cell: str, errors: Errors) -> Any:
    if not cell:
        if column.required:
            errors.add(number, column.heading, cell, "something: it must not be empty")
        return None
    if len(cell) > column.most or "\x00" in cell:
        errors.add(number, column.heading, cell, f"at most {column.most} characters of text")
        return None
    try:
        return column.parse(cell)
    except ValueError as error:
        errors.add(number, column.heading, cell, str(error))
        return None
