"""The town's courier with every channel there is, over real providers on loopback."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg
from psycopg_pool import AsyncConnectionPool

from alerts.channels.desk import DeskChannel
from alerts.channels.device import DeviceChannel
from alerts.courier import Courier
from alerts.policy import FALLBACK_CONTACT, ChannelName
from alerts.ports import Channel
from hub.channels import outward_channels, speaker
from hub.clock import SystemClock
from hub.settings import Settings
from hub.store.address_book import Elsewhere, PostgresDirectory
from hub.store.brief import PostgresWords
from hub.store.consented import ConsentedDirectory
from hub.store.outbox import PostgresOutbox
from hub.wording import WordsWhereNeeded
from tests.acceptance.town import Town, running_town
from tests.providers import SECRET, Browser, Providers, running_providers

DAUGHTER = "contact:daughter"
NEIGHBOUR = "responder:neighbour"
DAUGHTERS_PHONE = "+8613800000001"
NEIGHBOURS_PHONE = "+8613800000002"
DAUGHTERS_MAIL = "mei@example.org"


@dataclass(slots=True)
class Telling:
    """A town whose people have telephones, mail and browsers."""

    town: Town
    providers: Providers

    async def writes(self, query: str, values: Mapping[str, Any] | None = None) -> None:
        async with await psycopg.AsyncConnection.connect(self.town.url) as connection:
            await connection.execute(query.encode(), values)

    async def tells(
        self, recipient: str, channel: str, kind: str = "ring", *, channels: str = "{}"
    ) -> None:
        """What the ladder writes for somebody; sent when this returns."""
        incident = (await self.town.incidents("true"))[-1]
        await self.writes(
            "INSERT INTO notification (area_id, incident_id, channel, channels, recipient, kind,"
            " urgency, body, created_at, due_at) VALUES ('city', %(incident)s, %(channel)s,"
            " %(channels)s, %(recipient)s, %(kind)s, 0, '{}', %(now)s, %(now)s)",
            {
                "incident": incident["incident_id"],
                "channel": channel,
                "channels": channels,
                "recipient": recipient,
                "kind": kind,
                "now": self.town.clock.now(),
            },
        )
        while await self.town.courier.run_once():
            pass

    async def decides(self, audience: str, data: str, *, allowed: bool) -> None:
        """Anna says who may know what."""
        await self.writes(
            "INSERT INTO consent (person_id, audience, data_type, area_id, allowed, decided_at,"
            " by_id) VALUES ('anna', %(audience)s, %(data)s, 'city', %(allowed)s, now(), 'anna')",
            {"audience": audience, "data": data, "allowed": allowed},
        )

    async def subscribes(self, account: str) -> Browser:
        """A browser of somebody's wants to be told."""
        browser = self.providers.push.subscribes()
        keys = browser.subscription()["keys"]
        await self.writes(
            "INSERT INTO push_subscription (endpoint, account_id, area_id, p256dh, auth, since)"
            " VALUES (%(endpoint)s, %(account)s, 'city', %(p256dh)s, %(auth)s, now())",
            {"endpoint": browser.endpoint, "account": account, **keys},
        )
        return browser

    async def notifications(self) -> list[dict[str, Any]]:
        return await self.town.rows(
            "SELECT * FROM notification WHERE channel NOT IN ('desk', 'device')"
            " ORDER BY notification_id"
        )


REGISTER = """
UPDATE premises SET address = '1 Lake Street, Flat 1203', access_notes = 'key with the porter',
    latitude = 31.2392, longitude = 121.5005 WHERE premises_id = 'home-1';
UPDATE person SET medical_notes = 'diabetes', phone = '+8613800000009' WHERE person_id = 'anna';
INSERT INTO account (account_id, area_id, username, name, password_hash, role, language)
VALUES ('mei', 'city', 'mei', 'Mei', '', 'family', 'en');
INSERT INTO person_contact (person_id, place, area_id, name, relation, phone, contact_id, email,
    language, account_id)
VALUES ('anna', 1, 'city', 'Mei', 'daughter', '+86 138 0000 0001', 'daughter', 'mei@example.org',
    'en', 'mei');
INSERT INTO responder (responder_id, area_id, kind, name, phone)
VALUES ('neighbour', 'city', 'person', 'Old Zhang', '+8613800000002');
"""


@asynccontextmanager
async def telling_town(url: str, folder: Path) -> AsyncIterator[Telling]:
    """Wired as `hub.worker` wires it, with the providers' addresses as an operator would set
    them."""
    async with (
        running_providers() as providers,
        running_town(url) as town,
        AsyncConnectionPool(
            url, min_size=1, max_size=4, open=False, kwargs={"autocommit": True}
        ) as pool,
        httpx.AsyncClient(timeout=5) as client,
    ):
        settings = _settings(providers, folder)
        directory = ConsentedDirectory(pool, PostgresDirectory(pool, _elsewhere(providers)))
        clock = town.clock
        channels: dict[ChannelName, Channel] = {
            ChannelName.DESK: DeskChannel(town.broker),
            ChannelName.DEVICE: DeviceChannel(town.broker),
            **outward_channels(settings, client, clock, directory.forget),
            # Whoever verifies a push's signature reads the machine's clock.
            ChannelName.PUSH: outward_channels(settings, client, SystemClock(), directory.forget)[
                ChannelName.PUSH
            ],
        }
        words = WordsWhereNeeded(PostgresWords(pool, speaker(settings), clock))
        town.courier = Courier(PostgresOutbox(pool), channels, directory, words, clock)
        telling = Telling(town, providers)
        await telling.writes(REGISTER)
        yield telling


def _elsewhere(providers: Providers) -> Elsewhere:
    return Elsewhere("zh-CN", {FALLBACK_CONTACT: {ChannelName.WEBHOOK: (providers.hook.url,)}})


def _settings(providers: Providers, folder: Path) -> Settings:
    (folder / "secrets.json").write_bytes(
        msgspec.json.encode(
            {"issuer_seed": "seed", "broker_passwords": {}, "administrator_password": ""}
        )
    )
    return Settings(
        data_dir=folder,
        service_name="Evergreen Care",
        public_url="http://hub.example.org",
        sms_gateways=_vendor(folder, "sms", providers.gateway.url),
        voice_gateways=_vendor(folder, "voice", providers.gateway.url),
        smtp_url=f"smtp://127.0.0.1:{providers.mail.port}",
        smtp_from="hub@example.org",
        push_contact="mailto:ops@example.org",
        webhook_url=providers.hook.url,
        webhook_secret=SECRET,
        map_service="amap",
    )


def _vendor(folder: Path, way: str, url: str) -> str:
    content = Path(f"config/gateways/carebell-{way}.toml").read_text(encoding="utf-8")
    content = content.replace('{ env = "GATEWAY_URL" }', f'"{url}"')
    path = folder / f"{way}.toml"
    path.write_text(content.replace('{ env = "GATEWAY_SECRET" }', f'"{SECRET}"'))
    return str(path)
