"""What commands at the machine use: the hub's database and broker, as the operator who types."""

import asyncio
import getpass
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import TypeVar

from hub import retry
from hub.clock import SystemClock
from hub.embedded.broker import broker_url
from hub.embedded.database import database_url
from hub.embedded.secrets import InternalUser
from hub.errors import HubError
from hub.quarantine import Kept, NotSent, Operator
from hub.settings import Settings
from hub.sources.mqtt import MqttConnection
from hub.store.reach import Reach

T = TypeVar("T")

CONNECT_WITHIN_S = 5.0


class NotReachable(HubError):
    """The hub's database does not answer. Is the hub running?"""

    retryable = True


def operator() -> Operator:
    """Whoever is logged in at the machine; they see every area."""
    return Operator("operator", getpass.getuser(), None, None)


def on_database(settings: Settings, work: Callable[[Reach], Awaitable[T]]) -> T:
    """Run `work` with a connection to the hub's database."""

    async def run() -> T:
        url = settings.database_url or database_url(settings.data_dir)
        reach = Reach(url, SystemClock(), patience_s=CONNECT_WITHIN_S)
        await reach.open()
        try:
            return await work(reach)
        finally:
            await reach.close()

    return asyncio.run(run())


@asynccontextmanager
async def sender(settings: Settings) -> AsyncIterator[Callable[[Kept], Awaitable[None]]]:
    """Hands quarantined messages to the broker. Raises NotSent if there is no broker."""
    try:
        url = settings.broker_url or broker_url(settings.data_dir, InternalUser.API.value)
    except (HubError, OSError) as error:
        raise NotSent("the broker's address is not known: is the hub running?") from error
    up = asyncio.Event()
    line = MqttConnection(
        url,
        f"carebell-operator-{token_hex(4)}",
        clean=True,
        subscriptions={},
        on_message=lambda _: None,
        on_connected=lambda _: up.set(),
    )
    await line.start()
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            await up.wait()

        async def send(kept: Kept) -> None:
            await retry.send(line, kept)

        yield send
    except TimeoutError as error:
        raise NotSent("the broker does not answer") from error
    finally:
        await line.stop()
