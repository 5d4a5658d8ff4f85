"""Where somebody is decides what a machine may conclude about them."""

import pytest

from alerts.alarm import Category
from alerts.grouping import Reason
from alerts.muting import muted
from alerts.people import PersonState

HOME, AWAY, HOSPITAL = PersonState.HOME, PersonState.AWAY, PersonState.HOSPITAL
MOVED, ENDED = PersonState.MOVED, PersonState.SERVICE_ENDED


@pytest.mark.parametrize(
    ("kind", "people", "carried", "reason"),
    [
        ("device_silent", [HOME], False, None),
        ("device_silent", [AWAY], False, Reason.NOT_AT_HOME),
        ("device_silent", [AWAY], True, None),
        ("device_silent", [HOSPITAL], True, Reason.NOT_AT_HOME),
        ("device_silent", [AWAY, HOME], False, None),
        ("device_silent", [ENDED], True, Reason.NOT_SERVED),
        ("inactivity", [AWAY], False, Reason.NOT_AT_HOME),
        ("inactivity", [HOSPITAL, ENDED], False, Reason.NOT_AT_HOME),
        ("inactivity", [MOVED, ENDED], False, Reason.NOT_SERVED),
        ("inactivity", [], False, None),
        ("bed_left", [HOSPITAL], False, Reason.NOT_AT_HOME),
        ("fall", [AWAY], True, None),
        ("fall", [HOSPITAL], True, None),
        ("fall", [ENDED], True, Reason.NOT_SERVED),
    ],
)
def test_which_findings_wake_nobody(
    kind: str, people: list[PersonState], carried: bool, reason: Reason | None
) -> None:
    category = Category.TECHNICAL if kind == "device_silent" else Category.PERSONAL
    assert muted(kind, category, people, carried=carried) is reason


@pytest.mark.parametrize("state", PersonState)
def test_a_hazard_is_never_muted(state: PersonState) -> None:
    found = muted("hazard", Category.HAZARD, [state], carried=False)
    assert found is None
