"""Who sees what and how often one may guess: the pure parts beside the feed."""

import pytest

from alerts.incident import HUMAN_OUTCOMES
from hub.api.access import MAY, AreaTree, Deed, may
from hub.api.models import Resolve
from hub.api.throttle import KEYS_REMEMBERED, WINDOW_S, WRONG_TRIES, Throttle
from hub.desk import AreaRow

TREE = AreaTree(
    "city",
    [
        AreaRow("city", None),
        AreaRow("east", "city"),
        AreaRow("east-1", "east"),
        AreaRow("west", "city"),
        AreaRow("loop-a", "loop-b"),
        AreaRow("loop-b", "loop-a"),
    ],
)


@pytest.mark.parametrize(
    ("seat", "area_id", "seen"),
    [
        ("city", "east-1", True),
        ("city", "not in the tree", True),
        ("east", "east-1", True),
        ("east", "east", True),
        ("east-1", "east", False),
        ("east", "west", False),
        ("east", "not in the tree", False),
        ("loop-a", "loop-b", True),
        ("east", "loop-a", False),
    ],
)
def test_an_area_sees_itself_and_below(seat: str, area_id: str, seen: bool) -> None:
    assert TREE.sees(seat, area_id) is seen


def test_the_areas_below() -> None:
    assert TREE.below("city") is None
    assert TREE.below("east") == ["east", "east-1"]
    assert TREE.below("west") == ["west"]


def test_before_the_tree_is_known_everybody_sees_their_own() -> None:
    assert AreaTree("city").sees("east", "east")
    assert not AreaTree("city").sees("east", "east-1")


def test_roles() -> None:
    assert not may("gardener", Deed.LOOK)
    assert all(may(role, Deed.LOOK) for role in MAY)
    assert not may("supervisor", Deed.ACT)
    assert [role for role in MAY if may(role, Deed.PROVISION)] == ["administrator"]


def test_a_human_chooses_among_the_core_s_outcomes() -> None:
    allowed = Resolve.model_json_schema()["properties"]["outcome"]["enum"]
    assert set(allowed) == {outcome.value for outcome in HUMAN_OUTCOMES}


def test_five_tries_in_five_minutes() -> None:
    throttle, keys = Throttle(), ("name mei", "address 10.0.0.1")
    for second in range(WRONG_TRIES):
        assert throttle.wait_s(keys, second) == 0.0
        throttle.count(keys, second)
    assert throttle.wait_s(keys, 10.0) == WINDOW_S - 10.0
    assert throttle.wait_s(("name mei",), 10.0) > 0
    assert throttle.wait_s(("name li",), 10.0) == 0.0
    assert throttle.wait_s(keys, WINDOW_S) == 0.0
    throttle.count(keys, WINDOW_S)
    assert throttle.wait_s(keys, WINDOW_S) == 1.0


def test_a_right_password_is_not_held_against_anybody() -> None:
    throttle = Throttle()
    for _ in range(20):
        assert throttle.wait_s(("name mei",), 0.0) == 0.0
        throttle.count(("name mei",), 0.0)
        throttle.forgive(("name mei",))


def test_the_throttle_s_memory_is_bounded() -> None:
    throttle = Throttle()
    for number in range(KEYS_REMEMBERED + 10):
        throttle.count((f"name {number}",), 0.0)
    assert len(throttle._tries) == KEYS_REMEMBERED
