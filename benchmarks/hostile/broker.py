"""Hostile messages from a device of another make (paho), through the real broker to the tables.

The devices are provisioned, so every message that the broker takes is the hub's to account for:
an alarm, or a row in quarantine, or observations. Topics they may not publish on, and messages
larger than the broker takes, come from a stranger whose line may be cut.
"""

import asyncio
import random
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import psycopg
from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.harness import Button, Hub, running_hub, say
from benchmarks.hostile.payloads import Hostility
from hub.provision import HOME_KINDS
from hub.register import device_of
from hub.retry import MAX_ENVELOPE_BYTES
from schemas import identity, topics
from schemas.codec import Malformed, decode_alarm
from schemas.topics import ALARM_KINDS, TELEMETRY_KINDS, Lane

HOMES = 5
PUBACK_WITHIN_S = 240.0
RECORDED_WITHIN_S = 60.0
LARGEST_BYTES = MAX_ENVELOPE_BYTES - 1_024
"""Larger ones the broker refuses by cutting the line."""


@dataclass(slots=True)
class EndToEnd:
    """What was published, and what the hub made of it."""

    published: int = 0
    unanswered: int = 0
    """Without PUBACK."""
    alarms_lost: int = 0
    """Taken by the broker, and neither an alarm nor in quarantine."""
    step_failures: int = 0
    ready: bool = False
    """Whether the hub is, in the end."""


async def through_the_broker(count: int, seed: int) -> EndToEnd:
    """`count` messages of provisioned devices, and a tenth as many of strangers."""
    async with running_hub() as hub:
        devices = await hub.provision(HOMES, kinds=HOME_KINDS)
        found = EndToEnd()
        expected = await asyncio.to_thread(_publish, hub, devices, count, seed, found)
        await asyncio.to_thread(_strangers, devices, count // 10, seed)
        found.alarms_lost = await _missing(hub, expected)
        async with httpx.AsyncClient(base_url=hub.url, timeout=5) as client:
            found.ready = (await client.get("/api/v1/health/ready")).status_code == httpx.codes.OK
            found.step_failures = _figure((await client.get("/metrics")).text, "step_failures")
        return found


def _publish(
    hub: Hub, devices: list[Button], count: int, seed: int, found: EndToEnd
) -> dict[str, int]:
    """At QoS 1; what must be found in the tables: alarm ids with the quarantine's keys."""
    hostility = _hostility(hub, seed)
    lines = [(device, _client(device)) for device in devices]
    expected: dict[str, int] = {}
    infos: list[MQTTMessageInfo] = []
    for number in range(count):
        device, client = lines[number % len(lines)]
        lane = (Lane.ALARM, Lane.TELEMETRY)[number // len(lines) % 2]
        kinds = ALARM_KINDS if lane is Lane.ALARM else TELEMETRY_KINDS
        kind = (*kinds, "scream")[number // (2 * len(lines)) % (len(kinds) + 1)]
        payload = hostility.payload_for(lane, kind, datetime.now(UTC))[:LARGEST_BYTES]
        topic = topics.up(device.prefix, lane, kind)
        infos.append(client.publish(topic, payload, qos=1))
        if lane is Lane.ALARM:
            expected[_alarm_id(topic, payload)] = identity.message_key(topic, payload)
    found.published = len(infos)
    for info in infos:
        with suppress(RuntimeError, ValueError):
            info.wait_for_publish(PUBACK_WITHIN_S)
    found.unanswered = sum(not info.is_published() for info in infos)
    for _, client in lines:
        client.disconnect()
        client.loop_stop()
    return expected


def _alarm_id(topic: str, payload: bytes) -> str:
    parsed = topics.parse(topic)
    assert parsed is not None
    try:
        return identity.alarm_id(parsed, decode_alarm(parsed.kind, payload).message)
    except Malformed:
        return identity.unreadable_alarm_id(topic, payload)


def _strangers(devices: list[Button], count: int, seed: int) -> None:
    """Somebody else's topics, no topics at all, too much at once: the line is cut and made anew."""
    draw = random.Random(seed)
    levels = ("", "北京", "a b", "x" * 2000, "$SYS", "desk", ">", "*", "\u202e", "home-1")
    client = _client(devices[0])
    for number in range(count):
        topic = "/".join(draw.choice(levels) for _ in range(draw.randrange(1, 9)))
        if number % 3 == 0:
            topic = devices[1 + number % (len(devices) - 1)].prefix + "/alarm/press"
        size = 2 * MAX_ENVELOPE_BYTES if number % 20 == 19 else 50
        with suppress(ValueError):
            client.publish(topic or "x", b"{" * size, qos=draw.choice((0, 1)))
        if not client.is_connected():
            client.loop_stop()
            client = _client(devices[0])
    client.disconnect()
    client.loop_stop()


def _client(device: Button) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, client_id=device.id)
    client.username_pw_set(device.login.device_id, device.login.secret)
    client.max_queued_messages_set(0)
    up = threading.Event()
    client.on_connect = lambda *_: up.set()
    client.connect(device.login.host, device.login.port)
    client.loop_start()
    if not up.wait(20):
        raise TimeoutError("the broker admits no device")
    return client


def _hostility(hub: Hub, seed: int) -> Hostility:
    with hub.database() as connection:
        cursor = connection.execute("SELECT * FROM device")
        assert cursor.description is not None
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    devices = [device_of(row) for row in rows]
    return Hostility({device.id: device for device in devices}, seed)


async def _missing(hub: Hub, expected: dict[str, int]) -> int:
    """How many alarms are nowhere, once nothing more comes."""
    missing, waited_s = expected, 0.0
    while missing and waited_s < RECORDED_WITHIN_S:
        with suppress(psycopg.Error):
            found = await asyncio.to_thread(_recorded, hub)
            missing = {i: key for i, key in expected.items() if i not in found and key not in found}
        await asyncio.sleep(1.0)
        waited_s += 1.0
    for alarm_id, key in list(missing.items())[:5]:
        say(f"nowhere: alarm {alarm_id}, message {key}")
    return len(missing)


def _recorded(hub: Hub) -> set[str | int]:
    with hub.database() as connection:
        rows = connection.execute(
            "SELECT alarm_id FROM alarm UNION ALL SELECT derived_id FROM alarm_occurrence"
        ).fetchall()
        kept = connection.execute("SELECT message_key FROM quarantine").fetchall()
    return {row[0] for row in (*rows, *kept)}


def _figure(text: str, name: str) -> int:
    lines = [line for line in text.splitlines() if name in line and not line.startswith("#")]
    return round(sum(float(line.rpartition(" ")[2]) for line in lines))
