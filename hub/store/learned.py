"""What the nightly learning reads and keeps, home by home; and the same for the desk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row

from hub.desk import Entry
from hub.detect.bed import BedDetectorState
from hub.detect.belonging import shard_of
from hub.detect.inactivity import SENSING, SENSORS_DOWN_AFTER_S, proves_activity, whereof
from hub.detect.inactivity_day import DayReason, HomeDay, Sign, Span, packed, span_of, unpacked
from hub.detect.inactivity_history import Place
from hub.detect.inactivity_line import Line, Tally
from hub.detect.states import stored_states
from hub.device import Device
from hub.observation import Observation
from hub.register import zone_named
from hub.store import queries
from hub.store.desk import log_line
from hub.store.reach import Cursor, Reach
from hub.view import View
from schemas.ids import AreaId, DeviceId, PremisesId
from schemas.vocabulary import MEASURE_BY_CODE, MEASURE_BY_KEY, DeviceKind

_SQL = queries.load("learned")
_CARE = queries.load("care")
_LOG = queries.load("incidents")["log"]
_LOCK = 0x6C65_6172
"""Advisory lock key: `lear` in ASCII."""

MOST_SIGNS = 100_000
"""Of two and a quarter days of one home: two signs a second of ten sensors would be broken ones."""
PROVING = (
    "motion", "door", "room", "steps", "bed_state", "movement_percent",
    "systolic_blood_pressure_mmhg",
)  # fmt: skip
_CODES = [MEASURE_BY_KEY[key].code for key in PROVING]

Connection = psycopg.AsyncConnection[Any]


@dataclass(frozen=True, slots=True)
class Home:
    """A home to learn of."""

    premises_id: str
    area_id: str
    zone: tzinfo


async def take_turn(connection: Connection) -> bool:
    """One learner at a time; the turn ends with the connection."""
    cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,))
    row = await cursor.fetchone()
    return bool(row and row[0])


async def homes_due(
    connection: Connection,
    today: date,
    zone: tzinfo,
    *,
    after: str = "",
    only: str | None = None,
    limit: int = 100,
) -> list[Home]:
    """Homes that nobody has looked at since this day began; `zone` where a home names none."""
    values = {"today": today, "after": after, "only": only, "limit": limit}
    rows = await _rows(connection, "homes_due", values)
    return [
        Home(row["premises_id"], row["area_id"], zone_named(row["time_zone"]) or zone)
        for row in rows
    ]


async def forget_unserved(connection: Connection) -> None:
    """What was learned of homes whose people are not served any more."""
    await connection.execute(_SQL["forget_unserved"])


async def known_days(
    connection: Connection, premises_id: str, since: date
) -> dict[date, Tally | None]:
    """The days looked at, oldest first; None: it was not learned."""
    rows = await _rows(connection, "known_days", {"premises_id": premises_id, "since": since})
    return {row["day"]: unpacked(row["tally"]) if row["learned"] else None for row in rows}


async def home_day(connection: Connection, home: Home, day: date) -> HomeDay:
    """Everything that is stored of a home around one day."""
    span = span_of(day, home.zone)
    values = {"premises_id": home.premises_id, "since": span.start, "until": span.end}
    devices = await _devices(connection, home)
    signs = list(await _signs(connection, home, devices, span))
    sensing = [device.id for device in devices.values() if device.kind in SENSING]
    longer = timedelta(seconds=SENSORS_DOWN_AFTER_S)
    gaps = await _rows(connection, "gaps", values | {"devices": sensing, "longer": longer})
    states = await _rows(connection, "states_of_residents", values)
    midnight, next_midnight = span_of_day(day, home.zone)
    happened = await _rows(
        connection,
        "confirmed_incident",
        {"premises_id": home.premises_id, "since": midnight, "until": next_midnight},
    )
    return HomeDay(
        day,
        home.zone,
        signs,
        [Span(row["began"], row["ended"]) for row in gaps],
        list(nobody_at_home(states, span)),
        bool(happened[0]["found"]),
    )


def span_of_day(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """The local midnights before and after."""
    start = datetime.combine(day, datetime.min.time(), zone)
    return start, datetime.combine(day + timedelta(days=1), datetime.min.time(), zone)


def nobody_at_home(rows: Sequence[dict[str, Any]], span: Span) -> Iterator[Span]:
    """When all of a home's people were somewhere else; rows are their states in order of time."""
    timelines: dict[str, list[tuple[datetime, bool]]] = {}
    for row in rows:
        since, state = row["since"], row["state"]
        if since is None:
            since, state = span.start, row["now_state"]
        timeline = timelines.setdefault(row["person_id"], [(span.start, True)])
        timeline.append((max(since, span.start), state == "home"))
    if not timelines:
        return
    moments = sorted({at for timeline in timelines.values() for at, _ in timeline} | {span.end})
    for start, end in pairwise(moments):
        here = (
            [home for at, home in timeline if at <= start][-1] for timeline in timelines.values()
        )
        if not any(here):
            yield Span(start, end)


async def put_day(
    connection: Connection, home: Home, day: date, tally: Tally, reason: DayReason
) -> None:
    """Keep one day."""
    await connection.execute(
        _SQL["put_day"],
        {
            "premises_id": home.premises_id,
            "area_id": home.area_id,
            "day": day,
            "learned": reason is DayReason.LEARNED,
            "reason": reason.value,
            "tally": packed(tally),
        },
    )


async def put_line(
    connection: Connection,
    home: Home,
    line: Line | None,
    *,
    days: int,
    today: date,
    oldest: date,
    version: int,
) -> None:
    """Tomorrow's line, or that it is still being learned; days before `oldest` go."""
    await connection.execute(
        _SQL["put_line"],
        {
            "premises_id": home.premises_id,
            "area_id": home.area_id,
            "minutes": list(line.flat()) if line is not None else [],
            "days": days,
            "learned_on": today,
            "oldest": oldest,
            "version": version,
        },
    )


async def _devices(connection: Connection, home: Home) -> dict[str, Device]:
    rows = await _rows(connection, "devices", {"premises_id": home.premises_id})
    area_id, premises_id = AreaId(home.area_id), PremisesId(home.premises_id)
    return {
        row["device_id"]: Device(
            DeviceId(row["device_id"]), DeviceKind(row["kind"]), area_id, premises_id,
            label=row["label"] or "",
        )
        for row in rows
    }  # fmt: skip


async def _signs(
    connection: Connection, home: Home, devices: dict[str, Device], span: Span
) -> Iterator[Sign]:
    values = {"since": span.start, "until": span.end, "limit": MOST_SIGNS}
    rows = await _rows(connection, "signs", values | {"devices": list(devices), "measures": _CODES})
    presses = await _rows(connection, "presses", values | {"premises_id": home.premises_id})
    return signs_of(rows, presses, devices)


def signs_of(
    rows: Sequence[dict[str, Any]], presses: Sequence[dict[str, Any]], devices: dict[str, Device]
) -> Iterator[Sign]:
    """Stored observations that prove somebody active, as the detector sees them."""
    beds: dict[str, str | None] = {}
    for row in rows:
        device, measure = devices.get(row["device_id"]), MEASURE_BY_CODE.get(row["measure"])
        if device is None or measure is None:
            continue
        at, value, state = row["at"], row["value"], row["state"]
        if measure.key == "bed_state":
            # A bed tells every minute that somebody still lies in it.
            if beds.get(device.id, state) == state:
                beds[device.id] = state
                continue
            beds[device.id] = state
        seen = Observation(device, measure.key, at, at, value, state)
        if proves_activity(seen):
            yield Sign(at, Place(whereof(seen)[0]))
    for row in presses:
        yield Sign(row["at"], Place.ROOM)


async def _rows(connection: Connection, query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[query], values)
        return await cursor.fetchall()


class PostgresLearned:
    """Implements `hub.api.ports_care.LearnedStore`. Raises DatabaseAway."""

    def __init__(self, reach: Reach, zone: tzinfo) -> None:
        self._reach = reach
        self._zone = zone

    async def line(self, premises_id: str) -> View | None:
        """The home's line with its zone; None if there is no such home."""

        async def read(cursor: Cursor) -> View | None:
            await cursor.execute(_SQL["line"], {"premises_id": premises_id})
            row = await cursor.fetchone()
            return (
                None if row is None else row | {"zone": zone_named(row["time_zone"]) or self._zone}
            )

        return await self._reach.run(read)

    async def signs_of_life(
        self, premises_id: str, since: datetime, until: datetime, look: Entry
    ) -> list[View]:
        """When and near what somebody was active; the look is logged."""

        async def read(cursor: Cursor) -> list[View]:
            home = Home(premises_id, "", self._zone)
            devices = await _devices(cursor.connection, home)
            found = await _signs(cursor.connection, home, devices, Span(since, until))
            await cursor.execute(_LOG, log_line(look))
            return [{"at": sign.at, "near_bed": sign.place is Place.NEAR_BED} for sign in found]

        return await self._reach.run(read)

    async def forget(self, premises_id: str, entry: Entry) -> None:
        """The history was withdrawn: what was learned of it goes too."""

        async def write(cursor: Cursor) -> None:
            await cursor.execute(_SQL["forget_days"], {"premises_id": premises_id})
            await cursor.execute(_SQL["forget_line"], {"premises_id": premises_id})
            await cursor.execute(_LOG, log_line(entry))

        await self._reach.run(write)

    async def bed_habits(self, person_id: str) -> list[View]:
        """What the bed detector has learned, as of its last checkpoint (a minute old or so)."""

        async def read(cursor: Cursor) -> list[View]:
            await cursor.execute(_CARE["bed_devices"], {"person_id": person_id})
            keys = {f"{row['device_id']}/{person_id}": row["device_id"] for row in
                    await cursor.fetchall()}  # fmt: skip
            shards = sorted({shard_of(key) for key in keys})
            await cursor.execute(_SQL["bed_states"], {"keys": list(keys), "shards": shards})
            habits: dict[str, BedDetectorState] = {}
            singly: dict[str, BedDetectorState] = {}
            for row in await cursor.fetchall():
                if row["key"] is not None:
                    state = msgspec.msgpack.decode(row["state"], type=BedDetectorState)
                    singly[row["key"]] = state
                else:
                    stored = stored_states(bytes(row["shard_state"]), "bed", BedDetectorState)
                    habits |= {key: state for key, state in stored.items() if key in keys}
            return [
                {"device_id": keys[key], "habit": state.habit}
                for key, state in sorted((habits | singly).items())
            ]

        return await self._reach.run(read)
