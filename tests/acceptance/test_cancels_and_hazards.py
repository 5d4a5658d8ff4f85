"""Stories of cancels, of duress, and of sensors that say it is over."""

from alerts.actions import Verb
from tests.acceptance.town import Town
from tests.scenes import START


async def test_a_cancel_after_the_raise_is_only_noted(town: Town) -> None:
    """A human decides: the incident stays as it is, its deadline too."""
    await town.press("button-1", "1")
    before = await town.incident()
    await town.later(seconds=10)
    await town.press("button-1", "2", action="cancel")
    after = await town.incident()
    assert (after["state"], after["next_deadline_at"]) == ("raised", before["next_deadline_at"])
    assert after["alarm_count"] == 1
    assert town.rings() == [START]
    assert ("alarm", "cancel_noted") in await town.log()
    assert town.receipts("button-1") == ["received", "received"]


async def test_a_cancel_with_nothing_to_cancel_is_recorded(town: Town) -> None:
    await town.press("button-1", "1", action="cancel")
    assert await town.incidents("true") == []
    assert [row["grouping_reason"] for row in await town.alarms()] == ["cancel_alone"]


async def test_a_cancel_under_duress_escalates_and_the_home_does_not_show_it(town: Town) -> None:
    """Somebody forces her to cancel: it rings again at once, and no device at home shows that help
    is on its way, neither when it is taken nor when it is over."""
    await town.press("button-1", "1")
    await town.later(seconds=40)
    rung = len(town.rings())
    await town.press("button-1", "2", action="cancel", duress=True)
    incident = await town.incident()
    assert incident["silent"]
    assert len(town.rings()) == rung + 1

    shown_before = town.receipts("band-1")
    await town.desk(Verb.ACKNOWLEDGE, incident["incident_id"])
    await town.desk(Verb.RESOLVE, incident["incident_id"])
    assert town.receipts("band-1") == shown_before
    assert town.receipts("button-1") == ["received", "received"], "no coming, no over"


async def test_a_forced_cancel_sounds_exactly_like_a_cancel(town: Town) -> None:
    await town.press("button-1", "1", action="cancel", duress=True)
    await town.press("button-2", "1", action="cancel")
    forced, free = (
        [m for _, t, m in town.broker.published if t.endswith(f"{device}/command/receipt")]
        for device in ("button-1", "button-2")
    )
    for said in (*forced, *free):
        said.pop("text")  # each in its person's language
    assert forced == free
    assert len(await town.incidents()) == 1


async def test_the_end_of_a_hazard_is_noted_and_a_human_decides(town: Town) -> None:
    await town.report("smoke-3", "hazard", message_id="1", hazard="smoke", phase="began")
    incident = await town.incident()
    assert (incident["category"], incident["subject_id"]) == ("hazard", "home-3")
    await town.later(seconds=20)
    await town.report("smoke-3", "hazard", message_id="2", hazard="smoke", phase="ended")
    after = await town.incident()
    assert after["state"] == "raised"
    assert ("alarm", "hazard_ended") in await town.log()
    await town.later(seconds=10)
    assert len(town.rings()) == 2, "the ladder goes on"


async def test_a_wristbands_own_claim_asks_first_and_a_press_joins_it(town: Town) -> None:
    await town.report("band-1", "fall", message_id="1", confidence=0.3)
    incident = await town.incident()
    assert (incident["kind"], incident["priority"]) == ("fall", "medium")
    assert incident["state"] == "checking"
    await town.press("button-1", "1")
    assert (await town.incident())["state"] == "raised"
    assert (await town.incident())["incident_id"] == incident["incident_id"]


async def test_raw_motion_is_evidence_and_not_a_claim(town: Town) -> None:
    axes = {"x_mg": [1, 2], "y_mg": [1, 2], "z_mg": [1, 2]}
    await town.report("band-1", "motion", message_id="1", **axes)
    assert await town.incidents("true") == []
    (kept,) = await town.rows("SELECT window_json FROM signal_window")
    assert kept["window_json"]["x_mg"] == [1, 2]
