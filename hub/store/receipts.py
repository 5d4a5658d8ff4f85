"""Outbox rows that tell the person, on the device they pressed and on their others."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from alerts.alarm import Category
from alerts.incident import Incident
from alerts.notification import NotificationKind, urgency_of
from alerts.policy import ChannelName
from alerts.rendering import receipt
from hub.register import zone_named
from hub.store import queries
from schemas import topics
from schemas.commands import ReceiptStage
from schemas.vocabulary import DEVICE_CLASSES, DeviceKind

_SQL = queries.load("incidents")
_FINDINGS = queries.load("findings")

_KINDS = {
    ReceiptStage.COMING: NotificationKind.COMING,
    ReceiptStage.OVER: NotificationKind.OVER,
}


async def told_notifications(
    cursor: psycopg.AsyncCursor[dict[str, Any]],
    incident: Incident,
    stage: ReceiptStage,
    at: datetime,
    language: str,
    but: str = "",
) -> list[dict[str, Any]]:
    """Outbox rows for the person's devices and for everybody else who was rung (promise 4), `but`
    for whoever said so."""
    rows = await _receipts(cursor, incident, stage, at, language)
    await cursor.execute(_SQL["told_elsewhere"], {"incident_ids": [incident.id], "but": but})
    rows += [_elsewhere(incident, at, told, stage) for told in await cursor.fetchall()]
    return rows


async def told_it_is_over(
    cursor: psycopg.AsyncCursor[dict[str, Any]], ended: Sequence[tuple[Incident, datetime]]
) -> list[dict[str, Any]]:
    """Outbox rows for everybody who was rung for what ended by itself. Only technical incidents do,
    so nobody pressed, and no device is told."""
    by_id = {incident.id: (incident, at) for incident, at in ended}
    await cursor.execute(_SQL["told_elsewhere"], {"incident_ids": list(by_id), "but": ""})
    return [_elsewhere(*by_id[told["incident_id"]], told) for told in await cursor.fetchall()]


def _elsewhere(
    incident: Incident, at: datetime, told: dict[str, Any], stage: ReceiptStage = ReceiptStage.OVER
) -> dict[str, Any]:
    body = {
        "state": incident.state,
        "who": incident.who_comes,
        "owner": incident.owner.name if incident.owner and not incident.free else None,
        "expected_at": incident.expected_at,
        "outcome": incident.outcome,
    }
    row = _row(incident, told["channel"], told["recipient"], stage, at, body)
    return row | {"channels": told["channels"]}


async def _receipts(
    cursor: psycopg.AsyncCursor[dict[str, Any]],
    incident: Incident,
    stage: ReceiptStage,
    at: datetime,
    language: str,
) -> list[dict[str, Any]]:
    """One outbox row a device. None for technical incidents (nobody pressed) and none where the
    incident is silent: under duress nothing at the home may show that help is on its way."""
    if incident.silent or incident.category is Category.TECHNICAL:
        return []
    await cursor.execute(_SQL["reply_targets"], {"incident_id": incident.id})
    presses = await cursor.fetchall() or await _asked(cursor, incident)
    others: Sequence[dict[str, Any]] = ()
    if incident.person_id is not None:
        await cursor.execute(_SQL["devices_of_person"], {"person_id": incident.person_id})
        others = await cursor.fetchall()
    spoken = [{**press, "language": press["language"] or language} for press in presses]
    messages = _messages(incident, stage, at, spoken, others)
    device = ChannelName.DEVICE.value
    return [
        _row(incident, device, device_id, stage, at, {"messages": parts})
        for device_id, parts in messages.items()
    ]


async def _asked(
    cursor: psycopg.AsyncCursor[dict[str, Any]], incident: Incident
) -> list[dict[str, Any]]:
    """Nobody pressed, but these devices asked: they are told as if they had been pressed."""
    await cursor.execute(_FINDINGS["asked"], {"incident_id": incident.id})
    return [
        row
        | {
            "message_id": None,
            "reply_prefix": topics.device_prefix(
                row["area_id"], row["premises_id"], row["device_id"]
            ),
        }
        for row in await cursor.fetchall()
    ]


def _row(
    incident: Incident,
    channel: str,
    recipient: str,
    stage: ReceiptStage,
    at: datetime,
    body: dict[str, Any],
) -> dict[str, Any]:
    return {
        "area_id": incident.area_id,
        "incident_id": incident.id,
        "channel": channel,
        "channels": [],
        "step": None,
        "recipient": recipient,
        "kind": _KINDS[stage].value,
        "urgency": urgency_of(incident.priority, _KINDS[stage]),
        "body": msgspec.json.encode(body).decode(),
        "state": "pending",
        "at": at,
        "settled_at": None,
        "detail": "",
    }


def _messages(
    incident: Incident,
    stage: ReceiptStage,
    at: datetime,
    presses: Sequence[dict[str, Any]],
    others: Sequence[dict[str, Any]],
) -> dict[str, list[dict[str, Any]]]:
    """Receipts by device: each press under its own id; other devices hear of the newest press."""
    messages: dict[str, list[dict[str, Any]]] = {}
    for press in presses:
        prefixes = {press["reply_prefix"]}
        if press["area_id"] is not None:
            home = topics.device_prefix(press["area_id"], press["premises_id"], press["device_id"])
            prefixes.add(home)
        addressed = [topics.receipt_topic(prefix) for prefix in sorted(prefixes)]
        said = _said(incident, stage, at, press)
        messages.setdefault(press["device_id"], []).append({"topics": addressed, "said": said})
    for device in others:
        if device["device_id"] in messages or not presses:
            continue
        if not DEVICE_CLASSES[DeviceKind(device["kind"])].shows_receipt:
            continue
        topic = topics.command(
            device["area_id"], device["premises_id"], device["device_id"], "receipt"
        )
        said = _said(incident, stage, at, presses[0])
        messages[device["device_id"]] = [{"topics": [topic], "said": said}]
    return messages


def _said(
    incident: Incident, stage: ReceiptStage, at: datetime, press: dict[str, Any]
) -> dict[str, Any]:
    said = receipt(
        stage,
        at,
        language=press["language"],
        message_id=press["message_id"],
        incident_id=incident.id,
        who=incident.who_comes,
        expected_at=incident.expected_at,
        zone=zone_named(press["time_zone"]),
    )
    built: dict[str, Any] = msgspec.to_builtins(said)
    return built
