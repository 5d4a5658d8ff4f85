"""Stories of people who press."""

from datetime import timedelta

from alerts.actions import Verb
from schemas import topics
from schemas.identity import DERIVED_REPEAT_S
from tests.acceptance.town import Town, running_town
from tests.scenes import LIN, START, WU, delivery


async def test_one_press_one_dispatcher_one_answer(town: Town) -> None:
    """Complaint 4. 08:00:00 pressed and received; 08:00:05 acknowledged, the button says who comes;
    08:20 somebody is there; 08:40 it is over, and the button says so."""
    await town.press("button-1", "1")
    incident = await town.incident()
    assert (incident["state"], incident["priority"]) == ("raised", "high")
    assert town.receipts("button-1") == ["received"]
    assert town.rings() == [START]

    await town.later(seconds=5)
    assert (
        await town.desk(Verb.ACKNOWLEDGE, incident["incident_id"], expected_arrival_s=900) is None
    )
    assert town.receipts("button-1") == ["received", "coming"]
    assert town.receipts("band-1") == ["received", "coming"]

    await town.later(minutes=8)
    await town.desk(Verb.ATTEND, incident["incident_id"])
    await town.later(minutes=20)
    await town.desk(Verb.RESOLVE, incident["incident_id"])
    assert await town.incidents() == []
    assert town.receipts("button-1") == ["received", "coming", "over"]
    assert town.rings() == [START], "nobody was rung who had not to be"
    last = [m["incident"] for m in town.said(topics.DESK_ANNOUNCE) if m["type"] == "incident"][-1]
    assert (last["state"], len(last["alarms"])) == ("resolved", 1), "the desk still shows why"


async def test_the_desk_is_told_when_somebody_should_be_at_the_door(town: Town) -> None:
    """The service circle of the area is ten minutes: from the record on every word of the incident
    says 08:10, whatever was done meanwhile."""
    await town.change("UPDATE area SET arrive_within_min = 10")
    await town.press("button-1", "1")
    await town.desk(Verb.ACKNOWLEDGE, (await town.incident())["incident_id"])
    await town.press("button-1", "2")
    told = [m for m in town.said(topics.DESK_ANNOUNCE) if m["type"] == "incident"]
    assert (await town.incident())["arrive_by"] == START + timedelta(minutes=10)
    due = [(m["cause"], m["incident"]["arrive_by"]) for m in told]
    assert due[0] == ("raised", None), "before anybody looked into the register"
    assert {at for _, at in due[1:]} == {"2026-03-02T08:10:00.000Z"}
    assert {"committed", "acknowledged"} <= {cause for cause, _ in due[1:]}


async def test_the_button_says_the_hour_of_the_home(town: Town) -> None:
    await town.press("button-1", "1")
    await town.desk(
        Verb.ACKNOWLEDGE, (await town.incident())["incident_id"], expected_arrival_s=600
    )
    (coming,) = [
        message
        for _, topic, message in town.broker.published
        if topic.endswith("button-1/command/receipt") and message["stage"] == "coming"
    ]
    assert coming["text"] == "Help is coming. Lin is looking after you. Expected by 16:10."


async def test_whoever_was_rung_learns_who_has_it_and_that_it_is_over(town: Town) -> None:
    """The second hotline was rung at 30 s; it hears at 40 s that Lin has it, and the end."""
    await town.press("button-1", "1")
    await town.later(seconds=40)
    incident = await town.incident()
    await town.desk(Verb.ACKNOWLEDGE, incident["incident_id"])
    await town.later(minutes=5)
    await town.desk(Verb.RESOLVE, incident["incident_id"])
    told = [(round((at - START).total_seconds()), what) for at, what in town.fallback.told]
    assert told == [(40, "coming"), (340, "over")]
    assert len(town.fallback.rung) == 1


async def test_presses_without_an_id_keep_re_alarming(town: Town) -> None:
    """A simple button that is pressed every 50 s is pressed again once a minute has passed since
    the press that counted, however often it is pressed in between."""
    for _ in range(5):
        await town.press("button-1")
        await town.later(seconds=50)
    assert (await town.incident())["alarm_count"] == 3, "at 0, 100 and 200 s"


async def test_nobody_answers_and_the_ladder_climbs_to_the_fallback(town: Town) -> None:
    """Desk at 0 s, desk and second hotline at 30 s and 60 s, then every minute for ever."""
    await town.press("button-1", "1")
    await town.later(minutes=4)
    seconds = [(at - START).total_seconds() for at in town.rings()]
    assert seconds == [0, 30, 60, 120, 180, 240]
    assert [(at - START).total_seconds() for at in town.fallback.rung] == seconds[1:]


async def test_a_second_press_rings_an_acknowledged_incident_again(town: Town) -> None:
    await town.press("button-1", "1")
    first = await town.incident()
    await town.desk(Verb.ACKNOWLEDGE, first["incident_id"])
    await town.later(minutes=2)

    await town.press("button-1", "2")
    incident = await town.incident()
    assert incident["incident_id"] == first["incident_id"]
    assert (incident["state"], incident["alarm_count"]) == ("raised", 2)
    assert incident["owner_name"] == "Lin", "they know the case"
    assert town.rings() == [START, START + timedelta(minutes=2)]
    assert "realarmed" in town.announced()

    assert await town.desk(Verb.ACKNOWLEDGE, incident["incident_id"], by=WU) is None
    assert (await town.incident())["owner_name"] == "Wu"


async def test_acknowledged_and_forgotten_rings_again(town: Town) -> None:
    """Complaint 11. Acknowledged and then nothing: after ten minutes without progress it rings
    again, and the log says that the lease lapsed."""
    await town.press("button-1", "1")
    await town.desk(Verb.ACKNOWLEDGE, (await town.incident())["incident_id"])
    await town.later(minutes=9, seconds=59)
    assert town.rings() == [START]
    await town.later(seconds=1)
    assert town.rings() == [START, START + timedelta(minutes=10)]
    assert ("escalate", "lease_lapsed") in await town.log()


async def test_a_press_after_the_resolve_opens_a_new_incident_that_follows(town: Town) -> None:
    await town.press("button-1", "1")
    first = await town.incident()
    await town.desk(Verb.RESOLVE, first["incident_id"])
    await town.later(minutes=30)
    await town.press("button-1", "2")
    second = await town.incident()
    assert second["incident_id"] != first["incident_id"]
    assert second["follows"] == first["incident_id"]


async def test_who_presses_eight_times_is_not_held_on_the_first_rung(town: Town) -> None:
    """The news story: eight presses, and the alarm came five hours later."""
    for number in range(8):
        await town.press("button-1", str(number))
        await town.later(seconds=4)
    incident = await town.incident()
    assert (incident["alarm_count"], incident["step"]) == (8, 5)
    assert len(town.fallback.rung) >= 1
    assert len(await town.alarms()) == 8
    assert town.receipts("button-1").count("received") == 8


async def test_two_dispatchers_at_once_one_has_it_the_other_is_told(town: Town) -> None:
    await town.press("button-1", "1")
    incident_id = (await town.incident())["incident_id"]
    assert await town.desk(Verb.ACKNOWLEDGE, incident_id, by=LIN) is None
    assert await town.desk(Verb.ACKNOWLEDGE, incident_id, by=WU) == "Lin has it"
    assert (await town.incident())["owner_name"] == "Lin"


async def test_a_test_press_rings_nobody_and_is_recorded(town: Town) -> None:
    await town.press("button-1", "1", action="test")
    assert await town.incidents("true") == []
    assert (town.rings(), town.announced()) == ([], [])
    assert [row["grouping_reason"] for row in await town.alarms()] == ["test_recorded"]
    assert town.receipts("button-1") == ["received"]
    assert town.receipts("band-1") == [], "her other devices need not say so"


async def test_help_is_of_medium_priority_until_an_emergency_joins(town: Town) -> None:
    await town.press("button-1", "1", action="help")
    assert (await town.incident())["priority"] == "medium"
    await town.press("button-1", "2")
    assert (await town.incident())["priority"] == "high"


async def test_the_same_press_again_is_answered_again_and_nothing_more(town: Town) -> None:
    at = START.isoformat()
    for _ in range(3):
        await town.press("button-1", "1", observed_at=at)
        await town.later(seconds=15)
    assert len(await town.alarms()) == 1
    assert (await town.incident())["alarm_count"] == 1
    assert town.receipts("button-1") == ["received"] * 3
    assert town.announced().count("raised") == 1
    assert len(town.broker.acknowledged) == 3, "each delivery has its PUBACK"


async def test_without_an_id_the_same_bytes_within_a_minute_are_one_press(town: Town) -> None:
    await town.press("button-1")
    await town.later(seconds=DERIVED_REPEAT_S)
    await town.press("button-1")
    assert len(await town.alarms()) == 1


async def test_without_an_id_the_same_bytes_after_a_minute_are_two(town: Town) -> None:
    await town.press("button-1")
    await town.later(seconds=DERIVED_REPEAT_S + 1)
    await town.press("button-1")
    assert len(await town.alarms()) == 2
    assert (await town.incident())["alarm_count"] == 2


async def test_a_counter_that_restarted_is_a_new_press(town: Town) -> None:
    """After a battery change the button begins at 1 again."""
    await town.press("button-1", "1")
    await town.later(hours=1)
    await town.press("button-1", "1")
    assert len(await town.alarms()) == 2


async def test_a_day_old_press_rings_and_is_marked_late(town: Town) -> None:
    observed_at = (START - timedelta(days=1)).isoformat()
    await town.press("button-1", "1", observed_at=observed_at)
    (row,) = await town.alarms()
    assert row["flags"] == ["late"]
    assert row["observed_at"] == START - timedelta(days=1)
    assert (await town.incident())["opened_at"] == START
    assert town.rings() == [START]


async def test_a_wrong_clock_rings_and_is_marked(town: Town) -> None:
    ahead = (START + timedelta(days=1)).isoformat()
    await town.press("button-1", "1", observed_at=ahead)
    await town.press("button-2", "1", observed_at="yesterday")
    assert [row["flags"] for row in await town.alarms()] == [
        ["clock_ahead"],
        ["damaged", "clock_unknown"],
    ]
    assert len(await town.incidents()) == 2


async def test_damaged_extras_do_not_silence_a_press(town: Town) -> None:
    await town.press("button-1", "1", position={"latitude": "north"}, action=17)
    incident = await town.incident()
    assert (incident["priority"], incident["position"]) == ("high", None)
    (row,) = await town.alarms()
    assert "damaged" in row["flags"]


async def test_bytes_that_cannot_be_read_ring_and_are_kept(town: Town) -> None:
    await town.hears(delivery("button-1", payload=b"\x00\xff random", mid=900))
    incident = await town.incident()
    assert (incident["kind"], incident["priority"]) == ("unreadable", "high")
    assert incident["subject_id"] == "anna"
    (kept,) = await town.rows("SELECT lane, payload FROM quarantine")
    assert (kept["lane"], bytes(kept["payload"])) == ("alarm", b"\x00\xff random")


async def test_an_unknown_device_rings_in_the_root_area_once(town: Town) -> None:
    """It has at most one open incident, however often it presses."""
    for number in range(3):
        await town.press("stranger-1", str(number))
    incident = await town.incident()
    assert (incident["area_id"], incident["subject_kind"]) == ("city", "device")
    assert incident["alarm_count"] == 3
    assert {tuple(row["flags"]) for row in await town.alarms()} == {("unknown_device",)}
    kept = await town.rows("SELECT reason FROM quarantine")
    assert {row["reason"] for row in kept} == {"the device is not in the register"}


async def test_a_device_on_the_topic_of_its_old_home_rings_for_its_person(town: Town) -> None:
    moved = delivery("button-1", mid=901, message_id="1")
    topic = moved.topic.replace("home-1", "home-9")
    await town.hears(type(moved)(topic, moved.payload, moved.ticket, 1, False, False))
    assert (await town.incident())["subject_id"] == "anna"
    (row,) = await town.alarms()
    assert "wrong_premises" in row["flags"]
    told = {t for _, t, _ in town.broker.published if t.endswith("button-1/command/receipt")}
    assert len(told) == 2, "the answer goes where it listened and where it belongs"


async def test_a_fallback_that_is_not_configured_is_recorded_and_passed(
    database_url: str,
) -> None:
    async with running_town(database_url, with_fallback=False) as town:
        await town.press("button-1", "1")
        await town.later(seconds=31)
        rows = await town.rows("SELECT channel, state FROM notification ORDER BY notification_id")
        told = [(row["channel"], row["state"]) for row in rows]
        assert told == [("desk", "sent"), ("desk", "sent")]
        _, entry = await town.rows("SELECT detail FROM audit_log WHERE action = 'escalate'")
        missed = {each["who"]: each["reason"] for each in entry["detail"]["nobody"]}
        assert missed["fallback"] == "channel_not_configured"
        assert len(town.rings()) == 2
