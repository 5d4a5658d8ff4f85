"""Detector state after a restart: the last checkpoint, then the stored observations since."""

from typing import Any

import psycopg
import structlog

from hub.detect.runner import SHARDS, Draft, Runner, shard_of
from hub.observation import ALIVE, Observation
from hub.register import Register
from hub.store.observations import last_batch_id, replay_rows
from hub.store.upkeep import load_shards
from schemas.ids import DeviceId
from schemas.telemetry import LinkState
from schemas.vocabulary import MEASURE_BY_CODE, Quality

_log = structlog.get_logger(__name__)

_QUALITIES = {quality.code: quality for quality in Quality}
_FETCH = 5_000


async def recover(
    connection: psycopg.AsyncConnection[Any], runner: Runner, register: Register, owner: str
) -> int:
    """Load every shard, replay what was committed after its watermark; how many rows replayed.

    Findings of the replay are dropped: they were committed with the batch they came from.
    """
    watermarks: dict[int, int] = {}
    for shard, watermark, state in await load_shards(connection, owner):
        runner.load_shard(state)
        watermarks[shard] = watermark
    newest = await last_batch_id(connection)
    # A shard that was never written misses everything, also what all others have.
    after = min(watermarks.values()) if len(watermarks) == SHARDS else 0
    replayed = 0
    cursor = await replay_rows(connection, after, newest)
    async with cursor:
        while rows := await cursor.fetchmany(_FETCH):
            draft = Draft()
            for row in rows:
                device_id = DeviceId(row["device_id"])
                if row["batch_id"] <= watermarks.get(shard_of(device_id), 0):
                    continue
                device = register.devices.get(device_id)
                if device is None:
                    continue
                replayed += 1
                received_at = row["received_at"]
                measure = MEASURE_BY_CODE.get(row["measure"])
                if measure is None or not _last_will(measure.key, row["state"]):
                    runner.observe(draft, Observation(device, ALIVE, received_at, None))
                if measure is not None and runner.wants(measure.key):
                    runner.observe(
                        draft,
                        Observation(
                            device,
                            measure.key,
                            received_at,
                            row["observed_at"],
                            row["value"],
                            row["state"],
                            _QUALITIES.get(row["quality"], Quality.POOR),
                        ),
                    )
            runner.accept(draft)
    _log.info("recovered", shards=len(watermarks), replayed=replayed, states=len(runner))
    return replayed


def _last_will(measure: str, state: str | None) -> bool:
    """The stored trace of `hub.observation.is_last_will`."""
    return measure == "link_state" and state == LinkState.OFFLINE
