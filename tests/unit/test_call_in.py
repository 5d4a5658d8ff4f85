"""Whom a call is about, and that it rings with and without a name."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from alerts.alarm import SubjectKind
from hub.call_in import (
    Aim,
    Caller,
    CallInOrder,
    Whose,
    aim,
    call_in_alarm,
    call_in_message,
    read_call_in,
)
from hub.register import Register

NOW = datetime(2026, 3, 1, 19, 12, tzinfo=UTC)
YU = Caller(Whose.PERSON, "street", "yu", "home-1", "Yu", "1 Yu Road", None, None)
LI = replace(YU, person_id="li", name="Li")
ORDER = CallInOrder("c1", "street", "yu", "home-1", "138", "", "lin", "Lin", NOW)


def contact_of(caller: Caller, name: str = "Wu") -> Caller:
    return replace(caller, whose=Whose.CONTACT, contact_name=name, relation="son")


@pytest.mark.parametrize(
    ("found", "about"),
    [
        ([], Aim("city")),
        ([YU], Aim("street", "yu", "home-1")),
        ([YU, LI], Aim("street", None, "home-1")),
        ([YU, replace(LI, premises_id="home-2")], Aim("city")),
        ([contact_of(YU)], Aim("street", "yu", "home-1", "Wu")),
        ([replace(YU, whose=Whose.HOME, person_id=None)], Aim("street", None, "home-1")),
    ],
)
def test_a_number_names_whom_it_names_and_nobody_is_guessed(
    found: list[Caller], about: Aim
) -> None:
    assert aim(found, "city") == about


def test_the_order_survives_the_bus_and_other_words_are_none_of_it() -> None:
    assert read_call_in(call_in_message(ORDER)) == ORDER
    assert read_call_in(b'{"id": "x", "verb": "note"}') is None
    assert read_call_in(b'{"call_in": 7}') is None


def test_the_same_call_is_one_alarm_and_two_unknown_callers_are_two_incidents() -> None:
    register = Register()
    alarm = call_in_alarm(ORDER, register, NOW)
    assert alarm.rings
    assert alarm.id == call_in_alarm(ORDER, register, NOW).id
    assert alarm.id != call_in_alarm(replace_order(id="c2"), register, NOW).id
    one = call_in_alarm(replace_order(person_id=None, premises_id=None), register, NOW)
    other = call_in_alarm(
        replace_order(person_id=None, premises_id=None, number="139"), register, NOW
    )
    assert one.subject.kind is SubjectKind.DEVICE
    assert one.subject != other.subject
    withheld = call_in_alarm(
        replace_order(person_id=None, premises_id=None, number=""), register, NOW
    )
    assert withheld.subject.id == "telephone-c1"


def replace_order(**changes: str | None) -> CallInOrder:
    values = {name: getattr(ORDER, name) for name in ORDER.__struct_fields__}
    return CallInOrder(**(values | changes))
