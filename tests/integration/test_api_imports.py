"""The register by the file: previews tell every mistake, commits are all or nothing."""

from typing import Any

import httpx
import pytest

from tests.integration.api_hub import ApiHub
from tests.integration.register_stories import add_account, logged

PATH = "/api/v1/imports/register"

TOWN = """\
kind,id,name,level,parent,area,address,phone,premises,birth_year,lives_alone,person,device_kind,responder_kind
responder,station-9,West station,,,west-9,,021-9,,,,,,station
device,button-9,,,,,,,home-9,,,zhao,button,
person,zhao,赵玉珍,,,,,138 1,home-9,1939,yes,,,
premises,home-9,,,,west-9,9 Sea Road,021-5,,,,,,
area,west-9,West 9,community,west,,,,,,,,,
"""


async def bring(client: httpx.AsyncClient, text: str | bytes, **query: Any) -> httpx.Response:
    content = text.encode() if isinstance(text, str) else text
    return await client.post(
        PATH, content=content, params=query, headers={"Content-Type": "text/csv"}
    )


async def test_a_preview_changes_nothing_and_a_commit_does_what_it_said(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        preview = (await bring(desk, TOWN)).json()
        assert preview["errors"] == []
        assert preview["committed"] is False
        assert hub.rows("SELECT 1 FROM area WHERE area_id = 'west-9'") == []
        done = (await bring(desk, TOWN, commit=True)).json()
        assert done["committed"] is True
        assert done["counts"] == preview["counts"]
        assert {kind: found["created"] for kind, found in done["counts"].items()} == dict.fromkeys(
            ("area", "premises", "person", "device", "responder"), 1
        )
        assert hub.rows(
            "SELECT area_id, premises_id, birth_year, lives_alone FROM person"
            " WHERE person_id = 'zhao'"
        ) == [("west-9", "home-9", 1939, True)]
        assert hub.rows("SELECT area_id, person_id FROM device WHERE device_id = 'button-9'") == [
            ("west-9", "zhao")
        ]
        lines = [line for line in logged(hub, "add") if line.get("by") == "import"]
        assert {line["id"] for line in lines} >= {"west-9", "home-9", "zhao", "button-9"}
        assert "secret_sha256" not in lines or "(withheld)" in str(lines)
        again = (await bring(desk, TOWN, commit=True)).json()
        assert {tuple(found.items()) for found in again["counts"].values()} == {
            (("created", 0), ("changed", 0), ("unchanged", 1))
        }
        found = await desk.get("/api/v1/people", params={"q": "赵玉"})
        assert [item["id"] for item in found.json()["items"]] == ["zhao"]


async def test_a_column_that_is_missing_changes_nothing_and_an_empty_cell_empties(
    hub: ApiHub,
) -> None:
    async with hub.desk("admin") as desk:
        await bring(desk, TOWN, commit=True)
        changed = (await bring(desk, "kind;id;phone\nperson;zhao;\n", commit=True)).json()
        assert changed["counts"] == {"person": {"created": 0, "changed": 1, "unchanged": 0}}
        assert changed["changes"] == [
            {"row": 2, "kind": "person", "id": "zhao", "action": "changed", "columns": ["phone"]}
        ]
    assert hub.rows("SELECT phone, birth_year FROM person WHERE person_id = 'zhao'") == [
        (None, 1939)
    ]
    (line,) = logged(hub, "change")
    assert line["before"] == {"phone": "138 1"}


DESCRIBED = """\
类型,编号,时区,型号,通话号码,标签
area,west,Asia/Urumqi,,,
device,button-2,,SOS-7 v2,+86 (21) 5500-0000,灯旁
"""


async def test_model_number_and_zone_come_from_the_file(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        done = (await bring(desk, DESCRIBED, commit=True)).json()
        assert done["errors"] == []
        again = (await bring(desk, DESCRIBED, commit=True)).json()
        assert again["changes"] == []
        bad = "kind,id,time_zone,voice_number\narea,west,Moon,\ndevice,button-2,,call me\n"
        wrong = (await bring(desk, bad, commit=True)).json()
        assert [(e["row"], e["column"]) for e in wrong["errors"]] == [
            (2, "time_zone"), (3, "voice_number"),
        ]  # fmt: skip
        without = (await bring(desk, "kind,id,label\ndevice,button-2,x\n", commit=True)).json()
        assert without["committed"] is True
    assert hub.rows("SELECT time_zone FROM area WHERE area_id = 'west'") == [("Asia/Urumqi",)]
    assert hub.rows(
        "SELECT model, voice_number, label FROM device WHERE device_id = 'button-2'"
    ) == [("SOS-7 v2", "+862155000000", "x")], "columns that are missing change nothing"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
async def test_chinese_headings_in_the_encodings_of_spreadsheets(
    hub: ApiHub, encoding: str
) -> None:
    table = (
        "类型;编号;所属区域;地址;住所编号;姓名;独居;行动能力\r\n"
        "住所;home-8;west;湖滨路8号;;;;\r\n"
        "人员;chen;;;home-8;陈桂兰;是;轮椅\r\n"
    )
    async with hub.desk("admin") as desk:
        done = (await bring(desk, table.encode(encoding), commit=True)).json()
    assert done["errors"] == []
    assert hub.rows("SELECT name, lives_alone, mobility FROM person WHERE person_id = 'chen'") == [
        ("陈桂兰", True, "wheelchair")
    ]


BAD = """\
kind,id,name,area,address,premises,birth_year,latitude,longitude,level,parent
premises,home-7,,moon,7 Hill Road,,,,,,
premises,home-6,,west,6 Hill Road,,,91,0,,
premises,home-6,,west,6 Hill Road,,,,,,
person,zhou,Zhou,,,home-7,,,,,
person,Zhou 2,Zhou,,,home-2,17,,,,
person,wu,,,,home-2,,,,,
toaster,t,,,,,,,,,
area,lane,Lane,,,,,,,city,west
area,square,Square,,,,,,,community,east
person,good,Good,,,home-2,,,,,
device,d-1,,,,home-2,,,,,
premises,home-5,,west,5 Hill Road,,1930,,,,
"""


async def test_a_preview_tells_every_mistake_and_nothing_is_committed_beside_one(
    hub: ApiHub,
) -> None:
    async with hub.desk("admin") as desk:
        answer = await bring(desk, BAD, commit=True)
        report = answer.json()
        assert report["committed"] is False
        told = {(error["row"], error["column"]) for error in report["errors"]}
        assert told == {
            (2, "area"), (3, "latitude"), (5, "premises"), (6, "id"), (6, "birth_year"),
            (7, "name"), (8, "kind"), (9, "parent"), (12, "device_kind"), (13, "birth_year"),
        }  # fmt: skip
        assert report["error_count"] == 10
        assert report["bad_rows"] == 9
        (moon,) = [error for error in report["errors"] if error["row"] == 2]
        assert (moon["value"], "area of yours" in moon["allowed"]) == ("moon", True)
        assert hub.rows("SELECT 1 FROM person WHERE person_id = 'good'") == []
        skipped = (await bring(desk, BAD, commit=True, skip_bad=True)).json()
    assert skipped["committed"] is True
    assert hub.rows("SELECT 1 FROM person WHERE person_id = 'good'") == [(1,)]
    assert hub.rows("SELECT premises_id FROM premises WHERE premises_id LIKE 'home-_'") == [
        ("home-1",), ("home-2",), ("home-6",),
    ]  # fmt: skip
    assert hub.rows("SELECT level FROM area WHERE area_id = 'square'") == [("community",)]


async def test_twins_are_told(hub: ApiHub) -> None:
    table = "kind,id,area,address\npremises,home-3,west,3 A\npremises,home-3,west,3 B\n"
    async with hub.desk("admin") as desk:
        report = (await bring(desk, table, commit=True)).json()
    assert [(e["row"], e["column"]) for e in report["errors"]] == [(3, "id")]
    assert not report["committed"]


async def test_nobody_imports_into_the_area_of_others(hub: ApiHub) -> None:
    add_account(hub, "east-admin", "east", "administrator")
    foreign = """\
kind,id,area,address,premises,name,person,device_kind,parent,level
premises,home-3,west,3 Hill Road,,,,,,
premises,home-2,east,stolen,,,,,,
person,li,,,home-1,Stolen,,,,
person,new-1,,,home-2,New,,,,
device,button-2,,,home-1,,,button,,
device,d-3,,,home-1,,li,button,,
area,west,,,,Stolen,,,east,street
area,island,,,,Island,,,west,street
area,east,,,,Mine,,,city,county
premises,home-4,east-2,4 Lake Road,,,,,,
area,east-2,,,,East 2,,,east,street
person,new-2,,,home-4,New,wang,,,
"""
    async with hub.desk("east-admin") as desk:
        report = (await bring(desk, foreign.replace("New,wang", "New,"), commit=True)).json()
        told = {(error["row"], error["column"]) for error in report["errors"]}
        assert told == {
            (2, "area"), (3, "id"), (4, "id"), (5, "premises"), (6, "id"), (7, "person"),
            (8, "parent"), (9, "parent"), (10, "parent"),
        }  # fmt: skip
        before = hub.rows("SELECT * FROM person ORDER BY 1")
        assert report["committed"] is False
        kept = await bring(desk, foreign.replace("New,wang", "New,"), commit=True, skip_bad=True)
        assert kept.json()["committed"] is True
    assert hub.rows("SELECT * FROM person WHERE person_id <> 'new-2' ORDER BY 1") == before
    assert hub.rows("SELECT area_id FROM person WHERE person_id = 'new-2'") == [("east-2",)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "kind"),
        (b"kind,name\n", "id"),
        (b"kind,id,colour\n", "colour"),
        (b"kind,id,id\n", "twice"),
        (b"\xff\xfe\x00k\xff", "UTF-8"),
        (b'kind,id\n"premises,', "table"),
    ],
)
async def test_what_is_no_register_is_refused(hub: ApiHub, content: bytes, said: str) -> None:
    async with hub.desk("admin") as desk:
        answer = await bring(desk, content, commit=True)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
