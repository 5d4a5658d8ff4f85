"""The topic grammar reads what it writes and nothing else."""

import re

from hypothesis import given
from hypothesis import strategies as st

from schemas import topics
from schemas.ids import ID_PATTERN, is_id
from schemas.topics import Lane

ids = st.from_regex(ID_PATTERN, fullmatch=True)
kinds = st.sampled_from(topics.ALARM_KINDS + topics.TELEMETRY_KINDS) | st.from_regex(
    r"[a-z_]{1,20}", fullmatch=True
)


def matches(topic_filter: str, topic: str) -> bool:
    """Whether an MQTT 3.1.1 filter (section 4.7) selects the topic."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted, levels = wanted[:-1], levels[: len(wanted) - 1]
    return len(wanted) == len(levels) and all(
        one in ("+", other) for one, other in zip(wanted, levels, strict=True)
    )


@given(ids, ids, ids, st.sampled_from(Lane), kinds)
def test_a_topic_comes_back(area: str, premises: str, device: str, lane: Lane, kind: str) -> None:
    topic = topics.up(topics.device_prefix(area, premises, device), lane, kind)

    assert topics.parse(topic) == topics.Topic(area, premises, device, lane, kind)  # type: ignore[arg-type]


@given(ids, ids, ids, kinds)
def test_filters_select_their_lane_only(area: str, premises: str, device: str, kind: str) -> None:
    prefix = topics.device_prefix(area, premises, device)
    alarm, telemetry = (topics.up(prefix, lane, kind) for lane in (Lane.ALARM, Lane.TELEMETRY))
    command = topics.command(area, premises, device, kind)

    assert matches(topics.ALARM_FILTER, alarm)
    assert matches(topics.TELEMETRY_FILTER, telemetry)
    assert matches(topics.command_filter(prefix), command)
    assert not matches(topics.ALARM_FILTER, telemetry)
    assert not matches(topics.TELEMETRY_FILTER, alarm)
    assert not matches(topics.command_filter(prefix), alarm)
    assert (
        not matches(topics.command_filter(topics.device_prefix(area, premises, "x")), command)
        or device == "x"
    )


@given(st.text(st.characters(codec=None)) | st.lists(st.text(max_size=3), max_size=9).map("/".join))
def test_any_text_is_a_topic_or_none(text: str) -> None:
    topic = topics.parse(text)

    if topic is not None:
        prefix = topics.device_prefix(topic.area_id, topic.premises_id, topic.device_id)
        assert topics.up(prefix, topic.lane, topic.kind) == text


@given(ids, ids, ids, st.text(max_size=70))
def test_no_level_may_break_the_grammar(area: str, premises: str, device: str, text: str) -> None:
    for levels in ((text, premises, device), (area, text, device), (area, premises, text)):
        topic = topics.parse(topics.up(topics.device_prefix(*levels), Lane.ALARM, "press"))
        assert (topic is not None) == is_id(text)


def test_internal_topics_are_not_the_contracts() -> None:
    for name in (topics.DESK_ACTION, topics.DESK_ANNOUNCE, topics.DESK_STATS, topics.DESK_SYNC):
        assert topics.parse(name) is None
        assert not matches(topics.ALARM_FILTER, name)
        assert not matches(topics.TELEMETRY_FILTER, name)


@given(st.text(max_size=80))
def test_an_id_is_a_safe_level(text: str) -> None:
    assert is_id(text) == (re.fullmatch(r"[a-z0-9-]{1,64}", text) is not None)
    assert not (is_id(text) and any(c in text for c in "/+#$ \0\n"))
