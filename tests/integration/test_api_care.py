"""Limits, fences and settings of a person over HTTP; what was learned; silent areas."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg.rows import dict_row

from hub.detect.bed import BedDetectorState
from hub.detect.bed_hours import Habit
from hub.register import Register
from hub.store.register import every_row
from schemas.vocabulary import MEASURE_BY_KEY
from tests.integration.api_hub import ApiHub

CARE = "/api/v1/people/wang/care"
HOME = {"type": "circle", "latitude": 39.9, "longitude": 116.4, "radius_m": 500}
SQUARE = [[39.9, 116.4], [39.91, 116.4], [39.91, 116.41], [39.9, 116.41]]
BOW_TIE = [[39.9, 116.4], [39.91, 116.41], [39.9, 116.41], [39.91, 116.4]]


async def test_what_is_set_reaches_the_detectors(hub: ApiHub) -> None:
    async with hub.desk("east-desk") as desk:
        pulse = {"low": 45, "high": 120}
        answer = await desk.put(f"{CARE}/limits/heart_rate_per_min", json=pulse)
        assert answer.status_code == 200, answer.text
        answer = await desk.put(f"{CARE}/limits/bed_absence_min", json={"high": 20})
        assert answer.status_code == 200, answer.text
        settings = {"oxygen_scale_2": True, "inactivity_limit_percent": 75}
        assert (await desk.put(f"{CARE}/settings", json=settings)).status_code == 200
        garden = {"type": "polygon", "corners": SQUARE}
        hours = {"active_from_min": 1200, "active_until_min": 420}
        fence = {"label": "home and garden", "shapes": [HOME, garden], **hours}
        answer = await desk.put(f"{CARE}/fences/home", json=fence)
        assert answer.status_code == 200, answer.text
        shown = (await desk.get(CARE)).json()
    assert [(row["measure"], row["low"], row["high"]) for row in shown["limits"]] == [
        ("bed_absence_min", None, 20.0),
        ("heart_rate_per_min", 45.0, 120.0),
    ]
    assert {row["author"] for row in shown["limits"]} == {"East-Desk"}
    known = Register()
    async with await psycopg.AsyncConnection.connect(hub.database_url) as connection:
        async for noun, row in every_row(connection):
            known.put(noun, row)
    (care,) = known.care.values()
    assert [(limit.measure, limit.author) for limit in care.limits] == [
        ("bed_absence_min", "East-Desk"), ("heart_rate_per_min", "East-Desk"),
    ]  # fmt: skip
    assert (care.oxygen_scale_2, care.on_oxygen, care.inactivity_limit_percent) == (True, False, 75)
    (drawn,) = care.fences
    assert (drawn.id, drawn.label, len(drawn.shapes)) == ("home", "home and garden", 2)
    assert drawn.holds(1300)
    assert not drawn.holds(720)


async def test_every_change_is_logged_and_told_to_ingest(hub: ApiHub) -> None:
    async with hub.desk("east-desk") as desk:
        await desk.put(f"{CARE}/limits/heart_rate_per_min", json={"high": 110})
        await desk.delete(f"{CARE}/limits/heart_rate_per_min")
        await desk.put(f"{CARE}/fences/home", json={"label": "home", "shapes": [HOME]})
        await desk.delete(f"{CARE}/fences/home")
    actions = [row[0] for row in hub.rows("SELECT action FROM audit_log ORDER BY entry_id")]
    wanted = ["set_limit", "drop_limit", "set_fence", "drop_fence"]
    assert [action for action in actions if action in wanted] == wanted
    changed = hub.rows("SELECT count(*) FROM context_change WHERE noun = 'person_care'")
    assert changed == [(4,)]


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        ("limits/heart_rate_per_min", {}, 422, "at least one"),
        ("limits/heart_rate_per_min", {"low": 90, "high": 60}, 422, "less than high"),
        ("limits/heart_rate_per_min", {"high": 900}, 422, "from 20 to 300 /min"),
        ("limits/bed_absence_min", {"low": 10, "high": 30}, 422, "only a high one"),
        ("limits/battery_percent", {"low": 10}, 404, "heart_rate_per_min"),
        ("settings", {"inactivity_limit_percent": 10}, 422, "inactivity_limit_percent"),
        ("settings", {"oxygen": True}, 422, "oxygen"),
        ("fences/home", {"label": "x", "shapes": []}, 422, "shapes"),
        ("fences/home", {"label": " ", "shapes": [HOME]}, 422, "label"),
        ("fences/home", {"label": "x", "shapes": [HOME | {"radius_m": 1}]}, 422, "radius_m"),
        (
            "fences/home",
            {"label": "x", "shapes": [{"type": "polygon", "corners": BOW_TIE}]},
            422,
            "enclose nothing",
        ),
        (
            "fences/home",
            {"label": "x", "shapes": [HOME], "active_from_min": 10},
            422,
            "or neither",
        ),
    ],
)
async def test_what_makes_no_sense_is_explained(
    hub: ApiHub, path: str, body: dict[str, Any], status: int, told: str
) -> None:
    async with hub.desk("east-desk") as desk:
        answer = await desk.put(f"{CARE}/{path}", json=body)
    assert answer.status_code == status
    assert told in answer.json()["detail"]


async def test_nobody_sets_anything_for_other_areas_or_without_the_right(hub: ApiHub) -> None:
    limit = {"high": 110}
    async with hub.desk("west-desk") as desk:
        answer = await desk.put(f"{CARE}/limits/heart_rate_per_min", json=limit)
        assert answer.status_code == 404, "another area's person is nobody"
        assert (await desk.get(CARE)).status_code == 404
    async with hub.desk("boss") as desk:
        answer = await desk.put(f"{CARE}/limits/heart_rate_per_min", json=limit)
        assert answer.status_code == 403
    assert hub.rows("SELECT * FROM person_limit") == []


async def test_there_is_an_end_to_fences(hub: ApiHub) -> None:
    async with hub.desk("east-desk") as desk:
        fence = {"label": "somewhere", "shapes": [HOME]}
        for number in range(8):
            answer = await desk.put(f"{CARE}/fences/f-{number}", json=fence)
            assert answer.status_code == 200
        assert (await desk.put(f"{CARE}/fences/f-8", json=fence)).status_code == 409
        assert (await desk.put(f"{CARE}/fences/f-3", json=fence)).status_code == 200


async def test_who_moves_takes_their_care_along(hub: ApiHub) -> None:
    async with hub.desk("east-desk") as desk:
        await desk.put(f"{CARE}/limits/heart_rate_per_min", json={"high": 110})
    with psycopg.connect(hub.database_url) as connection:
        connection.execute("UPDATE person SET area_id = 'west' WHERE person_id = 'wang'")
    assert hub.rows("SELECT area_id FROM person_limit") == [("west",)]


async def test_the_line_and_the_day_can_be_drawn(hub: ApiHub) -> None:
    (premises_id,) = hub.rows("SELECT premises_id FROM person WHERE person_id = 'wang'")[0]
    now = datetime.now(UTC)
    with psycopg.connect(hub.database_url, row_factory=dict_row) as connection:
        connection.execute(
            "INSERT INTO inactivity_line VALUES (%s, 'east-1', %s, 40, current_date, 1)",
            (premises_id, [240] * 98),
        )
        connection.execute(
            "INSERT INTO device (device_id, area_id, premises_id, kind, label, secret_sha256)"
            " VALUES ('eye', 'east-1', %s, 'motion_sensor', 'bedroom', '00')",
            (premises_id,),
        )
        for minutes in (45, 44, 20):
            at = now - timedelta(minutes=minutes)
            connection.execute(
                "INSERT INTO observation (observed_at, device_id, measure, message_key, area_id,"
                " state, quality, received_at, batch_id)"
                " VALUES (%s, 'eye', %s, 1, 'east-1', 'detected', 0, %s, 1)",
                (at, MEASURE_BY_KEY["motion"].code, at),
            )
    async with hub.desk("east-desk") as desk:
        answer = await desk.get(f"/api/v1/premises/{premises_id}/inactivity")
        assert answer.status_code == 200, answer.text
        drawn = answer.json()
        gone = await desk.delete(f"/api/v1/premises/{premises_id}/inactivity")
        assert gone.status_code == 204
        again = (await desk.get(f"/api/v1/premises/{premises_id}/inactivity")).json()
    assert (drawn["learning"], drawn["days"], len(drawn["bed_rooms_min"])) == (False, 40, 48)
    last, running = drawn["silences"][-2:]
    assert (last["near_bed"], last["limit_min"]) == (True, 240)
    assert running["ended_at"] is None
    assert (again["learning"], again["days"]) == (True, 0)


async def test_the_limits_of_the_bed_are_those_of_the_detector(hub: ApiHub) -> None:
    habit = Habit((9, 12, 20), (10, 9, 8), 400)
    state = BedDetectorState(0, occupied=True, since_s=0, habit=habit)
    with psycopg.connect(hub.database_url) as connection:
        (device_id,) = connection.execute(
            "SELECT device_id FROM device WHERE person_id = 'wang' ORDER BY 1"
        ).fetchone() or ("",)
        connection.execute(
            "INSERT INTO detector_state VALUES ('city', 'bed', %s, 3, 7, %s)",
            (f"{device_id}/wang", msgspec.msgpack.encode(state)),
        )
    async with hub.desk("east-desk") as desk:
        answer = await desk.get("/api/v1/people/wang/bed")
    assert answer.status_code == 200, answer.text
    (item,) = answer.json()["items"]
    limits = [item[f"{part}_limit_min"] for part in ("evening", "night", "morning")]
    assert limits == [18, 24, 40]
    assert (item["learned"], item["usual_rising"]) == (True, "06:40")


async def test_the_devices_of_a_silent_area_are_a_list(hub: ApiHub) -> None:
    began = datetime.now(UTC) - timedelta(minutes=9)
    with psycopg.connect(hub.database_url) as connection:
        connection.execute(
            "INSERT INTO area_outage VALUES ('o-1', 'east-1', %s, NULL, 3)", (began,)
        )
        for number, back in enumerate((None, None, began + timedelta(minutes=5))):
            connection.execute(
                "INSERT INTO area_outage_device VALUES ('o-1', %s, 'east-1', %s, %s)",
                (f"d-{number}", began, back),
            )
    async with hub.desk("east-desk") as desk:
        (outage,) = (await desk.get("/api/v1/outages")).json()["items"]
        assert (outage["area_id"], outage["silent"], outage["most"]) == ("east-1", 2, 3)
        page = (await desk.get("/api/v1/outages/o-1/devices", params={"limit": 1})).json()
        more = {"limit": 1, "cursor": page["next_cursor"]}
        rest = (await desk.get("/api/v1/outages/o-1/devices", params=more)).json()
        found = [row["device_id"] for row in (*page["items"], *rest["items"])]
        assert (found, rest["next_cursor"]) == (["d-0", "d-1"], None)
        every = {"silent": False}
        assert (
            len((await desk.get("/api/v1/outages/o-1/devices", params=every)).json()["items"]) == 3
        )
    async with hub.desk("west-desk") as desk:
        assert (await desk.get("/api/v1/outages")).json()["items"] == []
        assert (await desk.get("/api/v1/outages/o-1/devices")).status_code == 404
