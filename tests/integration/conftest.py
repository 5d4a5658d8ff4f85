"""Servers that many tests share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.integration.api_hub import ApiHub, api_hub, seed
from tests.integration.desk_database import DatabaseServer, running_database


@pytest.fixture(scope="session")
def database_server() -> Iterator[DatabaseServer]:
    """One PostgreSQL for all tests that need one."""
    with running_database() as server:
        yield server


@pytest.fixture
def desk_database(database_server: DatabaseServer) -> str:
    """The address of a database with a small register."""
    url = database_server.fresh()
    seed(url)
    return url


@pytest.fixture
async def hub(desk_database: str, tmp_path: Path) -> AsyncIterator[ApiHub]:
    """A running API; ingest is alive and answers."""
    async with api_hub(desk_database, tmp_path) as running:
        await running.parts.switchboard.loaded.wait()
        running.bus.beat(messages_per_s=12.5, devices_online=2, devices_total=2)
        yield running
