"""What devices said last, found without reading their history."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from hub.store import queries
from hub.store.reach import Cursor
from hub.view import View
from schemas.vocabulary import MEASURE_BY_KEY, MEASURES

_SQL = queries.load("history")

HEARD_WITHIN = timedelta(days=7)
"""How far back the last word of a device is looked for; older means long silent anyway."""
CLOCK_AHEAD = timedelta(minutes=5)
"""Ours: as in `hub.store.aggregates`."""

_LINK = MEASURE_BY_KEY["link_state"].code
_BATTERY = MEASURE_BY_KEY["battery_percent"].code
_FIRMWARE = MEASURE_BY_KEY["firmware"].code


async def newest_values(cursor: Cursor, ids: Sequence[str], now: datetime) -> list[dict[str, Any]]:
    """The newest value of every measure of these devices, within `HEARD_WITHIN`."""
    await cursor.execute(
        _SQL["newest_of_measures"],
        {
            "ids": list(ids),
            "measures": [measure.code for measure in MEASURES],
            "always": [_BATTERY, _LINK, _FIRMWARE],
            "since": now - HEARD_WITHIN,
            "until": now + CLOCK_AHEAD,
        },
    )
    return await cursor.fetchall()


async def last_words(cursor: Cursor, ids: list[str], now: datetime) -> dict[str, View]:
    """When each device was heard last, its last link state, battery and firmware."""
    words: dict[str, View] = {
        i: {"last_seen_at": None, "battery_percent": None, "firmware": None, "offline": False}
        for i in ids
    }
    links: dict[str, tuple[str | None, datetime]] = {}
    for row in await newest_values(cursor, ids, now):
        _heard(words[row["device_id"]], row["received_at"])
        if row["measure"] == _BATTERY:
            words[row["device_id"]]["battery_percent"] = row["value"]
        elif row["measure"] == _FIRMWARE:
            words[row["device_id"]]["firmware"] = row["state"]
        elif row["measure"] == _LINK:
            links[row["device_id"]] = (row["state"], row["received_at"])
    await cursor.execute(
        _SQL["newest_alarms_of_devices"], {"ids": ids, "since": now - HEARD_WITHIN}
    )
    for row in await cursor.fetchall():
        _heard(words[row["device_id"]], row["received_at"])
    for device_id, (state, at) in links.items():
        # The last will counts until the device is heard again.
        words[device_id]["offline"] = state == "offline" and at >= words[device_id]["last_seen_at"]
    return words


def _heard(word: View, at: datetime) -> None:
    if word["last_seen_at"] is None or at > word["last_seen_at"]:
        word["last_seen_at"] = at
