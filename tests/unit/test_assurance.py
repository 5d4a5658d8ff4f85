"""Conditions that ring before anybody presses: the table, the checks, the clock."""

import re
import string
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.alarm import Priority, Subject, SubjectKind
from alerts.assurance import (
    BY_CONCERN,
    TABLE,
    WORDS,
    Concern,
    Seen,
    Standing,
    Verdict,
    again,
    fold,
    named,
    sentence,
    weigh,
)
from alerts.policy import ChannelName
from alerts.rota import Duty, DutyRole, Gap
from alerts.watches import (
    LOOPS,
    REASONS,
    STAGES,
    ChannelRecord,
    HubState,
    Owned,
    Staffing,
    failing,
    hub_concerns,
    listed,
    missing_press,
    orphaned,
    rota_concerns,
    standing_loops,
    unanswerable,
)

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ALL = frozenset(Concern)
TREE = {"city": None, "east": "city", "west": "city", "east-1": "east", "east-2": "east"}
MEI = Duty("mei", DutyRole.DISPATCHER, "east")


def test_every_concern_has_one_row_in_both_languages() -> None:
    assert {row.concern for row in TABLE} == set(Concern)
    assert len(TABLE) == len(BY_CONCERN)
    for row in TABLE:
        fields = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name}
            for text in (row.english, row.chinese)
        ]
        named = [{name.removesuffix("_en").removesuffix("_zh") for name in some} for some in fields]
        assert named[0] == named[1], row.concern
        assert row.why


class Looks:
    """One condition through several looks, on a clock moved by hand."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.standing: Sequence[Standing] = ()
        self.now = NOW

    def look(
        self, after_s: float, *, holds: bool, by_day: bool = True, looked: frozenset[Concern] = ALL
    ) -> Verdict:
        self.now += timedelta(seconds=after_s)
        seen = [self.seen] if holds else []
        verdict = weigh(self.standing, seen, looked, self.now, by_day=by_day)
        self.standing = verdict.standing
        return verdict


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.concern.value)
def test_it_rings_when_it_has_held_and_ends_when_it_is_gone(row: object) -> None:
    condition = BY_CONCERN[row.concern]  # type: ignore[attr-defined]
    story = Looks(Seen(condition.concern, "east"))
    if condition.holds_s:
        assert not story.look(0, holds=True).raises
        assert not story.look(condition.holds_s - 0.1, holds=True).raises
        (raised,) = story.look(0.1, holds=True).raises
    else:
        (raised,) = story.look(0, holds=True).raises
    assert raised.since == NOW
    assert not story.look(60, holds=True).raises, "once"
    if condition.clears_s:
        assert not story.look(1, holds=False).clears
        assert not story.look(condition.clears_s - 0.1, holds=False).clears
        (cleared,) = story.look(0.1, holds=False).clears
    else:
        (cleared,) = story.look(1, holds=False).clears
    assert cleared.key == raised.key
    assert story.standing == ()


def test_a_desk_that_reloads_rings_nobody() -> None:
    story = Looks(Seen(Concern.NOBODY_REACHABLE, "east"))
    story.look(0, holds=True)
    assert not story.look(90, holds=True).raises
    verdict = story.look(15, holds=False)
    assert not verdict.raises
    assert not verdict.forgotten, "ten seconds of somebody are not yet somebody"
    (forgotten,) = story.look(15, holds=False).forgotten
    assert forgotten.raised_at is None
    story.look(0, holds=True)
    assert not story.look(90, holds=True).raises, "it begins anew"


def test_what_flickers_neither_ends_nor_rings_twice() -> None:
    story = Looks(Seen(Concern.PROVIDER_FAILS, "city", about="sms"))
    assert len(story.look(0, holds=True).raises) == 1
    for _ in range(10):
        assert not story.look(30, holds=False).clears
        assert not story.look(15, holds=True).raises


def test_what_was_not_looked_at_stays_as_it_is() -> None:
    story = Looks(Seen(Concern.NO_RESPONDER, "east"))
    story.look(0, holds=True)
    story.look(3600, holds=True)
    others = ALL - {Concern.NO_RESPONDER}
    verdict = story.look(3600, holds=False, looked=others)
    assert not verdict.clears
    assert [one.raised_at is not None for one in story.standing] == [True]


def test_what_can_wait_for_the_day_waits() -> None:
    story = Looks(Seen(Concern.ROTA_GAP, "east"))
    story.look(0, holds=True, by_day=False)
    assert not story.look(7200, holds=True, by_day=False).raises
    assert len(story.look(1, holds=True, by_day=True).raises) == 1


def test_a_clock_that_jumps_back_loses_nothing() -> None:
    story = Looks(Seen(Concern.NOBODY_REACHABLE, "east"))
    story.look(0, holds=True)
    assert not story.look(-3600, holds=True).raises
    assert len(story.look(3600 + 120, holds=True).raises) == 1


def test_what_somebody_resolved_though_it_goes_on_is_said_again() -> None:
    one = Standing(Seen(Concern.NOBODY_REACHABLE, "east"), NOW, NOW + timedelta(minutes=2))
    soon, later = NOW + timedelta(minutes=10), NOW + timedelta(minutes=17)
    assert again(one, soon) is one
    assert again(one, later) == Standing(one.seen, later)


def test_each_concern_has_a_subject_of_its_own() -> None:
    """An incident that is over must not stay open because of another trouble of its area."""
    subjects = {Seen(concern, "east", about="x").subject for concern in Concern}
    assert len(subjects) == len(Concern)
    assert Seen(Concern.NOBODY_REACHABLE, "east").subject == Subject(SubjectKind.AREA, "east")


# ---- who could answer ------------------------------------------------------------------------


def staffed(
    needed: Sequence[str] = ("east-1", "east-2", "west"),
    *,
    seats: Sequence[str] = (),
    duties: Sequence[Duty] = (),
    planned: Sequence[str] = (),
    by_channel: Sequence[str] = (),
) -> dict[str, str]:
    facts = Staffing(needed, TREE, seats, duties, planned, by_channel)
    return {one.area_id: str(one.values["reason"]) for one in unanswerable(facts)}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"city": "nobody_at_desk"}),
        ({"seats": ["city"]}, {}),
        ({"seats": ["east"]}, {"west": "nobody_at_desk"}),
        ({"seats": ["west"]}, {"east": "nobody_at_desk"}),
        ({"seats": ["west", "east-1"]}, {"east-2": "nobody_at_desk"}),
        ({"seats": ["west"], "planned": ["east"]}, {"east": "rota_empty"}),
        ({"seats": ["west"], "planned": ["east"], "duties": [MEI]}, {"east": "not_at_desk"}),
        ({"seats": ["west"], "planned": ["east"], "duties": [MEI], "by_channel": ["mei"]}, {}),
        (
            {"seats": ["west"], "duties": [Duty("boss", DutyRole.SUPERVISOR, "city")],
             "by_channel": ["boss"]},
            {"east": "nobody_at_desk"},
        ),
        ({"needed": []}, {}),
    ],
    ids=[
        "nobody anywhere", "a desk of the city", "a desk of the east", "a desk of the west",
        "one street left", "an empty rota", "on duty and not there", "on duty and on the phone",
        "a supervisor answers no alarm", "nobody lives there",
    ],
)  # fmt: skip
def test_who_could_answer(given: dict[str, Sequence[str]], expected: dict[str, str]) -> None:
    assert staffed(**given) == expected  # type: ignore[arg-type]


def test_the_desk_is_told_who_should_be_there() -> None:
    facts = Staffing(["east-1"], TREE, [], [MEI], ["east"], [], {"mei": "梅"})
    (seen,) = named(unanswerable(facts), {"city": "海城", "east-1": "东一社区"})
    assert "in 海城: on duty should be 梅" in sentence(seen.concern, seen.values, chinese=False)
    assert sentence(seen.concern, seen.values, chinese=True).startswith("海城无人能接警：梅 应在岗")
    assert set(REASONS) >= {str(seen.values["reason"])}


def gap(hours: float, lasts: float = 2, duty: DutyRole = DutyRole.DISPATCHER) -> Gap:
    begin = NOW + timedelta(hours=hours)
    return Gap("east", duty, begin, begin + timedelta(hours=lasts))


@pytest.mark.parametrize(
    ("holes", "expected"),
    [
        ([gap(-1)], {Concern.NOBODY_ON_DUTY}),
        ([gap(3)], {Concern.ROTA_GAP_SOON}),
        ([gap(30)], {Concern.ROTA_GAP}),
        ([gap(-1), gap(3), gap(30)], {Concern.NOBODY_ON_DUTY, Concern.ROTA_GAP_SOON,
                                      Concern.ROTA_GAP}),
        ([gap(-1, duty=DutyRole.SUPERVISOR)], {Concern.ROTA_GAP}),
        ([], set()),
    ],
)  # fmt: skip
def test_holes_in_the_rota(holes: list[Gap], expected: set[Concern]) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    assert {one.concern for one in rota_concerns(holes, NOW, zone)} == expected
    silent = rota_concerns(holes, NOW, zone, {"east"})
    assert Concern.NOBODY_ON_DUTY not in {one.concern for one in silent}, "said already"


def test_a_hole_is_told_in_local_time() -> None:
    (seen,) = rota_concerns([gap(30)], NOW, ZoneInfo("Asia/Shanghai"))
    assert "03-03 22:00 to 03-04 00:00" in sentence(seen.concern, seen.values, chinese=False)


def test_incidents_of_somebody_who_is_gone() -> None:
    owned = [Owned("i-1", "east", "mei", "Mei"), Owned("i-2", "east", "lin", "Lin"),
             Owned("i-3", "west", "wu", "Wu")]  # fmt: skip
    (seen,) = orphaned(owned, present={"wu"}, on_duty={"lin"})
    assert (seen.area_id, seen.values["incidents"], seen.values["owners"]) == (
        "east", ["i-1"], "Mei",
    )  # fmt: skip


# ---- lists -----------------------------------------------------------------------------------


def test_thousands_are_one_list_of_what_they_lie_in() -> None:
    tree: dict[str, str | None] = {"city": None}
    for number in range(40):
        tree[f"street-{number}"] = "city"
    members = {f"street-{n}": [f"p-{n}-{i}" for i in range(100)] for n in range(40)}
    assert {area: len(some) for area, some in fold(members, tree, frozenset()).items()} == {
        "city": 4000
    }
    (seen,) = listed(Concern.NO_RESPONDER, members, tree, frozenset())
    assert (seen.values["count"], len(seen.values["ids"])) == (4000, 200)


def test_a_few_areas_keep_their_own_lists() -> None:
    members = {"east-1": ["anna"], "west": ["bo"]}
    assert fold(members, TREE, frozenset()) == members


def test_a_list_that_shrinks_stays_where_it_rings() -> None:
    members = {"east-1": ["anna"]}
    assert fold(members, TREE, frozenset({"city"})) == {"city": ["anna"]}
    assert fold(members, TREE, frozenset({"west"})) == members
    assert fold({"east-1": []}, TREE, frozenset({"city"})) == {}


# ---- the hub itself --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "fails"),
    [
        (ChannelRecord("sms", 10, 5, 3, NOW), True),
        (ChannelRecord("sms", 10, 4, 3, NOW), False),
        (ChannelRecord("sms", 2, 2, 2, None), False),
        (ChannelRecord("sms", 9, 9, 1, None), False),
        (ChannelRecord("sms", 2, 2, 1, None, oldest_waiting_s=121), True),
        (ChannelRecord("sms", 3, 2, 1, NOW, oldest_waiting_s=121), False),
        (ChannelRecord("sms", 0, 0, 0, None), False),
    ],
    ids=["half of them", "less than half", "bad luck", "one wrong number", "nothing gets through",
         "something gets through", "nothing to do"],
)  # fmt: skip
def test_a_provider_that_fails(record: ChannelRecord, fails: bool) -> None:
    assert bool(failing([record], "city")) is fails


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.name)
def test_a_loop_that_stands(loop: object) -> None:
    name, patience_s = loop.name, loop.patience_s  # type: ignore[attr-defined]
    assert standing_loops({name: patience_s}, "city") == []
    (seen,) = standing_loops({name: patience_s + 1}, "city")
    assert seen.subject.id == f"loop-stands-{name}"
    urgent = name in ("escalator", "courier", "maintenance", "assurance")
    assert (seen.priority is None) is urgent


@pytest.mark.parametrize("stage", STAGES)
def test_a_press_that_does_not_come_through(stage: str) -> None:
    assert missing_press(180, 60, stage, "city") == []
    (seen,) = missing_press(181, 60, stage, "city")
    assert STAGES[stage][0] in sentence(seen.concern, seen.values, chinese=False)


@pytest.mark.parametrize(
    ("state", "concern"),
    [
        (HubState(ingest_silent_s=6), Concern.INGEST_SILENT),
        (HubState(oldest_unanswered_s=61), Concern.QUEUE_STANDS),
        (HubState(oldest_transaction_s=301), Concern.DATABASE_STRAINED),
        (HubState(connections_share=0.95), Concern.DATABASE_STRAINED),
        (HubState(disk_share=0.91), Concern.DISK_FILLS),
        (HubState(watcher_silent_s=1), Concern.WATCHER_UNREACHABLE),
    ],
)
def test_what_the_hub_knows_of_itself(state: HubState, concern: Concern) -> None:
    (seen,) = hub_concerns(state, "city")
    assert seen.concern is concern
    assert "–" not in sentence(concern, seen.values, chinese=False)
    chinese = sentence(concern, seen.values, chinese=True)
    assert "–" not in chinese
    assert not re.search("[a-z]", chinese), chinese
    assert hub_concerns(HubState(), "city") == []


def test_what_people_read_is_a_word_of_their_language() -> None:
    assert {loop.name for loop in LOOPS} == set(WORDS["loop"])
    assert {channel.value for channel in ChannelName} == set(WORDS["channel"])
    (seen,) = standing_loops({"courier": 99}, "city")
    assert sentence(seen.concern, seen.values, chinese=True) == "通知发送 循环已停止 99 秒"


def test_a_concern_may_be_less_urgent_than_its_row() -> None:
    (seen,) = standing_loops({"learning": 1e6}, "city")
    assert seen.priority is Priority.MEDIUM
