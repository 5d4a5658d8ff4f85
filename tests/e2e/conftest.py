"""One demo and one browser for the stories of this folder: starting a hub takes longer than most of
them. Each story has homes of its own; what others left open must not disturb it."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.e2e.demo_hub import DemoHub, demo_hub
from tests.e2e.desk_client import DeskClient
from tests.e2e.desk_page import browser


@pytest.fixture(scope="package")
def hub() -> Iterator[DemoHub]:
    """With a push contact, without which no browser is asked to subscribe."""
    os.environ["CAREBELL_PUSH_CONTACT"] = "mailto:ops@example.org"
    try:
        with demo_hub(homes=2) as running:
            yield running
    finally:
        del os.environ["CAREBELL_PUSH_CONTACT"]


@pytest.fixture(scope="package")
def desk(hub: DemoHub) -> DeskClient:
    """Its first administrator, without a browser."""
    return DeskClient(hub)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def launched() -> AsyncIterator[Browser]:
    """Debian's Chromium, once."""
    async with browser() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="package")
async def chromium(launched: Browser) -> AsyncIterator[Browser]:
    """For one story; its pages are closed behind it."""
    yield launched
    for context in launched.contexts:
        await context.close()
