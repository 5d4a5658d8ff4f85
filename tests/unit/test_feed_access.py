"""Who sees what and how often one may guess: the pure parts beside the feed."""

from typing import Any, get_args

import pytest

from alerts.incident import HUMAN_OUTCOMES
from alerts.people import Account
from hub.api.access import (
    MAY,
    MEANING,
    AreaTree,
    Deed,
    Sight,
    Whose,
    may,
    sight_of,
    visible_to,
    within,
)
from hub.api.account_models import RoleName, TokenRole
from hub.api.models import Resolve
from hub.api.throttle import (
    ADDRESS_TRIES,
    KEYS_REMEMBERED,
    NAME_TRIES,
    WINDOW_S,
    WRONG_TRIES,
    Key,
    Throttle,
    keys,
)
from hub.desk import AreaRow, Within
from schemas.ids import AccountId, AreaId

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
    assert sight_of("gardener") is Sight.OWN
    assert all(role.deeds for role in MAY.values())
    assert set(MEANING) == set(Deed)
    acting = {name for name in MAY if may(name, Deed.ACT)}
    assert acting == {"administrator", "dispatcher"}
    assert not any(MAY[name].by_token for name in acting)
    changing = {Deed.ACT, Deed.PROVISION, Deed.REGISTER, Deed.CARE, Deed.ACCOUNTS, Deed.OPERATE}
    assert not MAY["auditor"].deeds & changing
    assert MAY["family"].deeds == {Deed.LOOK, Deed.KIN, Deed.GO}
    assert {name for name, role in MAY.items() if role.sight is not Sight.AREA} == {
        "family", "responder",
    }  # fmt: skip


def test_the_roles_of_the_api_are_those_of_the_table() -> None:
    assert set(get_args(RoleName)) == set(MAY)
    assert set(get_args(TokenRole)) == {name for name, role in MAY.items() if role.by_token}


def an_account(role: str, **kept: Any) -> Account:
    return Account(AccountId("a"), "A", role, AreaId("east"), "en", **kept)


def test_family_see_their_people_and_their_homes_but_no_neighbour() -> None:
    kin = an_account("family", people=frozenset({"wang"}), homes=frozenset({"home-1"}))
    sees = visible_to(kin, TREE)
    assert sees(Whose("west", "wang", "home-1"))
    assert sees(Whose("east", None, "home-1"))
    assert not sees(Whose("east", "li", "home-1"))
    assert not sees(Whose("east"))
    assert within(kin, TREE) == Within(people=["wang"], homes=["home-1"])
    nobody = an_account("responder")
    assert not visible_to(nobody, TREE)(Whose("east", "wang"))
    assert within(nobody, TREE) == Within(people=[], homes=[], recipients=["account:a"])


def test_the_subject_counts_where_the_register_knew_no_card() -> None:
    view = {"area_id": "east", "subject": {"kind": "person", "id": "wang"}, "person": None}
    assert Whose.of(view) == Whose("east", "wang")
    view = {"area_id": "east", "subject": {"kind": "device", "id": "x"}, "premises": {"id": "h"}}
    assert Whose.of(view) == Whose("east", None, "h")


def test_a_human_chooses_among_the_core_s_outcomes() -> None:
    allowed = Resolve.model_json_schema()["properties"]["outcome"]["enum"]
    assert set(allowed) == {outcome.value for outcome in HUMAN_OUTCOMES}


MEI = (Key("name mei"), Key("address 10.0.0.1"))


def test_five_tries_in_five_minutes() -> None:
    throttle = Throttle()
    for second in range(WRONG_TRIES):
        assert throttle.wait_s(MEI, second) == 0.0
        throttle.count(MEI, second)
    assert throttle.wait_s(MEI, 10.0) == WINDOW_S - 10.0
    assert throttle.wait_s(MEI[:1], 10.0) > 0
    assert throttle.wait_s((Key("name li"),), 10.0) == 0.0
    assert throttle.wait_s(MEI, WINDOW_S) == 0.0
    throttle.count(MEI, WINDOW_S)
    assert throttle.wait_s(MEI, WINDOW_S) == 1.0


def test_a_right_password_is_not_held_against_anybody() -> None:
    throttle = Throttle()
    for _ in range(20):
        assert throttle.wait_s(MEI, 0.0) == 0.0
        throttle.count(MEI, 0.0)
        throttle.forgive(MEI)


def test_nobody_can_shut_a_dispatcher_out_of_their_own_browser() -> None:
    throttle = Throttle()
    for number in range(NAME_TRIES * 2):
        somewhere = keys("mei", f"10.0.{number}.1", None)
        throttle.count(somewhere, 0.0)
    assert throttle.wait_s(keys("mei", "10.1.0.1", None), 1.0) > 0
    assert throttle.wait_s(keys("mei", "10.0.0.1", "hers"), 1.0) == 0.0
    assert throttle.wait_s(keys("li", "10.1.0.1", None), 1.0) == 0.0


def test_one_address_cannot_try_every_name() -> None:
    throttle = Throttle()
    for number in range(ADDRESS_TRIES):
        throttle.count(keys(f"name-{number}", "10.0.0.1", None), 0.0)
    assert throttle.wait_s(keys("another", "10.0.0.1", None), 1.0) > 0


def test_the_throttle_s_memory_is_bounded() -> None:
    throttle = Throttle()
    for number in range(KEYS_REMEMBERED + 10):
        throttle.count((Key(f"name {number}"),), 0.0)
    assert len(throttle._tries) == KEYS_REMEMBERED
