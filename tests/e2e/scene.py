"""A street on a busy evening: what the pictures in docs/ show. Everything in it comes in over the
broker and the API, as it would from real homes."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from device_sim.acceleration import FALLS, RANGE_G, RATE_HZ, window
from hub.embedded.database import database_url
from tests.e2e.demo_hub import DemoHub
from tests.e2e.desk_client import DeskClient
from tests.e2e.pressing import Button
from tests.e2e.scene_cast import Cast, Resident

QUIET_DAYS = 3
"""Of movement in the home before today, for the family's page."""
NEIGHBOURS = 36
"""Homes where nothing is wrong, so that the map shows a city."""
SILENT = 2
"""Of their devices: somebody always has a flat battery."""
SHIFTS = (
    (0, "dispatcher", "00:00-16:00", 0),
    (0, "dispatcher", "16:00-24:00", 3),
    (1, "second", "00:00-16:00", 0),
    (2, "second", "16:00-24:00", 0),
)
"""Who of desk and dispatchers, as what, when, and in how many days nobody does it; 0: somebody
always does."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
AWAY_DEGREES = (0.0004, 0.004, 0.018)
TRAVEL = (("resp-neighbour", "person", "foot"), ("resp-station", "station", "bicycle"),
          ("resp-team", "team", "car"))  # fmt: skip
SPIRAL_RAD = 2.4
"""The golden angle: points on it lie evenly."""
AT_ONCE = 6
"""Requests and connections; the hub itself is not what is measured here."""


class Scene:
    """The street of one city in one hub."""

    def __init__(self, hub: DemoHub, desk: DeskClient, cast: Cast) -> None:
        """Nobody lives there yet."""
        self.hub, self.desk, self.cast = hub, desk, cast
        self.made: dict[str, dict[str, Any]] = {}
        """What provisioning answered, by device."""
        self._connected: dict[str, Button] = {}
        self._few = asyncio.Semaphore(AT_ONCE)

    async def build(self) -> None:
        """Homes, people, devices, contacts, responders, accounts."""
        cast, ask = self.cast, self.desk.asked
        await ask("PATCH", "areas/city", name=cast.city)
        await ask("PATCH", "accounts/admin", name=cast.desk)
        for n, resident in enumerate(cast.street):
            await self._settle(n, resident)
        neighbours = (self._neighbour(n) for n in range(NEIGHBOURS))
        await asyncio.gather(*(self._settle_beside(n, who) for n, who in enumerate(neighbours)))
        await ask("PUT", "people/zhao/contacts", items=list(cast.contacts))
        await ask("PUT", "premises/home-zhao/key-safe", code="5527", place=cast.key_safe)
        for (responder, kind, mode), (name, phone), away in zip(
            TRAVEL, cast.responders, AWAY_DEGREES, strict=True
        ):
            await ask("POST", "responders", id=responder, area_id="city", kind=kind, name=name,
                      phone=phone, latitude=cast.latitude + away, longitude=cast.longitude + away,
                      travel_mode=mode)  # fmt: skip
        for username, name, phone in cast.dispatchers:
            await self._account(username, name, "dispatcher", phone)
        await self._plan()
        daughter, name = cast.daughter
        await self._account(daughter, name, "family")
        for person, relation in zip(("zhao", "cai"), cast.relations, strict=True):
            await ask("PUT", f"people/{person}/family/{daughter}", relation=relation, decides=True)
        changes = [{"audience": "family", "data": data, "allowed": True}
                   for data in ("activity", "location")]  # fmt: skip
        await ask("PATCH", "people/zhao/consent", changes=changes, ground=cast.ground)

    def _neighbour(self, n: int) -> Resident:
        cast = self.cast
        given, family = cast.given[n % len(cast.given)], cast.family[n * 3 % len(cast.family)]
        road = cast.roads[n % len(cast.roads)]
        return Resident(
            f"n{n}", cast.neighbour.format(given=given, family=family), 1932 + n * 7 % 20,
            cast.house.format(road=road, number=3 + n * 11 % 90), ("button",),
        )  # fmt: skip

    async def _settle_beside(self, n: int, resident: Resident) -> None:
        async with self._few:
            await self._settle(len(self.cast.street) + n, resident)

    async def _settle(self, n: int, resident: Resident) -> None:
        ask, cast, home = self.desk.asked, self.cast, f"home-{resident.id}"
        far = 0.0032 * math.sqrt(n + 0.5)
        east = far / math.cos(math.radians(cast.latitude))
        await ask("POST", "premises", id=home, area_id="city", address=resident.address,
                  latitude=cast.latitude + far * math.cos(SPIRAL_RAD * n),
                  longitude=cast.longitude + east * math.sin(SPIRAL_RAD * n),
                  time_zone=cast.time_zone,
                  access_notes=resident.access_notes or None)  # fmt: skip
        await ask("POST", "people", id=resident.id, premises_id=home, name=resident.name,
                  birth_year=resident.birth_year, language=cast.language,
                  **resident.person)  # fmt: skip
        for kind in resident.devices:
            shared = kind in ("motion_sensor", "hazard_sensor")
            device = f"{kind.replace('_', '-')}-{resident.id}"
            self.made[device] = await ask(
                "POST", "devices", id=device, kind=kind, premises_id=home,
                person_id=None if shared else resident.id, label=cast.labels[kind],
            )  # fmt: skip

    async def _plan(self) -> None:
        usernames = ("admin", *(username for username, _, _ in self.cast.dispatchers))
        today = datetime.now(ZoneInfo(self.cast.time_zone)).weekday()
        for n, duty, hours, free in SHIFTS:
            left_out = DAYS[(today + free) % len(DAYS)] if free else ""
            weekdays = ",".join(day for day in DAYS if day != left_out)
            await self.desk.asked("POST", "rota/weekly", area_id="city", duty=duty,
                                  account_id=usernames[n], weekdays=weekdays,
                                  hours=hours)  # fmt: skip

    async def _account(self, username: str, name: str, role: str, phone: str | None = None) -> None:
        await self.desk.asked("POST", "accounts", username=username, name=name, role=role,
                              area_id="city", language=self.cast.language)  # fmt: skip
        if phone is not None:
            await self.desk.asked("PATCH", f"accounts/{username}", phone=phone)
        with psycopg.connect(database_url(self.hub.folder)) as connection:
            connection.execute(
                "UPDATE account SET must_change_password = false, password_hash ="
                " (SELECT password_hash FROM account WHERE username = 'admin')"
                " WHERE username = %s",
                (username,),
            )

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Nearly all devices are there and well, until it ends."""
        async with contextlib.AsyncExitStack() as held:
            there = [name for name in self.made if not name.startswith("phone")]
            await asyncio.gather(*(self._connect(held, name) for name in there[:-SILENT]))
            yield
            self._connected.clear()

    async def _connect(self, held: contextlib.AsyncExitStack, name: str) -> None:
        async with self._few:
            device = await held.enter_async_context(Button(self.hub, self.made[name]["mqtt"]))
            battery = 62 + len(self._connected) % 38
            now = datetime.now(UTC).isoformat()
            await device.send("telemetry/status", battery_percent=battery, observed_at=now)
            self._connected[name] = device

    async def days_before(self) -> None:
        """Somebody was up and about, and slept; and somebody's heart was measured."""
        now = datetime.now(UTC)
        zone = ZoneInfo(self.cast.time_zone)
        sensor = self._connected["motion-sensor-zhao"]
        for step in range(QUIET_DAYS * 24 * 4):
            at = now - timedelta(minutes=15 * step + 2)
            hour = at.astimezone(zone).hour
            up = hour == 2 and step % 4 == 1
            if up or (6 <= hour < 22 and step % 7 != 3):
                room = "bathroom" if up else ("kitchen", "living room")[step % 2]
                await sensor.send("telemetry/activity", motion=True, room=room,
                                  observed_at=at.isoformat())  # fmt: skip
        bed = self._connected["care-bed-chen"]
        for minute in range(45, -1, -1):
            at = now - timedelta(minutes=minute)
            rate = 74 + minute % 4 if minute > 16 else 136 + (minute * 7) % 9
            sample = {"measure": "heart_rate_per_min", "value": rate}
            await bed.send("telemetry/vitals", samples=[sample], observed_at=at.isoformat())

    async def evening(self) -> dict[str, str]:
        """What rings; the incidents' ids by person."""
        ask, ids = self.desk.asked, {}
        for who in ("wu", "huang"):
            ids[who] = await self._connected[f"button-{who}"].press()
        await ask("POST", f"incidents/{ids['wu']}/acknowledge", expected_arrival_s=600)
        await ask("POST", f"incidents/{ids['wu']}/attend")
        await ask("POST", f"incidents/{ids['huang']}/acknowledge", expected_arrival_s=1200)
        now = datetime.now(UTC).isoformat()
        await self._connected["hazard-sensor-lin"].send(
            "alarm/hazard", hazard="gas", phase="began", value=12.4, observed_at=now
        )
        felt = window(FALLS[0], "pictures")
        await self._connected["wristband-huang"].send(
            "alarm/motion", observed_at=now, sample_rate_hz=RATE_HZ, range_g=RANGE_G,
            x_mg=felt.x_mg, y_mg=felt.y_mg, z_mg=felt.z_mg,
        )  # fmt: skip
        button = self._connected["button-zhao"]
        ids["zhao"] = await button.press()
        await asyncio.sleep(1.0)
        await button.press()
        return ids
