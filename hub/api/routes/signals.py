"""The raw acceleration behind a fall, and the presses an installer waits for."""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from hub.api.gate import Browsing, PartsOf, Recalling
from hub.api.models import Moment
from hub.api.problems import Problem
from hub.api.routes.register import FOUND, NounId, area_of_device, unknown
from hub.view import iso

router = APIRouter(prefix="/api/v1", tags=["signals"])

LOOKS_EVERY_S = 0.25
"""Somebody stands at the device and waits; four indexed look-ups a second burden nobody."""
LONGEST_WAIT_S = 20
"""Below the patience of proxies (30 s and more); the page asks again."""
PRESSES_SHOWN = 50
OLDEST = timedelta(hours=12)
"""An installation takes an hour; older presses are history."""


class SignalView(BaseModel):
    """Acceleration round an impact, three axes of equal length in milli-g as they came."""

    model_config = ConfigDict(title="Signal")

    alarm_id: str
    device_id: str
    received_at: Moment
    sample_rate_hz: float
    range_g: float
    x_mg: list[float]
    y_mg: list[float]
    z_mg: list[float]


class PressView(BaseModel):
    """A press as it came in."""

    model_config = ConfigDict(title="Press")

    id: str
    action: str | None
    """emergency, help, cancel or test."""
    incident_id: str | None
    """Null for a test: it wakes nobody."""
    observed_at: Moment | None
    """By the device's clock."""
    received_at: Moment
    took_s: float | None
    """From press to hub, where the device's clock can be believed."""


class PressList(BaseModel):
    """Oldest first."""

    now: Moment
    """The hub's time as this was asked: what to ask after, the first time."""
    items: list[PressView]


@router.get("/alarms/{alarm_id}/signal", responses=FOUND)
async def read_signal(alarm_id: NounId, account: Recalling, parts: PartsOf) -> SignalView:
    """The raw acceleration behind an alarm of kind fall, while it is kept. The look is logged."""
    row = await parts.dependencies.signals.window(alarm_id)
    if row is None or not parts.switchboard.tree.sees(account.area_id, row["area_id"]):
        raise unknown("signal", alarm_id)
    look = parts.entry(account, "look", row["area_id"], {"noun": "signal", "id": alarm_id})
    await parts.store.log([look])
    window: dict[str, Any] = {"sample_rate_hz": 50.0, "range_g": 16.0} | row["window"]
    axes = {axis: window.get(axis, []) for axis in ("x_mg", "y_mg", "z_mg")}
    return SignalView(
        alarm_id=alarm_id,
        device_id=row["device_id"],
        received_at=iso(row["received_at"]) or "",
        sample_rate_hz=window["sample_rate_hz"],
        range_g=window["range_g"],
        **axes,
    )


@router.get("/devices/{device_id}/presses", responses=FOUND)
async def wait_for_presses(
    device_id: NounId,
    account: Browsing,
    parts: PartsOf,
    *,
    after: Annotated[
        datetime | None, Query(description="Of the last one; else from now on.")
    ] = None,
    wait_s: Annotated[int, Query(ge=0, le=LONGEST_WAIT_S)] = 0,
) -> PressList:
    """Presses of a device since a moment, tests too; waits for the first up to `wait_s`."""
    await area_of_device(parts, account, device_id)
    now = parts.clock.now()
    if after is not None and after.tzinfo is None:
        raise Problem(422, "The request makes no sense", "after: with an offset from UTC")
    since = max(after or now, now - OLDEST)
    deadline_s = parts.clock.monotonic_s() + wait_s
    while True:
        rows = await parts.dependencies.signals.presses(device_id, since, PRESSES_SHOWN)
        if rows or parts.clock.monotonic_s() >= deadline_s:
            break
        await asyncio.sleep(LOOKS_EVERY_S)
    return PressList(now=iso(now) or "", items=[_press(row) for row in rows])


BELIEVED = timedelta(seconds=60)
"""Ours: a button that is a minute off has no clock worth a figure."""


def _press(row: dict[str, Any]) -> PressView:
    took = None
    if row["observed_at"] is not None:
        apart = row["received_at"] - row["observed_at"]
        took = apart.total_seconds() if timedelta(0) <= apart <= BELIEVED else None
    return PressView(
        id=row["alarm_id"],
        action=row["action"],
        incident_id=row["incident_id"],
        observed_at=iso(row["observed_at"]),
        received_at=iso(row["received_at"]) or "",
        took_s=took,
    )
