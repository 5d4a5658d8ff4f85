"""What the supervisor tells the other processes about its children: `run/status.json`."""

from datetime import datetime
from enum import StrEnum

import msgspec

from hub.embedded.folder import HubFolder, write_private


class ChildState(StrEnum):
    """Where a child is in its life."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    BACKING_OFF = "backing_off"


class ChildStatus(msgspec.Struct, frozen=True):
    """One child, since its latest change."""

    state: ChildState
    since: datetime
    pid: int | None = None
    restarts: int = 0
    """How often it came back by itself since the supervisor started."""
    last_exit: str | None = None
    """How the previous process ended: `exit 1`, `SIGKILL`, or why it could not start."""


class SupervisorStatus(msgspec.Struct, frozen=True):
    """All children, in start order."""

    supervisor_pid: int
    since: datetime
    children: dict[str, ChildStatus]
    http: str = ""
    """Where the API was told to listen; the command line may have said so."""


def write_status(folder: HubFolder, status: SupervisorStatus) -> None:
    """Replace the file as a whole."""
    write_private(folder.status, msgspec.json.format(msgspec.json.encode(status)))


def read_status(folder: HubFolder) -> SupervisorStatus | None:
    """The latest status; None if there never was one or it cannot be read."""
    try:
        return msgspec.json.decode(folder.status.read_bytes(), type=SupervisorStatus)
    except (OSError, msgspec.MsgspecError):
        return None
