"""The auth callout: a small process of its own that answers the broker "may this client in?".

It lives on the snapshot file alone, so that a busy or dead hub never locks a device out. It lets
nobody in before the hub's two persistent sessions exist: the broker stores nothing that nobody
subscribes to, and would answer an alarm with PUBACK and forget it.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import nats
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from hub.clock import SystemClock
from hub.embedded import broker
from hub.embedded.admission import Question, admit, applicant_of, device_claims
from hub.embedded.callout_word import write_callout_word
from hub.embedded.door_register import DoorRegister
from hub.embedded.doorman import Doorman, Watchman
from hub.embedded.folder import HubFolder
from hub.embedded.jwt import Signer, read_claims
from hub.embedded.message_store import (
    TRIM_EVERY_S,
    StoreRefusedError,
    Trimmer,
    hears_both_lanes,
    hub_consumers,
    keep_until_trimmed,
)
from hub.embedded.operated import run_operated_callout
from hub.embedded.secrets import InternalUser, Secrets, load_secrets
from hub.settings import Settings

_MAX_WAITING = 20_000
"""Questions kept while we are busy: a city of 10,000 homes at once; more will ask again."""

_ASK_EVERY_S = 0.2
LOOK_EVERY_S = 0.1
"""A stat of the snapshot: ingest writes it within about a second of a change."""
_CONNECT_AGAIN_S = 0.05
"""Short, because a device that is back before us waits for the broker's own time limit."""
_CONNECT_WITHIN_S = 2
_PING_EVERY_S = 5
_TELL_EVERY_S = 60.0
_WRITE_EVERY_S = 5.0
"""Prometheus asks every 15 s."""
_CANCEL_AGAIN_S = 0.2

_ASKING_FAILED = (NatsError, msgspec.MsgspecError, TimeoutError, StoreRefusedError)

_log = structlog.get_logger("hub.embedded.callout")


class Callout:
    """Answers the broker's questions over one connection, and over the next one after that."""

    def __init__(self, folder: HubFolder, secrets: Secrets, clock: SystemClock) -> None:
        """Take the issuer's key and our password from `secrets`."""
        self._folder = folder
        self._passwords = secrets.broker_passwords
        self._signer = Signer(secrets.issuer_seed)
        self._clock = clock
        self._register = DoorRegister(folder.register)
        self._question = msgspec.json.Decoder(Question)
        self._ready = False
        self._told: set[str] = set()
        self.answers: Counter[str] = Counter()
        """Answers given, by refusal or "admitted"."""

    async def serve(self) -> None:
        """Answer until cancelled; the broker may come and go."""
        while True:
            try:
                await self._serve_one_connection()
            except (NatsError, OSError, msgspec.MsgspecError, TimeoutError) as error:
                await self._tell_error(error)
            await asyncio.sleep(_CONNECT_AGAIN_S)

    async def _tell_error(self, error: Exception) -> None:
        """Once, not twenty times a second while the broker is away."""
        reason = type(error).__name__
        if reason not in self._told:
            self._told.add(reason)
            _log.warning("broker_connection_error", error=reason)

    async def _serve_one_connection(self) -> None:
        """Connect anew each time: the broker may have moved to another loopback port."""
        cut = asyncio.Event()

        async def on_cut() -> None:
            cut.set()

        connection = await self._connect(InternalUser.CALLOUT, "carebell callout", on_cut)
        tasks: list[asyncio.Task[None]] = []
        try:
            await connection.subscribe(
                "$SYS.REQ.USER.AUTH", cb=self._answer, pending_msgs_limit=_MAX_WAITING
            )
            await connection.flush()
            self._told.clear()
            _log.info("connected")
            tasks = [
                asyncio.create_task(self._keep_store(connection)),
                asyncio.create_task(self._keep_door()),
                asyncio.create_task(self._tell()),
            ]
            await cut.wait()
            _log.info("connection_lost")
        finally:
            self._ready = False
            await _end(tasks)
            with contextlib.suppress(NatsError, OSError):
                await connection.close()

    async def _connect(
        self,
        user: InternalUser,
        name: str,
        on_cut: Callable[[], Awaitable[None]] | None = None,
    ) -> Client:
        return await nats.connect(
            f"nats://127.0.0.1:{broker.ports(self._folder).client}",
            user=user.value,
            password=self._passwords[user],
            name=name,
            allow_reconnect=False,
            ping_interval=_PING_EVERY_S,
            max_outstanding_pings=2,
            connect_timeout=_CONNECT_WITHIN_S,
            # nats would try one port sixty times, two seconds apart: a minute of locked doors.
            max_reconnect_attempts=1,
            reconnect_time_wait=_CONNECT_AGAIN_S,
            closed_cb=on_cut,
            disconnected_cb=on_cut,
            error_cb=self._tell_error,
        )

    async def _keep_store(self, connection: Client) -> None:
        """Open the gate once both sessions exist, which outlive the hub, and the store is kept as
        we want it; then trim the store."""
        while not self._ready:
            with contextlib.suppress(*_ASKING_FAILED):
                if hears_both_lanes(await hub_consumers(connection, hears_both_lanes)):
                    await keep_until_trimmed(connection)
                    self._ready = True
                    _log.info("gate_opened", why="both hub sessions exist")
                    break
            await asyncio.sleep(_ASK_EVERY_S)
        trimmer = Trimmer(self._clock)
        while True:
            with contextlib.suppress(*_ASKING_FAILED):
                await trimmer.run(connection)
            await asyncio.sleep(TRIM_EVERY_S)

    async def _keep_door(self) -> None:
        """Disconnect whom a change of the register bars, over a connection of the system user:
        the callout's own may do no such thing."""
        watchman = Watchman(self._register, self._clock)
        while True:
            with contextlib.suppress(*_ASKING_FAILED, OSError):
                connection = await self._connect(InternalUser.SYSTEM, "carebell doorman")
                try:
                    doorman = Doorman(connection)
                    if (devices := self._register.devices()) is not None:
                        await doorman.cut_strangers(devices)
                    while True:
                        await watchman.look(doorman.cut)
                        await asyncio.sleep(LOOK_EVERY_S)
                finally:
                    await connection.close()
            await asyncio.sleep(_CONNECT_AGAIN_S)

    async def _tell(self) -> None:
        """Log how many came and why others did not, if anybody did."""
        told, seconds = Counter(self.answers), 0.0
        while True:
            write_callout_word(self._folder, self.answers, ready=self._ready)
            await asyncio.sleep(_WRITE_EVERY_S)
            seconds += _WRITE_EVERY_S
            if seconds >= _TELL_EVERY_S and (new := self.answers - told):
                _log.info("answered", **new)
                told, seconds = Counter(self.answers), 0.0

    async def _answer(self, message: Msg) -> None:
        try:
            question = read_claims(message.data, self._question)
        except msgspec.MsgspecError as error:
            _log.error("question_unreadable", error=str(error))
            return
        now_s = int(self._clock.now().timestamp())
        if 0 < question.exp < now_s:
            # The broker has given up on it and the device will ask again; answering the dead
            # would make the living wait.
            self.answers["too_late"] += 1
            return
        await message.respond(self._sign_answer(question, now_s).encode())

    def _sign_answer(self, question: Question, now_s: int) -> str:
        request = question.nats
        applicant = applicant_of(request, self._is_ours)
        refusal = admit(applicant, self._register.devices(), ready=self._ready)
        self.answers[refusal.name.lower() if refusal else "admitted"] += 1
        answer: dict[str, Any] = {"type": "authorization_response", "version": 2}
        if refusal:
            answer["error"] = refusal.value
        else:
            claims = device_claims(applicant.username, request.user_nkey)
            answer["jwt"] = self._signer.sign(claims, now_s)
        response = {"sub": request.user_nkey, "aud": request.server_id.id, "nats": answer}
        return self._signer.sign(response, now_s)

    def _is_ours(self, certificate_pem: str) -> bool:
        """Whether the hub's own processes show it. Read each time: it is drawn anew with every
        start of the broker, and only where the broker wants certificates."""
        try:
            return certificate_pem.strip() == broker.own_certificate(self._folder)
        except OSError:
            return False


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel until they end: `asyncio.wait_for`, inside nats, may eat a cancel (Python 3.11)."""
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=_CANCEL_AGAIN_S)


async def run_callout(settings: Settings) -> None:
    """The process `carebell callout`."""
    if settings.broker_url:
        await run_operated_callout(settings)
        return
    logging.getLogger("nats").setLevel(logging.CRITICAL)  # we log what it would, in our way
    folder = HubFolder(settings.data_dir)
    await Callout(folder, load_secrets(folder), SystemClock()).serve()
