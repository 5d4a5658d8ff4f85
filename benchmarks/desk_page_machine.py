"""Who used the processors while something was measured: our parts, or somebody else."""

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import cpu_s, process_tree

_BUSY = (0, 1, 2, 5, 6)
"""user, nice, system, irq and softirq of /proc/stat (proc_stat(5)); the seventh is stolen by other
guests of the same host."""
_STOLEN = 7


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor time until now, in seconds."""

    at_s: float
    machine_s: float
    stolen_s: float
    parts_s: Mapping[str, float]


def usage() -> Usage:
    """Of the machine, and of this process and everything it started."""
    parts: dict[str, list[int]] = {"browser": [], "load_and_driver": [], "hub": []}
    for pid in process_tree(os.getpid()):
        parts[_part_of(pid)].append(pid)
    fields = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    return Usage(
        time.monotonic(),
        sum(fields[each] for each in _BUSY) * tick_s,
        fields[_STOLEN] * tick_s,
        {name: cpu_s(pids) for name, pids in parts.items()},
    )


def shares(before: Usage, after: Usage) -> dict[str, float]:
    """Which part of all processors went to whom in between. What is neither ours nor stolen nor
    `by_others` was idle."""
    all_s = (after.at_s - before.at_s) * (os.cpu_count() or 1)
    ours = {name: after.parts_s[name] - before.parts_s[name] for name in after.parts_s}
    others_s = max(0.0, after.machine_s - before.machine_s - sum(ours.values()))
    return {
        "processors": float(os.cpu_count() or 1),
        "load_average": round(os.getloadavg()[0], 2),
        **{name: round(took_s / all_s, 3) for name, took_s in ours.items()},
        "by_others": round(others_s / all_s, 3),
        "stolen_by_the_host": round((after.stolen_s - before.stolen_s) / all_s, 3),
    }


def _part_of(pid: int) -> str:
    command = b""
    with contextlib.suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    if b"chromium" in command:
        return "browser"
    return "load_and_driver" if pid == os.getpid() or b"playwright" in command else "hub"
