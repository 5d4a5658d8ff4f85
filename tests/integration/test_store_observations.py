"""Observations: each once, by the fast way or the careful one, in the partition of its day."""

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from hub.device import Device
from hub.observation import UNKNOWN_TIME, Measured
from hub.store.observations import (
    PARTITION_DAYS_AHEAD,
    PARTITION_DAYS_BEHIND,
    ensure_partitions,
    last_batch_id,
    next_batch_id,
    store,
)
from hub.store.packed import PackedRow, microseconds, origin_of, pack
from schemas.alarms import Position
from schemas.ids import AreaId, DeviceId, PersonId, PremisesId
from schemas.vocabulary import MEASURE_BY_KEY, DeviceKind, Quality

TODAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
EVERY_DAY = PARTITION_DAYS_BEHIND + 1 + PARTITION_DAYS_AHEAD


BAND = Device(
    DeviceId("band-1"), DeviceKind.WRISTBAND, AreaId("city"), PremisesId("home-1"), PersonId("anna")
)
NOBODYS = Device(DeviceId("motion-1"), DeviceKind.MOTION_SENSOR, AreaId("c"), PremisesId("home-1"))
PULSE = MEASURE_BY_KEY["heart_rate_per_min"]


def packed(value: Measured, key: int = 1, device: Device = BAND, at: datetime = NOON) -> PackedRow:
    return pack(origin_of(device), value, key, microseconds(at), microseconds(NOON))


def row(key: int, at: datetime = NOON, value: float | None = 72.0) -> PackedRow:
    return packed(Measured(PULSE, at, value), key, at=at)


async def connected(url: str) -> psycopg.AsyncConnection[tuple[object, ...]]:
    return await psycopg.AsyncConnection.connect(url, autocommit=True)


async def test_the_fast_way_and_the_careful_way_store_each_row_once(database_url: str) -> None:
    async with await connected(database_url) as connection:
        async with connection.transaction():
            await store(connection, [row(1), row(2)], 7, careful=False)
        with pytest.raises(psycopg.errors.UniqueViolation):
            async with connection.transaction():
                await store(connection, [row(2), row(3)], 7, careful=False)
        for _ in range(2):
            async with connection.transaction():
                await store(connection, [row(2), row(3), row(3)], 7, careful=True)
        found = await connection.execute("SELECT message_key FROM observation ORDER BY 1")
        assert await found.fetchall() == [(1,), (2,), (3,)]


async def test_nothing_to_store_is_no_statement(database_url: str) -> None:
    async with await connected(database_url) as connection:
        await store(connection, [], 7, careful=True)
        assert await last_batch_id(connection) == 0
        assert await next_batch_id(connection) == 1


async def test_partitions_are_made_once_and_take_the_rows_of_their_day(database_url: str) -> None:
    async with await connected(database_url) as connection:
        made = await ensure_partitions(connection, TODAY)
        assert len(made) == EVERY_DAY
        assert (made[0], made[-1]) == ("observation_20260228", "observation_20260305")
        assert await ensure_partitions(connection, TODAY) == []
        assert await ensure_partitions(connection, TODAY + timedelta(days=1)) == [
            "observation_20260306"
        ]
        midnight = datetime(2026, 3, 3, tzinfo=UTC)
        rows = [row(1), row(2, midnight), row(3, UNKNOWN_TIME), row(4, NOON - timedelta(days=9))]
        async with connection.transaction():
            await store(connection, rows, 7, careful=False)
        found = await connection.execute(
            "SELECT message_key, tableoid::regclass::text FROM observation ORDER BY 1"
        )
        assert await found.fetchall() == [
            (1, "observation_20260302"),
            (2, "observation_20260303"),
            (3, "observation_undated"),
            (4, "observation_default"),
        ]


async def test_a_day_that_lies_in_the_default_partition_stays_there(database_url: str) -> None:
    async with await connected(database_url) as connection:
        async with connection.transaction():
            await store(connection, [row(1)], 7, careful=False)
        made = await ensure_partitions(connection, TODAY)
        assert len(made) == EVERY_DAY - 1
        assert "observation_20260302" not in made


async def test_a_number_is_kept_as_it_came(database_url: str) -> None:
    odd = [float("nan"), float("inf"), -1e300, 5e-324, 612, None]
    async with await connected(database_url) as connection:
        async with connection.transaction():
            rows = [row(key, value=value) for key, value in enumerate(odd)]
            await store(connection, rows, 7, careful=False)
        found = await connection.execute("SELECT value FROM observation ORDER BY message_key")
        assert repr([value for (value,) in await found.fetchall()][1:]) == repr(
            [float("inf"), -1e300, 5e-324, 612.0, None]
        )


async def test_what_was_packed_is_what_is_stored(database_url: str) -> None:
    place = Position(24.9, 118.6, 12.5)
    late = datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    async with await connected(database_url) as connection:
        async with connection.transaction():
            rows = [
                packed(Measured(PULSE, NOON, 612.0, None, Quality.IMPLAUSIBLE), 1, at=late),
                packed(Measured(MEASURE_BY_KEY["room"], NOON, None, "厨房"), 2, NOBODYS),
                packed(Measured(MEASURE_BY_KEY["position"], NOON, None, "gnss", position=place), 3),
                packed(
                    Measured(
                        MEASURE_BY_KEY["position"], NOON, None, "wifi", position=Position(1, -1)
                    ),
                    4,
                ),
            ]
            await store(connection, rows, 7, careful=False)
        found = await connection.execute(
            "SELECT observed_at, device_id, measure, message_key, area_id, person_id, value, state,"
            " latitude, longitude, accuracy_m, quality, received_at, batch_id"
            " FROM observation ORDER BY message_key"
        )
        assert await found.fetchall() == [
            (late, "band-1", 1, 1, "city", "anna", 612.0, *[None] * 4, 3, NOON, 7),
            (NOON, "motion-1", 44, 2, "c", None, None, "厨房", *[None] * 3, 0, NOON, 7),
            (NOON, "band-1", 46, 3, "city", "anna", None, "gnss", 24.9, 118.6, 12.5, 0, NOON, 7),
            (NOON, "band-1", 46, 4, "city", "anna", None, "wifi", 1, -1, None, 0, NOON, 7),
        ]
