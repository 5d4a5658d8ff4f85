"""One incident as a report: everything that is known of it, in words, with proof."""

import json
from typing import Any

import psycopg
import pypdfium2
import pytest

from hub.audit_chain import EntryRow, digest_of, leads_to
from hub.audit_sealing import AuditSealing
from hub.clock import SystemClock
from hub.database import Session
from hub.report.case import LOG_LIMIT
from tests.integration.api_hub import ApiHub, press


async def seal(url: str) -> None:
    session = Session(url)
    await AuditSealing(session, SystemClock(), every_s=1, head_every_s=1).seal()
    await session.close()


async def helped(hub: ApiHub) -> str:
    """Somebody pressed, mei came; what a dispatcher does."""
    view = await hub.ingest.take_press(press())
    async with hub.desk("mei") as desk:
        for verb, body in (
            ("acknowledge", {"expected_arrival_s": 600}),
            ("attend", {}),
            ("resolve", {"outcome": "helped", "note": "扶起来了 <b>ok</b>"}),
        ):
            answer = await desk.post(f"/api/v1/incidents/{view['id']}/{verb}", json=body)
            assert answer.status_code == 200, answer.text
    return str(view["id"])


async def exported(hub: ApiHub, incident_id: str, **asked: str) -> Any:
    async with hub.desk("boss") as desk:
        answer = await desk.get(f"/api/v1/incidents/{incident_id}/report", params=asked)
        assert answer.status_code == 200, answer.text
        return answer


async def test_the_json_has_everything_and_its_proofs_hold(hub: ApiHub) -> None:
    incident_id = await helped(hub)
    await seal(hub.database_url)
    case = (await exported(hub, incident_id, format="json")).json()
    assert case["form"] == "carebell case 1"
    assert (case["incident"]["outcome"], case["person"]["name"]) == ("helped", "王秀英")
    assert case["area_path"] == ["City", "East", "East 1"]
    assert case["answered"]["actor_id"] == "mei"
    assert [a["grouping_reason"] for a in case["alarms"]] == ["opened"]
    actions = [entry["action"] for entry in case["log"]]
    assert [a for a in actions if a in ("alarm", "acknowledge", "attend", "resolve")] == [
        "alarm", "acknowledge", "attend", "resolve",
    ]  # fmt: skip
    for entry in case["log"]:
        proof = entry["seal"]
        row = EntryRow(
            entry["entry_id"], entry["at_us"], "east-1", incident_id, entry["actor_kind"],
            entry["actor_id"], entry["actor_name"], entry["action"], entry["reason"],
            entry["detail_text"],
        )  # fmt: skip
        digest = digest_of(row)
        assert proof["digest"] == digest.hex()
        assert leads_to(row.entry_id, digest, proof["path"]).hex() == proof["root"]
    assert case["seal"]["head"].endswith(case["log"][-1]["seal"]["hash"])


async def test_people_read_it_in_their_language(hub: ApiHub) -> None:
    incident_id = await helped(hub)
    chinese = (await exported(hub, incident_id, language="zh-CN")).text
    for said in ("事件报告", "王秀英", "1 Lake Road", "新建事件", "接手", "已得到帮助", "尚未封存",
                 "<dd>按钮 · "):  # fmt: skip
        assert said in chinese, said
    english = await exported(hub, incident_id, language="en")
    for said in ("Incident report", "Emergency press", "opened a new incident", "took respons",
                 "target 60 s: met", "target 180 s: met", "target 0:15:00: met"):  # fmt: skip
        assert said in english.text, said
    assert "扶起来了 &lt;b&gt;ok&lt;/b&gt;" in english.text, "what people typed is no markup"
    assert "<script" not in english.text
    assert "http://" not in english.text, "no foreign host"
    assert "https://" not in english.text, "no foreign host"
    assert english.headers["content-disposition"].startswith("attachment")


async def test_what_was_tried_in_vain_and_looked_at_often_is_said_in_words(hub: ApiHub) -> None:
    view = await hub.ingest.take_press(press())
    path = f"/api/v1/incidents/{view['id']}"
    hub.rows("INSERT INTO account SELECT 'lin', area_id, 'lin', 'Lin', password_hash, role,"
             " language FROM account WHERE account_id = 'mei' RETURNING 1")  # fmt: skip
    async with hub.desk("mei") as mei, hub.desk("lin") as lin:
        for _ in range(5):
            assert (await mei.get(path)).status_code == 200
        assert (await mei.post(f"{path}/acknowledge", json={})).status_code == 200
        assert (await lin.post(f"{path}/acknowledge", json={})).status_code == 409
    told = {"nobody": [{"who": "family:2", "reason": "no_contact"}], "step": 2}
    hub.rows("INSERT INTO audit_log (at, area_id, incident_id, actor_kind, action, reason, detail)"
             f" VALUES (now(), 'east-1', '{view['id']}', 'hub', 'escalate', 'next_step',"
             f" '{json.dumps(told)}') RETURNING 1")  # fmt: skip
    chinese = (await exported(hub, view["id"], language="zh-CN")).text
    assert chinese.count("共5次，至") == 1
    assert "未成功：接手" in chinese
    assert "已由他人接手" in chinese
    assert "has it" not in chinese
    assert "未联系到: 第2联系人 (没有该联系人)" in chinese
    english = (await exported(hub, view["id"], language="en")).text
    assert "not reached: contact number 2 (no such contact)" in english


async def test_a_list_that_is_cut_says_so_where_it_stands(hub: ApiHub) -> None:
    """However short it looks: thousands of looks are one line, and what came after them is not
    there."""
    view = await hub.ingest.take_press(press())
    hub.rows("INSERT INTO audit_log (at, area_id, incident_id, actor_kind, actor_id, action)"
             f" SELECT now(), 'east-1', '{view['id']}', 'account', 'mei', 'look'"
             f" FROM generate_series(1, {LOG_LIMIT}) RETURNING 1")  # fmt: skip
    english = (await exported(hub, view["id"], language="en")).text
    timeline = english.split("step by step</h2>")[1].split("</section>")[0]
    assert "Goes on" in timeline
    assert english.count("Goes on") == 1


async def test_the_pdf_carries_its_font(hub: ApiHub) -> None:
    incident_id = await helped(hub)
    answer = await exported(hub, incident_id, format="pdf", language="zh-CN")
    assert answer.headers["content-type"] == "application/pdf"
    document = pypdfium2.PdfDocument(answer.content)
    text = "\n".join(page.get_textpage().get_text_range() for page in document)
    for said in ("事件报告", "王秀英", "扶起来了", "日志防篡改证明"):
        assert said in text
    assert b"FontFile" in answer.content
    rows = document[0].render(scale=0.5, grayscale=True).to_numpy()
    assert (rows < 128).mean() > 0.005, "there is ink on the page"


async def test_the_export_is_logged_and_not_for_everybody(hub: ApiHub) -> None:
    incident_id = await helped(hub)
    await exported(hub, incident_id, format="json")
    looks = hub.rows("SELECT actor_id, incident_id FROM audit_log WHERE action = 'report'")
    assert looks == [("boss", incident_id)]
    async with hub.desk("mei") as desk:
        answer = await desk.get(f"/api/v1/incidents/{incident_id}/report")
        assert answer.status_code == 403
    with psycopg.connect(hub.database_url) as connection:
        connection.execute("INSERT INTO account SELECT 'west-boss', 'west', 'west-boss', name,"
                           " password_hash, role, language FROM account"
                           " WHERE account_id = 'boss'")  # fmt: skip
    async with hub.desk("west-boss") as desk:
        answer = await desk.get(f"/api/v1/incidents/{incident_id}/report")
        assert answer.status_code == 404


async def test_a_changed_entry_shows_in_the_report(hub: ApiHub) -> None:
    incident_id = await helped(hub)
    await seal(hub.database_url)
    with psycopg.connect(hub.database_url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE audit_log SET actor_name = 'X' WHERE action = 'attend'")
    english = (await exported(hub, incident_id, language="en")).text
    assert "CHANGED since it was sealed" in english


@pytest.mark.parametrize("path", ["none-such", "0" * 64])
async def test_what_is_not_there_is_not_found(hub: ApiHub, path: str) -> None:
    async with hub.desk("boss") as desk:
        assert (await desk.get(f"/api/v1/incidents/{path}/report")).status_code == 404
