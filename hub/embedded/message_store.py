"""The broker's store of QoS 1 messages: kept until the hub has answered them, then trimmed by us.

NATS keeps MQTT messages in the stream `$MQTT_msgs` with *interest* retention: a message goes when
every consumer has answered it. Each device's QoS 1 subscription to its own commands is a consumer
too, and whenever one goes the broker walks the whole backlog for it. Measured with 60,000 messages
waiting and 100 devices coming back after kill -9 of the broker: 95 s until all were in, against
0.8 s with *limits* retention. So we switch the stream to limits and trim what the hub's sessions
have answered. See docs/adr/0008.
"""

import asyncio
import math
import re
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import structlog
from nats.aio.client import Client

from hub.errors import HubError

STREAM = "$MQTT_msgs"
ALARM_FILTER = "$MQTT.msgs.care.v1.*.*.*.alarm.*"
ACTION_FILTER = "$MQTT.msgs.desk.action"
"""What dispatchers did; on the alarm lane's sessions too."""
_HUB_FILTER = re.compile(r"\$MQTT\.msgs\.(desk\..+|care\.v1\.[^.]+\.\*\.\*\.(alarm|telemetry)\.\*)")
"""What sessions of the hub subscribe to, of one owner (`*`) or of several, each its areas. No
device may subscribe to these, so a consumer with such a filter is the hub's."""

KEEP_S = 60.0
"""Ours: receipts for a device that is asleep wait this long; whoever sleeps longer presses again
or repeats, and is answered anew."""
TRIM_EVERY_S = 5.0
LIST_EVERY_S = 30.0
"""Half of `KEEP_S`: before anything is trimmed that another owner's new session has not read."""
_ASK_WITHIN_S = 5.0

_log = structlog.get_logger("hub.embedded.message_store")


class MonotonicClock(Protocol):
    """What the trimmer needs of a clock."""

    def monotonic_s(self) -> float:
        """Seconds that never jump."""
        ...


class StoreRefusedError(HubError):
    """The broker refuses to let its message store be managed."""

    retryable = True


class _Sequence(msgspec.Struct, frozen=True):
    stream_seq: int = 0


class _Filters(msgspec.Struct, frozen=True):
    filter_subject: str = ""
    filter_subjects: tuple[str, ...] = ()


class _Consumer(msgspec.Struct, frozen=True):
    name: str
    config: _Filters
    ack_floor: _Sequence = _Sequence()
    num_pending: int = 0
    num_ack_pending: int = 0


class _Page(msgspec.Struct, frozen=True):
    total: int = 0
    consumers: tuple[_Consumer, ...] | None = None


class _State(msgspec.Struct, frozen=True):
    messages: int = 0
    first_seq: int = 0
    last_seq: int = 0


class _Stream(msgspec.Struct, frozen=True):
    config: dict[str, Any]
    state: _State = _State()


async def hub_consumers(
    connection: Client, enough: Callable[[dict[str, str]], bool] = lambda _found: False
) -> dict[str, str]:
    """The hub's own consumers, filter by name; of every owner's sessions, or until `enough`."""
    found: dict[str, str] = {}
    offset = 0
    while True:
        page = msgspec.convert(
            await _ask(connection, f"CONSUMER.LIST.{STREAM}", {"offset": offset}), _Page
        )
        entries = page.consumers or ()
        for entry in entries:
            for subject in (entry.config.filter_subject, *entry.config.filter_subjects):
                if _HUB_FILTER.fullmatch(subject):
                    found[entry.name] = subject
        offset += len(entries)
        if not entries or offset >= page.total or enough(found):
            return found


def hears_both_lanes(consumers: dict[str, str]) -> bool:
    """Whether there are sessions for alarms and for telemetry, of one owner or of several."""
    filters = consumers.values()
    return ALARM_FILTER in filters and any(".telemetry." in subject for subject in filters)


async def waiting_messages(connection: Client) -> int:
    """How many messages the store holds."""
    stream = msgspec.convert(await _ask(connection, f"STREAM.INFO.{STREAM}"), _Stream)
    return stream.state.messages


async def keep_until_trimmed(connection: Client) -> None:
    """Switch the stream to limits retention; a full disk refuses new messages, never drops old."""
    stream = msgspec.convert(await _ask(connection, f"STREAM.INFO.{STREAM}"), _Stream)
    wanted = {"retention": "limits", "discard": "new"}
    if all(stream.config.get(key) == value for key, value in wanted.items()):
        return
    await _ask(connection, f"STREAM.UPDATE.{STREAM}", {**stream.config, **wanted})
    _log.info("retention_changed", **wanted)


class Trimmer:
    """Removes what every session of the hub has answered, some time later."""

    def __init__(self, clock: MonotonicClock) -> None:
        self._clock = clock
        self._floors: deque[tuple[float, int]] = deque()
        """When each floor was seen (monotonic), and the floor; oldest first."""

    async def run(self, connection: Client) -> None:
        """Trim for ever. Raises what the connection raises."""
        names: dict[str, str] = {}
        listed_s = -math.inf
        while True:
            await asyncio.sleep(TRIM_EVERY_S)
            now_s = self._clock.monotonic_s()
            if now_s - listed_s >= LIST_EVERY_S:
                names, listed_s = await hub_consumers(connection), now_s
            if not hears_both_lanes(names) or ACTION_FILTER not in names.values():
                continue
            try:
                await self.trim(connection, names)
            except StoreRefusedError as error:
                _log.warning("trim_failed", error=str(error))
                listed_s = -math.inf

    async def trim(self, connection: Client, names: dict[str, str]) -> None:
        """One look, and a purge of what was answered long enough ago. Raises StoreRefusedError."""
        # The stream first: what a consumer has not seen by now is after `last_seq`.
        stream = msgspec.convert(await _ask(connection, f"STREAM.INFO.{STREAM}"), _Stream)
        floor = stream.state.last_seq
        for name in names:
            consumer = msgspec.convert(
                await _ask(connection, f"CONSUMER.INFO.{STREAM}.{name}"), _Consumer
            )
            if consumer.num_pending or consumer.num_ack_pending:
                floor = min(floor, consumer.ack_floor.stream_seq)
        now_s = self._clock.monotonic_s()
        self._floors.append((now_s, floor))
        old: int | None = None
        while self._floors and now_s - self._floors[0][0] >= KEEP_S:
            old = self._floors.popleft()[1]
        if old is not None and old >= stream.state.first_seq:
            await _ask(connection, f"STREAM.PURGE.{STREAM}", {"seq": old + 1})


async def _ask(
    connection: Client, subject: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    """One request of the JetStream API. Raises StoreRefusedError with the broker's words."""
    reply = await connection.request(
        f"$JS.API.{subject}",
        msgspec.json.encode(body) if body is not None else b"",
        timeout=_ASK_WITHIN_S,
    )
    answer: dict[str, Any] = msgspec.json.decode(reply.data)
    if error := answer.get("error"):
        raise StoreRefusedError(f"{subject}: {error.get('description', error)}")
    return answer
