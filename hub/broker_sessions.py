"""Lets go of an ingest owner that will not come back: its sessions at the broker, its row."""

import asyncio

from hub.database import Session
from hub.errors import StartError
from hub.ownership import EVERYTHING
from hub.sources.mqtt import MqttConnection
from hub.store.owners import ALIVE_S, forget

CLIENTS = ("carebell-alarm", "carebell-telemetry")
CONNECT_WITHIN_S = 10.0


async def forget_owner(owner: str, broker_url: str, database_url: str) -> None:
    """Delete what waits at the broker for this owner, for good. Raises StartError if it lives."""
    if not await Session(database_url).run(lambda connection: forget(connection, owner)):
        raise StartError(
            f"{owner}: there is no such owner, or it was heard within {ALIVE_S:.0f} s. Stop it, "
            "wait that long, and let another one take its areas first."
        )
    for base in CLIENTS:
        client_id = base if owner == EVERYTHING else f"{base}-{owner}"
        await _delete_session(broker_url, client_id)


async def _delete_session(broker_url: str, client_id: str) -> None:
    """Connecting clean deletes what the broker kept (MQTT 3.1.1, 3.1.2.4)."""
    gone = asyncio.Event()
    line = MqttConnection(
        broker_url, client_id, clean=True, subscriptions={}, on_message=lambda _: None,
        on_connected=lambda _: gone.set(),
    )  # fmt: skip
    await line.start()
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            await gone.wait()
    except TimeoutError:
        raise StartError(f"{client_id}: the broker does not let us in") from None
    finally:
        await line.stop()
