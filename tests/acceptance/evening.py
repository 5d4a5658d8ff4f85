"""An evening on which somebody presses: real gateways over HTTP, a real API and database.

The courier's clock is moved by hand; ingest is the few lines of `api_hub`. What a ladder writes is
written here: one row a recipient, with the channels in their order.
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from alerts.alarm import Priority
from alerts.channels.sms import SmsChannel
from alerts.channels.voice import VoiceChannel
from alerts.courier import Courier
from alerts.gateway import Vendor
from alerts.gateways import Gateways
from alerts.messages import Message
from alerts.notification import Notification, NotificationKind, urgency_of
from alerts.policy import ChannelName
from alerts.ports import Channel, Sent
from hub.callback_key import callback_url
from hub.gateway_files import read_vendors
from hub.store.address_book import Elsewhere, PostgresDirectory
from hub.store.brief import PostgresWords, Speaker
from hub.store.consented import ConsentedDirectory
from hub.store.links import LinkMaker
from hub.store.outbox import PostgresOutbox
from hub.wording import WordsWhereNeeded
from tests.integration.api_hub import CALLBACK_KEY, ApiHub, api_hub, press, seed
from tests.providers import SECRET, Phone, Providers, running_providers
from tests.scenes import HandClock

PUSH, SMS, VOICE = ChannelName.PUSH, ChannelName.SMS, ChannelName.VOICE
DAUGHTER, SON, NEIGHBOUR, DESK = "contact:mei", "contact:gang", "responder:zhao", "account:mei"
NUMBERS = {DAUGHTER: "+8613800000001", SON: "+8613800000002", NEIGHBOUR: "+8613800000003"}

PEOPLE = f"""
INSERT INTO person_contact (contact_id, person_id, place, area_id, name, relation, phone, language)
VALUES ('mei', 'wang', 1, 'east-1', 'Wang Mei', 'daughter', '+86 138-0000-0001', 'en'),
    ('gang', 'wang', 2, 'east-1', '王刚', 'son', '{NUMBERS[SON]}', 'zh-CN'),
    ('mei-too', 'li', 1, 'west', 'Wang Mei', 'niece', '13800000001', 'en');
INSERT INTO responder (responder_id, area_id, kind, name, phone)
VALUES ('zhao', 'east', 'person', 'Zhao', '{NUMBERS[NEIGHBOUR]}');
"""

Row = dict[str, Any]


@dataclass
class Browser:
    """Web push to a phone that nobody looks at: taken, and never read."""

    name: ChannelName = PUSH
    taken: list[str] = field(default_factory=list)

    async def send(self, notification: Notification, message: Message, address: str) -> Sent:
        self.taken.append(message.text)
        return Sent("201", None, 20)


class WithBrowsers(ConsentedDirectory):
    """Everybody has a browser besides what the register says."""

    async def look_up(self, recipient: str, incident_id: Any) -> Any:
        found = await super().look_up(recipient, incident_id)
        return found and replace(found, values={**found.values, PUSH: ("a browser",)})


@dataclass
class Evening:
    """What a story may do, and what it may ask."""

    hub: ApiHub
    providers: Providers
    clock: HandClock
    courier: Courier
    browser: Browser

    def phone(self, recipient: str) -> Phone:
        """At the first vendor, which is asked first."""
        return self.providers.gateway.phone(NUMBERS[recipient])

    async def pressed(self, device: str = "button-1") -> str:
        """Somebody presses; the incident."""
        return str((await self.hub.ingest.take_press(press(device)))["id"])

    async def tells(self, incident: str, recipient: str, *channels: ChannelName) -> None:
        """A rung of the ladder."""
        async with await psycopg.AsyncConnection.connect(self.hub.database_url) as line:
            await line.execute(
                "INSERT INTO notification (area_id, incident_id, channel, channels, recipient,"
                " kind, urgency, body, created_at, due_at)"
                " VALUES ('east-1', %s, %s, %s, %s, 'ring', %s, '{}', %s, %s)",
                (incident, channels[0], [c.value for c in channels[1:]], recipient,
                 urgency_of(Priority.HIGH, NotificationKind.RING, first=True),
                 self.clock.now(), self.clock.now()),
            )  # fmt: skip
        await self.cycle()

    async def cycle(self) -> None:
        while await self.courier.run_once():
            pass

    async def later(self, seconds: float) -> None:
        """Time passes; the courier acts within a second of every instant at which it should."""
        until = self.clock.now() + timedelta(seconds=seconds)
        await self.cycle()
        while self.clock.now() < until:
            (row,) = await self.rows(
                "SELECT min(CASE state WHEN 'sent' THEN receipt_due_at"
                " ELSE greatest(due_at, leased_until) END) AS due"
                " FROM notification WHERE state IN ('pending', 'sent')"
            )
            soonest = self.clock.now() + timedelta(seconds=1)
            self.clock.move_to(min(until, max(row["due"] or until, soonest)))
            await self.cycle()

    async def rows(self, query: str) -> list[Row]:
        async with await psycopg.AsyncConnection.connect(
            self.hub.database_url, row_factory=dict_row
        ) as line:
            return await (await line.execute(query.encode())).fetchall()

    async def incident(self, incident: str) -> Row:
        (row,) = await self.rows(f"SELECT * FROM incident WHERE incident_id = '{incident}'")
        return row

    async def answers(self, incident: str) -> dict[str, str]:
        """What each responder said."""
        found = await self.rows(
            "SELECT actor_kind || ':' || actor_id AS who, answer FROM incident_responder"
            f" WHERE incident_id = '{incident}'"
        )
        return {row["who"]: row["answer"] for row in found}

    async def attempts(self, recipient: str) -> list[tuple[str, str]]:
        found = await self.rows(
            f"SELECT channel, state FROM delivery WHERE recipient = '{recipient}'"
            " ORDER BY delivery_id"
        )
        return [(row["channel"], row["state"]) for row in found]

    async def replies(self) -> list[Row]:
        return await self.rows("SELECT * FROM reply ORDER BY reply_id")

    def link_in(self, text: str) -> str:
        """The path of the link in a message."""
        found = re.search(r"(/l/[A-Za-z0-9_-]{22})", text)
        assert found, text
        return found[1]


def vendors(providers: Providers) -> dict[str, Vendor]:
    """Two of short messages, one of calls, all of our own contract."""
    first = {"GATEWAY_URL": providers.gateway.url, "GATEWAY_SECRET": SECRET}
    second = first | {"GATEWAY_URL": providers.second_gateway.url}
    (sms,) = read_vendors("carebell-sms", "sms", first)
    (other,) = read_vendors("carebell-sms", "sms", second)
    (voice,) = read_vendors("carebell-voice", "voice", first)
    found = (sms, replace(other, name="other-sms"), voice)
    return {vendor.name: vendor for vendor in found}


@asynccontextmanager
async def evening_of(database_url: str, folder: Path) -> AsyncIterator[Evening]:
    seed(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute(PEOPLE)
    pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
        database_url, min_size=1, max_size=4, open=False, kwargs={"autocommit": True}
    )
    async with running_providers() as providers, httpx.AsyncClient() as client, pool:
        known = vendors(providers)
        async with api_hub(database_url, folder, vendors=known) as hub:
            await hub.parts.switchboard.loaded.wait()
            hub.bus.beat()
            clock, browser = HandClock(datetime.now(UTC)), Browser()

            def gateways(*names: str) -> Gateways:
                return Gateways(
                    client, tuple(known[name] for name in names), clock,
                    lambda vendor: callback_url(hub.url, CALLBACK_KEY, vendor.name), lambda: "0",
                )  # fmt: skip

            channels: Mapping[ChannelName, Channel] = {
                PUSH: browser,
                SMS: SmsChannel(gateways("carebell-sms", "other-sms")),
                VOICE: VoiceChannel(gateways("carebell-voice")),
            }
            answers = frozenset({SMS, VOICE})
            speaker = Speaker("Carebell", "12349", "Asia/Shanghai", "amap", answers)
            words = PostgresWords(pool, speaker, clock, LinkMaker(pool, hub.url, clock))
            register = PostgresDirectory(pool, Elsewhere("zh-CN", {}))
            courier = Courier(
                PostgresOutbox(pool), channels, WithBrowsers(pool, register),
                WordsWhereNeeded(words), clock,
            )  # fmt: skip
            yield Evening(hub, providers, clock, courier, browser)
