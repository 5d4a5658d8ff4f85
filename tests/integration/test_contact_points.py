"""Where people can be reached, over the API and in files: what was there before still works."""

from io import BytesIO
from typing import Any

from alerts.people import Account
from hub.register_file import ImportOrder, ImportOutcome
from hub.store.imports import bring_in
from schemas.ids import AccountId, AreaId
from tests.integration.api_hub import ApiHub
from tests.scenes import START

PATH = "/api/v1/people/wang/contacts"
MEI = {"name": "Wang Mei", "relation": "daughter", "phone": "+86 138 0000 0001"}
GANG = {"name": "王刚", "relation": "son", "phone": "13900000002", "has_key": True}


async def put(hub: ApiHub, *items: dict[str, Any]) -> list[dict[str, Any]]:
    async with hub.desk("admin") as client:
        answer = await client.put(PATH, json={"items": list(items)})
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])


async def test_a_list_as_it_was_always_sent_keeps_the_ids(hub: ApiHub) -> None:
    mei, gang = await put(hub, MEI, GANG)
    assert mei["contact_id"] != gang["contact_id"]
    again = await put(hub, GANG, MEI | {"phone": "+8613800000001"})
    assert [one["contact_id"] for one in again] == [gang["contact_id"], mei["contact_id"]]
    (moved, _) = await put(hub, MEI | {"phone": "137"}, GANG)
    assert moved["contact_id"] == mei["contact_id"], "another telephone, the same daughter"


async def test_a_contact_may_say_more(hub: ApiHub) -> None:
    more = {"email": "mei@example.org", "language": "en", "channels": ["sms", "push"],
            "account_id": "mei"}  # fmt: skip
    (mei,) = await put(hub, MEI | more)
    assert {name: mei[name] for name in more} == more
    async with hub.desk("admin") as client:
        (read,) = (await client.get(PATH)).json()["items"]
        assert read == mei
        for wrong in ({"email": "nobody"}, {"channels": ["fax"]}, {"account_id": "none-such"}):
            body = {"items": [MEI | wrong]}
            assert (await client.put(PATH, json=body)).status_code in (404, 422)


async def test_a_contact_of_somebody_else_is_not_taken_over(hub: ApiHub) -> None:
    (mei,) = await put(hub, MEI)
    async with hub.desk("admin") as client:
        body = {"items": [GANG | {"contact_id": mei["contact_id"]}]}
        other = await client.put("/api/v1/people/li/contacts", json=body)
    assert other.json()["items"][0]["contact_id"] != mei["contact_id"]


async def test_an_account_has_a_telephone(hub: ApiHub) -> None:
    async with hub.desk("admin") as client:
        said = {"phone": "+86 139 0000 0009", "email": "mei@example.org"}
        answer = await client.patch("/api/v1/accounts/mei", json=said)
        assert answer.status_code == 200, answer.text
        card = (await client.get("/api/v1/accounts/mei")).json()
    assert {name: card[name] for name in said} == said


def brought_in(url: str, text: str) -> ImportOutcome:
    everywhere = ImportOrder(commit=True, skip_bad=False, areas=None, at=START)
    admin = Account(AccountId("admin"), "Admin", "administrator", AreaId("city"), "en")
    return bring_in(url, "city", BytesIO(text.encode()), everywhere, admin)


async def test_contacts_come_in_a_file(hub: ApiHub) -> None:
    head = "类型,编号,人员编号,姓名,关系,电话,电子邮箱,通知方式,有钥匙\n"
    first = head + "联系人,c-1,wang,王梅,女儿,13800000001,mei@example.org,短信 电话,是\n"
    second = "contact,c-2,li,Bo,son,13900000002,,,\n"
    outcome = brought_in(hub.database_url, first + second)
    assert outcome.errors == []
    assert outcome.counts["contact"]["created"] == 2
    (row,) = hub.rows(
        "SELECT area_id, place, email, channels, has_key FROM person_contact"
        " WHERE contact_id = 'c-1'"
    )
    assert row == ("east-1", 1, "mei@example.org", ["sms", "voice"], True)
    again = brought_in(hub.database_url, first.replace("13800000001", "13700000000") + second)
    assert again.counts["contact"] == {"created": 0, "changed": 1, "unchanged": 1}
    wrong = brought_in(hub.database_url, head + "contact,c-3,nobody,A,b,138,x,fax,\n")
    assert {error.column for error in wrong.errors} == {"email", "channels"}
