"""The API process, put together."""

import asyncio

import httpx

from hub.api.app import create_app
from hub.api.page_settings import PageSettings
from hub.api.ports import ApiDependencies
from hub.api.ports_answers import AnswerParts
from hub.api.ports_assurance import AssurancePorts
from hub.api.ports_channels import ChannelPorts
from hub.api.ports_record import RecordPorts
from hub.api.server import serve
from hub.app import broker_of, database_of, run, spare_the_collector
from hub.callback_secret import callback_key
from hub.channels import gateways
from hub.clock import SystemClock
from hub.configured import configured
from hub.desk_line import DeskLine
from hub.embedded.folder import HubFolder
from hub.embedded.secrets import InternalUser
from hub.embedded.status import read_status
from hub.gateway_files import read_vendors
from hub.home_calls import HomeCalls
from hub.learning import HUB_ZONE
from hub.outside import outside_figures
from hub.phone_door import MqttPhoneDoor
from hub.push_keys import public_key, push_key
from hub.qr import device_broker_url, page_url
from hub.report.printing import PdfPrinter
from hub.routing import RoutingService
from hub.settings import Settings
from hub.store.accounts import PostgresAccounts
from hub.store.assurance import PostgresConditions
from hub.store.callers import PostgresCallers
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


def run_api(settings: Settings) -> None:
    """The API process, until it is ended."""

    async def work() -> None:
        clock = SystemClock()
        reach = Reach(database_of(settings), clock)
        await reach.open()
        reports = Reach(database_of(settings), clock, patience_s=REPORT_PATIENCE_S)
        await reports.open()
        bus = DeskLine(broker_of(settings, InternalUser.API))
        dialling = httpx.AsyncClient()
        calls = _home_calls(settings, reach, bus, dialling, clock)
        road = httpx.AsyncClient(timeout=settings.routing_timeout_ms / 1000)
        app = create_app(_dependencies(settings, clock, reach, reports, bus, calls, road))
        spare_the_collector()
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

    run(work())


def _dependencies(
    settings: Settings,
    clock: SystemClock,
    reach: Reach,
    reports: Reach,
    bus: DeskLine,
    calls: HomeCalls,
    road: httpx.AsyncClient,
) -> ApiDependencies:
    """Everything the routes are given."""
    folder = HubFolder(settings.data_dir)
    return ApiDependencies(
        store=PostgresDesk(reach),
        history=PostgresHistory(reach, settings.keep_observations_days),
        accounts=PostgresAccounts(reach),
        register=PostgresRegister(reach, settings.root_area_id),
        imports=PostgresImports(database_of(settings), settings.root_area_id),
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
        callers=PostgresCallers(reach),
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
        phones=MqttPhoneDoor(broker_of(settings, InternalUser.API)),
        bus=bus,
        clock=clock,
        data_dir=settings.data_dir,
        root_area_id=settings.root_area_id,
        children=lambda: _children(folder),
        outside=lambda: outside_figures(folder, clock),
        device_broker_url=device_broker_url(settings),
        page_url=page_url(settings),
        page_settings=PageSettings.model_validate(settings, from_attributes=True),
    )


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
        public_url=settings.public_url,
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
