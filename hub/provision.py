"""Registers homes in bulk: the simulated neighbourhood of the demo and of the benchmarks."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from hub.credential import new_credential
from hub.settings import Settings
from hub.store import queries
from schemas.vocabulary import DeviceKind

_SQL = queries.load("register")

_FAMILY_NAMES = ("王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙")
_GIVEN_NAMES = (
    "秀英", "桂兰", "玉珍", "淑华", "建国", "德明", "志强", "文彬", "桂芳", "凤英", "国强", "金凤",
)  # fmt: skip
_STREETS = ("和平路", "建设街", "人民路", "长青巷", "湖滨路", "松柏街")
_NOTES = (
    "高血压,服用阿司匹林",
    "2型糖尿病",
    "轻度认知障碍",
    "髋关节置换术后",
    "听力下降,请大声说话",
    None,
)
_ACCESS = ("钥匙在物业值班室", "密码锁,密码见钥匙箱", "门口左侧地垫下", "请按门铃两次")

HOME_KINDS = (DeviceKind.WRISTBAND, DeviceKind.BUTTON, DeviceKind.CARE_BED)
_CENTRE = (31.2304, 121.4737)
"""Somewhere in Shanghai, WGS-84 degrees."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What was registered, in the shape of a fleet file's `homes`."""

    homes: list[dict[str, Any]]


def provision_homes(
    database_url: str,
    settings: Settings,
    count: int,
    *,
    seed: int = 1,
    prefix: str = "home",
    kinds: Sequence[DeviceKind] = HOME_KINDS,
) -> Neighbourhood:
    """Register `count` homes with one person and a device of each kind, invented from the seed.

    Names and addresses are made up. Running it again with the same prefix replaces the secrets.
    """
    rng = random.Random(seed)  # noqa: S311 - invented names, no secrets
    homes: list[dict[str, Any]] = []
    premises_rows, person_rows, device_rows = [], [], []
    for number in range(1, count + 1):
        home = _home(rng, settings, f"{prefix}-{number:05d}", kinds)
        homes.append(home.fleet)
        premises_rows.append(home.premises)
        person_rows.append(home.person)
        device_rows += home.devices
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.executemany(_SQL["add_premises"], premises_rows)
        cursor.executemany(_SQL["add_person"], person_rows)
        cursor.executemany(_SQL["add_device"], device_rows)
        cursor.executemany(_SQL["new_secret"], device_rows)
    return Neighbourhood(homes)


@dataclass(frozen=True, slots=True)
class _Home:
    fleet: dict[str, Any]
    premises: dict[str, Any]
    person: dict[str, Any]
    devices: list[dict[str, Any]]


def _home(
    rng: random.Random, settings: Settings, premises_id: str, kinds: Sequence[DeviceKind]
) -> _Home:
    person_id = f"person-{premises_id}"
    name = rng.choice(_FAMILY_NAMES) + rng.choice(_GIVEN_NAMES)
    birth_year = rng.randint(1928, 1955)
    latitude = _CENTRE[0] + rng.uniform(-0.02, 0.02)
    longitude = _CENTRE[1] + rng.uniform(-0.02, 0.02)
    area = settings.root_area_id
    devices, fleet_devices = [], []
    for kind in kinds:
        device_id = f"{kind.value.replace('_', '-')}-{premises_id}"
        credential = new_credential()
        fleet_devices.append({"id": device_id, "kind": kind.value, "secret": credential.secret})
        devices.append(
            {
                "device_id": device_id,
                "area_id": area,
                "premises_id": premises_id,
                "person_id": person_id,
                "kind": kind.value,
                "label": "",
                "secret_sha256": credential.sha256,
                "mosquitto_hash": credential.mosquitto_hash,
            }
        )
    street, house = rng.choice(_STREETS), rng.randint(1, 200)
    address = f"{street}{house}号{rng.randint(1, 30)}0{rng.randint(1, 6)}室"
    return _Home(
        fleet={
            "area_id": area,
            "premises_id": premises_id,
            "person": {
                "id": person_id,
                "name": name,
                "birth_year": birth_year,
                "language": "zh-CN",
            },
            "devices": fleet_devices,
            "time_zone": settings.time_zone,
            "latitude": latitude,
            "longitude": longitude,
        },
        premises={
            "premises_id": premises_id,
            "area_id": area,
            "address": address,
            "access_notes": rng.choice(_ACCESS),
            "latitude": latitude,
            "longitude": longitude,
            "time_zone": settings.time_zone,
            "phone": f"021-00{rng.randint(100000, 999999)}",
            "video_link": None,
        },
        person={
            "person_id": person_id,
            "area_id": area,
            "premises_id": premises_id,
            "name": name,
            "birth_year": birth_year,
            "language": "zh-CN",
            "phone": None,
            "medical_notes": rng.choice(_NOTES),
            "lives_alone": True,
            "mobility": None,
        },
        devices=devices,
    )
