"""`carebell up`: the process tree of one machine, started in order and kept alive."""

import asyncio
import contextlib
import errno
import fcntl
import os
import signal
import socket
from collections.abc import Callable, Collection, Mapping

import psycopg
import structlog

from hub.clock import SystemClock
from hub.embedded import broker
from hub.embedded.child import Child, Clock
from hub.embedded.children import BROKER, DATABASE, plan_children, sweep_own_processes
from hub.embedded.database import database_url
from hub.embedded.folder import HubFolder
from hub.embedded.log_files import trim
from hub.embedded.secrets import load_or_draw_secrets
from hub.embedded.status import ChildState, ChildStatus, SupervisorStatus, write_status
from hub.errors import AddressTakenError, FolderInUseError, MigrationError, StartError
from hub.settings import Address, Settings

UPKEEP_EVERY_S = 60.0
"""Ours: logs grow slower, and a certificate is renewed weeks before the old one ends."""

_log = structlog.get_logger("hub.embedded.supervisor")

DatabasePreparation = Callable[[str, Settings, str], None]
"""Takes the database's URL, the settings and the first administrator's password."""


class Supervisor:
    """Owns the data folder while it runs, and every process on it."""

    def __init__(
        self,
        settings: Settings,
        *,
        only: Collection[str] | None = None,
        prepare_database: DatabasePreparation,
        clock: Clock | None = None,
    ) -> None:
        """`only` restricts the table of children by name; `prepare_database` is called once the
        database answers."""
        self.settings = settings
        self.folder = HubFolder(settings.data_dir)
        self._only = only
        self._prepare_database = prepare_database
        self._clock = clock or SystemClock()
        self._since = self._clock.now()
        self._children: tuple[Child, ...] = ()
        self._stop_requested = asyncio.Event()
        self._lock: int | None = None
        self._upkeep: asyncio.Task[None] | None = None

    @property
    def children(self) -> Mapping[str, ChildStatus]:
        """Every child's status by name, in start order."""
        return {child.plan.name: child.status for child in self._children}

    async def start(self) -> None:
        """Start everything in order; on any failure end what was started and raise.

        Returns early, with everything ended, if a stop is requested meanwhile.
        """
        starting = asyncio.create_task(self._start())
        stopping = asyncio.create_task(self._stop_requested.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                await starting
        finally:
            stopping.cancel()
            if not starting.done() or starting.cancelled() or starting.exception() is not None:
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)
                await self.stop()

    async def run_until_stopped(self) -> None:
        """Wait for a requested stop, then end everything."""
        try:
            await self._stop_requested.wait()
        finally:
            await self.stop()

    async def stop_requested(self) -> None:
        """Wait until somebody asks for a stop; what to do about it is the caller's."""
        await self._stop_requested.wait()

    @property
    def stopping(self) -> bool:
        """Whether a stop was requested."""
        return self._stop_requested.is_set()

    def request_stop(self) -> None:
        """End soon; safe in a signal handler of the loop, any number of times."""
        self._stop_requested.set()

    def stop_on_signals(self) -> None:
        """Ctrl-C, `kill` and a closed terminal request a stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.request_stop)

    async def stop(self) -> None:
        """End the children in reverse order, each within its bound, and free the folder."""
        self._stop_requested.set()
        if self._upkeep is not None:
            self._upkeep.cancel()
        await asyncio.gather(*(child.let_go() for child in self._children))
        for child in reversed(self._children):
            try:
                await child.stop()
            except Exception as error:  # noqa: BLE001 - the others must end all the same
                _log.error("child_stop_failed", child=child.plan.name, error=error)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def _start(self) -> None:
        self.folder.create()
        self._take_folder()
        secrets = load_or_draw_secrets(self.folder)
        plans = plan_children(self.settings, self.folder, secrets)
        self._children = tuple(
            Child(plan, self.folder, self._clock, self._write_status)
            for plan in plans
            if self._only is None or plan.name in self._only
        )
        await asyncio.to_thread(self._sweep)
        self._check_addresses()
        self._upkeep = asyncio.create_task(self._keep_up())
        for child in self._children:
            if child.plan.name == DATABASE:
                await child.start()
        if self._only is None or DATABASE in self._only:
            await self._migrate(secrets.administrator_password)
        for child in self._children:
            if child.plan.name != DATABASE:
                await child.start()

    def _take_folder(self) -> None:
        descriptor = os.open(self.folder.lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode() or "unknown"
            os.close(descriptor)
            raise FolderInUseError(
                f"{self.folder.root} (process {holder}). Stop that one, or choose another --data."
            ) from None
        os.truncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._lock = descriptor

    def _sweep(self) -> None:
        sweep_own_processes(self.folder)
        for child in self._children:
            child.plan.sweep()

    def _check_addresses(self) -> None:
        """Say which address is not free before anything starts, not in a child's log."""
        names = {child.plan.name for child in self._children}
        if "api" in names:
            _check_free(self.settings.http_listen, "http_listen", "--http")
        if "broker" in names and self.settings.mqtt_tls_listen is not None:
            _check_free(
                self.settings.mqtt_tls_listen, "mqtt_tls_listen", "CAREBELL_MQTT_TLS_LISTEN"
            )
        elif "broker" in names:
            _check_free(self.settings.mqtt_listen, "mqtt_listen", "--mqtt")

    async def _migrate(self, administrator_password: str) -> None:
        url = self.settings.database_url or database_url(self.settings.data_dir)
        try:
            await asyncio.to_thread(
                self._prepare_database, url, self.settings, administrator_password
            )
        except psycopg.Error as error:
            raise MigrationError(str(error)) from error

    def _write_status(self) -> None:
        listen = str(self.settings.http_listen)
        status = SupervisorStatus(os.getpid(), self._since, dict(self.children), listen)
        try:
            write_status(self.folder, status)
        except OSError as error:  # a full disk: the children matter more than the file
            _log.error("status_not_written", error=error)

    async def _keep_up(self) -> None:
        while True:
            await asyncio.sleep(UPKEEP_EVERY_S)
            with contextlib.suppress(OSError):  # a full disk: nothing to gain by ending the hub
                await asyncio.to_thread(trim, self.folder.root / "log")
            await asyncio.to_thread(self.renew_certificate)

    def renew_certificate(self) -> None:
        """A certificate that was renewed is shown from now on."""
        child = self.children.get(BROKER)
        if child is None or child.pid is None or child.state is not ChildState.RUNNING:
            return
        path = self.settings.mqtt_tls_certificate
        try:
            if broker.renew(self.settings, self.folder, child.pid):
                _log.info("certificate_renewed", path=path)
        except OSError as error:
            _log.warning("certificate_not_renewed", path=path, error=type(error).__name__)


def _check_free(address: Address, key: str, option: str) -> None:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address.host, address.port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise AddressTakenError(
                f"{address} ({key}): another program listens there. "
                f"Stop it, or choose another address with {option} HOST:PORT."
            ) from error
        reason = error.strerror or str(error)
        raise StartError(f"{address} ({key}): cannot listen there: {reason}") from error
