"""What the hub's ingest is measured against: a consumer as one writes it by hand, and a bare probe.

`python -m benchmarks.rivals handwritten|probe BROKER_URL DATABASE_URL PREFIX` runs until it is
ended. The first does with aiomqtt and psycopg what their manuals show: decode, look, one INSERT for
every value, next message. The second decodes nothing: it receives, COPYs topic and payload into a
table without an index, commits and acknowledges; no ingest can be faster than that.
"""

import asyncio
import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import psycopg
import uvloop

from hub.embedded.process import tie_to_us
from hub.sources.mqtt import Delivery, MqttConnection

TABLES = {
    "handwritten": "CREATE TABLE handwritten (observed_at timestamptz, device_id text,"
    " measure text, value double precision, state text, received_at timestamptz);"
    " CREATE INDEX ON handwritten (device_id, observed_at)",
    "probe": "CREATE TABLE probe (topic text, payload bytea)",
}
_PROBE_BATCH = 2_000


class Rival:
    """One of them as a child of the measuring process."""

    def __init__(self, name: str, broker_url: str, database_url: str, prefix: str) -> None:
        """Starts at once."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.rivals", name, broker_url, database_url, prefix],
            process_group=0,
            preexec_fn=tie_to_us(signal.SIGKILL),  # noqa: PLW1509 - before any thread of ours
        )

    def end(self) -> None:
        """Done with."""
        self._process.kill()
        self._process.wait(10)


async def handwritten(broker_url: str, database_url: str, prefix: str) -> None:
    """A message, its INSERTs, the next message."""
    parts = urlsplit(broker_url)
    async with (
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as database,
        aiomqtt.Client(
            parts.hostname or "", parts.port or 1883, username=parts.username,
            password=parts.password, identifier="handwritten", clean_session=False,
        ) as client,
    ):  # fmt: skip
        await client.subscribe(f"{prefix}/+/+/+/telemetry/+", qos=1)
        async for message in client.messages:
            device_id = str(message.topic).split("/")[-3]
            assert isinstance(message.payload, bytes)
            content = json.loads(message.payload)
            at = datetime.fromtimestamp(content["observed_at"] / 1000, UTC)
            for measure, value, state in _values(content):
                await database.execute(
                    "INSERT INTO handwritten VALUES (%s, %s, %s, %s, %s, %s)",
                    (at, device_id, measure, value, state, datetime.now(UTC)),
                )


def _values(content: dict[str, Any]) -> list[tuple[str, float | None, str | None]]:
    if "samples" in content:
        return [(sample["measure"], sample["value"], None) for sample in content["samples"]]
    if "latitude" in content:
        return [("position", None, f"{content['latitude']},{content['longitude']}")]
    values: list[tuple[str, float | None, str | None]] = []
    if "battery_percent" in content:
        values.append(("link_state", None, "online"))
    for name, value in content.items():
        if name not in ("message_id", "observed_at"):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            values.append((name, value, None) if number else (name, None, str(value)))
    return values


async def probe(broker_url: str, database_url: str, prefix: str) -> None:
    """Receive, COPY, acknowledge."""
    inbox: list[Delivery] = []
    connection = MqttConnection(
        broker_url, "probe", clean=False, subscriptions={f"{prefix}/+/+/+/telemetry/+": 1},
        on_message=inbox.append,
    )  # fmt: skip
    await connection.start()
    async with await psycopg.AsyncConnection.connect(database_url) as database:
        while True:
            if not inbox:
                await asyncio.sleep(0.005)
                continue
            batch, inbox[:] = inbox[:_PROBE_BATCH], inbox[_PROBE_BATCH:]
            lines = b"".join(
                b"%b\t\\\\x%b\n" % (m.topic.encode(), m.payload.hex().encode()) for m in batch
            )
            async with database.cursor() as cursor, cursor.copy("COPY probe FROM STDIN") as copy:
                await copy.write(lines)
            await database.commit()
            connection.ack_all([delivery.ticket for delivery in batch])


if __name__ == "__main__":
    uvloop.run({"handwritten": handwritten, "probe": probe}[sys.argv[1]](*sys.argv[2:5]))
