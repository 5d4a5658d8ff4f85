"""Figures for Prometheus. No log-in, because there is nothing personal in them (docs/adr/0004)."""

from collections import Counter

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from starlette.responses import Response

from hub.api.gate import Parts, PartsOf

router = APIRouter(tags=["metrics"])

_STATES = ("ok", "slow", "away")
_PRIORITIES = ("high", "medium", "low")


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(parts: PartsOf) -> Response:
    """The state of now; counters count since the start."""
    _measure(parts)
    return Response(
        generate_latest(parts.figures.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
    )


def _measure(parts: Parts) -> None:
    board, figures = parts.switchboard, parts.figures
    figures.feed_clients.set(len(board.listeners))
    figures.broker_connected.set(board.broker_connected)
    figures.ingest_heard.set(board.ingest_fresh)
    open_now = Counter(view["priority"] for view in board.feed.open_views(lambda _: True))
    for priority in _PRIORITIES:
        figures.open_incidents.labels(priority).set(open_now[priority])
    word = board.ingest_word
    _one_of(figures.database, parts.store.state)
    _one_of(figures.ingest_database, word.get("database"))
    for key, gauge in figures.ingest.items():
        value = word.get(key)
        gauge.set(value if isinstance(value, int | float) else 0)


def _one_of(gauge: Gauge, state: object) -> None:
    for known in _STATES:
        gauge.labels(known).set(known == state)
