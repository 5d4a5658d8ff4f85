"""What a device said last: as of the last round of the aggregates, and what came since."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from hub.store.last_words import newest_values
from schemas.vocabulary import MEASURE_BY_KEY
from tests.integration.history_rows import BATTERY, PULSE, Stored, write
from tests.integration.test_history_upkeep import StandingClock, upkeep

LINK = MEASURE_BY_KEY["link_state"].code
MINUTE = timedelta(minutes=1)
NOW = datetime.now(UTC)
"""Rounds of the aggregates go by the database's clock."""


def row(key: int, at: datetime, measure: int, value: float | None, **changes: Any) -> Stored:
    """One value of wang's bed, heard a second later."""
    said = Stored(
        at, "bed-1", measure, key, "east", "wang", value, None, None, None, 0,
        at + timedelta(seconds=1), key,
    )  # fmt: skip
    return replace(said, **changes)


async def said_last(url: str, *ids: str) -> dict[tuple[str, int], float | str | None]:
    """Number or state by device and measure."""
    async with (
        await psycopg.AsyncConnection.connect(url, row_factory=dict_row) as connection,
        connection.cursor() as cursor,
    ):
        found = await newest_values(cursor, ids, NOW)
    return {(f["device_id"], f["measure"]): f["state"] or f["value"] for f in found}


@pytest.fixture
async def known(database_url: str) -> str:
    """A bed whose pulse and battery the aggregates know as of this moment."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        write(connection, [row(1, NOW - 11 * MINUTE, PULSE, 61.0),
                           row(2, NOW - 700 * MINUTE, BATTERY, 80.0)])  # fmt: skip
    await upkeep(database_url, StandingClock(NOW)).aggregate()
    return database_url


async def test_what_came_since_the_last_round_is_there_at_once(known: str) -> None:
    with psycopg.connect(known, autocommit=True) as connection:
        write(connection, [row(3, NOW - MINUTE, PULSE, 64.0),
                           row(4, NOW - MINUTE, LINK, None, state="offline"),
                           row(5, NOW - MINUTE, PULSE, 70.0, device_id="bed-2")])  # fmt: skip
    assert await said_last(known, "bed-1", "bed-2") == {
        ("bed-1", PULSE): 64.0,
        ("bed-1", BATTERY): 80.0,
        ("bed-1", LINK): "offline",
        ("bed-2", PULSE): 70.0,
    }


async def test_what_a_known_device_sends_late_never_hides_what_is_newer(known: str) -> None:
    """Kept back without coverage and sent now: an older pulse stays behind the newer one, and a
    link state of yesterday is there after the next round."""
    yesterday = NOW - timedelta(days=1)
    late = {"received_at": NOW - MINUTE}
    with psycopg.connect(known, autocommit=True) as connection:
        write(connection, [row(3, yesterday, PULSE, 99.0, **late),
                           row(4, yesterday, LINK, None, state="online", **late)])  # fmt: skip
    before = await said_last(known, "bed-1")
    assert before == {("bed-1", PULSE): 61.0, ("bed-1", BATTERY): 80.0}
    await upkeep(known, StandingClock(NOW)).aggregate()
    assert await said_last(known, "bed-1") == before | {("bed-1", LINK): "online"}
