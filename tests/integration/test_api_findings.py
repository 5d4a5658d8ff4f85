"""The list of what detectors said, as a desk reads it."""

from datetime import UTC, datetime, timedelta

import psycopg

from alerts.alarm import Category, Priority, Subject, SubjectKind
from hub.detect.detector import Finding, Phase
from hub.device import Device
from hub.findings import item_of
from hub.store.cases import record
from schemas.ids import AreaId, DeviceId, PersonId, PremisesId
from schemas.vocabulary import DeviceKind
from tests.integration.api_hub import ApiHub

FINDINGS = "/api/v1/findings"
WANG = Device(
    DeviceId("button-1"), DeviceKind.BUTTON, AreaId("east-1"), PremisesId("home-1"),
    PersonId("wang"),
)  # fmt: skip
LI = Device(
    DeviceId("button-2"), DeviceKind.BUTTON, AreaId("west"), PremisesId("home-2"), PersonId("li")
)


def heart(device: Device, key: str, priority: Priority, at: datetime) -> Finding:
    assert device.person_id is not None
    return Finding(
        detector="heart_rate",
        kind="heart_rate_high",
        phase=Phase.CONFIRMED,
        category=Category.PHYSIOLOGICAL,
        priority=priority,
        subject=Subject(SubjectKind.PERSON, device.person_id),
        key=key,
        at=at,
        text="heart rate 134 /min",
        evidence={
            "measure": "heart_rate_per_min",
            "unit": "/min",
            "values": [134.0],
            "limit": 120,
            "out_of_range_min": 4,
        },
    )


async def found(hub: ApiHub, *findings: tuple[Device, Finding]) -> None:
    async with await psycopg.AsyncConnection.connect(hub.database_url) as connection:
        await record(connection, [item_of(device, finding) for device, finding in findings])


async def test_what_is_worth_a_look_is_a_list_of_its_own(hub: ApiHub) -> None:
    now = datetime.now(UTC)
    await found(
        hub,
        (WANG, heart(WANG, "1", Priority.LOW, now - timedelta(minutes=2))),
        (WANG, heart(WANG, "2", Priority.MEDIUM, now - timedelta(minutes=1))),
        (LI, heart(LI, "3", Priority.LOW, now)),
    )
    async with hub.desk("mei") as desk:
        everything = (await desk.get(FINDINGS)).json()["items"]
        quiet = (await desk.get(FINDINGS, params={"reason": "worth_a_look"})).json()["items"]
        first = (await desk.get(FINDINGS, params={"limit": 2})).json()
        rest = (await desk.get(FINDINGS, params={"cursor": first["next_cursor"]})).json()
    assert [item["person_id"] for item in everything] == ["li", "wang", "wang"]
    assert [item["incident_id"] for item in quiet] == [None, None]
    assert everything[1]["reason"] == "opened"
    assert everything[1]["incident_id"] is not None
    assert everything[0]["texts"] == {
        "zh-CN": "心率134 /min，界限 120，已持续 4 分钟",
        "en": "heart rate 134 /min, limit 120, for 4 min",
    }
    assert [item["id"] for item in first["items"] + rest["items"]] == [
        item["id"] for item in everything
    ]


async def test_a_desk_sees_the_findings_of_its_own_area(hub: ApiHub) -> None:
    now = datetime.now(UTC)
    await found(hub, (WANG, heart(WANG, "1", Priority.LOW, now)))
    async with hub.desk("west-desk") as desk:
        assert (await desk.get(FINDINGS)).json()["items"] == []
    async with hub.desk("east-desk") as desk:
        answer = await desk.get(FINDINGS, params={"person_id": "wang"})
    assert [item["kind"] for item in answer.json()["items"]] == ["heart_rate_high"]
    looks = hub.rows("SELECT actor_id, detail->>'person_id' FROM audit_log WHERE action = 'look'")
    assert looks == [("east-desk", "wang")], "a look at one person's findings is logged"


async def test_the_timeline_says_what_was_noted_in_both_languages(hub: ApiHub) -> None:
    now = datetime.now(UTC)
    await found(
        hub,
        (WANG, heart(WANG, "1", Priority.MEDIUM, now)),
        (WANG, heart(WANG, "2", Priority.LOW, now)),
    )
    ((incident_id,),) = hub.rows("SELECT incident_id FROM incident")
    async with hub.desk("mei") as desk:
        detail = (await desk.get(f"/api/v1/incidents/{incident_id}")).json()
    assert detail["alarms"][0]["texts"]["en"] == "heart rate 134 /min, limit 120, for 4 min"
    (noted,) = [entry for entry in detail["timeline"] if entry["action"] == "finding"]
    assert noted["reason"] == "worth_a_look"
    assert noted["detail"]["texts"]["zh-CN"].startswith("心率134")
