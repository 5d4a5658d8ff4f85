"""The children's log files: bounded in size, and quoted when a start fails."""

import os
import shutil
from pathlib import Path

MAX_LOG_BYTES = 16 * 1024 * 1024
"""Weeks of a quiet hub, an hour of a broken one; twice that per child with the older half."""

_QUOTED_BYTES = 4096


def trim(folder: Path) -> None:
    """Move what is too long to `<name>.log.1`, replacing the older half.

    Copied and cut rather than renamed, because the child keeps its file open; it appends, so it
    goes on at the new end. Lines written in between are lost.
    """
    for log in folder.glob("*.log"):
        if log.stat().st_size > MAX_LOG_BYTES:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)


def last_lines(log: Path, lines: int = 8) -> tuple[str, ...]:
    """The end of a log, for a message that must explain itself."""
    try:
        with log.open("rb") as file:
            file.seek(-min(_QUOTED_BYTES, log.stat().st_size), os.SEEK_END)
            text = file.read().decode(errors="replace")
    except OSError:
        return ()
    return tuple(text.splitlines()[-lines:])
