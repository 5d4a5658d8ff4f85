"""The nightly learning of inactivity lines: home after home, a little at a time, one at once.

What a home's day amounts to is counted once and kept (`inactivity_day`); a night's work for a home
is the one day that has become complete, and the line from the last ninety. Which homes are done is
what is written in their rows, so a run that was ended goes on where it stopped, in any process.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import Any

import psycopg
import structlog

from hub.clock import SystemClock
from hub.database import TRANSIENT
from hub.detect.inactivity import LEARNING_DAYS
from hub.detect.inactivity_day import tally_of
from hub.detect.inactivity_line import learn
from hub.detect.inactivity_prior import TUNING, prior
from hub.store.learned import (
    Home,
    forget_unserved,
    home_day,
    homes_due,
    known_days,
    put_day,
    put_line,
    take_turn,
)

NIGHT_FROM_H, NIGHT_UNTIL_H = 1, 5
"""Ours: local hours in which desks and the database have the least to do."""
SHARE_OF_TIME = 0.25
"""Ours: of a core, so that whatever else the night brings comes first."""
LOOK_EVERY_S = 60.0
HOMES_AT_ONCE = 50
LAG_DAYS = 2
"""A silence belongs to the day it began in and may last through the next: then the day is done."""
LINE_VERSION = 1
"""Of the way lines are learned; a new one learns all homes anew from the days that are kept."""
HUB_ZONE = timezone(timedelta(hours=8))
"""Mainland China's one zone: that of homes that name none, and of the night."""

Connection = psycopg.AsyncConnection[Any]
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Learned:
    """What a run did."""

    homes: int = 0
    lines: int = 0
    """Homes with enough days for a line."""


async def learn_home(connection: Connection, home: Home, today: date) -> bool:
    """One home, in one transaction; whether it has a line now."""
    newest = today - timedelta(days=LAG_DAYS)
    oldest = newest - timedelta(days=TUNING.max_days - 1)
    async with connection.transaction():
        known = await known_days(connection, home.premises_id, oldest)
        start = max(known, default=oldest - timedelta(days=1)) + timedelta(days=1)
        for number in range((newest - start).days + 1):
            day = start + timedelta(days=number)
            tally, reason = tally_of(await home_day(connection, home, day))
            await put_day(connection, home, day, tally, reason)
            known[day] = tally if tally.days else None
        days = [tally for _, tally in sorted(known.items()) if tally is not None]
        line = None
        if len(days) >= LEARNING_DAYS:
            line = await asyncio.to_thread(learn, days, prior(), TUNING)
        await put_line(
            connection, home, line, days=len(days), today=today, oldest=oldest, version=LINE_VERSION
        )
    return line is not None


class Learning:
    """Works through the homes that are due."""

    def __init__(
        self,
        database_url: str,
        clock: SystemClock,
        zone: tzinfo = HUB_ZONE,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        looked: Callable[[], None] = lambda: None,
    ) -> None:
        """`looked` is called after every home, and every look whether it is night."""
        self._looked = looked
        self._database_url = database_url
        self._clock = clock
        self._zone = zone
        self._pause = pause

    async def run(self) -> None:
        """For ever: at night, whatever is due."""
        while True:
            if self.is_night():
                try:
                    done = await self.work(
                        share=SHARE_OF_TIME, until_morning=True, told=lambda _: self._looked()
                    )
                    if done.homes:
                        _log.info("learned", homes=done.homes, lines=done.lines)
                except TRANSIENT as error:
                    _log.warning("learning_waits", error=type(error).__name__)
                else:
                    self._looked()
            else:
                self._looked()
            await self._pause(LOOK_EVERY_S)

    def is_night(self) -> bool:
        """Whether it is the hour for it."""
        return NIGHT_FROM_H <= self._local().hour < NIGHT_UNTIL_H

    async def work(
        self,
        *,
        share: float = 1.0,
        until_morning: bool = False,
        only: str | None = None,
        told: Callable[[Learned], None] = lambda _: None,
    ) -> Learned:
        """All homes that are due, or one of them. `share`: of the time, the rest is a pause.

        Does nothing while another process is at it.
        """
        done = Learned()
        connection = await psycopg.AsyncConnection.connect(
            self._database_url, autocommit=True, connect_timeout=5
        )
        async with connection:
            if not await take_turn(connection):
                return done
            await forget_unserved(connection)
            today, after = self._local().date(), ""
            while True:
                homes = await homes_due(
                    connection, today, self._zone, after=after, only=only, limit=HOMES_AT_ONCE
                )
                for home in homes:
                    if until_morning and not self.is_night():
                        return done
                    started_s = self._clock.monotonic_s()
                    done.lines += await self._try(connection, home, today)
                    done.homes += 1
                    told(done)
                    spent_s = self._clock.monotonic_s() - started_s
                    await self._pause(spent_s * (1 / share - 1))
                if not homes:
                    return done
                after = homes[-1].premises_id

    async def _try(self, connection: Connection, home: Home, today: date) -> bool:
        """A home whose rows cannot be read must not keep the others from being learned."""
        try:
            return await learn_home(connection, home, today)
        except (psycopg.DataError, ValueError, OverflowError) as error:
            _log.error("home_not_learned", premises=home.premises_id, error=type(error).__name__)
            return False

    def _local(self) -> datetime:
        return self._clock.now().astimezone(self._zone)
