"""A town of its own for every story."""

from collections.abc import AsyncIterator

import pytest

from tests.acceptance.town import Town, running_town


@pytest.fixture
async def town(database_url: str) -> AsyncIterator[Town]:
    """Three homes, and a hub that hears them."""
    async with running_town(database_url) as running:
        yield running
