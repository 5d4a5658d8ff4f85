"""Shows devices the door of the embedded broker that were let in and may not stay.

A connection is admitted once and then lasts for months. Who was revoked meanwhile, or was given
another secret, is disconnected by the broker on our word (NATS 2.10: KICK, on the system account).
"""

from collections.abc import Awaitable, Callable, Collection, Mapping

import msgspec
import structlog
from nats.aio.client import Client

from hub.embedded.admission import barred
from hub.embedded.door_register import DoorRegister, RegisteredDevice
from hub.embedded.message_store import MonotonicClock
from hub.embedded.secrets import InternalUser

PAGE = 1024
"""Connections listed at once; also the broker's default."""
AGAIN_AFTER_S = 2.0
"""Longer than the broker waits for our answer on a good day; then the connection is listed."""
_ASK_WITHIN_S = 2.0

_log = structlog.get_logger("hub.embedded.doorman")


class _Connection(msgspec.Struct, frozen=True):
    cid: int
    authorized_user: str = ""


class _Server(msgspec.Struct, frozen=True):
    id: str


class _Page(msgspec.Struct, frozen=True):
    connections: tuple[_Connection, ...] = ()
    total: int = 0


class _Answer(msgspec.Struct, frozen=True):
    server: _Server
    data: _Page = _Page()


class Doorman:
    """Lists and cuts connections over a connection of the system user."""

    def __init__(self, connection: Client) -> None:
        self._connection = connection

    async def cut(self, device_ids: Collection[str]) -> int:
        """Disconnect these devices; how many connections there were. Raises what nats raises."""
        wanted = frozenset(device_ids)
        return await self._cut_where(lambda name: name in wanted) if wanted else 0

    async def cut_strangers(self, devices: Mapping[str, RegisteredDevice]) -> int:
        """Disconnect every device that could not come in now: after our own restart nobody
        remembers what changed meanwhile. Who is at the door just now has no name yet: they are
        asked by today's register."""
        welcome = {user.value for user in InternalUser} | {""}

        def strange(name: str) -> bool:
            device = devices.get(name)
            return name not in welcome and (device is None or device.revoked)

        return await self._cut_where(strange)

    async def _cut_where(self, unwelcome: Callable[[str], bool]) -> int:
        cut = offset = 0
        while True:
            answer = await self._ask("PING.CONNZ", {"auth": True, "offset": offset, "limit": PAGE})
            for connection in answer.data.connections:
                if unwelcome(connection.authorized_user):
                    await self._ask(f"{answer.server.id}.KICK", {"cid": connection.cid})
                    cut += 1
            offset += len(answer.data.connections)
            if not answer.data.connections or offset >= answer.data.total:
                return cut

    async def _ask(self, subject: str, body: dict[str, object]) -> _Answer:
        reply = await self._connection.request(
            f"$SYS.REQ.SERVER.{subject}", msgspec.json.encode(body), timeout=_ASK_WITHIN_S
        )
        return msgspec.json.decode(reply.data, type=_Answer)


class Watchman:
    """Looks for changes of the register and has cut off whom they bar.

    Twice: who was being let in at that very instant is not listed yet the first time.
    """

    def __init__(self, register: DoorRegister, clock: MonotonicClock) -> None:
        self._register = register
        self._clock = clock
        self._known: dict[str, RegisteredDevice] | None = None
        self._again: list[tuple[float, frozenset[str]]] = []

    async def look(self, cut: Callable[[Collection[str]], Awaitable[int]]) -> None:
        """One look. Raises what `cut` raises; then the same is found by the next look."""
        now_s = self._clock.monotonic_s()
        devices = self._register.devices()
        out: frozenset[str] = frozenset()
        if devices is not None and devices is not self._known:
            out = barred(self._known or {}, devices)
        due = [ids for at_s, ids in self._again if at_s <= now_s]
        wanted = out.union(*due)
        if wanted:
            connections = await cut(wanted)
            _log.info("cut_off", devices=len(wanted), connections=connections)
        self._known = devices
        self._again = [(at_s, ids) for at_s, ids in self._again if at_s > now_s]
        if out:
            self._again.append((now_s + AGAIN_AFTER_S, out))
