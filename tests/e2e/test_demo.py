"""What `make demo` is for: a press nobody at the desk takes reaches a human, and the device says
so. With the demo's own settings."""

from collections.abc import Iterator

import pytest

from tests.e2e.demo_hub import DemoHub, demo_hub
from tests.e2e.desk_client import DeskClient
from tests.e2e.pressing import Button

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def hub() -> Iterator[DemoHub]:
    with demo_hub(homes=2) as running:
        yield running


async def test_a_relative_accepts_and_the_device_says_so(hub: DemoHub) -> None:
    """Nobody is logged in, so the family is called at once; one of them says that they go there."""
    async with Button(hub, hub.visitor) as button:
        incident_id = await button.press()
        coming = await button.told("coming")
    desk = DeskClient(hub)
    found = await desk.asked("GET", f"incidents/{incident_id}")
    who = found["who_comes"]
    assert who in [one["name"] for one in found["responders"] if one["answer"] == "going"]
    assert who in coming["text"]
    terminal = (hub.folder.parent / "hub.log").read_text().splitlines()
    said = [line.partition(f"  {who}, ")[2] for line in terminal if f"  {who}, " in line]
    assert any("(SMS):" in each or "(call):" in each for each in said)
    assert any(each.endswith((" replied 1", " pressed 1")) for each in said)
    contacts = (await desk.asked("GET", "people/person-visitor-00001/contacts"))["items"]
    assert all(one["phone"].startswith("+86 000 ") for one in contacts), "nobody's number"
