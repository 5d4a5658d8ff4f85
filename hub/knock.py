"""Waits until the broker lets in a device that was just registered."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiomqtt

WITHIN_S = 30.0
AGAIN_AFTER_S = 0.2
ANSWER_WITHIN_S = 5.0


async def let_in(
    host: str, port: int, device: Mapping[str, Any], within_s: float = WITHIN_S
) -> bool:
    """Whether the broker admits the device (`id` and `secret`, as in a fleet file) within so many
    seconds. The door learns of devices in the order of their registration: behind the last one of a
    fleet nobody is turned away and made to wait."""
    deadline_s = asyncio.get_running_loop().time() + within_s
    while True:
        client = aiomqtt.Client(
            host, port, username=device["id"], password=device["secret"], identifier=device["id"],
            timeout=ANSWER_WITHIN_S,
        )  # fmt: skip
        try:
            async with client:
                return True
        except aiomqtt.MqttError:
            if asyncio.get_running_loop().time() >= deadline_s:
                return False
        await asyncio.sleep(AGAIN_AFTER_S)
