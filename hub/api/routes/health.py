"""Is it alive, would a press ring now, do the ladders move? For supervisors; no log-in."""

import asyncio

from fastapi import APIRouter

from hub.api.gate import Parts, PartsOf
from hub.api.models import Cycling, Live, ProblemObject, Ready, Responses
from hub.api.problems import later
from hub.api.switchboard import LOOPS

router = APIRouter(prefix="/api/v1/health", tags=["health"])

_FAILING: Responses = {
    503: {"model": ProblemObject, "description": "With the failing parts by name."}
}


@router.get("/live")
async def live() -> Live:
    """The process runs."""
    return Live()


@router.get("/ready", responses=_FAILING)
async def ready(parts: PartsOf) -> Ready:
    """A press would ring now: broker, ingest and a database, or what stands in for it."""
    checks, failing = _checks(parts)
    children = dict(await asyncio.to_thread(parts.dependencies.children))
    if failing:
        detail = "; ".join(f"{name}: {checks[name]}" for name in failing)
        raise later("Not ready", detail, failing=failing, checks=checks, children=children)
    return Ready(checks=checks, children=children)


@router.get("/cycle", responses=_FAILING)
async def cycle(parts: PartsOf) -> Cycling:
    """Every loop of the worker finished a cycle in its own time; the ladder's within 30 s."""
    stuck = parts.switchboard.stuck_loops()
    if stuck:
        raise later("A loop stands still", ", ".join(stuck), failing=stuck)
    return Cycling(loops=list(LOOPS))


def _checks(parts: Parts) -> tuple[dict[str, str], list[str]]:
    """Each part with its state, and the names of those that would keep a press from ringing."""
    board = parts.switchboard
    checks = {
        "broker": "ok" if board.broker_connected else "away",
        "ingest": "ok" if board.ingest_fresh else "away",
    }
    failing = [name for name, state in checks.items() if state != "ok"]
    checks["database"] = parts.store.state
    if not board.loaded.is_set():
        silent = parts.store.state == "away"
        checks["database"] = "away, and there is no snapshot" if silent else "not read yet"
        failing.append("database")
    elif parts.store.state == "away":
        checks["database"] = f"away, running on {board.loaded_from}"
    return checks, failing
