"""The broker's message store: kept until the hub has answered, then trimmed (docs/adr/0008)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
from nats.aio.client import Client

from hub.embedded import broker
from hub.embedded.folder import HubFolder
from hub.embedded.message_store import (
    KEEP_S,
    Trimmer,
    hub_consumers,
    keep_until_trimmed,
    waiting_messages,
)
from hub.embedded.secrets import InternalUser, load_secrets
from hub.settings import Settings
from tests.integration.embedded import (
    hub_client,
    make_both_sessions,
    make_session,
    messages,
    own_folder,
    running,
    settings_in,
)

ACTIONS = "desk/action"


class MovedClock:
    """A monotonic clock moved by hand; the trimmer reads no other."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def monotonic_s(self) -> float:
        return self.at_s


@asynccontextmanager
async def management(settings: Settings) -> AsyncIterator[Client]:
    """The callout's own connection: its permissions are part of what is tested."""
    folder = HubFolder(settings.data_dir)
    connection = await nats.connect(
        f"nats://127.0.0.1:{broker.ports(folder).client}",
        user=InternalUser.CALLOUT.value,
        password=load_secrets(folder).broker_passwords[InternalUser.CALLOUT],
    )
    try:
        yield connection
    finally:
        await connection.close()


async def test_what_is_not_answered_stays_and_what_is_goes_after_a_while() -> None:
    with own_folder() as folder:
        settings = settings_in(folder)
        async with running(settings, "broker"):
            await make_both_sessions(settings)
            await make_session(settings, "carebell-alarm", ACTIONS)
            async with management(settings) as connection:
                await keep_until_trimmed(connection)
                await keep_until_trimmed(connection)  # a second time changes nothing
                names = await hub_consumers(connection)
                clock = MovedClock()
                trimmer = Trimmer(clock)

                async def trim_later() -> int:
                    for _ in range(2):
                        clock.at_s += KEEP_S + 1
                        await trimmer.trim(connection, names)
                    return await waiting_messages(connection)

                async with hub_client(settings, "hub-api", "somebody") as desk:
                    for number in range(5):
                        await desk.publish(ACTIONS, str(number), qos=1)
                assert await trim_later() == 5, "nobody has answered them"

                async with hub_client(settings, "hub-ingest", "carebell-alarm") as hub:
                    heard = await messages(hub, 5)
                assert heard == ["0", "1", "2", "3", "4"]
                await trimmer.trim(connection, names)
                assert await waiting_messages(connection) == 5, "answered, but not long ago"
                assert await trim_later() == 0
