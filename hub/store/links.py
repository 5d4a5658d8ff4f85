"""One-time links: made when a message is sent, used once. Only their hash is kept."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import msgspec
from psycopg_pool import AsyncConnectionPool

from alerts.address import Address
from alerts.consent import DataType, allowed
from alerts.errors import LookUpFailed
from alerts.notification import Notification, NotificationKind
from alerts.ports import Clock
from alerts.responders import Answer
from hub.answered import Shown
from hub.register import zone_named
from hub.store import queries
from hub.store.brief import audience_of, decisions_for
from hub.store.gathered import AWAY, Gathered
from hub.store.ledger import log_values
from hub.store.reach import Cursor, Reach

_SQL = queries.load("links")
_BRIEF = queries.load("brief")
_LOG = queries.load("incidents")["log"]

TOKEN_BYTES = 16
"""128 bit: 22 characters, so that a link still fits into a short message."""
LIVES_FOR = timedelta(hours=12)
"""Ours: a night's incident can still be answered in the morning; an old message found in a phone
answers nothing."""
_LINKED = (NotificationKind.RING, NotificationKind.COMING)
"""What can be answered. That it is over needs no answer."""

Row = dict[str, Any]


def hashed(token: str) -> str:
    """As it is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Link:
    """A row of `incident_link`."""

    token_sha256: str
    area_id: str
    incident_id: str
    recipient: str
    name: str
    language: str
    channel: str
    created_at: datetime
    expires_at: datetime


class LinkMaker:
    """Makes the link of a message, in the worker."""

    def __init__(
        self,
        pool: AsyncConnectionPool[Any],
        public_url: str,
        clock: Clock,
        draw: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self._pool = pool
        self._issued = Gathered(self._issue)
        self._public_url = public_url
        self._clock = clock
        self._draw = draw

    async def __call__(self, notification: Notification, address: Address) -> str | None:
        """The link; None: there is nothing to answer, or nobody could open it. Raises
        LookUpFailed while the database is away."""
        personal = ":" in address.recipient
        asks = notification.kind in _LINKED and notification.incident_id
        if not (self._public_url and personal and asks):
            return None
        token, now = self._draw(TOKEN_BYTES), self._clock.now()
        link = _Link(
            token_sha256=hashed(token),
            area_id=notification.area_id,
            incident_id=notification.incident_id,
            recipient=address.recipient,
            name=address.name,
            language=address.language,
            channel=notification.channel.value,
            created_at=now,
            expires_at=now + LIVES_FOR,
        )
        try:
            await self._issued.ask(link)
        except AWAY as error:
            raise LookUpFailed(type(error).__name__) from error
        return f"{self._public_url}/l/{token}"

    async def _issue(self, links: Sequence["_Link"]) -> dict["_Link", None]:
        values = {one.name: [getattr(link, one.name) for link in links] for one in fields(_Link)}
        async with self._pool.connection() as connection:
            await connection.execute(_SQL["issue"], values)
        return {}


class PostgresLinks:
    """Opens and uses links, in the API. Every method raises DatabaseAway."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def look(self, token: str, now: datetime, address: str) -> Shown | None:
        """What a link is for, less what may not be told; the look is logged. None: no such one."""

        async def read(cursor: Cursor) -> Shown | None:
            await cursor.execute(_SQL["link"], {"token_sha256": hashed(token)})
            row = await cursor.fetchone()
            if row is None:
                return None
            shown = await _shown(cursor, row)
            kind, _, actor_id = shown.recipient.partition(":")
            detail = {"noun": "link", "from": address, "expired": shown.expires_at <= now,
                      "used": shown.used_at is not None}  # fmt: skip
            entry = log_values(
                now, shown.area_id, shown.incident_id, "look", None, detail,
                (kind, actor_id, shown.name),
            )  # fmt: skip
            await cursor.execute(_LOG, entry)
            return shown

        return await self._reach.run(read)

    async def take(self, token: str, verb: str, now: datetime) -> bool:
        """Use it up; False: it is used or over."""

        async def work(cursor: Cursor) -> bool:
            values = {"token_sha256": hashed(token), "verb": verb, "now": now}
            await cursor.execute(_SQL["take"], values)
            return await cursor.fetchone() is not None

        return await self._reach.run(work)

    async def give_back(self, token: str) -> None:
        """What was taken could not be done."""

        async def work(cursor: Cursor) -> None:
            await cursor.execute(_SQL["give_back"], {"token_sha256": hashed(token)})

        await self._reach.run(work)


async def _shown(cursor: Cursor, row: Row) -> Shown:
    role = row["role"]
    recipient = Address(row["recipient"], row["name"], role or "", row["language"], {})
    audience = audience_of(recipient)
    await cursor.execute(_BRIEF["decisions"], {"ids": [row["incident_id"]]})
    decided = decisions_for(audience, await cursor.fetchall())
    named = DataType.INCIDENTS in allowed(audience, decided)
    coming = (Answer.GOING.value, Answer.ARRIVED.value)
    responders = row["responders"]
    if isinstance(responders, str):
        responders = msgspec.json.decode(responders)
    return Shown(
        incident_id=row["incident_id"],
        area_id=row["area_id"],
        recipient=row["recipient"],
        name=row["name"],
        language=row["language"],
        role=role,
        state=row["state"],
        expires_at=row["expires_at"],
        used_at=row["used_at"],
        used_for=row["used_for"],
        opened_at=row["opened_at"],
        drill=row["drill"],
        owner=row["owner_name"],
        going=tuple(r["who"]["name"] for r in responders if r["answer"] in coming),
        person=row["person_name"] if named else None,
        address=row["address"] if named else None,
        zone=zone_named(row["time_zone"]),
    )
