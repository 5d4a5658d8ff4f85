"""Lists are logged within bounds, and none that shows people is forgotten."""

from hub.api.app import deeds
from hub.api.looks import AGAIN_AFTER_S, BOARD_AGAIN_AFTER_S, LISTS, REMEMBERED, Looks


def test_a_page_that_asks_again_and_again_is_one_entry_a_minute() -> None:
    looks = Looks()
    path = "/api/v1/incidents"
    assert looks.seen("mei", path, "state=open", 0.0) == {
        "noun": "incidents", "question": "state=open", "looks": 1,
    }  # fmt: skip
    assert looks.seen("mei", path, "state=open", 5.0) is None
    assert looks.seen("mei", path, "state=open", 59.0) is None
    assert looks.seen("lin", path, "state=open", 59.0) is not None, "somebody else"
    assert looks.seen("mei", path, "state=all", 59.0) is not None, "another question"
    again = looks.seen("mei", path, "state=open", AGAIN_AFTER_S)
    assert again is not None
    assert again["looks"] == 3


def test_a_board_on_the_wall_is_one_entry_an_hour_whatever_it_asks() -> None:
    looks = Looks()
    assert looks.seen("mei", "/api/v1/wall", "", 0.0) is not None
    assert looks.seen("mei", "/api/v1/wall/homes", "", 1.0) is None
    assert looks.seen("mei", "/api/v1/wall", "", BOARD_AGAIN_AFTER_S - 1) is None
    again = looks.seen("mei", "/api/v1/wall", "", BOARD_AGAIN_AFTER_S)
    assert again == {"noun": "wall", "question": "", "looks": 3}


def test_what_shows_nobody_is_not_logged() -> None:
    assert Looks().seen("mei", "/api/v1/areas", "", 0.0) is None


def test_it_remembers_within_bounds() -> None:
    looks = Looks()
    for number in range(REMEMBERED + 10):
        looks.seen(f"a{number}", "/api/v1/incidents", "", 0.0)
    assert looks.seen("a0", "/api/v1/incidents", "", 1.0) is not None, "forgotten: logged again"
    assert looks.seen(f"a{REMEMBERED}", "/api/v1/incidents", "", 1.0) is None


def test_every_route_named_is_one() -> None:
    assert {("GET", path) for path in LISTS} <= set(deeds())
