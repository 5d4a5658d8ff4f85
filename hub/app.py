"""What the processes have in common when they are put together: addresses, and the loop.

Each process is put together in a module of its own, `hub.app_ingest`, `hub.app_worker` and
`hub.app_api`, and nowhere else: it loads what it runs and not what the others do, which is most of
the time a process takes to start.
"""

import asyncio
import gc
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import uvloop

from hub.broker_line import BrokerLine
from hub.embedded.broker import broker_url
from hub.embedded.database import database_url
from hub.embedded.secrets import InternalUser
from hub.settings import Settings

YOUNG_OBJECTS = 10_000
"""Objects made before the collector looks at them (CPython: 700): views of incidents come and go by
the thousand, and nearly all go by themselves."""


def broker_of(settings: Settings, user: InternalUser) -> str:
    """The broker's address with the log-in of one of our processes."""
    if not settings.broker_url:
        return broker_url(settings.data_dir, user.value)
    line = BrokerLine.parse(settings.broker_url)
    return replace(
        line,
        ca=line.ca or settings.broker_ca,
        certificate=line.certificate or settings.broker_certificate,
        key=line.key or settings.broker_key,
    ).url()


def database_of(settings: Settings) -> str:
    """The database's address."""
    return settings.database_url or database_url(settings.data_dir)


def spare_the_collector() -> None:
    """What was loaded by now stays for good. A collection that looks at all of it again took
    116 ms here, and meanwhile no press is passed on."""
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


def run(main: Coroutine[Any, Any, None]) -> None:
    """The process, until it is ended."""
    spare_the_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)
