"""The board rings before the database has answered, and gives way to it."""

from dataclasses import replace
from datetime import timedelta

from alerts.alarm import Subject, SubjectKind
from alerts.grouping import Cause
from alerts.incident import Outcome, State, opened_by
from hub.board import KNOWN_ALARMS, Board
from hub.view import ALARMS_SHOWN
from schemas.identity import DERIVED_REPEAT_S
from schemas.ids import AlarmId, IncidentId
from tests.scenes import START, alarm

ANNA = Subject(SubjectKind.PERSON, "anna")
DERIVED = AlarmId("d" * 30)


def test_the_first_alarm_opens_a_provisional_incident_and_the_next_joins_it() -> None:
    board = Board()
    first = board.group(alarm(1)).incident
    assert first is not None
    assert board.provisional == {first.id}
    again = board.group(alarm(2))
    assert again.cause is Cause.REALARMED
    assert again.incident is not None
    assert again.incident.id == first.id
    assert [a.id for a in board.alarms[first.id]] == [alarm(1).id, alarm(2).id]
    assert board.open_of(ANNA) == again.incident


def test_what_is_resolved_leaves_the_board_and_is_followed() -> None:
    board = Board()
    first = board.group(alarm(1)).incident
    assert first is not None
    board.put(
        replace(
            first,
            state=State.RESOLVED,
            outcome=Outcome.HELPED,
            resolved_at=START,
            next_deadline_at=None,
        )
    )
    assert (board.open, board.alarms, board.provisional) == ({}, {}, set())
    assert board.open_of(ANNA) is None
    following = board.group(alarm(2)).incident
    assert following is not None
    assert following.follows == first.id


def test_an_older_incident_that_goes_does_not_take_the_place_of_the_newer() -> None:
    board = Board()
    older, newer = opened_by(alarm(1), START), opened_by(alarm(2), START)
    board.put(older)
    board.put(newer)
    board.remove(older.id)
    assert board.open_of(ANNA) == newer


def test_an_alarm_that_did_not_join_after_all_leaves_no_trace() -> None:
    board = Board()
    before = opened_by(alarm(1), START, state=State.ACKNOWLEDGED)
    board.put(before)
    board.show(before.id, alarm(1))
    board.group(alarm(2))
    assert board.take_back(before, alarm(2).id) == before
    assert board.open_of(ANNA) == before
    assert [a.id for a in board.alarms[before.id]] == [alarm(1).id]


def test_what_changed_meanwhile_is_not_taken_back() -> None:
    board = Board()
    before = opened_by(alarm(1), START)
    board.put(before)
    board.group(alarm(2))
    newer = board.group(alarm(3)).incident
    assert newer is not None
    assert board.take_back(before, alarm(2).id) == newer
    assert board.open_of(ANNA) == newer


def test_only_newer_rows_replace_what_the_board_knows() -> None:
    board = Board()
    mine = replace(opened_by(alarm(1), START), revision=3)
    board.put(mine)
    older, newer = replace(mine, revision=3, step=1), replace(mine, revision=4, step=2)
    assert board.refresh([older]) == []
    assert board.open_of(ANNA) == mine
    assert board.refresh([newer]) == [newer]
    assert board.open_of(ANNA) == newer


def test_a_closed_case_nobody_had_is_no_news() -> None:
    closed = replace(
        opened_by(alarm(1), START),
        state=State.RESOLVED,
        outcome=Outcome.HELPED,
        resolved_at=START,
        next_deadline_at=None,
    )
    assert Board().refresh([closed]) == []


def test_the_same_bytes_are_told_apart_by_the_minute_since_the_last() -> None:
    board = Board()
    first = board.tell_apart(DERIVED, START)
    soon = board.tell_apart(DERIVED, START + timedelta(seconds=DERIVED_REPEAT_S))
    late = board.tell_apart(DERIVED, START + timedelta(seconds=2 * DERIVED_REPEAT_S + 1))
    assert first == soon == DERIVED
    assert late != DERIVED


def test_every_memory_has_a_bound() -> None:
    board = Board()
    for number in range(ALARMS_SHOWN + 5):
        board.show(IncidentId("i"), alarm(number))
        board.show(IncidentId("i"), alarm(number))
    assert len(board.alarms[IncidentId("i")]) == ALARMS_SHOWN
    for number in range(KNOWN_ALARMS + 5):
        board.remember(AlarmId(str(number)), None)
        board.tell_apart(AlarmId(str(number)), START)
    assert len(board.known) == len(board.occurrences) == KNOWN_ALARMS
    assert AlarmId("4") not in board.known
    assert AlarmId("5") in board.known
