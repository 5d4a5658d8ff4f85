"""Look-ups in /proc: which processes of an earlier run are still there, and ending them."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hub.errors import LeftoverProcessError

_END_WITHIN_S = 10.0
"""SIGKILL takes effect in milliseconds; only a process stuck in the kernel needs longer."""

_LOOK_EVERY_S = 0.02


_STATE, _START = 0, 19
"""Fields 3 and 22 of proc_pid_stat(5), counted from field 3."""


@dataclass(frozen=True, slots=True)
class ProcessEntry:
    """What /proc tells of one process that this account may look at."""

    pid: int
    executable: str
    folder: Path
    arguments: tuple[str, ...]
    start: str
    """Boot-relative start time: with the pid it names a process for ever."""

    def variable(self, name: str) -> str | None:
        """The value of one environment variable as the process was started with it."""
        try:
            entries = Path(f"/proc/{self.pid}/environ").read_bytes().split(b"\0")
        except OSError:
            return None
        prefix = os.fsencode(name) + b"="
        return next((os.fsdecode(e[len(prefix) :]) for e in entries if e.startswith(prefix)), None)


def look_up(pid: int) -> ProcessEntry | None:
    """The process with this id; None if it is gone, a zombie, or none of our business."""
    proc = Path(f"/proc/{pid}")
    try:
        # A zombie has no executable and no folder any more: both look-ups fail.
        executable = str((proc / "exe").readlink()).removesuffix(" (deleted)")
        folder = Path(str((proc / "cwd").readlink()).removesuffix(" (deleted)"))
        arguments = os.fsdecode((proc / "cmdline").read_bytes()).rstrip("\0").split("\0")
        start = _stat(proc)[_START]
    except (OSError, IndexError):
        return None
    return ProcessEntry(pid, Path(executable).name, folder, tuple(arguments), start)


def find(wanted: Callable[[ProcessEntry], bool]) -> list[ProcessEntry]:
    """All running processes for which `wanted` holds, never this one."""
    return [entry for entry in _all() if entry.pid != os.getpid() and wanted(entry)]


def end(entries: list[ProcessEntry]) -> None:
    """Kill the processes and wait until they are gone.

    SIGKILL at once: a stopped process acts on no other signal, and what these processes keep is
    safe against a kill at any instant.
    """
    for entry in entries:
        if _lives(entry):
            try:
                os.kill(entry.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            except PermissionError as error:
                raise LeftoverProcessError(_named(entry), "it belongs to somebody else") from error
    for _ in range(round(_END_WITHIN_S / _LOOK_EVERY_S)):
        entries = [entry for entry in entries if _lives(entry)]
        if not entries:
            return
        time.sleep(_LOOK_EVERY_S)
    raise LeftoverProcessError(*(_named(entry) for entry in entries))


def _all() -> Iterator[ProcessEntry]:
    for proc in os.listdir("/proc"):  # noqa: PTH208 - names only, a thousand of them
        if proc.isdigit() and (entry := look_up(int(proc))) is not None:
            yield entry


def _stat(proc: Path) -> list[str]:
    # From field 3 on: the name in field 2 may itself hold blanks and brackets.
    return (proc / "stat").read_text(errors="replace").rpartition(")")[2].split()


def _lives(entry: ProcessEntry) -> bool:
    """Whether it still holds anything: a zombie has closed its files, locks and ports."""
    try:
        stat = _stat(Path(f"/proc/{entry.pid}"))
    except OSError:
        return False
    return stat[_START] == entry.start and stat[_STATE] not in ("Z", "X")


def _named(entry: ProcessEntry) -> str:
    return f"process {entry.pid} ({entry.executable})"
