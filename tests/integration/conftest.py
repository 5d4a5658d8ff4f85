"""The API over a database of its own, for many tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.api_hub import ApiHub, api_hub, seed


@pytest.fixture
def desk_database(database_url: str) -> str:
    """The address of a database with a small register."""
    seed(database_url)
    return database_url


@pytest.fixture
async def hub(desk_database: str, tmp_path: Path) -> AsyncIterator[ApiHub]:
    """A running API; ingest is alive and answers."""
    async with api_hub(desk_database, tmp_path) as running:
        await running.parts.switchboard.loaded.wait()
        running.bus.beat(messages_per_s=12.5, devices_online=2, devices_total=2)
        yield running
