"""MQTT lines of the hub for these tests."""

from hub.sources.mqtt import MqttConnection
from tests.integration.embedded import eventually


async def subscribed(url: str, client_id: str, *filters: str) -> None:
    """Leave a persistent session behind, as ingest does."""
    seen: list[bool] = []
    line = MqttConnection(
        url,
        client_id,
        clean=False,
        subscriptions=dict.fromkeys(filters, 1),
        on_message=lambda _: None,
        on_connected=seen.append,
    )
    await line.start()

    async def made() -> bool:
        return bool(seen)

    await eventually(made)
    await line.stop()
