"""Start a child process that cannot outlive us."""

import asyncio
import ctypes
import os
import pwd
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal a process gets when the thread that started it ends."""

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, and as whom."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    account: pwd.struct_passwd | None = None
    """Run as this account; None: as ours. Only root can change it."""
    parent_death_signal: signal.Signals = signal.SIGKILL
    """Sent by the kernel when the supervisor is gone, even by kill -9."""


async def spawn(command: Command, log: Path) -> asyncio.subprocess.Process:
    """Start the command in a process group of its own, its output appended to `log`.

    Its own group, so that Ctrl-C reaches the supervisor alone, which then ends the children in
    order. To be called from the main thread: the kernel watches the starting thread, not the
    process.
    """
    account = command.account
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return await asyncio.create_subprocess_exec(
            *command.arguments,
            env=dict(command.environment),
            cwd=command.folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=() if account else None,
            preexec_fn=tie_to_us(command.parent_death_signal),
        )
    finally:
        os.close(output)


def tie_to_us(at_our_death: signal.Signals) -> Callable[[], None]:
    """What the child does between fork and exec, after it has changed its account.

    Changing the account clears the parent-death signal (prctl(2)), so this has to come last.
    """
    supervisor = os.getpid()

    def tie() -> None:
        if _libc.prctl(_PR_SET_PDEATHSIG, int(at_our_death), 0, 0, 0) != 0:
            os._exit(127)
        if os.getppid() != supervisor:  # it died between fork and prctl
            os._exit(127)

    return tie


def signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Send a signal to a child and everything in its process group; gone is fine."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
