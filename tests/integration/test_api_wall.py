"""The wall board over HTTP: where homes are, and that a board that hangs there is one look."""

from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio

from tests.integration.api_hub import ApiHub, api_hub, seed, until
from tests.integration.desk_database import DatabaseServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOMES = "/api/v1/wall/homes"
CITY = 400
ADDED = (
    "INSERT INTO premises (premises_id, area_id, address, latitude, longitude)"
    " SELECT 'house-' || n, 'east-1', 'Road ' || n, 31.20 + 0.1 * mod(n, 20) / 20,"
    " 121.40 + 0.1 * (n / 20) / 20 FROM generate_series(0, %s - 1) AS n"
)
FAR_AND_WRONG = (
    "INSERT INTO premises (premises_id, area_id, address, latitude, longitude) VALUES"
    " ('far', 'east-1', 'Far 1', 24.9, 118.6), ('broken', 'east-1', 'Null Island', 0, 0),"
    " ('unknown', 'east-1', 'Somewhere', NULL, NULL)"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(
    postgres_server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ApiHub]:
    """A district of four hundred homes, one far away, and two without a place."""
    url = postgres_server.fresh()
    seed(url)
    with psycopg.connect(url) as connection:
        connection.execute(ADDED, (CITY,))
        connection.execute(FAR_AND_WRONG)
    async with api_hub(url, tmp_path_factory.mktemp("wall")) as running:
        await running.parts.switchboard.loaded.wait()
        running.bus.beat()
        yield running


async def test_one_home_far_away_does_not_make_one_dot_of_a_city(hub: ApiHub) -> None:
    async with hub.desk("boss") as desk:
        squares = (await desk.get(HOMES)).json()["squares"]
    assert sum(square["homes"] for square in squares) >= CITY + 1
    assert len(squares) > CITY / 4
    assert all(square["homes"] < CITY / 10 for square in squares)
    assert not [square for square in squares if square["latitude"] == 0]
    assert set(squares[0]) == {"latitude", "longitude", "homes"}, "nobody is named"


async def test_a_board_shows_the_homes_of_its_area_only(hub: ApiHub) -> None:
    async with hub.desk("west-desk") as desk:
        squares = (await desk.get(HOMES)).json()["squares"]
    assert sum(square["homes"] for square in squares) < CITY / 4


async def test_a_board_that_is_left_open_is_one_look(hub: ApiHub) -> None:
    async with hub.desk("mei") as desk:
        for _ in range(3):
            for path in ("/api/v1/wall", HOMES):
                assert (await desk.get(path)).status_code == 200
    counted = "SELECT count(*) FROM audit_log WHERE detail->>'noun' = 'wall' AND actor_id = 'mei'"
    await until(lambda: hub.rows(counted) != [(0,)])
    assert hub.rows(counted) == [(1,)]
