"""A street on a busy evening: what the pictures in docs/ show. Everything in it comes in over the
broker and the API, as it would from real homes."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from device_sim.acceleration import FALLS, RANGE_G, RATE_HZ, window
from hub.embedded.database import database_url
from tests.e2e.demo_hub import DemoHub
from tests.e2e.desk_client import DeskClient
from tests.e2e.pressing import Button

LATITUDE, LONGITUDE = 24.9076, 118.5865
"""Quanzhou."""
QUIET_DAYS = 3
"""Of movement in the home before today, for the family's page."""


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody of the street; devices are kinds."""

    id: str
    name: str
    birth_year: int
    address: str
    devices: tuple[str, ...]
    person: dict[str, Any] = field(default_factory=dict)
    access_notes: str = ""


STREET = (
    Resident("zhao", "赵玉珍", 1938, "鲤城区涂门街 12 号 3 栋 402", ("button", "wristband", "phone",
             "motion_sensor"),
             {"medical_notes": "服用华法林（抗凝药），跌倒后注意出血；左髋置换 2019",
              "mobility": "walker", "lives_alone": True, "phone": "138 5950 4127"},
             "单元门密码 2046#；门铃声小，请敲门。养一只小狗。"),
    Resident("chen", "陈国强", 1944, "鲤城区西街 88 号 1 栋 203", ("care_bed", "wristband"),
             {"medical_notes": "冠心病，支架 2021；高血压", "mobility": "stick"}),
    Resident("lin", "林秀兰", 1941, "丰泽区东湖街 5 号 701", ("hazard_sensor", "button"),
             {"mobility": "independent", "lives_alone": True}),
    Resident("huang", "黄阿妹", 1935, "鲤城区涂门街 30 号 101", ("wristband", "button"),
             {"mobility": "wheelchair", "lives_alone": False}),
    Resident("wu", "吴德福", 1947, "丰泽区津淮街 21 号 1102", ("button",), {"lives_alone": True}),
    Resident("cai", "蔡美玉", 1940, "鲤城区新门街 7 号", ("button",), {}),
)  # fmt: skip
CONTACTS = [
    {"name": "李娜", "relation": "女儿", "phone": "139 0595 2231", "has_key": True},
    {"name": "王建国", "relation": "邻居", "phone": "136 6591 7702", "has_key": False},
]
RESPONDERS = (
    ("resp-wang", "person", "王建国（邻居）", "136 6591 7702", 0.0004, "foot"),
    ("resp-station", "station", "涂门社区站", "0595-2222 1100", 0.004, "bicycle"),
    ("resp-team", "team", "流动服务二队", "138 0595 3312", 0.018, "car"),
)


class Scene:
    """The street in one hub."""

    def __init__(self, hub: DemoHub, desk: DeskClient) -> None:
        """Nobody lives there yet."""
        self.hub = hub
        self.desk = desk
        self.made: dict[str, dict[str, Any]] = {}
        """What provisioning answered, by device."""

    async def build(self) -> None:
        """Homes, people, devices, contacts, responders, accounts."""
        for n, resident in enumerate(STREET):
            await self._settle(n, resident)
        ask = self.desk.asked
        await ask("PUT", "people/zhao/contacts", items=CONTACTS)
        await ask("PUT", "premises/home-zhao/key-safe", code="5527", place="左侧水表箱内")
        for responder, kind, name, phone, away, mode in RESPONDERS:
            await ask("POST", "responders", id=responder, area_id="city", kind=kind, name=name,
                      phone=phone, latitude=LATITUDE + away, longitude=LONGITUDE + away,
                      travel_mode=mode)  # fmt: skip
        await self._account("chenjie", "陈洁", "dispatcher")
        await self._account("linxiao", "林晓", "dispatcher")
        await self._account("lina", "李娜", "family")
        for person, relation in (("zhao", "女儿"), ("cai", "儿媳")):
            await ask("PUT", f"people/{person}/family/lina", relation=relation, decides=True)
        changes = [{"audience": "family", "data": data, "allowed": True}
                   for data in ("activity", "location")]  # fmt: skip
        await ask("PATCH", "people/zhao/consent", changes=changes, ground="签字表 2026-031")

    async def _settle(self, n: int, resident: Resident) -> None:
        ask, home = self.desk.asked, f"home-{resident.id}"
        near = 0.003 * math.sin(n), 0.004 * math.cos(n)
        await ask("POST", "premises", id=home, area_id="city", address=resident.address,
                  latitude=LATITUDE + near[0], longitude=LONGITUDE + near[1],
                  time_zone="Asia/Shanghai",
                  access_notes=resident.access_notes or None)  # fmt: skip
        await ask("POST", "people", id=resident.id, premises_id=home, name=resident.name,
                  birth_year=resident.birth_year, language="zh-CN", **resident.person)  # fmt: skip
        for kind in resident.devices:
            shared = kind in ("motion_sensor", "hazard_sensor")
            device = f"{kind.replace('_', '-')}-{resident.id}"
            self.made[device] = await ask(
                "POST", "devices", id=device, kind=kind, premises_id=home,
                person_id=None if shared else resident.id,
            )  # fmt: skip

    async def _account(self, username: str, name: str, role: str) -> None:
        await self.desk.asked("POST", "accounts", username=username, name=name, role=role,
                              area_id="city", language="zh-CN")  # fmt: skip
        with psycopg.connect(database_url(self.hub.folder)) as connection:
            connection.execute(
                "UPDATE account SET must_change_password = false, password_hash ="
                " (SELECT password_hash FROM account WHERE username = 'admin')"
                " WHERE username = %s",
                (username,),
            )

    @contextlib.asynccontextmanager
    async def device(self, name: str) -> AsyncIterator[Button]:
        """One of the street's devices, connected."""
        async with Button(self.hub, self.made[name]["mqtt"]) as connected:
            yield connected

    async def days_before(self) -> None:
        """Somebody was up and about, and slept; and somebody's heart was measured."""
        now = datetime.now(UTC)
        async with self.device("motion-sensor-zhao") as sensor:
            for step in range(QUIET_DAYS * 24 * 4):
                at = now - timedelta(minutes=15 * step + 2)
                hour = (at.hour + 8) % 24
                up = hour == 2 and step % 4 == 1
                if up or (6 <= hour < 22 and step % 7 != 3):
                    room = "bathroom" if up else ("kitchen", "living room")[step % 2]
                    await sensor.send("telemetry/activity", motion=True, room=room,
                                      observed_at=at.isoformat())  # fmt: skip
        async with self.device("care-bed-chen") as band:
            for minute in range(45, -1, -1):
                at = now - timedelta(minutes=minute)
                rate = 74 + minute % 4 if minute > 16 else 136 + (minute * 7) % 9
                sample = {"measure": "heart_rate_per_min", "value": rate}
                await band.send("telemetry/vitals", samples=[sample], observed_at=at.isoformat())

    async def evening(self) -> dict[str, str]:
        """What rings; the incidents' ids by person."""
        ask, ids = self.desk.asked, {}
        for who in ("wu", "huang"):
            async with self.device(f"button-{who}") as button:
                ids[who] = await button.press()
        await ask("POST", f"incidents/{ids['wu']}/acknowledge", expected_arrival_s=600)
        await ask("POST", f"incidents/{ids['wu']}/attend")
        await ask("POST", f"incidents/{ids['huang']}/acknowledge", expected_arrival_s=1200)
        async with self.device("hazard-sensor-lin") as sensor:
            await sensor.send("alarm/hazard", hazard="gas", phase="began", value=12.4,
                              observed_at=datetime.now(UTC).isoformat())  # fmt: skip
        async with self.device("wristband-huang") as band:
            felt = window(FALLS[0], "pictures")
            await band.send("alarm/motion", observed_at=datetime.now(UTC).isoformat(),
                            sample_rate_hz=RATE_HZ, range_g=RANGE_G, x_mg=felt.x_mg,
                            y_mg=felt.y_mg, z_mg=felt.z_mg)  # fmt: skip
        async with self.device("button-zhao") as button:
            ids["zhao"] = await button.press()
            await asyncio.sleep(1.0)
            await button.press()
        return ids
