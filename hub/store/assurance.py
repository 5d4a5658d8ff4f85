"""What the assurance loop reads and writes: facts in, conditions and incidents out."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from alerts.alarm import Priority
from alerts.assurance import Concern, Seen, Standing, Verdict, again, weigh
from alerts.incident import Incident
from alerts.policy import ChannelName
from alerts.rota import HORIZON, DutyRole, Gap
from alerts.watches import PROVIDER_WINDOW, ChannelRecord, Named, Owned, Staffing
from hub.store import presence, queries, rota
from hub.store.cases import record
from hub.store.items import Item
from hub.store.reach import Reach
from hub.synthetic import DEVICE_ID
from hub.view import View

_SQL = queries.load("assurance")
_TURN = 0x6173_7375
"""Advisory lock key: `assu` in ASCII."""
ALARMS_KEPT = timedelta(hours=1)
"""Of the hub's own presses; a retry may still look for one."""
TIMES_KEPT = timedelta(days=7)
NAMED_LIMIT = 1000
"""Of ladders that name somebody who is gone: more would be one trouble as well."""

Cursor = psycopg.AsyncCursor[dict[str, Any]]
ItemOf = Callable[[Standing, datetime, bool], Item]


@dataclass(frozen=True, slots=True)
class People:
    """Who could answer and who could go, as of one look."""

    staffing: Staffing
    gaps: Sequence[Gap]
    owned: Sequence[Owned]
    present: Collection[str]
    on_duty: Collection[str]
    named: Sequence[Named] = ()
    """By policies, and gone."""


@dataclass(frozen=True, slots=True)
class Lists:
    """What takes longer to find; looked for less often."""

    alone: Mapping[str, Sequence[str]]
    unproven: Mapping[str, Sequence[str]]
    parents: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class LastPress:
    """The hub's own presses so far, whoever sent them."""

    sent_at: datetime | None
    success_at: datetime | None
    took_s: float | None
    row: View | None = None
    """The newest of all, as far as it came."""


class PostgresAssurance:
    """The worker's side. Every method is one short transaction of its own."""

    def __init__(self, pool: AsyncConnectionPool[Any]) -> None:
        self._pool = pool

    async def people(self, now: datetime, channels: frozenset[ChannelName]) -> People:
        """Desks, rota and responsibility, anywhere."""
        async with (
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(_SQL["needed"], {"synthetic": DEVICE_ID})
            needed = [row["area_id"] for row in await cursor.fetchall()]
            parents = await rota.parents(cursor)
            here = await presence.present(cursor, None, now)
            duties = await rota.on_duty(cursor, list(parents), now)
            planned = await rota.planned(cursor, None, now)
            gaps = await rota.all_gaps(cursor, None, now, now + HORIZON)
            accounts = sorted({duty.account_id for duty in duties})
            reached = await _by_channel(cursor, accounts, channels)
            await cursor.execute(_SQL["account_names"], {"accounts": accounts})
            names = {row["account_id"]: row["name"] for row in await cursor.fetchall()}
            await cursor.execute(_SQL["owned"])
            owned = [Owned(**row) for row in await cursor.fetchall()]
            await cursor.execute(_SQL["named_and_gone"], {"limit": NAMED_LIMIT})
            named = [Named(**row) for row in await cursor.fetchall()]
        staffing = Staffing(
            needed=needed,
            parents=parents,
            seats=frozenset(one.area_id for one in here),
            on_duty=duties,
            planned=frozenset(area for area, duty in planned if duty is DutyRole.DISPATCHER),
            by_channel=reached,
            names=names,
        )
        return People(
            staffing,
            gaps,
            owned,
            frozenset(one.account_id for one in here),
            frozenset(accounts),
            named,
        )

    async def area_names(self, ids: Collection[str]) -> dict[str, str]:
        """What these areas are called."""
        rows = await self._rows("area_names", {"ids": sorted(ids)})
        return {row["area_id"]: row["name"] for row in rows}

    async def lists(self, proven_since: datetime | None) -> Lists:
        """People whom nobody could go to, and ways that are not proven; None: nothing can be."""
        async with (
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(_SQL["alone"])
            alone = {row["area_id"]: row["ids"] for row in await cursor.fetchall()}
            unproven: dict[str, Sequence[str]] = {}
            if proven_since is not None:
                await cursor.execute(_SQL["unproven"], {"since": proven_since})
                unproven = {row["area_id"]: row["ids"] for row in await cursor.fetchall()}
            return Lists(alone, unproven, await rota.parents(cursor))

    async def channels(self, now: datetime) -> list[ChannelRecord]:
        """How each provider did in the last quarter of an hour."""
        rows = await self._rows("channels", {"now": now, "since": now - PROVIDER_WINDOW})
        return [ChannelRecord(**row) for row in rows]

    async def strain(self) -> View:
        """What the database knows of itself."""
        (row,) = await self._rows("strain", {})
        return row

    async def held(self) -> dict[Concern, frozenset[str]]:
        """Areas of each concern that rings now: lists stay folded where they are."""
        found: dict[Concern, set[str]] = {}
        for row in await self._rows("conditions", {"areas": None, "limit": 100_000}):
            if row["raised_at"] is not None:
                found.setdefault(Concern(row["concern"]), set()).add(row["area_id"])
        return {concern: frozenset(areas) for concern, areas in found.items()}

    async def judge(
        self,
        seen: Sequence[Seen],
        looked: frozenset[Concern],
        now: datetime,
        item_of: ItemOf,
        *,
        by_day: bool,
    ) -> tuple[Verdict, list[tuple[Incident, str]]] | None:
        """Remember what holds, raise and clear what is due, in one transaction; what changed, with
        its cause. None: another worker is at it."""
        async with (
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(_SQL["take_turn"], {"key": _TURN})
            turn = await cursor.fetchone()
            if turn is None or not turn["mine"]:
                return None
            await cursor.execute(_SQL["standing"])
            known = [_standing(row) for row in await cursor.fetchall()]
            known = await _told_again(cursor, known, now)
            verdict = weigh(known, seen, looked, now, by_day=by_day)
            for one in verdict.standing:
                await cursor.execute(_SQL["keep"], _values(one))
            for one in (*verdict.clears, *verdict.forgotten):
                await cursor.execute(_SQL["forget"], _key(one))
            items = [item_of(one, now, False) for one in verdict.raises]
            items += [item_of(one, now, True) for one in verdict.clears]
            results = await record(connection, items) if items else []
        changed = [(r.incident, r.cause) for r in results
                   if r.incident is not None and r.cause is not None]  # fmt: skip
        return verdict, changed

    async def counted(self) -> dict[str, tuple[int, int]]:
        """By concern: how many hold, and how many of them ring."""
        rows = await self._rows("counted", {})
        return {row["concern"]: (row["holding"], row["raised"]) for row in rows}

    # ---- the hub's own press ---------------------------------------------------------------

    async def register_device(
        self, area_id: str, label: str, secret_sha256: str, mosquitto_hash: str
    ) -> None:
        """Its device, with a new secret; the register's watchers let it in."""
        async with (
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            values = {
                "device_id": DEVICE_ID, "premises_id": DEVICE_ID, "area_id": area_id,
                "label": label, "secret_sha256": secret_sha256, "mosquitto_hash": mosquitto_hash,
            }  # fmt: skip
            await cursor.execute(_SQL["own_home"], values)
            await cursor.execute(_SQL["own_device"], values)

    async def retire_device(self) -> None:
        """It presses no more."""
        async with self._pool.connection() as connection:
            await connection.execute(_SQL["no_own_device"], {"device_id": DEVICE_ID})

    async def pressed(self, press_id: str, area_id: str, alarm_id: str, now: datetime) -> None:
        """It is about to be sent."""
        async with self._pool.connection() as connection:
            await connection.execute(
                _SQL["add_press"],
                {"press_id": press_id, "area_id": area_id, "alarm_id": alarm_id, "sent_at": now},
            )

    async def came(self, press_id: str, alarm_id: str) -> View:
        """When it was recorded and shown, as far as it came."""
        (row,) = await self._rows("pressed", {"press_id": press_id, "alarm_id": alarm_id})
        return row

    async def settle_press(self, press_id: str, times: Mapping[str, float | None]) -> None:
        """How far it came, in seconds from the sending."""
        async with self._pool.connection() as connection:
            await connection.execute(_SQL["settle_press"], {"press_id": press_id, **times})

    async def tidy(self, now: datetime) -> None:
        """What the hub's own doings leave behind."""
        async with (
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(
                _SQL["forget_presses"],
                {"alarms_before": now - ALARMS_KEPT, "times_before": now - TIMES_KEPT},
            )
            await presence.forget(cursor, now)

    async def last_press(self) -> LastPress:
        """As far as the database knows."""
        (row,) = await self._rows("last_press", {})
        newest = await self._rows("presses", {"limit": 1})
        return LastPress(
            row["sent_at"], row["success_at"], row["took_s"], newest[0] if newest else None
        )

    async def _rows(self, query: str, values: Mapping[str, Any]) -> list[View]:
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(_SQL[query], values)
            rows: list[View] = await cursor.fetchall()
            return rows


class PostgresConditions:
    """Implements `hub.api.ports_assurance.ConditionStore`. Raises DatabaseAway."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def conditions(self, areas: Sequence[str] | None, limit: int) -> list[View]:
        """What holds just now, what rings first."""
        return await self._rows("conditions", {"areas": areas, "limit": limit})

    async def alone(self, areas: Sequence[str] | None, after: str, limit: int) -> list[View]:
        """People whom nobody could be sent to, a page by id."""

        async def read(cursor: Cursor) -> list[View]:
            await cursor.execute(_SQL["alone"])
            rows = await cursor.fetchall()
            ids = [one for row in rows if areas is None or row["area_id"] in areas
                   for one in row["ids"]]  # fmt: skip
            await cursor.execute(_SQL["alone_page"], {"ids": ids, "after": after, "limit": limit})
            people: list[View] = await cursor.fetchall()
            return people

        return await self._reach.run(read)

    async def presses(self, limit: int) -> list[View]:
        """The hub's own presses, newest first."""
        return await self._rows("presses", {"limit": limit})

    async def _rows(self, query: str, values: Mapping[str, Any]) -> list[View]:
        async def read(cursor: Cursor) -> list[View]:
            await cursor.execute(_SQL[query], values)
            return await cursor.fetchall()

        return await self._reach.run(read)


async def _by_channel(
    cursor: Cursor, accounts: Sequence[str], channels: frozenset[ChannelName]
) -> frozenset[str]:
    if not accounts:
        return frozenset()
    await cursor.execute(
        _SQL["by_channel"],
        {
            "accounts": accounts,
            "by_phone": bool(channels & {ChannelName.SMS, ChannelName.VOICE}),
            "by_email": ChannelName.EMAIL in channels,
            "by_push": ChannelName.PUSH in channels,
        },
    )
    return frozenset(row["account_id"] for row in await cursor.fetchall())


async def _told_again(cursor: Cursor, known: Sequence[Standing], now: datetime) -> list[Standing]:
    """What a human resolved though it goes on begins anew after a while."""
    raised = [one for one in known if one.raised_at is not None]
    if not raised:
        return list(known)
    subjects = [one.seen.subject for one in raised]
    await cursor.execute(
        _SQL["still_told"],
        {"kinds": [s.kind.value for s in subjects], "ids": [s.id for s in subjects]},
    )
    told = {(row["kind"], row["id"]) for row in await cursor.fetchall()}
    return [
        again(one, now)
        if one.raised_at is not None
        and (one.seen.subject.kind.value, one.seen.subject.id) not in told
        else one
        for one in known
    ]


def _standing(row: Mapping[str, Any]) -> Standing:
    seen = Seen(
        Concern(row["concern"]),
        row["area_id"],
        row["evidence"],
        about=row["about"],
        priority=Priority(row["priority"]) if row["priority"] else None,
    )
    return Standing(seen, row["since"], row["raised_at"], row["gone_since"])


def _key(one: Standing) -> dict[str, Any]:
    subject = one.seen.subject
    return {
        "concern": one.seen.concern.value,
        "subject_kind": subject.kind.value,
        "subject_id": subject.id,
    }


def _values(one: Standing) -> dict[str, Any]:
    return _key(one) | {
        "area_id": one.seen.area_id,
        "since": one.since,
        "raised_at": one.raised_at,
        "gone_since": one.gone_since,
        "evidence": msgspec.json.encode(one.seen.values).decode(),
        "about": one.seen.about,
        "priority": one.seen.priority.value if one.seen.priority else None,
    }
