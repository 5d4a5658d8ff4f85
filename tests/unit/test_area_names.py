"""An incident of an area is told by the area's name, wherever a person reads."""

from datetime import UTC, datetime

from alerts.alarm import Alarm, Category, Priority, Subject, SubjectKind
from alerts.incident import opened_by
from alerts.notification import NotificationKind
from alerts.policy import ChannelName
from hub.clock import SystemClock
from hub.fallback_words import WordsFromMemory
from hub.register import Register
from hub.view import incident_view
from schemas.ids import AlarmId, AreaId, DeviceId

AT = datetime(2026, 11, 22, 3, 12, tzinfo=UTC)


def outage() -> Alarm:
    return Alarm(
        id=AlarmId("a" * 16), area_id=AreaId("harbour"), person_id=None, premises_id=None,
        subject=Subject(SubjectKind.AREA, "harbour"), device_id=DeviceId("button-1"),
        kind="area_outage", category=Category.TECHNICAL, priority=Priority.HIGH, action=None,
        message_id=None,
        observed_at=None, received_at=AT, reply_prefix=None,
    )  # fmt: skip


def town() -> Register:
    register = Register()
    row = {"area_id": "harbour", "parent_id": None, "name": "港口社区", "level": "community"}
    register.put("area", row)
    return register


def test_the_desk_is_told_the_name_also_while_the_database_is_away() -> None:
    incident = opened_by(outage(), AT)
    view = incident_view(incident, town().cards(incident), [outage()])
    assert view["area_name"] == "港口社区"
    unknown = incident_view(incident, Register().cards(incident), [outage()])
    assert unknown["area_name"] is None


def test_whoever_is_called_from_memory_hears_the_name() -> None:
    words = WordsFromMemory(
        town(), SystemClock(), service="12349", hotline="12349", language="zh-CN",
        zone="Asia/Shanghai",
    )  # fmt: skip
    message = words.message(NotificationKind.RING, opened_by(outage(), AT), ChannelName.EMAIL)
    assert "港口社区" in str(message)
    assert "harbour" not in str(message)
