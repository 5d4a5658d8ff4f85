"""The callout for a broker somebody else operates: its questions come over HTTP, and whom a change
of the register bars is disconnected in the way that broker allows.

EMQX has a management API for it. Any broker closes a connection when its client id connects again
(MQTT 3.1.1, 3.1.4-2), so where nothing better is told the hub takes the client id over, once.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Collection
from typing import Protocol
from urllib.parse import quote, unquote, urlsplit

import aiomqtt
import httpx
import structlog
import uvicorn

from hub.broker_line import BrokerLine
from hub.clock import SystemClock
from hub.embedded.door import Door, HubLogin
from hub.embedded.door_register import DoorRegister
from hub.embedded.doorman import Watchman
from hub.embedded.folder import HubFolder
from hub.errors import StartError
from hub.settings import Settings

LOOK_EVERY_S = 0.1
CUT_WITHIN_S = 5.0
SESSIONS_WANTED = 2
"""Alarms and telemetry: before both exist a broker would keep no message for the hub."""
_GONE = (204, 404)
"""EMQX: done, and not connected."""

_log = structlog.get_logger("hub.embedded.operated")


class Cutter(Protocol):
    """Disconnects devices by client id."""

    async def cut(self, client_ids: Collection[str]) -> int:
        """How many were asked to go. Raises OSError; all of it is tried again."""
        ...


class EmqxCutter:
    """DELETE /api/v5/clients/{clientid} with an API key (docs.emqx.com, REST API)."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._base = f"{parts.scheme}://{parts.hostname}:{parts.port or 18083}/api/v5"
        self._login = (unquote(parts.username or ""), unquote(parts.password or ""))

    async def cut(self, client_ids: Collection[str]) -> int:
        """Kick each; OSError where EMQX does not do it."""
        async with httpx.AsyncClient(auth=self._login, timeout=CUT_WITHIN_S) as client:
            for client_id in client_ids:
                try:
                    address = f"{self._base}/clients/{quote(client_id, safe='')}"
                    answer = await client.delete(address)
                except httpx.HTTPError as error:
                    raise OSError(str(error)) from error
                if answer.status_code not in _GONE:
                    message = f"EMQX answers {answer.status_code}"
                    raise OSError(message)
        return len(client_ids)


class TakeoverCutter:
    """Connects once under each client id with the hub's log-in; the broker hangs up on the other.
    Clean: what waited for a device that may not come back is deleted with its session."""

    def __init__(self, broker_url: str) -> None:
        self._line = BrokerLine.parse(broker_url)

    async def cut(self, client_ids: Collection[str]) -> int:
        """Take each over; OSError where the broker does not let us."""
        line = self._line
        try:
            for client_id in client_ids:
                async with aiomqtt.Client(
                    line.host, line.port, username=line.username, password=line.password,
                    identifier=client_id, clean_session=True, timeout=CUT_WITHIN_S,
                    tls_context=line.tls(),
                ):  # fmt: skip
                    pass
        except (aiomqtt.MqttError, ssl.SSLError) as error:
            raise OSError(str(error)) from error
        return len(client_ids)


class OperatedCallout:
    """HTTP door and doorman of an operated broker."""

    def __init__(self, settings: Settings, clock: SystemClock) -> None:
        """Raises StartError where the settings do not go together."""
        address = settings.broker_auth_listen
        if address is None or not settings.broker_auth_secret:
            raise StartError(
                "broker_auth_listen and broker_auth_secret: the callout of an operated broker "
                "wants both, see docs/how-to/brokers.md"
            )
        self._address = address
        self._clock = clock
        self._folder = HubFolder(settings.data_dir)
        self._register = DoorRegister(self._folder.register)
        self._sessions_seen = False
        self.door = Door(
            self._register.devices,
            self._ready,
            HubLogin.of(settings.broker_url),
            settings.broker_auth_secret,
        )
        self._cutter: Cutter = (
            EmqxCutter(settings.emqx_api_url)
            if settings.emqx_api_url
            else TakeoverCutter(settings.broker_url)
        )

    async def serve(self) -> None:
        """Answer until told to stop."""
        config = uvicorn.Config(
            self.door.app(), host=self._address.host, port=self._address.port, loop="none",
            http="httptools", ws="none", lifespan="off", log_config=None, log_level="warning",
            access_log=False, server_header=False,
        )  # fmt: skip
        keeping = asyncio.create_task(self._keep_door())
        try:
            await uvicorn.Server(config).serve()
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    def _ready(self) -> bool:
        """Whether ingest has made its sessions: it writes them down when it has."""
        if not self._sessions_seen:
            self._sessions_seen = self._folder.has_sessions(SESSIONS_WANTED)
        return self._sessions_seen

    async def _keep_door(self) -> None:
        watchman = Watchman(self._register, self._clock)
        while True:
            try:
                await watchman.look(self._cut)
            except OSError as error:
                _log.warning("not_cut_off", error=str(error))
                await asyncio.sleep(1.0)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _cut(self, device_ids: Collection[str]) -> int:
        known = self.door.client_ids
        return await self._cutter.cut([known.get(i, i) for i in device_ids])


async def run_operated_callout(settings: Settings) -> None:
    """The process `carebell callout` where somebody else operates the broker."""
    with contextlib.suppress(asyncio.CancelledError):
        await OperatedCallout(settings, SystemClock()).serve()
