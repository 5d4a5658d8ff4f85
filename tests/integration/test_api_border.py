"""What every answer has, whatever was asked: headers, problems, bounds, health, figures, page."""

from pathlib import Path

import pytest

from hub.api.border import MAX_BODY_BYTES
from schemas import topics
from tests.integration.api_hub import ApiHub, api_hub, listening, press


async def test_security_headers_are_on_every_answer(hub: ApiHub) -> None:
    async with hub.client() as client:
        for path in ("/", "/api/v1/health/live", "/api/v1/incidents", "/nowhere", "/metrics"):
            headers = (await client.get(path)).headers
            assert "default-src 'self'" in headers["content-security-policy"], path
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert "server" not in headers
        assert (await client.get("/api/v1/incidents")).headers["cache-control"] == "no-store"


async def test_every_error_is_a_problem(hub: ApiHub) -> None:
    async with hub.client() as client:
        for method, path, status in (
            ("GET", "/api/v1/nowhere", 404),
            ("GET", "/api/v2/incidents", 404),
            ("DELETE", "/api/v1/incidents", 405),
            ("POST", "/api/v1/session", 422),
        ):
            answer = await client.request(method, path)
            assert answer.status_code == status, path
            assert answer.headers["content-type"] == "application/problem+json"
            problem = answer.json()
            assert problem["status"] == status
            assert problem["title"]
            assert {"type", "title", "status", "detail"} <= problem.keys()


async def test_a_wrong_password_is_not_repeated_to_whoever_sent_it(hub: ApiHub) -> None:
    async with hub.client() as client:
        body = {"username": "mei", "password": 4711, "extra": "topsecret"}
        answer = await client.post("/api/v1/session", json=body)
    assert answer.status_code == 422
    assert "4711" not in answer.text
    assert "topsecret" not in answer.text


async def test_our_own_mistakes_tell_nothing(hub: ApiHub, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("the secret is 42")

    async with hub.desk() as desk:
        monkeypatch.setattr(hub.parts.store, "areas", broken)
        monkeypatch.setattr(hub.parts.store, "devices", broken)
        answer = await desk.get("/api/v1/devices")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "42" not in answer.text
    assert "nosniff" in answer.headers["x-content-type-options"]


async def test_large_bodies_are_refused(hub: ApiHub) -> None:
    async def endless() -> object:
        for _ in range(40):
            yield b"x" * 4096

    async with hub.client() as client:
        large = b"x" * (MAX_BODY_BYTES + 1)
        answer = await client.post("/api/v1/session", content=large)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
        headers = {"content-type": "application/json"}
        answer = await client.post("/api/v1/session", content=endless(), headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 413


async def test_long_answers_are_compressed_and_the_feed_is_not(hub: ApiHub) -> None:
    async with hub.desk() as desk:
        answer = await desk.get("/openapi.json")
        assert answer.headers["content-encoding"] == "gzip"
        async with listening(desk) as line:
            assert "content-encoding" not in line.response.headers


async def test_health_says_what_fails(hub: ApiHub, monkeypatch: pytest.MonkeyPatch) -> None:
    async with hub.client() as client:
        assert (await client.get("/api/v1/health/live")).json() == {"status": "ok"}
        answer = await client.get("/api/v1/health/ready")
        assert answer.status_code == 200, answer.text
        assert answer.json() == {
            "status": "ready",
            "checks": {"broker": "ok", "ingest": "ok", "database": "ok"},
            "children": {"ingest": "running"},
        }
        hub.bus.connected = False
        answer = await client.get("/api/v1/health/ready")
        assert answer.status_code == 503
        assert answer.json()["failing"] == ["broker"]
        assert answer.json()["children"] == {"ingest": "running"}
        hub.bus.connected = True
        monkeypatch.setattr("hub.api.switchboard.INGEST_FRESH_S", 0.0)
        answer = await client.get("/api/v1/health/ready")
        assert answer.json()["failing"] == ["ingest"]


async def test_cycle_wants_every_loop(hub: ApiHub, monkeypatch: pytest.MonkeyPatch) -> None:
    def cycle(loop: str) -> None:
        hub.bus.say(topics.DESK_STATS, {"type": "cycle", "loop": loop, "handled": 0})

    async with hub.client() as client:
        answer = await client.get("/api/v1/health/cycle")
        assert answer.status_code == 503
        loops = answer.json()["failing"]
        assert loops[:2] == ["escalator", "courier"]
        cycle("courier")
        answer = await client.get("/api/v1/health/cycle")
        assert answer.json()["failing"] == [loop for loop in loops if loop != "courier"]
        for loop in loops:
            cycle(loop)
        assert (await client.get("/api/v1/health/cycle")).status_code == 200
        monkeypatch.setattr("hub.api.switchboard.PATIENCE_S", {"escalator": -1.0})
        assert (await client.get("/api/v1/health/cycle")).status_code == 503


async def test_figures_without_a_name_in_them(hub: ApiHub) -> None:
    opened = await hub.ingest.take_press(press())
    hub.bus.beat(messages_per_s=9.0, quarantined=3, uptime_s="not a number")
    async with hub.desk() as desk, listening(desk) as line:
        await line.next("snapshot")
        await desk.post(f"/api/v1/incidents/{opened['id']}/acknowledge")
        text = (await desk.get("/metrics")).text
    for expected in (
        "carebell_api_feed_clients 1.0",
        'carebell_incidents_open{priority="high"} 1.0',
        'carebell_api_actions_total{result="done",verb="acknowledge"} 1.0',
        'carebell_api_log_ins_total{result="done"} 1.0',
        'route="/api/v1/incidents/{incident_id}/acknowledge",status="200"} 1.0',
        'carebell_api_database{state="ok"} 1.0',
        "carebell_ingest_messages_per_second 9.0",
        "carebell_ingest_quarantined_messages_total 3.0",
    ):
        assert expected in text, expected
    for personal in ("wang", "button-1", "mei", opened["id"], "east"):
        assert personal not in text, personal


async def test_the_description_matches_what_is_answered(hub: ApiHub) -> None:
    async with hub.client() as client:
        document = (await client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    paths = document["paths"]
    assert {
        "/api/v1/session", "/api/v1/incidents", "/api/v1/incidents/{incident_id}/resolve",
        "/api/v1/devices", "/api/v1/premises", "/api/v1/people", "/api/v1/observations",
        "/api/v1/quarantine", "/api/v1/events", "/api/v1/health/ready", "/metrics",
    } <= paths.keys()  # fmt: skip
    errors = paths["/api/v1/devices"]["post"]["responses"]["422"]["content"]
    assert list(errors) == ["application/problem+json"]
    assert paths["/api/v1/incidents"]["get"]["security"] == [{"session": []}, {"token": []}]
    assert paths["/api/v1/health/live"]["get"]["security"] == []
    assert "text/event-stream" in paths["/api/v1/events"]["get"]["responses"]["200"]["content"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


async def test_the_page_is_served_with_lasting_parts(desk_database: str, tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html><title>Carebell</title>")
    (dist / "assets" / "index-1.js").write_text("1")
    async with api_hub(desk_database, tmp_path, page=dist) as hub, hub.client() as client:
        answer = await client.get("/")
        assert answer.status_code == 200
        assert "Carebell" in answer.text
        assert answer.headers["cache-control"] == "no-cache"
        answer = await client.get("/assets/index-1.js")
        assert "immutable" in answer.headers["cache-control"]
        assert (await client.get("/assets/..%2f..%2fsecrets.json")).status_code == 404
        answer = await client.get("/api/v1/nowhere")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_missing_page_says_what_to_do(hub: ApiHub) -> None:
    async with hub.client() as client:
        answer = await client.get("/")
    assert answer.status_code == 503
    assert "make setup" in answer.text
