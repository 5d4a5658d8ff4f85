"""The API's line to the desk bus: `hub.api.ports.DeskBus` over the broker."""

from collections.abc import Callable

from alerts.errors import SendFailed
from hub.sources.mqtt import Delivery, MqttConnection
from schemas import topics

API_CLIENT = "carebell-api"


class DeskLine:
    """Subscribes to announcements and figures; publishes actions."""

    def __init__(self, broker_url: str) -> None:
        self._url = broker_url
        self._connection: MqttConnection | None = None

    @property
    def connected(self) -> bool:
        """Whether the broker is there just now."""
        return self._connection is not None and self._connection.connected

    async def start(
        self, hear: Callable[[str, bytes], None], connected: Callable[[], None]
    ) -> None:
        """Connect on the running loop and keep the line up; returns at once."""

        def on_message(delivery: Delivery) -> None:
            hear(delivery.topic, delivery.payload)

        def on_connected(session_present: bool) -> None:
            del session_present
            connected()

        self._connection = MqttConnection(
            self._url,
            API_CLIENT,
            clean=True,
            subscriptions={topics.DESK_ANNOUNCE: 0, topics.DESK_STATS: 0},
            on_message=on_message,
            on_connected=on_connected,
        )
        await self._connection.start()

    async def stop(self) -> None:
        """Hang up."""
        if self._connection is not None:
            await self._connection.stop()

    def publish_nowait(self, topic: str, payload: bytes) -> bool:
        """At most once; False if there is no broker."""
        return self._connection is not None and self._connection.publish_nowait(topic, payload)

    async def publish(self, topic: str, payload: bytes, *, qos: int) -> None:
        """At QoS 1 returns once the broker has it. Raises alerts.errors.SendFailed."""
        if self._connection is None:
            raise SendFailed("not started")
        await self._connection.publish(topic, payload, qos=qos)
