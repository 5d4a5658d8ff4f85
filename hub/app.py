"""Where the parts are put together, and nowhere else: one function a process."""

import asyncio
import gc
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import httpx
import uvloop

from hub import broker_sessions
from hub.api.app import create_app
from hub.api.page_settings import PageSettings
from hub.api.ports import ApiDependencies
from hub.api.ports_answers import AnswerParts
from hub.api.ports_assurance import AssurancePorts
from hub.api.ports_channels import ChannelPorts
from hub.api.ports_record import RecordPorts
from hub.api.server import serve
from hub.broker_line import BrokerLine
from hub.callback_secret import callback_key
from hub.channels import gateways
from hub.clock import SystemClock
from hub.configured import configured
from hub.desk_line import DeskLine
from hub.embedded.broker import broker_url
from hub.embedded.database import database_url
from hub.embedded.folder import HubFolder
from hub.embedded.secrets import InternalUser
from hub.embedded.status import read_status
from hub.gateway_files import read_vendors
from hub.home_calls import HomeCalls
from hub.ingest_process import IngestProcess
from hub.learning import HUB_ZONE
from hub.outside import outside_figures
from hub.push_keys import public_key, push_key
from hub.qr import device_broker_url
from hub.report.printing import PdfPrinter
from hub.routing import RoutingService
from hub.settings import Settings
from hub.store.accounts import PostgresAccounts
from hub.store.assurance import PostgresConditions
from hub.store.care import PostgresCare
from hub.store.consent import PostgresConsent, PostgresPush
from hub.store.deliveries import PostgresDeliveries
from hub.store.desk import PostgresDesk
from hub.store.devices import PostgresDevices
from hub.store.figures import PostgresFigures
from hub.store.findings import PostgresFindings
from hub.store.handovers import PostgresHandovers
from hub.store.history import PostgresHistory
from hub.store.home_calls import PostgresHomeCalls
from hub.store.imports import PostgresImports
from hub.store.incident_record import PostgresCases
from hub.store.learned import PostgresLearned
from hub.store.links import PostgresLinks
from hub.store.maintenance import PostgresMaintenance
from hub.store.outages import PostgresOutages
from hub.store.policy_desk import PostgresPolicies
from hub.store.presence import PostgresPresence
from hub.store.proofs import PostgresProofs
from hub.store.quarantine import PostgresQuarantine
from hub.store.reach import Reach
from hub.store.reach_desk import PostgresReachDesk
from hub.store.register_desk import PostgresRegister
from hub.store.rota import PostgresRota
from hub.store.service_figures import REPORT_PATIENCE_S, PostgresServiceFigures
from hub.store.signals import PostgresSignals
from hub.store.visits import PostgresVisits
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
        reports = Reach(_database(settings), clock, patience_s=REPORT_PATIENCE_S)
        await reports.open()
        bus = DeskLine(_broker(settings, InternalUser.API.value))
        dialling = httpx.AsyncClient()
        calls = _home_calls(settings, reach, bus, dialling, clock)
        road = httpx.AsyncClient(timeout=settings.routing_timeout_ms / 1000)
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
                policies=PostgresPolicies(reach, configured(settings)),
                figures=PostgresFigures(reach),
                findings=PostgresFindings(reach),
                reach=PostgresReachDesk(reach),
                record=_record(settings, reports, clock),
                routes=RoutingService(road, settings.routing_url) if settings.routing_url else None,
                signals=PostgresSignals(reach),
                answers=_answers(settings, reach, calls),
                channels=ChannelPorts(
                    PostgresConsent(reach), PostgresPush(reach), calls, _push_key(settings)
                ),
                assurance=AssurancePorts(
                    PostgresPresence(reach),
                    PostgresRota(reach),
                    PostgresHandovers(reach),
                    PostgresConditions(reach),
                    PostgresProofs(reach),
                    settings.time_zone,
                    settings.verify_contacts_every_days,
                ),
                bus=bus,
                clock=clock,
                data_dir=settings.data_dir,
                root_area_id=settings.root_area_id,
                children=lambda: _children(folder),
                outside=lambda: outside_figures(folder, clock),
                device_broker_url=device_broker_url(settings),
                page_settings=PageSettings.model_validate(settings, from_attributes=True),
            )
        )
        _spare_the_collector()
        watching = asyncio.create_task(calls.watch())
        try:
            await serve(
                app,
                settings.http_listen,
                certificate=settings.http_tls_certificate,
                key=settings.http_tls_key,
            )
        finally:
            watching.cancel()
            await dialling.aclose()
            await road.aclose()
            await reach.close()
            await reports.close()

    _run(run())


def _answers(settings: Settings, reach: Reach, calls: HomeCalls) -> AnswerParts:
    """Who may call back, and what their answers are kept in."""
    vendors = (
        *read_vendors(settings.sms_gateways, "sms"),
        *read_vendors(settings.voice_gateways, "voice"),
    )
    return AnswerParts(
        deliveries=PostgresDeliveries(reach),
        links=PostgresLinks(reach),
        vendors={vendor.name: vendor for vendor in vendors},
        key=callback_key(settings),
        hotline=settings.hotline_number,
        language=settings.language,
        calls=calls,
    )


def _home_calls(
    settings: Settings, reach: Reach, bus: DeskLine, client: httpx.AsyncClient, clock: SystemClock
) -> HomeCalls:
    """Calls to homes, through the voice gateways."""
    dialled = gateways(settings, "voice", client, clock) if settings.voice_gateways else None
    return HomeCalls(
        PostgresHomeCalls(reach), dialled, bus, clock,
        settings.service_name, settings.hotline_number, settings.language,
    )  # fmt: skip


def _push_key(settings: Settings) -> str:
    """What browsers subscribe with; empty without web push."""
    return public_key(push_key(settings.data_dir)) if settings.push_contact else ""


def _record(settings: Settings, reports: Reach, clock: SystemClock) -> RecordPorts:
    """Over connections of its own: a report that takes seconds is no database that is away."""
    return RecordPorts(
        PostgresServiceFigures(reports),
        PostgresVisits(reports),
        PostgresCases(reports),
        PdfPrinter(settings.report_font, clock.now),
        settings.button_test_every_days,
        settings.visit_every_days,
        settings.frequent_false_presses,
    )


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
