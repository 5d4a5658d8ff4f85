"""Devices: which are alive, and new ones."""

import secrets
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Query

from hub.api import pages
from hub.api.gate import Looking, PartsOf, Provisioning
from hub.api.models import (
    DevicePage,
    DeviceView,
    MqttCredential,
    NewDeviceBody,
    ProblemObject,
    ProvisionedDevice,
)
from hub.api.problems import Problem
from hub.api.routes.register import added, area_of_home, area_of_person
from hub.desk import NewDevice
from hub.view import iso
from schemas.topics import device_prefix
from schemas.vocabulary import DEVICE_CLASSES, MISSED_HEARTBEATS_UNTIL_SILENT, DeviceKind

router = APIRouter(prefix="/api/v1/devices", tags=["devices"])

SECRET_BYTES = 16
"""128 random bits: nobody guesses them, so a plain hash in the register is enough."""


@router.get("")
async def list_devices(
    account: Looking,
    parts: PartsOf,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    q: Annotated[str, Query(max_length=100)] = "",
) -> DevicePage:
    """Devices of your area and below; `q` looks in id, label, the person's name and the address."""
    areas = parts.switchboard.tree.below(account.area_id)
    after = pages.decode(cursor) if cursor else ""
    now = parts.clock.now()
    rows = await parts.store.devices(areas, q.strip(), after, limit + 1, now)
    more = len(rows) > limit
    rows = rows[:limit]
    next_cursor = pages.encode(rows[-1]["device_id"]) if more else None
    return DevicePage(items=[_view(row, now) for row in rows], next_cursor=next_cursor)


@router.post(
    "",
    status_code=201,
    responses={
        404: {"model": ProblemObject, "description": "No such home or person."},
        409: {"model": ProblemObject, "description": "The id is taken."},
    },
)
async def provision(
    body: NewDeviceBody, account: Provisioning, parts: PartsOf
) -> ProvisionedDevice:
    """Register a device and draw its secret, which is shown this once."""
    area_id = await area_of_home(parts, account, body.premises_id)
    if body.person_id is not None:
        await area_of_person(parts, account, body.person_id)
    secret = secrets.token_hex(SECRET_BYTES)
    device = NewDevice(
        id=body.id,
        area_id=area_id,
        premises_id=body.premises_id,
        person_id=body.person_id,
        kind=body.kind.value,
        label=body.label.strip(),
        secret_sha256=sha256(secret.encode()).hexdigest(),
    )
    entry = parts.entry(account, "provision", area_id, {"noun": "device", "id": body.id})
    await added("device", body.id, parts.store.add_device(device, entry))
    return ProvisionedDevice(
        device=DeviceView(
            id=device.id,
            kind=device.kind,
            label=device.label,
            area_id=area_id,
            premises_id=device.premises_id,
            person_id=device.person_id,
            online=False,
            last_seen_at=None,
            battery_percent=None,
            silent=False,
        ),
        secret=secret,
        mqtt=MqttCredential(
            username=device.id,
            password=secret,
            topic_prefix=device_prefix(area_id, device.premises_id, device.id),
        ),
    )


def _view(row: dict[str, Any], now: datetime) -> DeviceView:
    kind = DEVICE_CLASSES.get(_kind(row["kind"]))
    seen_at: datetime | None = row["last_seen_at"]
    patience_s = (kind.heartbeat_s if kind else 600) * MISSED_HEARTBEATS_UNTIL_SILENT
    quiet = seen_at is not None and (now - seen_at).total_seconds() > patience_s
    return DeviceView(
        id=row["device_id"],
        kind=row["kind"],
        label=row["label"],
        area_id=row["area_id"],
        premises_id=row["premises_id"],
        person_id=row["person_id"],
        person_name=row["person_name"],
        address=row["address"],
        online=seen_at is not None and not quiet and not row["offline"],
        last_seen_at=iso(seen_at),
        battery_percent=row["battery_percent"],
        silent=quiet,
    )


def _kind(name: str) -> DeviceKind:
    try:
        return DeviceKind(name)
    except ValueError:
        raise Problem(500, "The hub made a mistake", f"unknown kind of device: {name}") from None
