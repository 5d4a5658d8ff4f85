"""Policies and responsibility over HTTP, and policies from the command line."""

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from hub.cli import app
from tests.integration.api_hub import ApiHub

DESK = {"who": "dispatchers", "channels": ["desk"]}
FAMILY = {"who": "family:1", "channels": ["sms", "voice"]}


def body(*steps: list[dict[str, Any]], **scope: Any) -> dict[str, Any]:
    ladder = {"steps": [{"targets": targets, "wait_s": 30} for targets in steps]}
    return {"area_id": "east", "ladder": ladder} | scope


async def test_a_policy_is_saved_only_if_its_last_step_names_somebody(hub: ApiHub) -> None:
    async with hub.desk("admin") as client:
        path = "/api/v1/policies/family-first"
        wrong = await client.put(path, json=body([DESK], [FAMILY]))
        assert wrong.status_code == 422
        assert wrong.json()["title"].startswith("step 2 is the last and repeats")
        assert "allowed" in wrong.json()["title"].lower()
        gone = {"who": "account:no-such-one", "channels": ["sms"]}
        wrong = await client.put(path, json=body([gone], [DESK]))
        assert wrong.json()["title"].startswith("step 1: account:no-such-one")
        checked = (await client.post(f"{path}/check", json=body([FAMILY], [DESK]))).json()
        said = [(c["step"], c["target"], c["fault"]) for c in checked["complaints"]]
        assert (checked["ok"], said[0]) == (True, (1, 1, "family_differs"))

        saved = await client.put(path, json=body([FAMILY], [DESK]))
        assert (saved.status_code, saved.json()["revision"]) == (200, 1)
        twin = await client.put("/api/v1/policies/twin", json=body([DESK]))
        assert twin.status_code == 422, "two for exactly the same would be chance"
        checked = (await client.post("/api/v1/policies/twin/check", json=body([DESK]))).json()
        assert [c["fault"] for c in checked["complaints"] if c["fatal"]] == ["twin"]
        listed = (await client.get("/api/v1/policies")).json()
        assert [p["id"] for p in listed["items"]] == ["family-first"]
        assert (await client.delete(path)).status_code == 204
        assert (await client.get(path)).status_code == 404
    log = hub.rows("SELECT action FROM audit_log WHERE action LIKE 'policy_%%' ORDER BY entry_id")
    assert [action for (action,) in log] == ["policy_saved", "policy_dropped"]


async def test_whom_it_would_call_is_shown_before_anybody_presses(hub: ApiHub) -> None:
    async with hub.desk("admin") as client:
        answer = await client.get("/api/v1/policies/preview", params={"person_id": "wang"})
    shown = answer.json()
    assert (shown["name"], shown["policy_id"]) == ("urgent", None)
    first = shown["rungs"][0]
    assert (first["passed"], first["nobody"]) == (
        True, [{"who": "dispatchers", "name": None, "reason": "nobody_signed_in"}],
    ), "the page is open nowhere"  # fmt: skip
    assert shown["rungs"][-1]["told"][0]["prompt"] == "emergency_service"


async def test_a_contact_is_tried_the_way_they_want_first(hub: ApiHub) -> None:
    """The step says by which ways, the daughter says that a call wakes her: never a way less."""
    daughter = {"name": "Mei", "relation": "daughter", "phone": "138", "contact_id": "c-1"}
    son = {"name": "Jun", "relation": "son", "phone": "139", "contact_id": "c-2"}
    wanted = {"items": [daughter | {"channels": ["voice", "email"]}, son]}
    family = {"who": "family", "channels": ["push", "sms", "voice"]}
    trial = {"policy": body([family], [DESK]), "person_id": "wang"}
    async with hub.desk("admin") as client:
        assert (await client.put("/api/v1/people/wang/contacts", json=wanted)).status_code == 200
        shown = (await client.post("/api/v1/policies/own/preview", json=trial)).json()
    assert [(one["name"], one["channels"]) for one in shown["rungs"][0]["told"]] == [
        ("Mei", ["voice", "push", "sms"]), ("Jun", ["push", "sms", "voice"]),
    ]  # fmt: skip


async def test_a_policy_is_tried_before_it_is_saved(hub: ApiHub) -> None:
    """Under its own name, for somebody, at a time; who is named by id is shown by name."""
    mei = {"who": "account:mei", "channels": ["sms"]}
    trial = {"policy": body([mei], [DESK]), "person_id": "wang", "at": "2026-03-01T03:00:00+08:00"}
    async with hub.desk("admin") as client:
        answer = await client.post("/api/v1/policies/new-one/preview", json=trial)
        shown = answer.json()
        assert (answer.status_code, shown["policy_id"]) == (200, "new-one"), answer.text
        assert [rung["step"] for rung in shown["rungs"]] == [1, 2]
        assert (await client.get("/api/v1/policies")).json()["items"] == []
        wang = (await client.get("/api/v1/people/wang")).json()
        own = body([mei], [DESK], person_id="wang", area_id=wang["area_id"])
        assert (await client.put("/api/v1/policies/new-one", json=own)).status_code == 200
        kept = (await client.get("/api/v1/policies/new-one")).json()
        assert kept["person_name"]
        assert kept["target_names"] == {"account:mei": "Mei"}
        (listed,) = (await client.get("/api/v1/policies")).json()["items"]
        assert listed["target_names"] == {"account:mei": "Mei"}
        hub.rows("UPDATE account SET disabled = true WHERE account_id = 'mei' RETURNING 1")
        saved = (await client.get("/api/v1/policies/preview", params={"person_id": "wang"})).json()
        gone = {"who": "account:mei", "name": "Mei", "reason": "not_there"}
        assert (saved["policy_id"], saved["rungs"][0]["nobody"]) == ("new-one", [gone])


def test_the_command_line_checks_saves_and_shows(database_url: str, tmp_path: Path) -> None:
    run = CliRunner(env={"CAREBELL_DATABASE_URL": database_url, "CAREBELL_DATA_DIR": str(tmp_path)})
    file = tmp_path / "ladders.json"
    policy = {
        "id": "second-hotline",
        "area_id": "city",
        "ladder": {
            "steps": [{"targets": [DESK], "wait_s": 30}],
            "acknowledged_lease_s": 600,
            "attended_lease_s": 3600,
        },
    }
    file.write_text(json.dumps(policy))
    checked = run.invoke(app, ["policy", "check", str(file)])
    assert checked.exit_code == 1
    assert "nobody who may acknowledge" in checked.output or "city" in checked.output
    shipped = run.invoke(app, ["policy", "show", "urgent"])
    assert json.loads(shipped.output)["ladder"]["steps"][0]["wait_s"] == 30
    assert "shipped: urgent" in run.invoke(app, ["policy", "list"]).output
