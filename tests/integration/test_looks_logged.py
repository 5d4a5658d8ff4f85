"""Every answer that shows people, homes or what happened leaves a line in the log: each route that
reads is called, and the log is looked at."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hub.api.app import PUBLIC
from hub.api.looks import LISTS
from tests.integration.api_hub import ApiHub, api_hub, press, seed, until
from tests.integration.desk_database import DatabaseServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

STAFF = "those who serve, not those who are served; changes are logged"
SHOWS_NOBODY = {
    "/api/v1/accounts": STAFF,
    "/api/v1/accounts/{account_id}": STAFF,
    "/api/v1/accounts/{account_id}/sessions": STAFF,
    "/api/v1/tokens": STAFF,
    "/api/v1/rota": STAFF,
    "/api/v1/rota/gaps": STAFF,
    "/api/v1/rota/now": STAFF,
    "/api/v1/rota/candidates": STAFF,
    "/api/v1/calls-in/address": "an address of the hub",
    "/api/v1/own/responder": "one's own",
    "/api/v1/push": "one's own",
    "/api/v1/session": "one's own",
    "/api/v1/session/all": "one's own",
    "/api/v1/areas": "the tree of areas",
    "/api/v1/areas/{area_id}": "the tree of areas",
    "/api/v1/areas/{area_id}/reach": "targets and numbers of an area",
    "/api/v1/assurance/campaigns": "counts",
    "/api/v1/assurance/presses": "the hub's own presses",
    "/api/v1/audit/head": "a hash",
    "/api/v1/maintenance": "plans",
    "/api/v1/outages": "areas with counts",
    "/api/v1/policies": "ladders",
    "/api/v1/policies/preview": "ladders",
    "/api/v1/policies/shipped": "ladders",
    "/api/v1/wall": "figures and who is on duty",
}
"""Nothing about anybody we watch over; why."""
LOGGED_WHERE_ANSWERED = {
    "/api/v1/alarms/{alarm_id}/signal": "look",
    "/api/v1/family/people/{person_id}/consent": "look",
    "/api/v1/family/people/{person_id}/glance": "look",
    "/api/v1/policies/{policy_id}": "ladders: nobody",
    "/api/v1/premises/{premises_id}/key-safe": "reveal",
    "/api/v1/quarantine/{quarantine_id}": "look",
}
"""What this small town has none of; the action its route logs in the transaction that reads."""
DAY = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"}
ASKED = {
    "/api/v1/rota/candidates": {"area_id": "east"},
    "/api/v1/calls-in": {"number": "13900000000"},
    "/api/v1/history": {"device_id": "button-1", "measure": "battery_percent", **DAY},
    "/api/v1/history/report": {"area_id": "east", "measure": "steps", **DAY},
    "/api/v1/history/last": {"person_id": "wang"},
    "/api/v1/observations": {"person_id": "wang"},
}
"""Routes that must be told more than a path."""
FEEDS = ("/api/v1/events",)
"""Answers without end; tests/integration/test_api_feed.py sees that connecting is logged."""
KNOWN = {"person_id": "wang", "premises_id": "home-1", "device_id": "button-1", "area_id": "east"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(
    postgres_server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ApiHub]:
    url = postgres_server.fresh()
    seed(url)
    async with api_hub(url, tmp_path_factory.mktemp("looks")) as running:
        await running.parts.switchboard.loaded.wait()
        running.bus.beat()
        yield running


async def test_every_route_that_shows_somebody_leaves_a_line(hub: ApiHub) -> None:
    view = await hub.ingest.take_press(press())
    known = KNOWN | {"incident_id": view["id"], "outage_id": "none", "responder_id": "none"}
    paths = hub.app.openapi()["paths"]
    assert not (SHOWS_NOBODY.keys() | LOGGED_WHERE_ANSWERED.keys() | ASKED.keys()) - paths.keys()
    listed, unlogged = set(), []
    async with hub.desk("admin") as desk:
        for path, described in paths.items():
            decided = path in SHOWS_NOBODY or path in LOGGED_WHERE_ANSWERED
            if "get" not in described or path.startswith(PUBLIC) or decided or path in FEEDS:
                continue
            before = last_entry(hub)
            filled = re.sub(r"\{(\w+)\}", lambda match: known[match[1]], path)
            answer = await desk.get(filled, params=ASKED.get(path))
            assert answer.status_code in (200, 404), (path, answer.text)
            if path not in LISTS:
                if last_entry(hub) == before:
                    unlogged.append(path)
            elif answer.status_code == 200:  # who is shown nothing has seen nothing
                listed.add((LISTS[path], filled if "{" in path else ""))
    assert not unlogged, "add it to hub.api.looks.LISTS, or say above why it shows nobody"
    assert len(listed) > 20
    await until(lambda: listed <= looks(hub))


def last_entry(hub: ApiHub) -> int:
    """Of those that are written where the route answers."""
    ((number,),) = hub.rows(
        "SELECT coalesce(max(entry_id), 0) FROM audit_log WHERE detail->'looks' IS NULL"
    )
    return int(number)


def looks(hub: ApiHub) -> set[tuple[str, str]]:
    """What was looked at, and which of them, as the loop writes it a little later."""
    rows = hub.rows(
        "SELECT detail->>'noun', detail->>'question' FROM audit_log WHERE detail ? 'looks'"
    )
    return {(noun, question) for noun, question in rows}
