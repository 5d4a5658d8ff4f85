"""Nearest responders, their reports, circles and hand-offs; implements
`hub.api.ports_reach.ReachStore`."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from alerts.reach import FRESH_S, Arrival, arrival
from hub.desk import Entry, NotThere
from hub.reach import Near, Target
from hub.store import queries
from hub.store.desk import log_line
from hub.store.reach import Cursor, Reach
from hub.store.reach_responders import Place, place_from, search, serving_areas
from hub.view import View

_SQL = queries.load("reach")
_LOG = queries.load("incidents")["log"]

UNPLACED_SHOWN = 20
"""Responders without a place; whoever has more must write down where they are."""
_AREA_COLUMNS = (
    "arrive_within_min", "settlement", "ambulance_number", "fire_number", "police_number",
)  # fmt: skip

Row = dict[str, Any]


class PostgresReachDesk:
    """Every method raises DatabaseAway, within two seconds, if there is no answer."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def near(
        self, incident_id: str, areas: Sequence[str] | None, limit: int, now: datetime
    ) -> Near | None:
        """Who could go, of the areas that serve the incident's and that the asker sees."""

        async def read(cursor: Cursor) -> Near | None:
            await cursor.execute(_SQL["place_of_incident"], {"id": incident_id})
            row = await cursor.fetchone()
            if row is None:
                return None
            place = place_from(row)
            serving = await serving_areas(cursor, place.area_id)
            seen = serving if areas is None else [a for a in serving if a in set(areas)]
            found = await search(cursor, place, seen, limit, now, free_only=False)
            await cursor.execute(_SQL["answers"], {"incident_id": incident_id})
            answers = await cursor.fetchall()
            await cursor.execute(_SQL["unplaced_goers"], {"areas": seen, "limit": UNPLACED_SHOWN})
            return Near(
                target=_target(row, place, now),
                candidates=found.candidates[:limit],
                phones={key: each["phone"] for key, each in found.rows.items()},
                answers=answers,
                unplaced=await cursor.fetchall(),
            )

        return await self._reach.run(read)

    async def own(self, account_id: str) -> View | None:
        """The responder an account is; None: it is none."""

        async def read(cursor: Cursor) -> View | None:
            return await _own(cursor, account_id)

        return await self._reach.run(read)

    async def report_position(
        self, account_id: str, position: Mapping[str, Any], entry: Entry
    ) -> View:
        """Where a responder is now. The log has a line when they begin to say so, not one every
        half minute. Raises NotThere: the account is no responder."""

        async def write(cursor: Cursor) -> View:
            held = await _hold(cursor, account_id)
            values = {**position, "responder_id": held["responder_id"], "area_id": held["area_id"]}
            await cursor.execute(_SQL["put_position"], values | {"received_at": entry.at})
            before = held["received_at"]
            if before is None or entry.at - before > timedelta(seconds=FRESH_S):
                await cursor.execute(_LOG, log_line(_about(entry, held, {"reports": "position"})))
            return await _own(cursor, account_id) or held

        return await self._reach.run(write)

    async def set_availability(
        self, account_id: str, availability: str, travel_mode: str | None, entry: Entry
    ) -> View:
        """Whether a responder can be sent; off duty nobody is followed. Raises NotThere."""

        async def write(cursor: Cursor) -> View:
            held = await _hold(cursor, account_id)
            values = {"responder_id": held["responder_id"], "availability": availability}
            await cursor.execute(_SQL["set_availability"], values | {"travel_mode": travel_mode})
            if availability == "off_duty":
                await cursor.execute(_SQL["forget_position"], values)
            after = {"availability": availability, "travel_mode": travel_mode}
            told = {
                "before": {key: held[key] for key, value in after.items() if value is not None},
                "after": {key: value for key, value in after.items() if value is not None},
            }
            await cursor.execute(_LOG, log_line(_about(entry, held, told)))
            return await _own(cursor, account_id) or held

        return await self._reach.run(write)

    async def area_reach(self, area_id: str) -> tuple[View, View] | None:
        """What an area says itself, and what holds there; None: there is no such area."""

        async def read(cursor: Cursor) -> tuple[View, View] | None:
            await cursor.execute(_SQL["area_reach"], {"area_id": area_id})
            own = await cursor.fetchone()
            return None if own is None else (own, await _holds(cursor, area_id))

        return await self._reach.run(read)

    async def set_area_reach(
        self, area_id: str, changes: Mapping[str, Any], entry: Entry
    ) -> tuple[View, View]:
        """Only what is in `changes`; None there: as the area above. Raises NotThere."""

        async def write(cursor: Cursor) -> tuple[View, View]:
            await cursor.execute(_SQL["hold_area"], {"area_id": area_id})
            before = await cursor.fetchone()
            if before is None:
                raise NotThere("area")
            after = before | {c: changes[c] for c in _AREA_COLUMNS if c in changes}
            differing = [c for c in _AREA_COLUMNS if before[c] != after[c]]
            if differing:
                await cursor.execute(_SQL["set_area_reach"], after)
                told = {
                    "noun": "area",
                    "id": area_id,
                    "before": {c: before[c] for c in differing},
                    "after": {c: after[c] for c in differing},
                }
                await cursor.execute(_LOG, log_line(_with(entry, area_id, told)))
            return after, await _holds(cursor, area_id)

        return await self._reach.run(write)

    async def hand_offs(self, incident_id: str) -> list[View]:
        """Calls to emergency services, oldest first."""

        async def read(cursor: Cursor) -> list[View]:
            await cursor.execute(_SQL["hand_offs"], {"incident_id": incident_id})
            return await cursor.fetchall()

        return await self._reach.run(read)

    async def hand_off_arrived(self, incident_id: str, hand_off_id: int, entry: Entry) -> None:
        """The service is there. Raises NotThere: no such hand-off, or it arrived before."""
        values = {"incident_id": incident_id, "hand_off_id": hand_off_id}

        async def write(cursor: Cursor) -> None:
            signed = values | {"at": entry.at, "by_name": entry.account.name}
            await cursor.execute(_SQL["hand_off_arrived"], signed)
            if cursor.rowcount == 0:
                raise NotThere("hand-off")
            await cursor.execute(_LOG, log_line(entry))

        await self._reach.run(write)


def _target(row: Row, place: Place, now: datetime) -> Target:
    due: datetime | None = row["arrive_by"]
    stands: Arrival | None = None
    if due is not None:
        stands = arrival(due, row["attended_at"], row["resolved_at"], now)
    return Target(
        area_id=place.area_id,
        within_min=place.within_min,
        settlement=place.settlement.value,
        arrive_by=due,
        arrival=stands,
        point=place.point,
    )


async def _own(cursor: Cursor, account_id: str) -> Row | None:
    await cursor.execute(_SQL["own_responder"], {"account_id": account_id})
    return await cursor.fetchone()


async def _hold(cursor: Cursor, account_id: str) -> Row:
    await cursor.execute(_SQL["hold_responder"], {"account_id": account_id})
    row = await cursor.fetchone()
    if row is None:
        raise NotThere("responder")
    return row


async def _holds(cursor: Cursor, area_id: str) -> Row:
    await cursor.execute(_SQL["reach_of_area"], {"area_id": area_id})
    (row,) = await cursor.fetchall()
    return row


def _about(entry: Entry, held: Row, told: dict[str, Any]) -> Entry:
    return _with(entry, held["area_id"], {"noun": "responder", "id": held["responder_id"], **told})


def _with(entry: Entry, area_id: str, told: dict[str, Any]) -> Entry:
    return Entry(entry.at, area_id, entry.account, entry.action, told, entry.incident_id)
