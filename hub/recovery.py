"""Detector state after a restart: the last checkpoint, then the stored observations since."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
import structlog

from hub.detect.belonging import SHARDS, shard_of
from hub.detect.runner import Runner
from hub.device import Device
from hub.observation import ALIVE, UNKNOWN_TIME, Observation, seconds_of
from hub.register import Register
from hub.store.checkpoints import load_kept, load_shards
from hub.store.observations import last_batch_id, replay_rows
from schemas.alarms import Position, PositionSource
from schemas.ids import DeviceId
from schemas.telemetry import LinkState
from schemas.vocabulary import MEASURE_BY_CODE, Quality

_log = structlog.get_logger(__name__)

_QUALITIES = {quality.code: quality for quality in Quality}
_SOURCES = {source.value: source for source in PositionSource}
_FETCH = 5_000


@dataclass(slots=True)
class Marks:
    """Up to which batch each state is complete."""

    shards: dict[int, int] = field(default_factory=dict)
    kept: dict[tuple[str, str], int] = field(default_factory=dict)
    """Single states that were stored after their shard, by detector and key."""
    batch_id: int = 0
    """Of the row that is being replayed."""
    _by_key: dict[str, int] = field(default_factory=dict)
    """The marks of shards, looked up once a key."""

    def oldest(self) -> int:
        """The first batch that must be replayed comes after this one."""
        # A shard that was never written misses everything, also what all others have.
        return min(self.shards.values()) if len(self.shards) == SHARDS else 0

    def is_news(self, detector: str, key: str) -> bool:
        """Whether the row has something this state does not know yet."""
        known = self.kept.get((detector, key)) if self.kept else None
        if known is None:
            known = self._by_key.get(key)
        if known is None:
            known = self._by_key[key] = self.shards.get(shard_of(key), 0)
        return self.batch_id > known


async def recover(
    connection: psycopg.AsyncConnection[Any], runner: Runner, register: Register, owner: str
) -> int:
    """Load every shard, replay what was committed after its watermark; how many rows replayed.

    Findings of the replay are dropped: they were committed with the batch they came from.
    """
    marks = Marks()
    for shard, watermark, state in await load_shards(connection, owner):
        runner.load_shard(state)
        marks.shards[shard] = watermark
    for batch_id, kept in await load_kept(connection, owner):
        if batch_id > marks.shards.get(kept.shard, 0) and runner.load_kept(kept):
            marks.kept[kept.detector, kept.key] = batch_id
    newest = await last_batch_id(connection)
    replayed = 0
    cursor = await replay_rows(connection, marks.oldest(), newest)
    async with cursor:
        while rows := await cursor.fetchmany(_FETCH):
            for row in rows:
                device = register.devices.get(DeviceId(row["device_id"]))
                if device is None or not register.ours(device.area_id):
                    continue
                marks.batch_id = row["batch_id"]
                replayed += 1
                for observation in observations_of(device, row):
                    runner.replay(observation, marks.is_news)
    _log.info(
        "recovered",
        shards=len(marks.shards),
        rows=len(marks.kept),
        replayed=replayed,
        states=len(runner),
    )
    return replayed


def observations_of(device: Device, row: Mapping[str, Any]) -> Iterator[Observation]:
    """What the detectors were shown of a stored row."""
    received_at, observed_at = row["received_at"], row["observed_at"]
    if observed_at == UNKNOWN_TIME:
        observed_at = None
    measure = MEASURE_BY_CODE.get(row["measure"])
    times = seconds_of(received_at.timestamp(), observed_at)
    arrived_s = times.arrived_s
    if measure is None or not _last_will(measure.key, row["state"]):
        yield Observation(
            device, ALIVE, received_at, None, None, None, Quality.GOOD, None, None, None,
            arrived_s, 0, arrived_s,
        )  # fmt: skip
    if measure is not None:
        quality = _QUALITIES.get(row["quality"], Quality.POOR)
        yield Observation(
            device, measure.key, received_at, observed_at, row["value"], row["state"], quality,
            None, _position(row), None, arrived_s, times.observed_s, times.moment_s,
        )  # fmt: skip


def _position(row: Mapping[str, Any]) -> Position | None:
    if row["latitude"] is None or row["longitude"] is None:
        return None
    observed_at = row["observed_at"]
    return Position(
        row["latitude"],
        row["longitude"],
        row["accuracy_m"],
        _SOURCES.get(row["state"], PositionSource.GNSS),
        None if observed_at == UNKNOWN_TIME else observed_at,
    )


def _last_will(measure: str, state: str | None) -> bool:
    """The stored trace of `hub.observation.is_last_will`."""
    return measure == "link_state" and state == LinkState.OFFLINE
