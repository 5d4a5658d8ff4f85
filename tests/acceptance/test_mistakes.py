"""Stories of a mistake in our own code, in the middle of recording an alarm."""

from tests.acceptance.town import Town
from tests.scenes import START, delivery


async def test_a_mistake_costs_the_extras_and_not_the_alarm(town: Town) -> None:
    town.line.mistakes = 1
    town.lane.on_message(
        delivery("button-1", message_id="1", observed_at=START.isoformat(), mid=70)
    )
    await town.settled()
    (alarm,) = await town.alarms()
    assert "damaged" in alarm["flags"]
    assert town.broker.acknowledged == [(1, 70)]


async def test_what_cannot_be_recorded_at_all_holds_nobody_up(town: Town) -> None:
    town.line.mistakes = 2
    town.lane.on_message(
        delivery("button-1", message_id="1", observed_at=START.isoformat(), mid=70)
    )
    await town.settled()
    assert town.announced() == ["raised"], "it has rung"
    (kept,) = await town.rows("SELECT reason FROM quarantine")
    assert "refuses" in kept["reason"]
    assert town.broker.acknowledged == [(1, 70)], "the broker does not bring it again and again"

    await town.press("button-2")
    assert [alarm["device_id"] for alarm in await town.alarms()] == ["button-2"]
