"""A device over its life, over HTTP: rotated, revoked, moved, swapped, with its history."""

import hashlib

import pytest

from hub.qr import read_setup
from tests.integration.api_hub import ApiHub

DEVICES = "/api/v1/devices"


async def test_a_device_keeps_its_history_from_home_to_home(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        moved = await desk.post(
            f"{DEVICES}/button-1/move", json={"premises_id": "home-2", "person_id": "li"}
        )
        assert moved.status_code == 200, moved.text
        assert (moved.json()["area_id"], moved.json()["person_id"]) == ("west", "li")
        told = (await desk.get(f"{DEVICES}/button-1/history")).json()["items"]
    assert [(h["changes"], h["premises_id"], h["person_id"]) for h in told] == [
        (["moved"], "home-2", "li"),
        (["added"], "home-1", "wang"),
    ]
    async with hub.desk("west-desk") as desk:
        theirs = (await desk.get(f"{DEVICES}/button-1/history")).json()["items"]
    assert [h["premises_id"] for h in theirs] == ["home-2"], "who had it elsewhere is not told"
    log = hub.rows("SELECT action, area_id, actor_id, detail->>'to' FROM audit_log"
                   " WHERE action = 'move'")  # fmt: skip
    assert log == [("move", "west", "admin", "home-2")]


async def test_a_move_leaves_what_was_observed_with_its_owner(hub: ApiHub) -> None:
    hub.rows(
        "INSERT INTO observation (observed_at, device_id, measure, message_key, area_id, person_id,"
        " value, quality, received_at, batch_id)"
        " VALUES (now(), 'button-1', 1, 1, 'east-1', 'wang', 1, 0, now(), 1) RETURNING 1"
    )
    async with hub.desk("admin") as desk:
        await desk.post(f"{DEVICES}/button-1/move", json={"premises_id": "home-2"})
    assert hub.rows("SELECT person_id, area_id FROM observation") == [("wang", "east-1")]
    assert hub.rows("SELECT person_id FROM device WHERE device_id = 'button-1'") == [(None,)]


async def test_a_swapped_device_hands_its_place_over(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        answer = await desk.post(f"{DEVICES}/button-1/swap", json={"id": "button-7"})
        assert answer.status_code == 201, answer.text
        made = answer.json()
        old = (await desk.get(f"{DEVICES}/button-1/history")).json()["items"]
        new = (await desk.get(f"{DEVICES}/button-7/history")).json()["items"]
        again = await desk.post(f"{DEVICES}/button-2/swap", json={"id": "button-7"})
        late = await desk.post(f"{DEVICES}/button-1/rotate")
    device = made["device"]
    assert (device["person_id"], device["label"], device["kind"]) == ("wang", "bedside", "button")
    assert [h["changes"] for h in old] == [["swapped_out"], ["revoked"], ["added"]]
    assert (old[0]["other_device_id"], old[0]["revoked"]) == ("button-7", True)
    assert [(h["changes"], h["other_device_id"]) for h in new] == [
        (["added", "swapped_in"], "button-1")
    ]
    assert again.status_code == 409, "the id is taken, and the swap was undone as a whole"
    assert hub.rows("SELECT revoked FROM device WHERE device_id = 'button-2'") == [(False,)]
    assert late.status_code == 409, "a revoked device gets no new secret"


async def test_model_and_number_are_part_of_a_device(hub: ApiHub) -> None:
    new = {"id": "band-9", "kind": "wristband", "premises_id": "home-1", "person_id": "wang",
           "model": " W3 ", "voice_number": "+86 (139) 0013-9000"}  # fmt: skip
    async with hub.desk("admin") as desk:
        made = (await desk.post(DEVICES, json=new)).json()["device"]
        assert (made["model"], made["voice_number"]) == ("W3", "+8613900139000")
        path = f"{DEVICES}/band-9"
        changed = (await desk.patch(path, json={"model": "W4", "label": "wrist"})).json()
        assert (changed["model"], changed["label"], changed["voice_number"]) == (
            "W4", "wrist", "+8613900139000",
        )  # fmt: skip
        assert (await desk.get(path)).json()["model"] == "W4"
        (listed,) = [d for d in (await desk.get(DEVICES)).json()["items"] if d["id"] == "band-9"]
        assert (listed["model"], listed["firmware"]) == ("W4", None)
        history = (await desk.get(f"{path}/history")).json()["items"]
        assert [(h["changes"], h["model"]) for h in history] == [
            (["described"], "W4"), (["added"], "W3"),
        ]  # fmt: skip
        same = await desk.post(f"{path}/swap", json={"id": "band-10"})
        assert (same.json()["device"]["model"], same.json()["device"]["voice_number"]) == (
            "W4", None,
        ), "its SIM card is in the drawer"  # fmt: skip
        other = await desk.post(f"{DEVICES}/band-10/swap", json={"id": "b-11", "kind": "button"})
        assert other.json()["device"]["model"] is None
        for wrong in ({}, {"model": ""}, {"model": "x" * 101}, {"voice_number": "call me"},
                      {"kind": "phone"}):  # fmt: skip
            assert (await desk.patch(f"{DEVICES}/b-11", json=wrong)).status_code == 422, wrong
        cleared = await desk.patch(f"{DEVICES}/b-11", json={"model": None, "label": None})
        assert (cleared.json()["model"], cleared.json()["label"]) == (None, "")
    (line,) = hub.rows("SELECT detail->'before', detail->'after' FROM audit_log"
                       " WHERE action = 'change' AND detail->>'id' = 'band-9'")  # fmt: skip
    assert line == ({"model": "W3", "label": ""}, {"model": "W4", "label": "wrist"})


async def test_a_secret_is_shown_once_and_its_code_says_the_same(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        made = (await desk.post(f"{DEVICES}/button-1/rotate")).json()
        listed = (await desk.get(DEVICES)).text
    setup = read_setup(made["setup_url"])
    assert (setup.device_id, setup.secret) == ("button-1", made["secret"])
    assert setup.topic_prefix == made["mqtt"]["topic_prefix"] == "care/v1/east-1/home-1/button-1"
    assert setup.broker_url == made["broker_url"]
    assert made["qr_svg"].startswith("<svg")
    assert made["secret"] not in listed
    kept = hashlib.sha256(made["secret"].encode()).hexdigest()
    assert hub.rows("SELECT secret_sha256 FROM device WHERE device_id = 'button-1'") == [(kept,)]
    assert made["secret"] not in str(hub.rows("SELECT * FROM audit_log"))


async def test_a_revoked_device_is_gone_from_the_list_and_not_from_history(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        for _ in range(2):
            answer = await desk.post(f"{DEVICES}/button-1/revoke")
            assert answer.json()["revoked"] is True
        listed = [d["id"] for d in (await desk.get(DEVICES)).json()["items"]]
        pages: list[list[str]] = []
        cursor: str | None = ""
        while cursor is not None:
            query = {"limit": 1} | ({"cursor": cursor} if cursor else {})
            page = (await desk.get(f"{DEVICES}/button-1/history", params=query)).json()
            pages.append(page["items"][0]["changes"])
            cursor = page["next_cursor"]
    assert listed == ["button-2"]
    assert pages == [["revoked"], ["added"]]
    assert len(hub.rows("SELECT 1 FROM audit_log WHERE action = 'revoke'")) == 1


async def test_who_may_not_describe_a_device(hub: ApiHub) -> None:
    async with hub.desk("mei") as desk:
        refused = await desk.patch(f"{DEVICES}/button-1", json={"model": "X"})
    hub.rows("UPDATE account SET role = 'installer' WHERE account_id = 'west-desk' RETURNING 1")
    async with hub.desk("west-desk") as desk:
        foreign = await desk.patch(f"{DEVICES}/button-1", json={"model": "X"})
    assert (refused.status_code, foreign.status_code) == (403, 404)
    assert hub.rows("SELECT model FROM device WHERE device_id = 'button-1'") == [(None,)]


@pytest.mark.parametrize("deed", ["rotate", "revoke", "move", "swap"])
async def test_who_may_not(hub: ApiHub, deed: str) -> None:
    body = {"move": {"premises_id": "home-1"}, "swap": {"id": "new-1"}}.get(deed)
    async with hub.desk("mei") as desk:
        refused = await desk.post(f"{DEVICES}/button-1/{deed}", json=body)
        assert refused.status_code == 403, "dispatchers do not provision"
    hub.rows("UPDATE account SET role = 'installer' WHERE account_id = 'west-desk' RETURNING 1")
    async with hub.desk("west-desk") as desk:
        foreign = await desk.post(f"{DEVICES}/button-1/{deed}", json=body)
        assert foreign.status_code == 404, "of another area: as if it were not there"
    assert hub.rows("SELECT changes FROM device_history WHERE device_id = 'button-1'") == [
        (["added"],)
    ]


async def test_nobody_moves_a_device_where_they_see_nothing(hub: ApiHub) -> None:
    hub.rows("UPDATE account SET role = 'installer' WHERE account_id = 'west-desk' RETURNING 1")
    async with hub.desk("west-desk") as desk:
        body = {"premises_id": "home-1", "person_id": "wang"}
        answer = await desk.post(f"{DEVICES}/button-2/move", json=body)
        strange = await desk.get(f"{DEVICES}/button-2/history", params={"cursor": "eA"})
    assert answer.status_code == 404
    assert strange.status_code == 422
