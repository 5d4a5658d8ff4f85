"""Quarantine and dead letters as an operator works through them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from hub.quarantine import (
    GIVEN_UP,
    UNREACHED,
    Kept,
    NothingToDo,
    Operator,
    Question,
    Row,
    still_true,
)
from hub.store import queries
from hub.store.cases import log_values
from hub.store.reach import Cursor, Reach

_SQL = queries.load("quarantine")
_INCIDENTS = queries.load("incidents")

PAYLOAD_SHOWN_BYTES = 2048
"""Of a quarantined message: enough to see what is wrong with it."""


class PostgresQuarantine:
    """Every deed is one transaction with its entry in the audit log. Raises DatabaseAway."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def page(self, question: Question) -> list[Row]:
        """Quarantined messages, newest first."""

        async def read(cursor: Cursor) -> list[Row]:
            await cursor.execute(
                _SQL["page"],
                {
                    "areas": None if question.areas is None else list(question.areas),
                    "before": question.before,
                    "limit": question.limit,
                    "state": question.state,
                    "lane": question.lane,
                    "device_id": question.device_id,
                    "shown_bytes": PAYLOAD_SHOWN_BYTES,
                },
            )
            return [_shown(row) for row in await cursor.fetchall()]

        return await self._reach.run(read)

    async def one(self, message_id: int, operator: Operator, now: datetime) -> Row | None:
        """A message with its payload; the look is logged."""

        async def read(cursor: Cursor) -> Row | None:
            await cursor.execute(
                _SQL["one"],
                {"id": message_id, "areas": operator.seat, "shown_bytes": PAYLOAD_SHOWN_BYTES},
            )
            row = await cursor.fetchone()
            if row is None:
                return None
            await _note(cursor, operator, now, "quarantine_shown", row["area_id"], message_id)
            return _shown(row)

        return await self._reach.run(read)

    async def retry(
        self,
        message_id: int,
        operator: Operator,
        now: datetime,
        send: Callable[[Kept], Awaitable[None]],
    ) -> bool:
        """Hand a message to its lane again; False: there is no such message.

        `send` returns once the broker has it and raises if it has not; then nothing is changed.
        The row is held meanwhile: a lane that cannot read it this time either writes after us.
        """

        async def work(cursor: Cursor) -> bool:
            row = await _locked(cursor, message_id, operator)
            if row is None:
                return False
            await send(
                Kept(
                    message_id, row["lane"], row["topic"], bytes(row["payload"]), row["received_at"]
                )
            )
            await cursor.execute(_SQL["settle"], {"id": message_id, "state": "retried", "now": now})
            await _note(cursor, operator, now, "quarantine_retried", row["area_id"], message_id)
            return True

        return await self._reach.run(work)

    async def discard(self, message_id: int, operator: Operator, now: datetime) -> bool:
        """Nothing is to be done with it; False: there is no such message."""

        async def work(cursor: Cursor) -> bool:
            row = await _locked(cursor, message_id, operator)
            if row is None:
                return False
            if row["state"] != "waiting":
                raise NothingToDo(f"it is {row['state']}, not waiting")
            await cursor.execute(
                _SQL["settle"], {"id": message_id, "state": "discarded", "now": now}
            )
            await _note(cursor, operator, now, "quarantine_discarded", row["area_id"], message_id)
            return True

        return await self._reach.run(work)

    async def dead_letters(
        self,
        areas: tuple[str, ...] | None,
        before: int,
        limit: int,
        states: Sequence[str] = GIVEN_UP,
    ) -> list[Row]:
        """Notifications that were given up, newest first; with `UNREACHED` alone as `states` those
        whose recipient had no way to be told."""
        query = _SQL["unreached" if tuple(states) == (UNREACHED,) else "dead_letters"]

        async def read(cursor: Cursor) -> list[Row]:
            parameters = {"areas": _list(areas), "before": before, "limit": limit,
                          "states": list(states)}  # fmt: skip
            await cursor.execute(query, parameters)
            return [row | {"id": row["notification_id"]} for row in await cursor.fetchall()]

        return await self._reach.run(read)

    async def send_again(self, notification_id: int, operator: Operator, now: datetime) -> bool:
        """A dead letter goes into the outbox again, from its first attempt: number, address and
        consent are looked up anew by every way its step named. Raises NothingToDo for what is not
        true any more."""

        async def work(cursor: Cursor) -> bool:
            row = await _locked_letter(cursor, notification_id, operator, (*GIVEN_UP, UNREACHED))
            if row is None:
                return False
            if row["incident_state"] is not None:
                still_true(row["kind"], row["incident_state"], comes=row["comes"])
            await cursor.execute(_SQL["send_again"], {"id": notification_id, "now": now})
            await cursor.execute(_SQL["wake_courier"])
            await _note_letter(cursor, operator, now, "dead_letter_retried", row)
            return True

        return await self._reach.run(work)

    async def give_up(self, notification_id: int, operator: Operator, now: datetime) -> bool:
        """A dead letter is not to be sent."""

        async def work(cursor: Cursor) -> bool:
            # What reached nobody waits for nobody; set aside, it would keep the last rung silent.
            row = await _locked_letter(cursor, notification_id, operator, GIVEN_UP)
            if row is None:
                return False
            await cursor.execute(_SQL["give_up"], {"id": notification_id, "now": now})
            await _note_letter(cursor, operator, now, "dead_letter_discarded", row)
            return True

        return await self._reach.run(work)

    async def waiting(self) -> dict[str, int]:
        """How much waits: alarm, telemetry, dead_letters."""

        async def read(cursor: Cursor) -> dict[str, int]:
            await cursor.execute(_SQL["waiting"])
            (row,) = await cursor.fetchall()
            return {key: int(value) for key, value in row.items()}

        return await self._reach.run(read)


def _list(areas: tuple[str, ...] | None) -> list[str] | None:
    return None if areas is None else list(areas)


def _shown(row: dict[str, Any]) -> Row:
    payload = bytes(row["payload"]).decode("utf-8", "replace")
    return row | {"id": row["quarantine_id"], "payload": payload}


async def _locked(cursor: Cursor, message_id: int, operator: Operator) -> Row | None:
    await cursor.execute(_SQL["lock"], {"id": message_id, "areas": operator.seat})
    return await cursor.fetchone()


async def _locked_letter(
    cursor: Cursor, letter_id: int, operator: Operator, states: Sequence[str]
) -> Row | None:
    await cursor.execute(_SQL["lock_dead_letter"], {"id": letter_id, "areas": operator.seat})
    row = await cursor.fetchone()
    if row is not None and row["state"] not in states:
        raise NothingToDo(f"it is {row['state']}, not given up")
    return row


async def _note(
    cursor: Cursor, operator: Operator, now: datetime, action: str, area_id: str, row_id: int
) -> None:
    actor = (operator.kind, operator.id, operator.name)
    entry = log_values(now, area_id, None, action, None, {"quarantine_id": row_id}, actor)
    await cursor.execute(_INCIDENTS["log"], entry)


async def _note_letter(
    cursor: Cursor, operator: Operator, now: datetime, action: str, row: Row
) -> None:
    actor = (operator.kind, operator.id, operator.name)
    detail = {"notification_id": row["notification_id"]}
    entry = log_values(now, row["area_id"], row["incident_id"], action, None, detail, actor)
    await cursor.execute(_INCIDENTS["log"], entry)
