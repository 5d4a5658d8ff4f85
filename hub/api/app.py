"""The HTTP application: parts put together, routes, and the description of it all."""

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.middleware.gzip import GZipMiddleware

from hub import __version__
from hub.api import problems
from hub.api.access import Deed
from hub.api.border import Border
from hub.api.deeds import Deeds
from hub.api.feed_models import add_feed_shapes
from hub.api.figures import Figures
from hub.api.gate import Allowed, Parts
from hub.api.gauging import Gauging
from hub.api.models import ProblemObject
from hub.api.page import serve_page
from hub.api.ports import ApiDependencies
from hub.api.presence import Presence
from hub.api.reconcile import Reconciler
from hub.api.routes import (
    accounts,
    areas,
    assurance,
    audit,
    call_in,
    callbacks,
    calls,
    care,
    consent,
    dead_letters,
    devices,
    earlier,
    events,
    family,
    findings,
    health,
    history,
    imports,
    inactivity,
    incidents,
    links,
    log,
    maintenance,
    metrics,
    observations,
    outages,
    people,
    phone,
    policies,
    premises,
    proofs,
    push,
    quarantine,
    reach,
    reports,
    responders,
    responsibility,
    rota,
    session,
    signals,
    tokens,
    visits,
    wall,
)
from hub.api.sessions import COOKIE, Sessions
from hub.api.snapshot import DeskSnapshot
from hub.api.switchboard import Switchboard
from hub.api.throttle import Throttle

COMPRESSED_FROM_BYTES = 1024
PUBLIC = ("/api/v1/health/", "/api/v1/callbacks/", "/api/v1/phone/", "/metrics", "/openapi.json")
"""Paths that need no log-in."""

ROUTERS = (
    session.router,
    incidents.router,
    responsibility.router,
    policies.router,
    devices.router,
    areas.router,
    premises.router,
    people.router,
    proofs.router,
    family.router,
    care.router,
    consent.router,
    push.router,
    calls.router,
    calls.device_router,
    call_in.router,
    call_in.heard_router,
    callbacks.router,
    links.router,
    inactivity.router,
    outages.router,
    responders.router,
    reach.router,
    accounts.router,
    tokens.router,
    imports.router,
    log.router,
    audit.router,
    reports.router,
    reports.case_router,
    visits.router,
    wall.router,
    observations.router,
    findings.router,
    signals.router,
    earlier.router,
    history.router,
    quarantine.router,
    dead_letters.router,
    maintenance.router,
    rota.router,
    rota.handovers_router,
    assurance.router,
    assurance.health_router,
    phone.router,
    events.router,
    health.router,
    metrics.router,
)


def create_app(dependencies: ApiDependencies) -> FastAPI:
    """The application; its lifespan starts the bus and the background loops, and ends them.

    The stores come open and stay open: whoever wired them closes them.
    """
    figures = Figures()
    snapshot = DeskSnapshot(dependencies.data_dir)
    sessions = Sessions(dependencies.accounts, snapshot, dependencies.clock)
    switchboard = Switchboard(
        epoch=secrets.token_hex(6),
        store=dependencies.store,
        bus=dependencies.bus,
        clock=dependencies.clock,
        root_area_id=dependencies.root_area_id,
        figures=figures,
    )
    deeds = Deeds(
        switchboard=switchboard,
        store=dependencies.store,
        bus=dependencies.bus,
        clock=dependencies.clock,
        figures=figures,
    )
    reconciler = Reconciler(
        switchboard=switchboard,
        store=dependencies.store,
        accounts=dependencies.accounts,
        sessions=sessions,
        snapshot=snapshot,
        clock=dependencies.clock,
    )

    presence = Presence(
        switchboard, dependencies.assurance.presence, dependencies.clock, dependencies.root_area_id
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await reconciler.start()
        await presence.start()
        await dependencies.bus.start(switchboard.hear, switchboard.connected)
        try:
            yield
        finally:
            switchboard.cut("shutdown")
            await presence.stop()
            await reconciler.stop()
            await dependencies.bus.stop()

    app = _application(lifespan)
    app.state.parts = Parts(
        dependencies, switchboard, sessions, Throttle(), deeds, figures, Gauging()
    )
    app.add_middleware(GZipMiddleware, minimum_size=COMPRESSED_FROM_BYTES, compresslevel=5)
    app.add_middleware(
        Border,
        figures=figures,
        clock=dependencies.clock,
        pictures_from=dependencies.page_settings.pictures_from(),
    )
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    serve_page(app, dependencies.page)
    app.openapi = lambda: described(app)  # type: ignore[method-assign]
    return app


def _application(lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]]) -> FastAPI:
    return FastAPI(
        title="Carebell",
        version=__version__,
        summary="From a pressed button to a human who has taken responsibility.",
        openapi_url="/openapi.json",
        docs_url=None,  # its scripts would come from another site
        redoc_url=None,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )


def described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document: log-in by cookie, and every error as a problem."""
    if app.openapi_schema is not None:
        return app.openapi_schema
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        openapi_version=app.openapi_version,
        routes=app.routes,
    )
    schemas = document["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    add_feed_shapes(schemas)
    schemas["Problem"] = ProblemObject.model_json_schema()
    document["components"]["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE}
    }
    document["components"]["securitySchemes"]["token"] = {"type": "http", "scheme": "bearer"}
    wanted = deeds()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _describe_errors(operation, log_in=path.endswith("/session") and method == "post")
            public = path.startswith(PUBLIC) or (path.endswith("/session") and method == "post")
            operation["security"] = [] if public else [{"session": []}, {"token": []}]
            if deed := wanted.get((method.upper(), path)):
                operation["x-deed"] = deed.value
    app.openapi_schema = document
    return document


def deeds() -> dict[tuple[str, str], Deed]:
    """Which deed each route asks for; a route for whoever is signed in, or for all, has none."""
    return {
        (method, route.path): check.deed
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
        for check in _checks_of(route.dependant)
    }


def _checks_of(dependant: Dependant) -> Iterator[Allowed]:
    for each in dependant.dependencies:
        if isinstance(each.call, Allowed):
            yield each.call
        yield from _checks_of(each)


def _describe_errors(operation: dict[str, Any], *, log_in: bool) -> None:
    """Whatever is not listed is a problem too."""
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses = operation["responses"]
    responses.setdefault("default", {"description": "Anything else went wrong."})
    if log_in:
        responses["429"] = {"description": "Too many wrong tries; see Retry-After."}
    for status, response in responses.items():
        if status == "default" or int(status) >= 400:
            response["content"] = problem
