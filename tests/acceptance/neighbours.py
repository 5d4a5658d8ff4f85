"""Whom the neighbourhood's ladders can call: a family, a neighbour, a second dispatcher."""

from datetime import datetime
from typing import Any

import msgspec

from alerts.policy import Policy, to_data
from alerts.responders import Actor, ActorKind
from tests.acceptance.town import Town
from tests.scenes import ROOT

MEI = Actor(ActorKind.CONTACT, "c-mei", "Mei")
"""Anna's daughter, who comes first in the list."""
JUN = Actor(ActorKind.CONTACT, "c-jun", "Jun")
"""Her nephew, who comes second."""
CHEN = Actor(ActorKind.RESPONDER, "chen", "Chen")
"""A neighbour."""


async def settle(town: Town) -> None:
    """Anna has a daughter and a nephew, the neighbourhood a neighbour who helps, and the hotline
    two dispatchers."""
    for place, who in enumerate((MEI, JUN), 1):
        await town.change(
            "INSERT INTO person_contact (person_id, place, area_id, name, relation, phone,"
            " contact_id) VALUES ('anna', %s, %s, %s, 'family', %s, %s)",
            place, ROOT, who.name, f"+86 138 0000 000{place}", who.id,
        )  # fmt: skip
    await town.change(
        "INSERT INTO responder (responder_id, area_id, kind, name, phone, latitude, longitude)"
        " VALUES ('chen', %s, 'person', 'Chen', '+86 139 0000 0001', 30.001, 120.001)", ROOT,
    )  # fmt: skip
    await town.change(
        "UPDATE premises SET latitude = 30.0, longitude = 120.0 WHERE premises_id = 'home-1'"
    )
    for account, role in (("lin", "dispatcher"), ("wu", "dispatcher"), ("mei", "family")):
        await town.change(
            "INSERT INTO account (account_id, area_id, username, name, password_hash, role,"
            " language, phone) VALUES (%s, %s, %s, %s, '', %s, 'zh-CN', '+86 137 0000 0001')",
            account, ROOT, account, account.title(), role,
        )  # fmt: skip
    await town.change("UPDATE person_contact SET account_id = 'mei' WHERE contact_id = 'c-mei'")


async def on_duty(town: Town, account: str, duty: str, from_at: datetime, until: datetime) -> None:
    """An additional shift."""
    await town.change(
        "INSERT INTO rota_change (area_id, duty, account_id, from_at, until_at, created_at,"
        " created_by) VALUES (%s, %s, %s, %s, %s, now(), 'test')",
        ROOT, duty, account, from_at, until,
    )  # fmt: skip


async def policy(town: Town, ladder: Policy, policy_id: str = "own", **scope: Any) -> None:
    """An area's own ladder; saved anew if it is there."""
    await town.change(
        "INSERT INTO policy (policy_id, area_id, kind, category, priority, person_id, ladder,"
        " changed_at, changed_by) VALUES (%s, %s, %s, %s, %s, %s, %s, now(), 'test')"
        " ON CONFLICT (policy_id) DO UPDATE SET ladder = excluded.ladder",
        policy_id, ROOT, scope.get("kind"), scope.get("category"), scope.get("priority"),
        scope.get("person_id"), msgspec.json.encode(to_data(ladder)).decode(),
    )  # fmt: skip


async def answers(town: Town) -> dict[str, str]:
    """What each responder of any incident said."""
    rows = await town.rows("SELECT name, answer FROM incident_responder ORDER BY name")
    return {row["name"]: row["answer"] for row in rows}


async def climbs(town: Town) -> list[dict[str, Any]]:
    """The ladder's entries in the log, oldest first, each with its reason."""
    rows = await town.rows(
        "SELECT reason, detail FROM audit_log WHERE action = 'escalate'"
        " AND actor_kind = 'hub' ORDER BY entry_id"
    )
    return [row["detail"] | {"reason": row["reason"]} for row in rows]
