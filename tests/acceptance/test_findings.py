"""Stories of what machines conclude: what wakes somebody, what is only kept, and why."""

from dataclasses import replace
from datetime import datetime

import psycopg
import pytest

from alerts.actions import Verb
from alerts.alarm import Category, Priority, Subject, SubjectKind
from alerts.people import PersonState
from hub.detect.detector import Finding, Phase
from schemas.ids import PersonId
from tests.acceptance.town import Town
from tests.falls import SURE, window
from tests.scenes import START

ANNA = Subject(SubjectKind.PERSON, "anna")
AREA = Subject(SubjectKind.AREA, "city")


def heart(
    priority: Priority = Priority.MEDIUM,
    phase: Phase = Phase.CONFIRMED,
    *,
    step: int = 1,
    at: datetime = START,
) -> Finding:
    """Anna's heart rate, as the vital-signs detector says it."""
    return Finding(
        detector="heart_rate",
        kind="heart_rate_high",
        phase=phase,
        category=Category.PHYSIOLOGICAL,
        priority=priority,
        subject=ANNA,
        key=f"band-1-1772400000-{step}",
        at=at,
        text="heart rate 134 /min, above 120 for 4 min",
        evidence={
            "measure": "heart_rate_per_min",
            "unit": "/min",
            "values": [131.0, 134.0],
            "limit": 120,
            "limit_by": "NEWS2",
            "out_of_range_min": 4,
        },
    )


def silence(device: str, phase: Phase = Phase.CONFIRMED) -> Finding:
    """A device was not heard."""
    return Finding(
        detector="silence",
        kind="device_silent",
        phase=phase,
        category=Category.TECHNICAL,
        priority=Priority.LOW,
        subject=Subject(SubjectKind.DEVICE, device),
        key="1772400000",
        at=START,
        text="not heard for 3 min",
        evidence={"silent_min": 3},
    )


def outage(phase: Phase) -> Finding:
    """Most devices of the area went silent together."""
    return Finding(
        detector="outage",
        kind="area_outage",
        phase=phase,
        category=Category.TECHNICAL,
        priority=Priority.HIGH,
        subject=AREA,
        key="1772400000",
        at=START,
        text="",
        evidence={"devices": ["band-1", "button-1"], "silent": 2, "of": 2},
    )


async def test_a_low_finding_about_a_person_wakes_nobody_and_is_kept(town: Town) -> None:
    await town.finds("band-1", heart(Priority.LOW))
    await town.later(hours=8)
    assert await town.incidents("true") == []
    assert town.rings() == []
    (kept,) = await town.rows("SELECT reason, evidence FROM finding")
    assert kept["reason"] == "worth_a_look"
    assert kept["evidence"]["values"] == [131.0, 134.0]


async def test_a_low_finding_is_noted_where_somebody_looks_already(town: Town) -> None:
    await town.press("button-1", "1")
    before = await town.incident()
    await town.finds("band-1", heart(Priority.LOW))
    after = await town.incident()
    assert after["next_deadline_at"] == before["next_deadline_at"]
    assert after["alarm_count"] == 1
    assert ("finding", "worth_a_look") in await town.log()
    assert town.announced()[-1] == "noted"


async def test_a_medium_body_finding_rings_the_desk_and_not_the_second_hotline(town: Town) -> None:
    await town.finds("band-1", heart())
    await town.later(minutes=4)
    assert [(at - START).total_seconds() for at in town.rings()] == [0, 120]
    assert town.fallback.rung == []
    await town.later(minutes=2)
    assert len(town.fallback.rung) == 1, "nobody at the desk for five minutes"


async def test_worsening_raises_the_priority_and_rings_again(town: Town) -> None:
    await town.finds("band-1", heart())
    incident = await town.incident()
    await town.desk(Verb.ACKNOWLEDGE, incident["incident_id"])
    rung = len(town.rings())
    await town.later(minutes=10)
    await town.finds("band-1", heart(Priority.HIGH, step=2, at=town.clock.now()))
    after = await town.incident()
    assert (after["incident_id"], after["state"]) == (incident["incident_id"], "raised")
    assert after["priority"] == "high"
    assert len(town.rings()) == rung + 1


async def test_improvement_is_a_note_and_never_closes(town: Town) -> None:
    await town.finds("band-1", heart())
    await town.finds("band-1", heart(phase=Phase.WITHDRAWN))
    assert (await town.incident())["state"] == "raised"
    assert ("finding", "over_noted") in await town.log()


async def test_one_phase_of_an_episode_is_one_alarm_however_often_it_comes(town: Town) -> None:
    first = await town.finds("band-1", heart())
    again = await town.finds("band-1", heart())
    assert (first.duplicate, again.duplicate) == (False, True)
    assert (await town.incident())["alarm_count"] == 1
    note = await town.finds("band-1", heart(Priority.LOW, step=9))
    assert not note.duplicate
    assert (await town.finds("band-1", heart(Priority.LOW, step=9))).duplicate
    assert len(await town.rows("SELECT 1 FROM finding")) == 2


async def test_a_technical_incident_clears_when_the_last_of_its_faults_ends(town: Town) -> None:
    flat = replace(silence("band-1"), detector="battery", kind="battery_low", key="7")
    await town.finds("band-1", silence("band-1"))
    await town.finds("band-1", flat)
    await town.finds("band-1", silence("band-1", Phase.WITHDRAWN))
    assert (await town.incident())["state"] == "raised", "its battery is still low"
    await town.finds("band-1", replace(flat, phase=Phase.WITHDRAWN))
    (incident,) = await town.incidents("true")
    assert (incident["state"], incident["outcome"]) == ("resolved", "cleared")


async def test_a_fault_is_over_that_joined_a_persons_incident(town: Town) -> None:
    """Nothing a machine withdraws closes what a human must close."""
    await town.finds("band-1", heart())
    fault = replace(heart(step=5), category=Category.TECHNICAL, kind="vital_frozen", key="x")
    await town.finds("band-1", fault)
    await town.finds("band-1", heart(phase=Phase.WITHDRAWN))
    await town.finds("band-1", replace(fault, phase=Phase.WITHDRAWN))
    assert (await town.incident())["state"] == "raised"


async def test_an_area_outage_is_one_incident_with_its_list(town: Town) -> None:
    await town.finds("band-1", outage(Phase.CONFIRMED))
    for device in ("band-1", "button-1"):
        await town.finds(device, replace(silence(device), within=AREA))
    incident = await town.incident()
    assert (incident["subject_kind"], incident["alarm_count"]) == ("area", 1)
    (alarm,) = await town.alarms()
    assert alarm["evidence"]["devices"] == ["band-1", "button-1"]
    single = await town.rows("SELECT incident_id FROM finding WHERE kind = 'device_silent'")
    assert {row["incident_id"] for row in single} == {incident["incident_id"]}
    await town.press("button-1", "1")
    assert len(await town.incidents()) == 2, "a press is never part of an outage"
    await town.finds("band-1", silence("band-1", Phase.WITHDRAWN))
    assert len(await town.incidents()) == 2, "one of them is back"
    await town.finds("button-1", silence("button-1", Phase.WITHDRAWN))
    await town.finds("band-1", outage(Phase.WITHDRAWN))
    assert [row["subject_kind"] for row in await town.incidents()] == ["person"]


@pytest.mark.parametrize("state", ["service_ended", "moved"])
async def test_nothing_calls_anybody_about_somebody_who_is_not_served(
    town: Town, state: str
) -> None:
    await _is(town, "anna", state)
    await town.finds("band-1", heart(Priority.HIGH))
    await town.finds("band-1", silence("band-1"))
    await town.moves("band-1", "1", window(SURE))
    await town.later(hours=2)
    assert await town.incidents("true") == []
    assert town.rings() == []
    kept = await town.rows("SELECT DISTINCT reason FROM finding")
    assert [row["reason"] for row in kept] == ["not_served"]


@pytest.mark.parametrize("state", ["away", "hospital"])
async def test_a_quiet_home_says_nothing_about_somebody_who_is_not_there(
    town: Town, state: str
) -> None:
    await _is(town, "anna", state)
    await town.finds("button-1", silence("button-1"))
    assert await town.incidents("true") == []
    await town.press("button-1", "1")
    assert len(town.rings()) == 1, "a press always rings"


async def test_a_wristband_that_falls_silent_on_a_journey_is_told(town: Town) -> None:
    await _is(town, "anna", "away")
    await town.finds("band-1", silence("band-1"))
    assert (await town.incident())["kind"] == "device_silent"


async def test_a_press_after_the_service_ended_stays_at_the_desk(town: Town) -> None:
    """Nobody who left is woken, and no press vanishes (docs/adr/0009)."""
    await _is(town, "anna", "service_ended")
    await town.press("button-1", "1")
    incident = await town.incident()
    assert (incident["state"], incident["priority"]) == ("raised", "low")
    (alarm,) = await town.alarms()
    assert "not_served" in alarm["flags"]
    await town.later(hours=1)
    assert len(town.rings()) > 1
    assert town.fallback.rung == []
    assert town.receipts("button-1")[0] == "received"


async def test_a_fire_rings_whoever_lives_there(town: Town) -> None:
    await _is(town, "anna", "service_ended")
    await town.report("smoke-3", "hazard", message_id="1", hazard="smoke", phase="began")
    assert len(town.rings()) == 1


async def test_a_hazard_sensor_that_repeats_itself_is_one_alarm(town: Town) -> None:
    for number in range(4):
        await town.report(
            "smoke-3", "hazard", message_id=str(number), hazard="smoke", phase="began"
        )
        await town.later(seconds=5)
    assert (await town.incident())["alarm_count"] == 1
    assert len(await town.alarms()) == 4, "each message is kept and answered"
    assert town.receipts("smoke-3").count("received") == 4


async def test_a_hazard_that_goes_on_rings_again_after_a_hasty_resolve(town: Town) -> None:
    await town.report("smoke-3", "hazard", message_id="1", hazard="smoke", phase="began")
    await town.desk(Verb.RESOLVE, (await town.incident())["incident_id"])
    await town.later(seconds=60)
    await town.report("smoke-3", "hazard", message_id="2", hazard="smoke", phase="began")
    assert (await town.incident())["state"] == "raised"


async def _is(town: Town, person: str, state: str) -> None:
    """The register says so, in the database and in memory."""
    async with await psycopg.AsyncConnection.connect(town.url) as connection:
        await connection.execute(
            "UPDATE person SET state = %s WHERE person_id = %s", (state, person)
        )
    anna = PersonId(person)
    town.register.people[anna] = replace(town.register.people[anna], state=PersonState(state))
