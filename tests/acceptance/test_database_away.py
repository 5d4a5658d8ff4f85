"""Stories of a database that is away while people press."""

from alerts.actions import Verb
from tests.acceptance.town import Town
from tests.scenes import START, delivery


async def test_it_rings_at_once_and_is_recorded_when_the_database_is_back(town: Town) -> None:
    town.line.away = True
    press = delivery("button-1", message_id="1", observed_at=START.isoformat(), mid=70)
    town.lane.on_message(press)
    assert town.announced() == ["raised"]
    assert town.broker.acknowledged == [], "the broker keeps it"
    await town.slow()
    assert town.receipts("button-1") == ["heard"]

    town.lane.on_message(press)
    assert town.announced() == ["raised"], "a repeat shows once"
    assert town.receipts("button-1") == ["heard", "heard"]

    town.line.away = False
    await town.settled()
    assert town.receipts("button-1") == ["heard", "heard", "received"]
    assert town.broker.acknowledged == [(1, 70)]
    assert len(await town.alarms()) == 1


async def test_a_forced_cancel_is_not_said_to_ring(town: Town) -> None:
    """Whoever stands beside the person must not learn it from a slow database either."""
    town.line.away = True
    forced = delivery("button-1", message_id="1", action="cancel", duress=True, mid=70)
    town.lane.on_message(forced)
    await town.slow()
    town.lane.on_message(forced)
    assert town.announced() == ["raised"]
    assert (town.receipts("button-1"), town.receipts("band-1")) == ([], [])
    town.line.away = False
    await town.settled()


async def test_a_test_press_is_not_said_to_ring(town: Town) -> None:
    town.line.away = True
    test = delivery("button-1", message_id="1", action="test", mid=70)
    town.lane.on_message(test)
    await town.slow()
    town.lane.on_message(test)
    assert town.receipts("button-1") == []
    town.line.away = False
    await town.settled()
    assert town.receipts("button-1") == ["received"]


async def test_presses_and_deeds_that_waited_are_recorded_in_their_order(town: Town) -> None:
    """Pressed, acknowledged, pressed again, all without a database: it rings in the end."""
    town.line.away = True
    town.lane.on_message(delivery("button-1", message_id="1", mid=70))
    (incident_id,) = town.board.open
    town.lane.on_message(town.click("deed-1", Verb.ACKNOWLEDGE, incident_id))
    town.lane.on_message(delivery("button-1", message_id="2", mid=71))
    town.line.away = False
    await town.settled()
    incident = await town.incident()
    assert (incident["state"], incident["owner_name"]) == ("raised", "Lin")
    assert incident["alarm_count"] == 2


async def test_a_press_older_than_our_memory_disturbs_no_open_incident(town: Town) -> None:
    """Delivered again after a restart: known to the database alone, and belongs to a case that
    is closed. The case that is open now stays on the desk as it is."""
    await town.press("button-1", "1", observed_at=START.isoformat())
    await town.desk(Verb.RESOLVE, (await town.incident())["incident_id"])
    await town.later(minutes=1)
    await town.press("button-1", "2")
    opened = await town.incident()
    await town.desk(Verb.ACKNOWLEDGE, opened["incident_id"])

    town.board.known.clear()
    await town.press("button-1", "1", observed_at=START.isoformat())

    (shown,) = town.board.open.values()
    assert (shown.id, shown.state, shown.alarm_count) == (opened["incident_id"], "acknowledged", 1)
    assert "merged" not in town.announced()
    stored = await town.incident()
    assert (stored["state"], stored["alarm_count"]) == ("acknowledged", 1)
