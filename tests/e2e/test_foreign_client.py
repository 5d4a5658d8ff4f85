"""Whoever speaks MQTT 3.1.1 can ring: Debian's mosquitto clients against the whole hub."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.e2e.demo_hub import DemoHub, demo_hub
from tests.e2e.desk_client import DeskClient

pytestmark = pytest.mark.e2e

RANDOM_BYTES = bytes(range(128, 256))


@pytest.fixture(scope="module")
def hub() -> Iterator[DemoHub]:
    with demo_hub(homes=2) as running:
        yield running


@pytest.fixture(scope="module")
def desk(hub: DemoHub) -> DeskClient:
    return DeskClient(hub)


def mosquitto(
    hub: DemoHub, program: str, who: dict[str, Any], *arguments: str, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [
            program, "-h", "127.0.0.1", "-p", str(hub.mqtt_port), "-V", "mqttv311", "-q", "1",
            "-i", f"{who['username']}-{os.urandom(3).hex()}",
            "-u", who["username"], "-P", who["password"], *arguments,
        ],
        input=stdin, capture_output=True, timeout=20, check=False,
    )  # fmt: skip


def until_admitted(hub: DemoHub, who: dict[str, Any]) -> None:
    """A device may come in within two seconds of being provisioned."""
    deadline = time.monotonic() + 5
    topic = f"{who['topic_prefix']}/telemetry/status"
    while mosquitto(hub, "mosquitto_pub", who, "-t", topic, "-m", "{}").returncode != 0:
        assert time.monotonic() < deadline, "the new device was never admitted"
        time.sleep(0.1)


def test_press_rings_and_is_answered(hub: DemoHub, desk: DeskClient) -> None:
    """An incident on the feed, a receipt readable by mosquitto_sub, keyed by the message id."""
    button = desk.provision_home("anna")
    until_admitted(hub, button)
    listener = subprocess.Popen(
        [
            "mosquitto_sub", "-h", "127.0.0.1", "-p", str(hub.mqtt_port), "-V", "mqttv311",
            "-i", f"{button['username']}-ear", "-u", button["username"], "-P", button["password"],
            "-q", "1", "-t", f"{button['topic_prefix']}/command/#", "-C", "1", "-W", "10",
        ],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    topic = f"{button['topic_prefix']}/alarm/press"
    message = json.dumps({"message_id": "p-1", "action": "emergency"})
    # mosquitto_sub does not say when it has subscribed: like every device, press until answered.
    while listener.poll() is None:
        pressed = mosquitto(hub, "mosquitto_pub", button, "-t", topic, "-m", message)
        assert pressed.returncode == 0, pressed.stderr
        with suppress(subprocess.TimeoutExpired):
            listener.wait(1.0)
    heard, _ = listener.communicate(timeout=1)
    receipt = json.loads(heard)
    assert (receipt["stage"], receipt["message_id"]) == ("received", "p-1")
    incident = desk.incident(lambda i: i["person"] is not None and i["person"]["name"] == "anna")
    assert (incident["state"], incident["priority"]) == ("raised", "high")
    assert incident["alarms"][-1]["message_id"] == "p-1"


def test_wrong_password_is_refused(hub: DemoHub, desk: DeskClient) -> None:
    button = desk.provision_home("berta")
    until_admitted(hub, button)
    thief = {**button, "password": "0" * 32}
    topic = f"{button['topic_prefix']}/alarm/press"
    assert mosquitto(hub, "mosquitto_pub", thief, "-t", topic, "-m", "{}").returncode != 0


def test_another_devices_topic_has_no_effect(hub: DemoHub, desk: DeskClient) -> None:
    """Neither can one device press for another, nor hear its receipts."""
    own, other = desk.provision_home("clara"), desk.provision_home("dora")
    until_admitted(hub, own)
    until_admitted(hub, other)
    topic = f"{other['topic_prefix']}/alarm/press"
    mosquitto(hub, "mosquitto_pub", own, "-t", topic, "-m", '{"message_id":"forged"}')
    ear = f"{other['topic_prefix']}/command/#"
    listened = mosquitto(hub, "mosquitto_sub", own, "-t", ear, "-C", "1", "-W", "3")
    assert listened.stdout == b""
    assert b"denied" in listened.stderr
    # Its own press, sent afterwards, is what arrives: so the forged one is not merely late.
    own_topic = f"{own['topic_prefix']}/alarm/press"
    mosquitto(hub, "mosquitto_pub", own, "-t", own_topic, "-m", '{"message_id":"real"}')
    desk.incident(lambda i: i["person"] is not None and i["person"]["name"] == "clara")
    names = [i["person"]["name"] for i in desk.open_incidents() if i["person"]]
    assert "dora" not in names


def test_random_bytes_are_kept_and_on_the_alarm_lane_ring(hub: DemoHub, desk: DeskClient) -> None:
    button = desk.provision_home("emma")
    until_admitted(hub, button)
    prefix = button["topic_prefix"]
    for lane, kind in (("telemetry", "status"), ("alarm", "press")):
        sent = mosquitto(
            hub, "mosquitto_pub", button, "-t", f"{prefix}/{lane}/{kind}", "-s", stdin=RANDOM_BYTES
        )
        assert sent.returncode == 0, sent.stderr
    incident = desk.incident(lambda i: i["person"] is not None and i["person"]["name"] == "emma")
    assert incident["priority"] == "high"
    assert "unreadable" in incident["alarms"][-1]["flags"]
    deadline = time.monotonic() + 10
    lanes: set[str] = set()
    while lanes != {"alarm", "telemetry"} and time.monotonic() < deadline:
        answer = desk.http.get("quarantine", params={"limit": 50})
        assert answer.status_code == 200, answer.text
        kept = [q for q in answer.json()["items"] if q["device_id"] == button["username"]]
        lanes = {q["lane"] for q in kept}
        assert all(q["reason"] for q in kept)
        time.sleep(0.1)
    assert lanes == {"alarm", "telemetry"}
