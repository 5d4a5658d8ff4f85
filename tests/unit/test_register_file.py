"""What may stand in a register's file, and what passwords and families' views leave out."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.people import Account
from hub.api.feed import frame
from hub.api.kin import as_is, for_family, frame_shown
from hub.passwords import complaint, drawn
from hub.register_file import (
    COLUMNS,
    ERRORS_LIMIT,
    KINDS,
    ROWS_LIMIT,
    Errors,
    ImportRefused,
    headings,
    rows,
)
from hub.register_nouns import NOUNS, Level, difference
from schemas.ids import AccountId, AreaId, PersonId
from schemas.vocabulary import DeviceKind

HEAD = [
    "kind", "id", "name", "premises", "birth_year", "lives_alone", "mobility", "phone", "latitude",
    "longitude",
]  # fmt: skip


def read(*cells: str) -> tuple[Any, Errors]:
    errors = Errors()
    (row,) = rows(iter([(2, cells)]), HEAD, errors)
    return row, errors


def test_a_row_is_read_in_the_register_s_words() -> None:
    row, errors = read("人员", "wang", " 王秀英 ", "home-1", "1941", "是", "卧床", "138 1")
    assert errors.count == 0
    assert (row.row, row.kind, row.id) == (2, "person", "wang")
    assert row.cells == {
        "name": "王秀英", "premises_id": "home-1", "birth_year": 1941, "lives_alone": True,
        "mobility": "bedridden", "phone": "138 1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", "Wang Xiu"), ("birth_year", "1841"), ("birth_year", "２０２０"),
        ("birth_year", "forty"), ("lives_alone", "perhaps"), ("mobility", "flies"),
        ("phone", "call me"), ("phone", "1"), ("premises", "HOME"), ("name", ""),
        ("name", "x" * 201), ("latitude", "91"), ("kind", "toaster"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_row_column_value_and_what_is_allowed(
    column: str, value: str
) -> None:
    good = ["person", "wang", "Wang", "home-1", "1941", "yes", "stick", "138 1"]
    good += ["", ""]
    good[HEAD.index(column)] = value
    row, errors = read(*good)
    assert row is None
    told = {(each.row, each.column) for each in errors.listed}
    assert (2, column) in told
    assert all(each.allowed for each in errors.listed)
    assert all(len(each.value) <= 101 for each in errors.listed)


def test_the_page_for_whoever_writes_a_file_names_every_column() -> None:
    page = Path("docs/how-to/register.md").read_text()
    cells = {
        cell.strip()
        for line in page.splitlines() if line.startswith("| ")
        for column in line.split("|")[1:3]
        for cell in column.split(",")
    }  # fmt: skip
    columns = [column for each in COLUMNS.values() for column in each]
    assert {c.heading for c in columns} | {c.chinese for c in columns} <= cells
    for kind in DeviceKind:
        assert f"{kind.value} " in page


def test_words_of_a_spreadsheet_are_read_in_either_case() -> None:
    row, errors = read("Person", "wang", "Wang", "home-1", "1941", "TRUE", "Stick", "138 1")
    assert errors.listed == []
    assert (row.cells["lives_alone"], row.cells["mobility"]) == (True, "stick")


@pytest.mark.parametrize("word", ["nan", "inf", "-inf", "1e999"])
def test_a_position_is_a_number(word: str) -> None:
    errors = Errors()
    head = ["kind", "id", "area", "address", "latitude", "longitude"]
    (row,) = rows(iter([(2, ["premises", "h", "city", "1 Road", word, "0"])]), head, errors)
    assert row is None
    assert errors.listed[0].column == "latitude"


def test_half_a_position_is_none() -> None:
    with pytest.raises(ImportRefused, match="or neither"):
        headings(["kind", "id", "latitude"])
    _, errors = read("person", "w", "W", "home-1", "", "", "", "", "31.2", "")
    assert errors.count > 0


def test_errors_are_bounded_and_all_counted() -> None:
    errors = Errors()
    lines = ((n, ["toaster", "x"]) for n in range(2, ERRORS_LIMIT + 52))
    assert all(row is None for row in rows(iter(lines), HEAD, errors))
    assert (len(errors.listed), errors.count) == (ERRORS_LIMIT, ERRORS_LIMIT + 50)


def test_a_file_without_end_is_refused() -> None:
    lines = ((n, ["toaster", "x"]) for n in range(2, ROWS_LIMIT + 4))
    with pytest.raises(ImportRefused, match="split"):
        for _ in rows(iter(lines), HEAD, Errors()):
            pass


@given(st.lists(st.text(max_size=40), max_size=12))
def test_no_row_raises_whatever_it_holds(cells: list[str]) -> None:
    errors = Errors()
    for row in rows(iter([(2, cells)]), HEAD, errors):
        assert (row is None) == (errors.count > 0)


def test_every_column_of_the_file_is_one_of_the_register() -> None:
    for kind, columns in COLUMNS.items():
        if kind in ("device", "contact"):
            continue
        assert {column.key for column in columns} <= set(NOUNS[kind].columns)
    assert set(KINDS.values()) == set(COLUMNS)
    assert [level.rank for level in Level] == [0, 1, 2, 3]


def test_the_log_says_what_changed_and_withholds_health() -> None:
    before = {"name": "Wang", "medical_notes": None, "phone": "1"}
    after = {"name": "Wang", "medical_notes": "insulin", "phone": "2"}
    told = difference(NOUNS["person"], before, after)
    assert told == {
        "before": {"phone": "1", "medical_notes": None},
        "after": {"phone": "2", "medical_notes": "(withheld)"},
    }


@pytest.mark.parametrize(
    "password",
    ["short", "password12", "1234567890", "mei-mei-mei-mei", "aaaaaaaaaaab", "Mei Lin 2024!",
     "x" * 1025],
)  # fmt: skip
def test_passwords_anybody_would_try(password: str) -> None:
    assert complaint(password, "mei", "Mei Lin")


def test_a_drawn_password_is_one() -> None:
    words = {drawn() for _ in range(100)}
    assert len(words) == 100
    assert not any(complaint(word, "mei", "Mei") for word in words)


DAUGHTER = Account(AccountId("d"), "D", "family", AreaId("city"), "en", frozenset({PersonId("w")}))


def test_a_frame_for_a_family_leaves_out_what_only_the_desk_needs() -> None:
    view = {
        "id": "a", "person": {"name": "W", "medical_notes": "insulin"}, "note": "n",
        "premises": {"address": "1 Road", "access_notes": "key"}, "position": {"latitude": 1},
        "kind": "heart_rate_low", "state": "resolved", "alarms": [{"id": "b", "text": "pulse 30"}],
    }  # fmt: skip
    sent = frame("incident", {"incident": view, "alarm": {"id": "b", "text": "pulse 30"}}, "e-1")
    assert frame_shown(sent, as_is) == sent
    shown = frame_shown(sent, for_family(DAUGHTER))
    assert shown.startswith(b"id: e-1\nevent: incident\ndata: ")
    assert shown.endswith(b"\n\n")
    body = msgspec.json.decode(shown.split(b"data: ", 1)[1])
    assert body["incident"]["premises"] == {"address": "1 Road", "access_notes": None}
    for secret in (b"insulin", b"key", b"pulse", b"latitude"):
        assert secret not in shown
