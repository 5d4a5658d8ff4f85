"""What providers call back: receipts, and what people answered."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from alerts.answers import MAX_TEXT, Told
from alerts.delivery import DeliveryState, not_delivered
from alerts.notification import NotificationKind, reference_of
from alerts.policy import ChannelName
from hub.answered import Attempt, Kept, Sender
from hub.store import queries
from hub.store.address_book import spellings
from hub.store.outbox import needed, notification_of, outcome_values
from hub.store.proofs import answered_notification, answered_text
from hub.store.reach import Cursor, Reach

_SQL = queries.load("deliveries")
_BOOK = queries.load("address_book")
_OUTBOX = queries.load("outbox")
_OURS = re.compile(r"(n\d{1,18}-[a-z]{1,16}-\d{1,5})(?:-.*)?")
"""A reference, with what a gateway's idempotency key has behind it."""
_ARRIVED = {
    "delivered": DeliveryState.DELIVERED,
    "completed": DeliveryState.DELIVERED,
    "answered": DeliveryState.ANSWERED,
}
_RANK = {DeliveryState.DELIVERED: 1, DeliveryState.ANSWERED: 2}
TOLD_WITHIN = timedelta(days=2)
"""An answer to something older is about nothing that is open."""
DELIVERIES_SHOWN = 500
REPLIES_SHOWN = 200

Row = dict[str, Any]


class PostgresDeliveries:
    """Every method raises DatabaseAway."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def status(
        self, channel: ChannelName, reference: str | None, provider_id: str | None, state: str,
        now: datetime,
    ) -> bool:  # fmt: skip
        """A provider says how a message or call went; False: nothing of ours is known by that.

        Said again, or late, or in the wrong order: what is known already stays.
        """

        async def work(cursor: Cursor) -> bool:
            row = await _attempt(cursor, channel, reference, provider_id)
            if row is None:
                return False
            values = {"delivery_id": row["delivery_id"], "now": now, "provider_id": provider_id,
                      "notification_id": row["notification_id"]}  # fmt: skip
            before = DeliveryState(row["attempt_state"])
            arrived = _ARRIVED.get(state)
            if arrived is None:
                if before not in _RANK and before is not DeliveryState.FAILED:
                    await _did_not_arrive(cursor, row, state, values)
            elif _RANK[arrived] > _RANK.get(before, 0):
                await cursor.execute(_SQL["receipt"], values | {"state": arrived.value})
                if _stands(row):
                    await cursor.execute(_SQL["confirmed"], values)
            return True

        return await self._reach.run(work)

    async def about(
        self, channel: ChannelName, reference: str | None, provider_id: str | None
    ) -> Attempt | None:
        """Which notification an answer belongs to, where the provider says."""

        async def read(cursor: Cursor) -> Attempt | None:
            row = await _attempt(cursor, channel, reference, provider_id)
            if row is None:
                return None
            return Attempt(
                row["notification_id"], NotificationKind(row["kind"]), row["recipient"],
                row["incident_id"] or "", row["area_id"],
            )  # fmt: skip

        return await self._reach.run(read)

    async def belonging_to(self, phone: str) -> list[str]:
        """The recipients a number belongs to."""

        async def read(cursor: Cursor) -> list[str]:
            await cursor.execute(_BOOK["by_phone"], {"numbers": list(spellings(phone))})
            return [row["recipient"] for row in await cursor.fetchall()]

        return await self._reach.run(read)

    async def sender(self, recipient: str) -> Sender | None:
        """Who somebody is who answers; None: not in the register any more."""

        async def read(cursor: Cursor) -> Sender | None:
            values = {"recipient": recipient, "id": recipient.partition(":")[2]}
            await cursor.execute(_SQL["who"], values)
            row = await cursor.fetchone()
            return None if row is None else Sender(recipient, **row)

        return await self._reach.run(read)

    async def told_open(
        self, recipients: Sequence[str], now: datetime
    ) -> list[tuple[Told, str, str]]:
        """Open incidents these were told of: what and when, the recipient, the area."""

        async def read(cursor: Cursor) -> list[tuple[Told, str, str]]:
            values = {"recipients": list(recipients), "since": now - TOLD_WITHIN}
            await cursor.execute(_SQL["told_open"], values)
            return [
                (Told(row["incident_id"], row["told_at"]), row["recipient"], row["area_id"])
                for row in await cursor.fetchall()
            ]

        return await self._reach.run(read)

    async def proven(
        self, recipients: Sequence[str], notification_id: int | None, text: str, now: datetime
    ) -> bool:
        """Whether it answers a test message; that way is proven now."""

        async def work(cursor: Cursor) -> bool:
            if notification_id is not None:
                return await answered_notification(cursor, notification_id, "pressed", now)
            return await answered_text(cursor, recipients, text, now)

        return await self._reach.run(work)

    async def known(self, provider: str, message_id: str) -> tuple[str, str] | None:
        """What became of an answer that came before: result, and what they heard."""

        async def read(cursor: Cursor) -> tuple[str, str] | None:
            await cursor.execute(
                _SQL["known_reply"], {"provider": provider, "message_id": message_id}
            )
            row = await cursor.fetchone()
            return None if row is None else (row["result"], row["answer"])

        return await self._reach.run(read)

    async def count_since(self, sender: str, since: datetime) -> int:
        """How many answers came from a number."""

        async def read(cursor: Cursor) -> int:
            await cursor.execute(_SQL["replies_since"], {"sender": sender, "since": since})
            (row,) = await cursor.fetchall()
            return int(row["count"])

        return await self._reach.run(read)

    async def keep(self, kept: Kept, now: datetime) -> None:
        """Write an answer down, once."""

        async def work(cursor: Cursor) -> None:
            await cursor.execute(
                _SQL["keep_reply"],
                {
                    "area_id": kept.area_id,
                    "provider": kept.provider,
                    "message_id": kept.message_id,
                    "way": kept.way,
                    "sender": kept.sender,
                    "text": kept.text[:MAX_TEXT],
                    "now": now,
                    "incident_id": kept.incident_id,
                    "recipient": kept.recipient,
                    "verb": kept.verb,
                    "result": kept.result,
                    "answer": kept.answer,
                },
            )

        await self._reach.run(work)

    async def replies(
        self, areas: Sequence[str] | None, result: str | None, before: int, limit: int
    ) -> list[Row]:
        """What people answered, newest first."""

        async def read(cursor: Cursor) -> list[Row]:
            values = {"areas": areas if areas is None else list(areas), "result": result,
                      "before": before, "limit": limit}  # fmt: skip
            await cursor.execute(_SQL["replies_page"], values)
            return await cursor.fetchall()

        return await self._reach.run(read)

    async def of_incident(self, incident_id: str) -> list[Row]:
        """Every attempt to tell somebody of an incident, oldest first."""

        async def read(cursor: Cursor) -> list[Row]:
            values = {"incident_id": incident_id, "limit": DELIVERIES_SHOWN}
            await cursor.execute(_SQL["deliveries_of"], values)
            return await cursor.fetchall()

        return await self._reach.run(read)


async def _attempt(
    cursor: Cursor, channel: ChannelName, reference: str | None, provider_id: str | None
) -> Row | None:
    if reference and (ours := _OURS.fullmatch(reference)):
        await cursor.execute(_SQL["by_reference"], {"reference": ours[1]})
        if row := await cursor.fetchone():
            return row
    if provider_id:
        values = {"provider_id": provider_id, "channel": channel.value}
        await cursor.execute(_SQL["by_provider_id"], values)
        return await cursor.fetchone()
    return None


def _stands(row: Row) -> bool:
    """Whether the attempt is the notification's present one: it has not moved on since."""
    now = reference_of(row["notification_id"], ChannelName(row["channel"]), row["round"])
    return bool(row["reference"] == now)


async def _did_not_arrive(cursor: Cursor, row: Row, state: str, values: Row) -> None:
    """The next way at once, if this attempt is still the present one."""
    await cursor.execute(_SQL["failed"], values | {"detail": state})
    if row["state"] != "sent" or not _stands(row):
        return
    notification = notification_of(row)
    outcome = not_delivered(
        notification, values["now"], detail=state, needed=needed(notification, row)
    )
    await cursor.execute(_OUTBOX["moved_on"], outcome_values(notification, outcome, values["now"]))
    await cursor.execute(_OUTBOX["wake_courier"])
