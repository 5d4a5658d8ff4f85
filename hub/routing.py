"""Travel times from a routing service, where one is configured; else the estimate stands.

Spoken is the `table` service of OSRM's HTTP API (project-osrm.org/docs): longitude before latitude,
many sources, one destination, durations in seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import httpx
import msgspec
import structlog

from alerts.reach import SET_OFF_S, Candidate, Point, TravelMode, circle_of, ranked

ASKED_AT_ONCE = 25
"""The soonest by the estimate; OSRM's default takes at most 100 places in one table."""
ANSWER_BYTES = 64 * 1024

PROFILES: Mapping[TravelMode, str] = {
    TravelMode.FOOT: "foot",
    TravelMode.BICYCLE: "bike",
    TravelMode.CAR: "car",
}
"""The names of OSRM's own profiles."""

_log = structlog.get_logger(__name__)


class _Table(msgspec.Struct):
    code: str
    durations: list[list[float | None]] = []


class RoutingService:
    """Asks an OSRM server. Never raises: whoever looks for a responder sees the estimate."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        """`client` has the time limit; `url` is the server's address without a path of the API."""
        self._client = client
        self._url = url.rstrip("/")

    async def refine(self, found: Sequence[Candidate], to: Point) -> list[Candidate]:
        """The candidates with travel times by road where the service knows one, ranked again."""
        first, rest = list(found[:ASKED_AT_ONCE]), list(found[ASKED_AT_ONCE:])
        refined: list[Candidate] = []
        for mode in TravelMode:
            group = [c for c in first if c.mode is mode]
            durations = await self._table([c.position for c in group], to, mode) if group else []
            refined += [
                c if seconds is None else _by_route(c, seconds)
                for c, seconds in zip(group, durations or [None] * len(group), strict=True)
            ]
        return ranked([*refined, *rest])

    async def _table(
        self, places: Sequence[Point], to: Point, mode: TravelMode
    ) -> list[float | None] | None:
        points = ";".join(f"{p.longitude:.6f},{p.latitude:.6f}" for p in (to, *places))
        sources = ";".join(str(n) for n in range(1, len(places) + 1))
        url = f"{self._url}/table/v1/{PROFILES[mode]}/{points}"
        asked = {"sources": sources, "destinations": "0", "annotations": "duration"}
        try:
            answer = await self._client.get(url, params=asked)
            if not answer.is_success or len(answer.content) > ANSWER_BYTES:
                raise ValueError(f"HTTP {answer.status_code}, {len(answer.content)} bytes")
            table = msgspec.json.decode(answer.content, type=_Table)
            rows = table.durations
            if table.code != "Ok" or len(rows) != len(places) or any(len(r) != 1 for r in rows):
                raise ValueError(table.code)
        except (httpx.HTTPError, msgspec.DecodeError, ValueError) as error:
            _log.warning("routing_failed", error=type(error).__name__)
            return None
        return [row[0] if row[0] is not None and row[0] >= 0 else None for row in rows]


def _by_route(found: Candidate, road_s: float) -> Candidate:
    seconds = SET_OFF_S[found.mode] + road_s
    return replace(found, travel_s=seconds, within_circle_min=circle_of(seconds), by_route=True)
