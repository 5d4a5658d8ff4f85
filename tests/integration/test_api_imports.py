"""The register by the file: previews tell every mistake, commits are all or nothing."""

import asyncio
from typing import Any

import httpx
import psycopg
import pytest

from tests.integration.api_hub import ApiHub
from tests.integration.embedded import eventually
from tests.integration.register_stories import add_account, logged, token_for

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
area,east-1,,,,Mine,,,west,street
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
        (b'kind,id\nperson,a\n"premises,', "row 3: a quotation mark"),
        (b'kind,id,name\nperson,a,"Wang "Xiu" Ying"\n', "row 2: a quotation mark"),
    ],
)
async def test_what_is_no_register_is_refused(hub: ApiHub, content: bytes, said: str) -> None:
    async with hub.desk("admin") as desk:
        answer = await bring(desk, content, commit=True)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


CHINESE = """\
类型,编号,姓名,住所编号,独居,设备类型,,
人员,wang,王秀英,moon,TRUE,,,
设备,d-5,,home-2,,手环,,
人员,zhou,{name},home-2,Yes,,,
"""


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_a_column_is_called_as_the_file_calls_it(hub: ApiHub, language: str) -> None:
    """Also by a spreadsheet that writes TRUE and keeps empty columns at the end."""
    async with hub.desk("admin") as desk:
        desk.headers["Accept-Language"] = language
        bad = (await bring(desk, CHINESE.format(name="周" * 201))).json()
        good = (await bring(desk, CHINESE.replace("moon", "home-1").format(name="周"))).json()
    assert [(e["row"], e["column"]) for e in bad["errors"]] == [(2, "住所编号"), (4, "姓名")]
    assert good["errors"] == []
    (lives_alone, *new) = good["changes"]
    assert lives_alone["columns"] == ["独居"]
    assert [change["action"] for change in new] == ["created", "created"]


async def test_a_list_of_contacts_from_a_file_is_one_that_can_be_read(hub: ApiHub) -> None:
    """What the API would not take, the file does not bring in either."""
    heading = "kind,id,person,name,relation,phone\n"
    table = heading + "".join(f"contact,c-{n},wang,Niece {n},niece,138 {n}\n" for n in range(21))
    async with hub.desk("admin") as desk:
        first = (await bring(desk, table, commit=True, skip_bad=True)).json()
        assert [(e["row"], e["column"]) for e in first["errors"]] == [(22, "person")]
        again = (await bring(desk, table.replace("Niece", "Nephew"), commit=True)).json()
        assert [e["row"] for e in again["errors"]] == [22], "those who are there stay"
        long = heading + f"contact,c-1,wang,Mei,{'x' * 101},138 1\n"
        assert (await bring(desk, long, commit=True)).json()["error_count"] == 1
        read = await desk.get("/api/v1/people/wang/contacts")
    assert (read.status_code, len(read.json()["items"])) == (200, 20)


async def test_a_revoked_device_is_not_put_anywhere_by_a_file(hub: ApiHub) -> None:
    table = "kind,id,premises,person\ndevice,button-1,{home},{person}\n"
    async with hub.desk("admin") as desk:
        await desk.post("/api/v1/devices/button-1/revoke")
        same = (await bring(desk, table.format(home="home-1", person="wang"), commit=True)).json()
        assert same["committed"] is True, "a list of all devices may be brought in again"
        moved = (await bring(desk, table.format(home="home-2", person="li"), commit=True)).json()
    assert [(e["column"], "revoked" in e["allowed"]) for e in moved["errors"]] == [("id", True)]
    assert hub.rows("SELECT premises_id FROM device WHERE device_id = 'button-1'") == [("home-1",)]


async def test_a_role_that_provisions_no_device_does_not_by_a_file(hub: ApiHub) -> None:
    """Else a file would be a way to another one's secret and to a move, past the table of roles."""
    token, _ = await token_for(hub, "integration", "city")
    stolen = "kind,id,premises,device_kind,secret_sha256\n"
    rows = ("device,button-1,home-1,button," + "0" * 64, "device,d-8,home-1,button,")
    before = hub.rows("SELECT * FROM device ORDER BY 1")
    async with hub.client(headers={"Authorization": f"Bearer {token}"}) as program:
        for row in (*rows, "device,button-1,home-2,button,"):
            report = (await bring(program, stolen + row, commit=True)).json()
            assert (report["committed"], report["error_count"]) == (False, 1), row
            assert "role" in report["errors"][0]["allowed"]
        same = "kind,id,premises,birth_year\ndevice,button-1,home-1,\nperson,wang,home-1,1940\n"
        assert (await bring(program, same, commit=True)).json()["committed"] is True
    assert hub.rows("SELECT * FROM device ORDER BY 1") == before


async def test_an_area_s_administrator_may_bring_its_own_row(hub: ApiHub) -> None:
    add_account(hub, "east-admin", "east", "administrator")
    ((parent, level),) = hub.rows("SELECT parent_id, level FROM area WHERE area_id = 'east'")
    table = "kind,id,name,parent,level\narea,east,东区,{},{}\narea,east-1,东一,east,street\n"
    async with hub.desk("east-admin") as desk:
        done = (await bring(desk, table.format(parent, level), commit=True)).json()
        assert done["errors"] == []
        root = "kind,id,name\narea,city,Mine\n"
        assert (await bring(desk, root, commit=True)).json()["error_count"] == 1
        for elsewhere in (("west", level), (parent, "community")):
            refused = (await bring(desk, table.format(*elsewhere), commit=True)).json()
            assert refused["committed"] is False
    assert hub.rows("SELECT name, parent_id, level FROM area WHERE area_id = 'east'") == [
        ("东区", parent, level)
    ]


WAITING = """\
SELECT 1 FROM pg_stat_activity
WHERE application_name = 'carebell-import' AND wait_event_type = 'Lock'
"""


async def test_what_somebody_changes_meanwhile_is_not_undone_by_a_file(hub: ApiHub) -> None:
    """A file that was being brought in never puts back what it has not even got a column for."""
    table = "kind,id,address\npremises,home-1,1 Lake Street\n"
    async with hub.desk("admin") as desk:
        with psycopg.connect(hub.database_url) as colleague:
            colleague.execute(
                "UPDATE premises SET access_notes = 'dog' WHERE premises_id = 'home-1'"
            )
            bringing = asyncio.create_task(bring(desk, table, commit=True))

            async def waits() -> bool:
                return bool(hub.rows(WAITING))

            await eventually(waits)
        refused = await bringing
        assert refused.status_code == 409, refused.text
        assert (await bring(desk, table, commit=True)).json()["committed"] is True
    assert hub.rows("SELECT address, access_notes FROM premises WHERE premises_id = 'home-1'") == [
        ("1 Lake Street", "dog")
    ]
