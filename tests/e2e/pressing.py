"""A button in the hand of a test: presses over MQTT and reads what the hub answers it."""

import asyncio
import json
import os
from datetime import UTC, datetime
from typing import Any

import aiomqtt

from tests.e2e.demo_hub import DemoHub

ADMITTED_WITHIN_S = 30.0
"""A device may come in a second or two after it was provisioned."""
ANSWERED_WITHIN_S = 30.0
SENT_WITHIN_S = 30.0
"""The client's own 10 s are short on a machine that does much else."""
STAGES = ("heard", "received", "coming", "over")


class Button:
    """A provisioned device that presses; open it with `async with`."""

    def __init__(self, hub: DemoHub, credential: dict[str, Any]) -> None:
        """`credential` is the `mqtt` part of what provisioning answered."""
        self._hub = hub
        self._name = str(credential["username"])
        self._secret = str(credential["password"])
        self._prefix = str(credential["topic_prefix"])
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._client: aiomqtt.Client
        self._reading: asyncio.Task[None]

    async def __aenter__(self) -> "Button":
        async with asyncio.timeout(ADMITTED_WITHIN_S):
            while True:
                self._client = aiomqtt.Client(
                    "127.0.0.1", self._hub.mqtt_port, username=self._name, password=self._secret,
                    identifier=f"{self._name}-{os.urandom(3).hex()}", timeout=SENT_WITHIN_S,
                )  # fmt: skip
                try:
                    await self._client.__aenter__()
                    break
                except aiomqtt.MqttError:
                    await asyncio.sleep(0.2)
        await self._client.subscribe(f"{self._prefix}/command/#", qos=1)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *error: object) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._client.__aexit__(None, None, None)

    async def _read(self) -> None:
        async for message in self._client.messages:
            if str(message.topic).endswith("/receipt") and isinstance(message.payload, bytes):
                self._told.put_nowait(json.loads(message.payload))

    async def press(self, action: str = "emergency", until: str = "received") -> str:
        """Press once; the incident's id as soon as the hub has said so much, "" where it does not
        know it yet (heard) or there is none (a test)."""
        message_id = os.urandom(8).hex()
        now = datetime.now(UTC).isoformat()
        body = {"action": action, "message_id": message_id, "observed_at": now}
        await self._client.publish(f"{self._prefix}/alarm/press", json.dumps(body), qos=1)
        return str((await self.told(until, message_id)).get("incident_id") or "")

    async def send(self, kind: str, **body: Any) -> None:
        """Any other message, as `lane/kind`; returns once the broker has it."""
        body.setdefault("message_id", os.urandom(8).hex())
        await self._client.publish(f"{self._prefix}/{kind}", json.dumps(body), qos=1)

    async def told(self, stage: str, message_id: str | None = None) -> dict[str, Any]:
        """The next receipt that says at least `stage`, of that press or of any."""
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            while True:
                receipt = await self._told.get()
                if message_id not in (None, receipt.get("message_id")):
                    continue
                if STAGES.index(receipt["stage"]) >= STAGES.index(stage):
                    return receipt


async def press(hub: DemoHub, credential: dict[str, Any], action: str = "emergency") -> str:
    """One press of a provisioned button, received; the incident's id."""
    async with Button(hub, credential) as button:
        return await button.press(action)
