"""`carebell replay`: the same detectors over what is stored, compared with what was recorded."""

import json
from collections.abc import Mapping
from datetime import timedelta

import psycopg
import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.findings import item_of
from hub.replay import Account, NobodyThere, replay
from hub.store.cases import record
from schemas.vocabulary import MEASURE_BY_KEY
from tests.scenes import START, register, settle_in

HOUR = timedelta(hours=1)


def observed(url: str, device: str, measure: str, values: Mapping[int, float | str]) -> None:
    """Values by minute after START."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO observation (observed_at, device_id, measure, message_key, area_id, value,"
            " state, quality, received_at, batch_id) VALUES (%s, %s, %s, 1, 'city', %s, %s, 0, %s,"
            " %s)",
            [
                (
                    START + timedelta(minutes=minute),
                    device,
                    MEASURE_BY_KEY[measure].code,
                    value if isinstance(value, float) else None,
                    value if isinstance(value, str) else None,
                    START + timedelta(minutes=minute, seconds=1),
                    minute + 1,
                )
                for minute, value in values.items()
            ],
        )


@pytest.fixture
def story(database_url: str) -> str:
    """Anna's wristband: well, then a slow pulse for 20 minutes, then silence."""
    settle_in(database_url)
    slow = {minute: 36.0 + minute % 3 for minute in range(60, 85)}
    observed(
        database_url,
        "band-1",
        "heart_rate_per_min",
        {minute: 70.0 + minute % 5 for minute in range(60)} | slow,
    )
    return database_url


async def replayed(url: str, until: timedelta = 3 * HOUR) -> Account:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        return await replay(connection, "anna", START, START + until)


async def test_every_finding_is_explained(story: str) -> None:
    account = await replayed(story)
    found = {(told.finding.detector, told.finding.phase.value) for told in account.told}
    assert ("vitals_heart_rate", "confirmed") in found
    assert ("silence", "confirmed") in found
    pulse = next(t for t in account.told if t.finding.detector == "vitals_heart_rate")
    assert pulse.finding.evidence["limit"] == 40
    assert pulse.bearing.value == "rings"
    assert {told.known for told in account.told} == {None}
    silent = next(t for t in account.told if t.finding.detector == "silence")
    assert silent.finding.at >= START + timedelta(minutes=87)


async def test_what_differs_from_the_record_is_told(story: str) -> None:
    device = register().devices["band-1"]  # type: ignore[index]
    first = await replayed(story)
    pulse = next(t.finding for t in first.told if t.finding.detector == "vitals_heart_rate")
    async with await psycopg.AsyncConnection.connect(story) as connection:
        await record(connection, [item_of(device, pulse)])
        await connection.execute(
            "INSERT INTO finding SELECT 'old', area_id, 'bed', 'bed_left', phase, category,"
            " priority, subject_kind, subject_id, 'k', device_id, person_id, premises_id, at,"
            " ask_s, evidence, 'left the bed', NULL, reason FROM finding"
        )
    again = await replayed(story)
    known = [told.finding.kind for told in again.told if told.known is not None]
    assert known == [pulse.kind]
    assert [row["text"] for row in again.missing] == ["left the bed"]


async def test_people_are_where_they_were(story: str) -> None:
    """In hospital nobody's wristband is asked after."""
    observed(story, "band-1", "worn_state", dict.fromkeys([86, *range(87, 1500, 2)], "off"))
    assert any(t.finding.kind == "not_worn" for t in (await replayed(story, 24 * HOUR)).told)
    with psycopg.connect(story) as connection:
        connection.execute(
            "INSERT INTO person_state_change (person_id, area_id, state, since)"
            " VALUES ('anna', 'city', 'hospital', %s)",
            (START + 2 * HOUR,),
        )
    assert not any(t.finding.kind == "not_worn" for t in (await replayed(story, 24 * HOUR)).told)


async def test_a_stranger_has_no_history(story: str) -> None:
    async with await psycopg.AsyncConnection.connect(story) as connection:
        with pytest.raises(NobodyThere):
            await replay(connection, "nobody", START, START + HOUR)


def test_the_command_prints_lines_and_json(story: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREBELL_DATABASE_URL", story)
    span = ["--from", START.isoformat(), "--to", (START + 3 * HOUR).isoformat()]
    runner = CliRunner()
    told = runner.invoke(app, ["replay", "--person", "anna", *span])
    assert told.exit_code == 0, told.output
    assert "at or below 40" in told.output
    assert "NOT recorded then" in told.output
    answer = runner.invoke(app, ["replay", "--person", "anna", *span, "--json"])
    content = json.loads(answer.output.strip().splitlines()[-1])
    assert content["observations"] == 85
    assert {row["detector"] for row in content["findings"]} >= {"vitals_heart_rate", "silence"}
    wrong = runner.invoke(app, ["replay", "--person", "anna", "--from", "soon", "--to", "later"])
    assert wrong.exit_code == 2
