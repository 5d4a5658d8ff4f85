"""A dispatcher without a browser: the API over a cookie, for the tests."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.e2e.demo_hub import DemoHub

AGAIN_WITHIN_S = 10.0
"""One answer that took two seconds (hubs start beside us) makes the database count as away until
the next look at it; the refusal asks to try again."""


class DeskClient:
    """Signed in as the first administrator."""

    def __init__(self, hub: DemoHub) -> None:
        self.http = httpx.Client(base_url=f"{hub.url}/api/v1", timeout=10)
        answer = self.http.post("session", json={"username": "admin", "password": hub.password})
        assert answer.status_code == 200, answer.text

    def open_incidents(self) -> list[dict[str, Any]]:
        """Everything that is open."""
        answer = self.http.get("incidents", params={"state": "open", "limit": 200})
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def incident(
        self, wanted: Callable[[dict[str, Any]], bool], within_s: float = 10.0
    ) -> dict[str, Any]:
        """The first open incident that fits, as soon as there is one."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            for incident in self.open_incidents():
                if wanted(incident):
                    return incident
            time.sleep(0.1)
        raise AssertionError(f"no such incident among {len(self.open_incidents())} open ones")

    def provision_home(self, name: str) -> dict[str, Any]:
        """A home with one person and one button; the button's MQTT credential."""
        premises = {"id": name, "area_id": "city", "address": f"{name} street 1"}
        person = {"id": f"person-{name}", "premises_id": name, "name": name, "language": "en"}
        button = {
            "id": f"button-{name}",
            "kind": "button",
            "premises_id": name,
            "person_id": f"person-{name}",
        }
        for path, body in (("premises", premises), ("people", person)):
            answer = self.http.post(path, json=body)
            assert answer.status_code == 201, answer.text
        answer = self.http.post("devices", json=button)
        assert answer.status_code == 201, answer.text
        credential: dict[str, Any] = answer.json()["mqtt"]
        return credential

    async def asked(self, method: str, path: str, **body: Any) -> Any:
        """One request off this loop; what was answered, None where it was nothing."""
        give_up_s = time.monotonic() + AGAIN_WITHIN_S
        while True:
            answer = await asyncio.to_thread(self.http.request, method, path, json=body or None)
            away = answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
            if not away or time.monotonic() > give_up_s:
                break
            await asyncio.sleep(0.5)
        assert answer.is_success, (path, answer.text)
        return answer.json() if answer.content else None
