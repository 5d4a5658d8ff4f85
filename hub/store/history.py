"""History as a desk asks for it; implements `hub.api.ports.HistoryStore`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hub.desk import Entry, Span
from hub.history import MOST_POINTS, Recall, Resolution
from hub.store import queries
from hub.store.desk import log_line
from hub.store.last_words import newest_values
from hub.store.reach import Cursor, Reach
from hub.store.spells import spells_of
from hub.view import View, iso
from schemas.vocabulary import MEASURE_BY_CODE, MEASURES, Quality

_SQL = queries.load("history")
_ENGINE = queries.load("engine")
_INCIDENTS = queries.load("incidents")

_QUALITIES = {quality.code: quality.value for quality in Quality}
_SHOWN = [measure.code for measure in MEASURES if measure.key != "position"]
_USABLE = (Quality.GOOD.code, Quality.POOR.code)


class PostgresHistory:
    """Every method raises DatabaseAway, within two seconds, if there is no answer."""

    def __init__(self, reach: Reach, keep_observations_days: int) -> None:
        self._reach = reach
        self._keep = timedelta(days=keep_observations_days)

    @property
    def keep_observations(self) -> timedelta:
        """How far back there are single observations."""
        return self._keep

    async def observations(
        self, span: Span, look: Entry, areas: Sequence[str] | None = None
    ) -> list[View]:
        """Single observations of a device or person, newest first; the look is logged with it.

        Here and below: of a device only what it measured in these areas (None: any), for it may
        have come from another. A person's own record comes along with the person.
        """

        async def read(cursor: Cursor) -> list[View]:
            measures = _SHOWN if span.measure is None else [span.measure]
            rows = await _single(cursor, span, areas, measures, span.limit)
            await cursor.execute(_INCIDENTS["log"], log_line(look))
            return [_observation(row) for row in rows]

        return await self._reach.run(read)

    async def points(self, recall: Recall, look: Entry, areas: Sequence[str] | None = None) -> View:
        """Points of history, oldest first; the look is logged with it."""

        async def read(cursor: Cursor) -> View:
            await cursor.execute(_ENGINE["state"])
            (state,) = await cursor.fetchall()
            time_zone = state["time_zone"] or "UTC"
            if recall.resolution is Resolution.RAW:
                rows = await _single(cursor, recall, areas, [recall.measure], MOST_POINTS + 1)
                points = [_single_point(row) for row in reversed(rows[:MOST_POINTS])]
            else:
                rows = await _buckets(cursor, recall, areas, time_zone)
                points = [_bucket(row) for row in rows[:MOST_POINTS]]
            await cursor.execute(_INCIDENTS["log"], log_line(look))
            current = recall.resolution is Resolution.RAW or state["continuous"]
            return {
                "items": points,
                "cut": len(rows) > MOST_POINTS,
                "time_zone": time_zone,
                "complete_until": None if current else iso(state["aggregated_at"]),
            }

        return await self._reach.run(read)

    async def last(
        self,
        device_id: str | None,
        person_id: str | None,
        now: datetime,
        look: Entry,
        areas: Sequence[str] | None = None,
    ) -> list[View]:
        """The newest value of every measure, of a device or of all devices somebody has or had: not
        what such a device measured of somebody else, who has it now or had it before."""

        async def read(cursor: Cursor) -> list[View]:
            since = now - self._keep
            ids = await _devices(cursor, device_id, person_id, since, now)
            rows = await newest_values(cursor, ids, now)
            await cursor.execute(_SQL["spells_of_devices"], {"devices": ids})
            spells = spells_of(await cursor.fetchall())
            await cursor.execute(_INCIDENTS["log"], log_line(look))
            return [
                _observation(row) | {"received_at": iso(row["received_at"])}
                for row in rows
                if row["measure"] in _SHOWN
                and spells.belongs(row["device_id"], row["received_at"], person_id, areas)
            ]

        return await self._reach.run(read)

    async def silent(
        self, areas: Sequence[str] | None, before: datetime, limit: int
    ) -> tuple[list[View], datetime | None]:
        """Devices not heard of since, longest silent first; and as of when that is known."""

        async def read(cursor: Cursor) -> tuple[list[View], datetime | None]:
            await cursor.execute(_ENGINE["state"])
            (state,) = await cursor.fetchall()
            values = {"areas": areas, "before": before, "limit": limit}
            await cursor.execute(_SQL["silent_devices"], values)
            return [
                row | {"received_at": iso(row["received_at"])} for row in await cursor.fetchall()
            ], state["aggregated_at"]

        return await self._reach.run(read)

    async def report(
        self, areas: Sequence[str] | None, measure: int, since: datetime, until: datetime
    ) -> tuple[list[View], str]:
        """One measure of everybody in some areas by day, oldest first; and the zone of days."""

        async def read(cursor: Cursor) -> tuple[list[View], str]:
            await cursor.execute(_ENGINE["state"])
            (state,) = await cursor.fetchall()
            await cursor.execute(
                _SQL["report_days_everywhere" if areas is None else "report_days"],
                {"areas": areas, "measure": measure, "since": since, "until": until},
            )
            days = [
                _bucket(row | {"last_value": None, "last_state": None})
                | {"devices": row["devices"]}
                for row in await cursor.fetchall()
            ]
            return days, state["time_zone"] or "UTC"

        return await self._reach.run(read)

    async def place(
        self, person_id: str, since: datetime, until: datetime, look: Entry
    ) -> View | None:
        """Where somebody was measured last within a span; the look is logged with it. Whether it
        may be shown to whoever asks is for the caller to know (promise 8)."""

        async def read(cursor: Cursor) -> View | None:
            values = {"person_id": person_id, "since": since, "until": until}
            ids = await _devices(cursor, None, person_id, since, until)
            await cursor.execute(_SQL["newest_place"], values | {"devices": ids})
            row = await cursor.fetchone()
            await cursor.execute(_INCIDENTS["log"], log_line(look))
            return None if row is None else row | {"fixed_at": iso(row["fixed_at"])}

        return await self._reach.run(read)


async def _devices(
    cursor: Cursor, device_id: str | None, person_id: str | None, since: datetime, until: datetime
) -> list[str]:
    if device_id is not None:
        return [device_id]
    await cursor.execute(
        _SQL["devices_of_person"], {"person_id": person_id, "since": since, "until": until}
    )
    return [str(row["device_id"]) for row in await cursor.fetchall()]


async def _single(
    cursor: Cursor,
    span: Span | Recall,
    areas: Sequence[str] | None,
    measures: list[int],
    limit: int,
) -> list[dict[str, Any]]:
    await cursor.execute(
        _SQL["observations"],
        {
            "devices": await _devices(
                cursor, span.device_id, span.person_id, span.since, span.until
            ),
            "person_id": span.person_id,
            "areas": areas if span.person_id is None else None,
            "measures": measures,
            "since": span.since,
            "until": span.until,
            "limit": limit,
        },
    )
    return await cursor.fetchall()


async def _buckets(
    cursor: Cursor, recall: Recall, areas: Sequence[str] | None, time_zone: str
) -> list[dict[str, Any]]:
    devices = await _devices(cursor, recall.device_id, recall.person_id, recall.since, recall.until)
    await cursor.execute(
        _SQL[f"{recall.resolution}s"],
        {
            "devices": devices,
            "person_id": recall.person_id,
            "areas": areas if recall.person_id is None else None,
            "measure": recall.measure,
            "since": recall.since,
            "until": recall.until,
            "time_zone": time_zone,
            "limit": MOST_POINTS + 1,
        },
    )
    return await cursor.fetchall()


def _observation(row: dict[str, Any]) -> View:
    measure = MEASURE_BY_CODE.get(row["measure"])
    return {
        "observed_at": iso(row["at"]),
        "device_id": row["device_id"],
        "measure": measure.key if measure else str(row["measure"]),
        "value": row["value"],
        "unit": measure.unit if measure and measure.numeric else None,
        "state": row["state"],
        "quality": _QUALITIES.get(row["quality"], str(row["quality"])),
    }


def _single_point(row: dict[str, Any]) -> View:
    """One observation in the shape of a bucket of one."""
    value = row["value"] if row["quality"] in _USABLE else None
    return {
        "at": iso(row["at"]),
        "count": 1,
        "good_percent": 100.0 if row["quality"] == Quality.GOOD.code else 0.0,
        "min": value,
        "max": value,
        "mean": value,
        "last": value,
        "last_state": row["state"],
    }


def _bucket(row: dict[str, Any]) -> View:
    return {
        "at": iso(row["at"]),
        "count": row["count"],
        "good_percent": round(100 * row["good"] / row["count"], 1),
        "min": row["lowest"],
        "max": row["highest"],
        "mean": row["mean"],
        "last": row["last_value"],
        "last_state": row["last_state"],
    }
