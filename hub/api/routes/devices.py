"""Devices: which are alive, and new ones."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from hub.api import pages
from hub.api.device_models import (
    DeviceChanges,
    DeviceHistory,
    DeviceMoment,
    DevicePage,
    DeviceView,
    MoveBody,
    MqttCredential,
    NewDeviceBody,
    ProvisionedDevice,
    SwapBody,
)
from hub.api.gate import Browsing, Parts, PartsOf, Provisioning
from hub.api.models import Id, ProblemObject, Responses
from hub.api.problems import Problem
from hub.api.routes.register import (
    IdQuery,
    NounId,
    area_of_device,
    area_of_home,
    area_of_person,
    unknown,
)
from hub.credential import new_credential
from hub.desk import AlreadyThere, DeviceRevoked, NewDevice, NotThere
from hub.qr import DeviceSetup, PhoneSetup
from hub.view import iso
from hub.voice_number import dialled
from schemas.topics import device_prefix
from schemas.vocabulary import DEVICE_CLASSES, MISSED_HEARTBEATS_UNTIL_SILENT, DeviceKind

router = APIRouter(prefix="/api/v1/devices", tags=["devices"])


@router.get("")
async def list_devices(
    account: Browsing,
    parts: PartsOf,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    q: Annotated[str, Query(max_length=100)] = "",
    premises_id: IdQuery = None,
) -> DevicePage:
    """Devices of your area and below; `q` looks in id, label, the person's name and the address."""
    areas = parts.switchboard.tree.below(account.area_id)
    after = pages.decode(cursor) if cursor else ""
    now = parts.clock.now()
    rows = await parts.store.devices(
        areas, q.strip(), after, limit + 1, now, premises_id=premises_id
    )
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
    credential = new_credential()
    device = NewDevice(
        id=body.id,
        area_id=area_id,
        premises_id=body.premises_id,
        person_id=body.person_id,
        kind=body.kind.value,
        label=body.label.strip(),
        model=body.model,
        voice_number=body.voice_number and dialled(body.voice_number),
    )
    entry = parts.entry(account, "provision", area_id, {"noun": "device", "id": body.id})
    adding = parts.dependencies.devices.add(device, credential, entry)
    return _provisioned(parts, await _changed(adding), credential.secret)


@router.get("/{device_id}", responses={404: {"model": ProblemObject}})
async def read_device(device_id: NounId, account: Browsing, parts: PartsOf) -> DeviceView:
    """One device and its last word, also if it is revoked."""
    areas, now = parts.switchboard.tree.below(account.area_id), parts.clock.now()
    rows = await parts.store.devices(areas, "", "", 1, now, device_id=device_id)
    if not rows:
        raise unknown("device", device_id)
    return _view(rows[0], now)


_CHANGED: Responses = {
    404: {"model": ProblemObject, "description": "No such device, home or person."},
    409: {"model": ProblemObject, "description": "The device is revoked, or the id is taken."},
}


@router.patch("/{device_id}", responses=_CHANGED)
async def describe(
    device_id: NounId, body: DeviceChanges, account: Provisioning, parts: PartsOf
) -> DeviceView:
    """Change what people call it, its model, or the number by which one talks through it."""
    area_id = await area_of_device(parts, account, device_id)
    changes = body.model_dump(exclude_unset=True)
    if "label" in changes:
        changes["label"] = (changes["label"] or "").strip()
    if changes.get("voice_number"):
        changes["voice_number"] = dialled(changes["voice_number"])
    entry = parts.entry(account, "change", area_id, {"noun": "device", "id": device_id})
    return _plain(await _changed(parts.dependencies.devices.describe(device_id, changes, entry)))


@router.post("/{device_id}/rotate", responses=_CHANGED)
async def rotate(device_id: Id, account: Provisioning, parts: PartsOf) -> ProvisionedDevice:
    """Draw a new secret, shown this once. The old one ends at once, and with it the connection."""
    area_id = await area_of_device(parts, account, device_id)
    credential = new_credential()
    entry = parts.entry(account, "rotate", area_id, {"noun": "device", "id": device_id})
    row = await _changed(parts.dependencies.devices.rotate(device_id, credential, entry))
    return _provisioned(parts, row, credential.secret)


@router.post("/{device_id}/revoke", responses=_CHANGED)
async def revoke(device_id: Id, account: Provisioning, parts: PartsOf) -> DeviceView:
    """Never let it in again; its connection drops within seconds. Its id is not given out anew."""
    area_id = await area_of_device(parts, account, device_id)
    entry = parts.entry(account, "revoke", area_id, {"noun": "device", "id": device_id})
    return _plain(await _changed(parts.dependencies.devices.revoke(device_id, entry)))


@router.post("/{device_id}/move", responses=_CHANGED)
async def move(device_id: Id, body: MoveBody, account: Provisioning, parts: PartsOf) -> DeviceView:
    """To another home or person. What it observed so far stays theirs; it rings for the new ones
    at once, whether or not it has learnt its new topics."""
    await area_of_device(parts, account, device_id)
    area_id = await area_of_home(parts, account, body.premises_id)
    if body.person_id is not None:
        await area_of_person(parts, account, body.person_id)
    detail = {"noun": "device", "id": device_id, "to": body.premises_id, "person": body.person_id}
    entry = parts.entry(account, "move", area_id, detail)
    moving = parts.dependencies.devices.move(device_id, body.premises_id, body.person_id, entry)
    return _plain(await _changed(moving))


@router.post("/{device_id}/swap", status_code=201, responses=_CHANGED)
async def swap(
    device_id: Id, body: SwapBody, account: Provisioning, parts: PartsOf
) -> ProvisionedDevice:
    """Put a new device in the place of a broken one: home, person, label and model are kept, the
    old one is revoked, the history of both says so."""
    area_id = await area_of_device(parts, account, device_id)
    credential = new_credential()
    detail: dict[str, str | None] = {"noun": "device", "id": device_id, "by": body.id}
    entry = parts.entry(account, "swap", area_id, detail)
    as_told = {
        "kind": body.kind.value if body.kind else None,
        "model": body.model,
        "voice_number": body.voice_number and dialled(body.voice_number),
    }
    swapping = parts.dependencies.devices.swap(device_id, body.id, credential, as_told, entry)
    return _provisioned(parts, await _changed(swapping), credential.secret)


@router.get("/{device_id}/history", responses=_CHANGED)
async def history(
    device_id: Id,
    account: Browsing,
    parts: PartsOf,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> DeviceHistory:
    """What was so of a device and when, newest first; of areas that are not yours nothing."""
    area_id = await area_of_device(parts, account, device_id)
    before = _entry_before(cursor)
    look = parts.entry(account, "view", area_id, {"noun": "device", "id": device_id})
    areas = parts.switchboard.tree.below(account.area_id)
    rows = await parts.dependencies.devices.history(device_id, areas, before, limit + 1, look)
    more = len(rows) > limit
    items = [DeviceMoment(**row) for row in rows[:limit]]
    next_cursor = pages.encode(str(items[-1].entry_id)) if more else None
    return DeviceHistory(items=items, next_cursor=next_cursor)


def _entry_before(cursor: str | None) -> int:
    if cursor is None:
        return 2**63 - 1
    text = pages.decode(cursor)
    if not text.isdecimal() or int(text) >= 2**63:
        raise Problem(422, "The request makes no sense", "cursor: not one of ours")
    return int(text)


async def _changed(changing: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    try:
        return await changing
    except NotThere as error:
        raise Problem(404, "There is no such one", str(error)) from None
    except AlreadyThere as error:
        raise Problem(409, "There is already a device with this id", str(error)) from None
    except DeviceRevoked as error:
        raise Problem(409, "The device is revoked", str(error)) from None


def _provisioned(parts: Parts, row: dict[str, Any], secret: str) -> ProvisionedDevice:
    prefix = device_prefix(row["area_id"], row["premises_id"], row["device_id"])
    broker_url = parts.dependencies.device_broker_url
    setup = DeviceSetup(broker_url, row["device_id"], secret, prefix)
    if row["kind"] == DeviceKind.PHONE:
        page_url = parts.dependencies.page_url
        setup = PhoneSetup(broker_url, row["device_id"], secret, prefix, page_url)
    return ProvisionedDevice(
        device=_plain(row),
        secret=secret,
        mqtt=MqttCredential(username=row["device_id"], password=secret, topic_prefix=prefix),
        broker_url=broker_url,
        setup_url=setup.text(),
        qr_svg=setup.svg(),
    )


def _plain(row: dict[str, Any]) -> DeviceView:
    """A device without its last word."""
    return DeviceView(
        id=row["device_id"],
        kind=row["kind"],
        label=row["label"],
        area_id=row["area_id"],
        premises_id=row["premises_id"],
        person_id=row["person_id"],
        online=False,
        last_seen_at=None,
        battery_percent=None,
        model=row["model"],
        voice_number=row["voice_number"],
        silent=False,
        revoked=row["revoked"],
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
        firmware=row["firmware"],
        model=row["model"],
        voice_number=row["voice_number"],
        silent=quiet,
        revoked=row["revoked"],
    )


def _kind(name: str) -> DeviceKind:
    try:
        return DeviceKind(name)
    except ValueError:
        raise Problem(500, "The hub made a mistake", f"unknown kind of device: {name}") from None
