"""A phone's way to the broker: its page speaks HTTP, and behind it stands an MQTT connection in
the device's own name, with its own secret (docs/adr/0029).

So the broker decides about a phone as about every device: who comes in, what it may say, and that
it is shown out when it is revoked. This process keeps no secret and needs no database.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomqtt

from alerts.errors import SendFailed
from hub.api.ports_phone import NotAdmitted, PhoneLogin
from hub.broker_line import BrokerLine
from schemas import topics

CONNECT_WITHIN_S = 4.0
"""As the contract asks of devices with an alarm that waits."""
CONNECTING_AT_ONCE = 32
"""Others wait their turn: an area whose power is back must not lock out its own presses."""
LINES_MAX = 500
"""Phones that listen, on one API process; presses have connections of their own besides."""
_REFUSED = frozenset({4, 5, 134, 135})
"""MQTT 3.1.1 return codes 4 and 5, and what paho makes of them."""


class _Line:
    """One connection."""

    def __init__(self, client: aiomqtt.Client, closing: asyncio.Event) -> None:
        self._client = client
        self._closing = closing

    async def publish(self, topic: str, payload: bytes) -> None:
        """At QoS 1. Raises SendFailed."""
        try:
            await self._client.publish(topic, payload, qos=1, timeout=CONNECT_WITHIN_S)
        except aiomqtt.MqttError as error:
            raise SendFailed(str(error)) from error

    async def commands(self) -> AsyncIterator[tuple[str, bytes]]:
        """Until the broker hangs up or the hub stops."""
        closing = asyncio.ensure_future(self._closing.wait())
        messages = aiter(self._client.messages)
        try:
            while True:
                coming = asyncio.ensure_future(anext(messages))
                done, _ = await asyncio.wait({closing, coming}, return_when=asyncio.FIRST_COMPLETED)
                if coming not in done:
                    coming.cancel()
                    return
                message = coming.result()
                if isinstance(message.payload, bytes):
                    yield str(message.topic).rpartition("/")[2], message.payload
        except (aiomqtt.MqttError, StopAsyncIteration):
            return
        finally:
            closing.cancel()


class MqttPhoneDoor:
    """Implements `hub.api.ports_phone.PhoneDoor` over the broker's device listener."""

    def __init__(self, broker_url: str) -> None:
        """The hub's own way to the broker; its log-in there is not used."""
        self._broker = BrokerLine.parse(broker_url)
        self._turns = asyncio.Semaphore(CONNECTING_AT_ONCE)
        self._closing = asyncio.Event()
        self._listening = 0

    def close(self) -> None:
        """End every line."""
        self._closing.set()

    @asynccontextmanager
    async def line(self, login: PhoneLogin, *, listens: bool) -> AsyncIterator[_Line]:
        """A connection as this device. Raises NotAdmitted, SendFailed."""
        if listens and self._listening >= LINES_MAX:
            raise SendFailed(f"more than {LINES_MAX} phones listen")
        self._listening += listens
        try:
            async with contextlib.AsyncExitStack() as stack:
                async with self._turns:
                    client = await self._connect(stack, login)
                if listens:
                    await self._subscribe(client, login)
                yield _Line(client, self._closing)
        finally:
            self._listening -= listens

    async def _connect(self, stack: contextlib.AsyncExitStack, login: PhoneLogin) -> aiomqtt.Client:
        # Another id for each connection: a press must not hang up the line that hears its receipt.
        client = aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=login.device_id,
            password=login.secret,
            identifier=f"{login.device_id}-page-{secrets.token_hex(6)}",
            clean_session=True,
            timeout=CONNECT_WITHIN_S,
            tls_context=self._broker.tls(),
        )
        try:
            await client.__aenter__()
        except aiomqtt.MqttCodeError as error:
            code = getattr(error.rc, "value", error.rc)
            if code in _REFUSED:
                raise NotAdmitted(login.device_id) from error
            raise SendFailed(str(error)) from error
        except (aiomqtt.MqttError, OSError) as error:
            raise SendFailed(str(error)) from error
        stack.push_async_callback(_hang_up, client)
        return client

    async def _subscribe(self, client: aiomqtt.Client, login: PhoneLogin) -> None:
        """At QoS 0: whoever comes back repeats what is not over, and hears how far it is."""
        everywhere = topics.device_prefix("+", "+", login.device_id)
        try:
            await client.subscribe(topics.command_filter(everywhere), qos=0)
        except aiomqtt.MqttError as error:
            raise SendFailed(str(error)) from error


async def _hang_up(client: aiomqtt.Client) -> None:
    with contextlib.suppress(aiomqtt.MqttError):
        await client.__aexit__(None, None, None)
