"""Where the parts are put together, and nowhere else: one function a process."""

import asyncio
import gc
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import uvloop

from hub import broker_sessions
from hub.api.app import create_app
from hub.api.ports import ApiDependencies
from hub.api.server import serve
from hub.broker_line import BrokerLine
from hub.clock import SystemClock
from hub.desk_line import DeskLine
from hub.embedded.broker import broker_url
from hub.embedded.database import database_url
from hub.embedded.folder import HubFolder
from hub.embedded.secrets import InternalUser
from hub.embedded.status import read_status
from hub.ingest_process import IngestProcess
from hub.learning import HUB_ZONE
from hub.outside import outside_figures
from hub.qr import device_broker_url
from hub.settings import Settings
from hub.store.accounts import PostgresAccounts
from hub.store.care import PostgresCare
from hub.store.desk import PostgresDesk
from hub.store.devices import PostgresDevices
from hub.store.figures import PostgresFigures
from hub.store.findings import PostgresFindings
from hub.store.history import PostgresHistory
from hub.store.imports import PostgresImports
from hub.store.learned import PostgresLearned
from hub.store.maintenance import PostgresMaintenance
from hub.store.outages import PostgresOutages
from hub.store.quarantine import PostgresQuarantine
from hub.store.reach import Reach
from hub.store.register_desk import PostgresRegister
from hub.worker import WorkerProcess

YOUNG_OBJECTS = 10_000
"""Objects made before the collector looks at them (CPython: 700): views of incidents come and go by
the thousand, and nearly all go by themselves."""


def run_ingest(settings: Settings) -> None:
    """The ingest process, until it is ended."""
    process = IngestProcess(
        settings, _broker(settings, InternalUser.INGEST.value), _database(settings)
    )
    _run(process.run())


def prepare_ingest(settings: Settings) -> None:
    """Make an ingest process's sessions at the broker without taking anything in yet."""
    process = IngestProcess(
        settings, _broker(settings, InternalUser.INGEST.value), _database(settings)
    )
    _run(process.prepare())


def forget_owner(settings: Settings, owner: str) -> None:
    """Delete the sessions of an ingest owner that will not come back."""
    _run(
        broker_sessions.forget_owner(
            owner, _broker(settings, InternalUser.INGEST.value), _database(settings)
        )
    )


def run_worker(settings: Settings) -> None:
    """The worker process, until it is ended."""

    async def run() -> None:
        broker, database = _broker(settings, InternalUser.WORKER.value), _database(settings)
        await WorkerProcess(settings, broker, database).run()

    _run(run())


def run_api(settings: Settings) -> None:
    """The API process, until it is ended."""

    async def run() -> None:
        clock = SystemClock()
        folder = HubFolder(settings.data_dir)
        reach = Reach(_database(settings), clock)
        await reach.open()
        app = create_app(
            ApiDependencies(
                store=PostgresDesk(reach),
                history=PostgresHistory(reach, settings.keep_observations_days),
                accounts=PostgresAccounts(reach),
                register=PostgresRegister(reach, settings.root_area_id),
                imports=PostgresImports(_database(settings), settings.root_area_id),
                devices=PostgresDevices(reach),
                quarantine=PostgresQuarantine(reach),
                maintenance=PostgresMaintenance(reach),
                care=PostgresCare(reach),
                learned=PostgresLearned(reach, HUB_ZONE),
                outages=PostgresOutages(reach),
                figures=PostgresFigures(reach),
                findings=PostgresFindings(reach),
                bus=DeskLine(_broker(settings, InternalUser.API.value)),
                clock=clock,
                data_dir=settings.data_dir,
                root_area_id=settings.root_area_id,
                children=lambda: _children(folder),
                outside=lambda: outside_figures(folder, clock),
                device_broker_url=device_broker_url(settings),
            )
        )
        _spare_the_collector()
        try:
            await serve(
                app,
                settings.http_listen,
                certificate=settings.http_tls_certificate,
                key=settings.http_tls_key,
            )
        finally:
            await reach.close()

    _run(run())


def _children(folder: HubFolder) -> dict[str, str]:
    status = read_status(folder)
    return {} if status is None else {n: str(c.state) for n, c in status.children.items()}


def _broker(settings: Settings, user: str) -> str:
    if not settings.broker_url:
        return broker_url(settings.data_dir, user)
    line = BrokerLine.parse(settings.broker_url)
    return replace(
        line,
        ca=line.ca or settings.broker_ca,
        certificate=line.certificate or settings.broker_certificate,
        key=line.key or settings.broker_key,
    ).url()


def _database(settings: Settings) -> str:
    return settings.database_url or database_url(settings.data_dir)


def _spare_the_collector() -> None:
    """What was loaded by now stays for good. A collection that looks at all of it again took
    116 ms here, and meanwhile no press is passed on."""
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


def _run(main: Coroutine[Any, Any, None]) -> None:
    _spare_the_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)
