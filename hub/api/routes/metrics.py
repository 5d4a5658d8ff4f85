"""Figures for Prometheus. No log-in, because there is nothing personal in them (docs/adr/0004)."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from hub.api.gate import PartsOf

router = APIRouter(tags=["metrics"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(parts: PartsOf) -> Response:
    """The state of now; counters count since the start. docs/metrics.md explains each."""
    await parts.gauging.measure(parts)
    return Response(
        generate_latest(parts.figures.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
    )
