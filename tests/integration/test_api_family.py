"""What a family is shown follows what the person decided, at once."""

import asyncio

import httpx
import psycopg
import pytest

from tests.integration.api_hub import ApiHub, listening, press
from tests.integration.register_stories import add_account

GLANCE = "/api/v1/family/people/wang/glance"
CONSENT = "/api/v1/family/people/wang/consent"
POSITION = {"latitude": 31.23, "longitude": 121.47, "accuracy_m": 12.0, "source": "gnss",
            "fixed_at": None}  # fmt: skip


@pytest.fixture
async def kin(hub: ApiHub) -> ApiHub:
    """A daughter who decides, a son who does not, and signs of life of the last hours."""
    for name, decides in (("daughter", True), ("son", False)):
        add_account(hub, name, "west", "family")
        async with hub.desk("admin") as desk:
            path = f"/api/v1/people/wang/family/{name}"
            answer = await desk.put(path, json={"relation": name, "decides": decides})
            assert answer.status_code == 204, answer.text
    with psycopg.connect(hub.database_url) as connection:
        for minutes in range(5, 180, 5):
            connection.execute(
                "INSERT INTO observation (observed_at, device_id, measure, message_key, area_id,"
                " person_id, value, state, latitude, longitude, quality, received_at,"
                " batch_id)"
                " SELECT t, 'button-1', m, %s, 'east-1', 'wang', 3, NULL, 31.23, 121.47, 0, t, 1"
                " FROM (SELECT now() - make_interval(mins => %s) AS t) AS o,"
                " unnest(ARRAY[22, 46]) AS m",
                (minutes, minutes),
            )
    return hub


async def decide(client: httpx.AsyncClient, **changes: bool) -> httpx.Response:
    said = [{"data": data, "allowed": allowed} for data, allowed in changes.items()]
    return await client.patch(CONSENT, json={"changes": said})


async def told(client: httpx.AsyncClient, path: str, key: str, wanted: object) -> None:
    """Soon an answer says so."""
    seen: object = None
    for _ in range(40):
        seen = (await client.get(path)).json()[key]
        if seen == wanted:
            return
        await asyncio.sleep(0.1)
    raise AssertionError((path, key, seen))


async def test_nothing_of_a_day_is_shown_before_somebody_shared_it(kin: ApiHub) -> None:
    async with kin.desk("daughter") as family:
        glance = (await family.get(GLANCE)).json()
        assert (glance["activity"], glance["location"]) == ("not_shared", "not_shared")
        assert glance["last_active_at"] is None
        assert glance["position"] is None
        assert (await decide(family, activity=True, location=True)).status_code == 200
        await told(family, GLANCE, "activity", "shared")
        glance = (await family.get(GLANCE)).json()
        assert glance["today"]["active_hours"]
        assert glance["last_active_at"]
        assert glance["position"]["latitude"] == 31.23
        assert (await decide(family, activity=False, location=False)).status_code == 200
        await told(family, GLANCE, "activity", "not_shared")
        assert (await family.get(GLANCE)).json()["position"] is None
    log = kin.rows("SELECT detail ->> 'noun' FROM audit_log WHERE actor_id = 'daughter'"
                   " AND action = 'look'")  # fmt: skip
    assert {"activity", "location", "consent"} <= {row[0] for row in log}
    (decided, *_) = kin.rows("SELECT detail -> 'changes' -> 0 FROM audit_log"
                             " WHERE action = 'set_consent' ORDER BY entry_id DESC")  # fmt: skip
    assert decided[0] == {"data": "activity", "allowed": False}


async def test_who_was_not_named_reads_what_is_shared_and_changes_nothing(kin: ApiHub) -> None:
    async with kin.desk("son") as family:
        items = (await family.get(CONSENT)).json()["items"]
        assert {item["audience"] for item in items} == {"family"}
        assert (await decide(family, activity=True)).status_code == 403
        elsewhere = CONSENT.replace("wang", "li")
        assert (await family.get(elsewhere)).status_code == 404
        assert (await family.get(GLANCE.replace("wang", "li"))).status_code == 404
    assert kin.rows("SELECT 1 FROM consent") == []


async def test_an_incident_shows_as_much_as_is_shared(kin: ApiHub) -> None:
    """Where they are is known during an incident unless they said no; a pulse is a call for help
    unless they said yes; and without `incidents` nothing is known at all."""
    view = await kin.ingest.take_press(press("button-1"))
    told_of = view | {"position": POSITION, "kind": "heart_rate_low", "revision": 9}
    alarms = [each | {"kind": "heart_rate_low"} for each in view["alarms"]]
    kin.ingest.announce("raised", told_of | {"alarms": alarms})
    async with kin.desk("daughter") as family, listening(family) as line:
        (shown,) = (await line.next("snapshot")).body["incidents"]
        assert shown["position"]["latitude"] == 31.23
        assert {shown["kind"], *(each["kind"] for each in shown["alarms"])} == {"needs_somebody"}
        assert (await decide(family, location=False, health=True)).status_code == 200
        with pytest.raises((EOFError, httpx.HTTPError)):  # noqa: PT012 - until the line ends
            while True:
                await line.next("incident", "stats")
        async with listening(family) as again:
            (shown,) = (await again.next("snapshot")).body["incidents"]
            assert shown["position"] is None
            assert shown["kind"] == "heart_rate_low"
        assert (await decide(family, incidents=False)).status_code == 200
        path = f"/api/v1/incidents/{view['id']}"
        for _ in range(40):
            if (await family.get(path)).status_code == 404:
                break
            await asyncio.sleep(0.1)
        assert (await family.get("/api/v1/incidents")).json()["items"] == []
        assert (await family.get("/api/v1/people/wang/incidents")).status_code == 404
