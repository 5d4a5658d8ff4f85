"""A database that runs while something is restored into it, or while the hub is stopped."""

import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from hub.embedded.children import DATABASE
from hub.embedded.database import database_url
from hub.embedded.folder import HubFolder
from hub.embedded.supervisor import Supervisor
from hub.settings import Settings


@asynccontextmanager
async def database_of(settings: Settings, data_dir: Path) -> AsyncIterator[str]:
    """The embedded database of a folder, alone, and its address; the folder is ours meanwhile."""
    own = settings.model_copy(update={"data_dir": data_dir, "database_url": ""})
    supervisor = Supervisor(own, only=(DATABASE,), prepare_database=_nothing)
    await supervisor.start()
    try:
        yield database_url(data_dir)
    finally:
        await supervisor.stop()


def is_running(folder: HubFolder) -> bool:
    """Whether `carebell up` runs on this folder."""
    try:
        descriptor = os.open(folder.lock, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _nothing(url: str, settings: Settings, administrator_password: str) -> None:
    """The schema comes with the dump, or is there already."""
