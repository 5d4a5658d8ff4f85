"""One supervised child: started, watched, started again, stopped."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec
import structlog

from hub.embedded.folder import HubFolder
from hub.embedded.log_files import last_lines
from hub.embedded.process import Command, signal_group, spawn
from hub.embedded.status import ChildState, ChildStatus
from hub.errors import ServerNotReadyError

BACK_OFF_FIRST_S = 0.2
BACK_OFF_LONGEST_S = 10.0
BACK_OFF_RESET_AFTER_S = 30.0
"""A child that lived this long is well again; its next crash is a new story."""

_LOOK_EVERY_S = 0.05

_log = structlog.get_logger("hub.embedded.supervisor")


class Clock(Protocol):
    """What a child needs of time."""

    def now(self) -> datetime: ...
    def monotonic_s(self) -> float: ...


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """How one child is run; a row of the table in `children.py`."""

    name: str
    prepare: Callable[[], Command]
    """Called before every start, in a thread."""
    sweep: Callable[[], None] = lambda: None
    """End what an earlier run left over; called before every start and after the end."""
    is_ready: Callable[[], Awaitable[bool]] | None = None
    """None: it is as good as ready once it runs, others wait for it by themselves."""
    ready_within_s: float = 60.0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within_s: float = 8.0


def back_off_s(previous_s: float, lived_s: float) -> float:
    """How long to wait before the next start.

    >>> back_off_s(0, lived_s=1), back_off_s(0.2, lived_s=1), back_off_s(8, lived_s=1)
    (0.2, 0.4, 10.0)
    >>> back_off_s(8, lived_s=31)
    0.2
    """
    if previous_s == 0 or lived_s >= BACK_OFF_RESET_AFTER_S:
        return BACK_OFF_FIRST_S
    return min(2 * previous_s, BACK_OFF_LONGEST_S)


class Child:
    """A plan and the process that now carries it out."""

    def __init__(
        self, plan: ChildPlan, folder: HubFolder, clock: Clock, on_change: Callable[[], None]
    ) -> None:
        """`on_change` is called after every change of `status`."""
        self.plan = plan
        self.status = ChildStatus(ChildState.STOPPED, since=clock.now())
        self._log_file = folder.log(plan.name)
        self._clock = clock
        self._on_change = on_change
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._started_s = 0.0
        self._back_off_s = 0.0

    async def start(self) -> None:
        """Start it, wait until it is ready, and keep it alive from then on."""
        process = await self._launch()
        try:
            await asyncio.wait_for(self._until_ready(process), self.plan.ready_within_s)
        except TimeoutError:
            raise ServerNotReadyError(
                f"{self.plan.name}: still not ready after {self.plan.ready_within_s:.0f} s",
                *last_lines(self._log_file),
            ) from None
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.plan.name}")

    async def let_go(self) -> None:
        """Do not start it again from now on."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper

    async def stop(self) -> None:
        """Ask it to end, and end it if it does not."""
        await self.let_go()
        how = self.status.last_exit
        if self._process is not None:
            how = await self._end(self._process)
        await asyncio.to_thread(self.plan.sweep)
        self._process = None
        if self.status.state is not ChildState.STOPPED:
            self._change(ChildState.STOPPED, pid=None, last_exit=how)

    async def _end(self, process: asyncio.subprocess.Process) -> str:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(self.plan.stop_signal)
            try:
                await asyncio.wait_for(process.wait(), self.plan.stop_within_s)
            except TimeoutError:
                _log.warning("child_killed", child=self.plan.name, why="did not stop in time")
        signal_group(process, signal.SIGKILL)
        await process.wait()
        return _how_it_ended(process)

    async def _launch(self) -> asyncio.subprocess.Process:
        self._started_s = self._clock.monotonic_s()
        await asyncio.to_thread(self.plan.sweep)
        command = await asyncio.to_thread(self.plan.prepare)
        self._process = process = await spawn(command, self._log_file)
        self._change(ChildState.STARTING, pid=process.pid)
        return process

    async def _until_ready(self, process: asyncio.subprocess.Process) -> None:
        """Return once it is ready; raise if it ends before."""
        while self.plan.is_ready is not None:
            if process.returncode is not None:
                raise ServerNotReadyError(
                    f"{self.plan.name}: ended with {_how_it_ended(process)}. {self._log_file}:",
                    *last_lines(self._log_file),
                )
            if await self.plan.is_ready():
                break
            await asyncio.sleep(_LOOK_EVERY_S)
        self._change(ChildState.RUNNING)

    async def _keep(self) -> None:
        """Start it again whenever it ends, later and later while that does not help."""
        while True:
            how = await self._run_to_its_end()
            lived_s = self._clock.monotonic_s() - self._started_s
            self._back_off_s = back_off_s(self._back_off_s, lived_s)
            self._process = None
            self._change(ChildState.BACKING_OFF, pid=None, last_exit=how)
            await asyncio.sleep(self._back_off_s)

    async def _run_to_its_end(self) -> str:
        """Launch it if it does not run, wait for its end, and say how it ended.

        No time limit on becoming ready here: replaying a long write-ahead log is slow and must not
        be cut short.
        """
        try:
            process = self._process
            if process is None:
                process = await self._launch()
                with contextlib.suppress(ServerNotReadyError):
                    await self._until_ready(process)
            await process.wait()
            return _how_it_ended(process)
        except Exception as error:  # noqa: BLE001 - whatever it was, the next attempt may succeed
            _log.error("child_start_failed", child=self.plan.name, error=error)
            return f"could not be started: {error}"

    def _change(self, state: ChildState, **fields: object) -> None:
        was = self.status
        restarted = state is ChildState.STARTING and was.state is ChildState.BACKING_OFF
        self.status = msgspec.structs.replace(
            was, state=state, since=self._clock.now(), restarts=was.restarts + restarted, **fields
        )
        write = _log.warning if state is ChildState.BACKING_OFF else _log.info
        write("child_state", child=self.plan.name, state=state.value, pid=self.status.pid,
              restarts=self.status.restarts, last_exit=self.status.last_exit)  # fmt: skip
        self._on_change()


def _how_it_ended(process: asyncio.subprocess.Process) -> str:
    code = process.returncode
    if code is None:
        return "still running"
    return signal.Signals(-code).name if code < 0 else f"exit {code}"
