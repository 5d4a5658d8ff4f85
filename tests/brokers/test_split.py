"""Two ingest processes on one broker: each takes in its own areas, and no press is nobody's."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.database import Session
from hub.ownership import Territory
from hub.quarantine import Kept
from hub.register import Register
from hub.retry import enveloped
from hub.sources.mqtt import Delivery
from hub.split import Split
from tests.brokers.hubs import BROKERS, Line, Rig, rig, until
from tests.integration.embedded import own_folder

AREAS: dict[str, dict[str, Any]] = {
    "city": {"parent_id": None},
    "east": {"parent_id": "city"},
    "east-1": {"parent_id": "east"},
    "west": {"parent_id": "city"},
    "north": {"parent_id": "city"},
}


def test_who_takes_what() -> None:
    east = Territory.parse("east", AREAS)
    assert [east.owns(area) for area in AREAS] == [False, True, True, False, False]
    assert not any(east.leaves_alone(area) for area in AREAS), "nobody else is known: take it"
    east.others = {"west": ("west",)}
    assert [east.leaves_alone(area) for area in AREAS] == [False, False, False, True, False]
    assert not east.leaves_alone("unheard-of")
    assert list(east.telemetry_filters()) == [
        "care/v1/east/+/+/telemetry/+",
        "care/v1/east-1/+/+/telemetry/+",
    ]
    everything = Territory.parse("", AREAS)
    assert everything.client_id("carebell-alarm") == "carebell-alarm"
    assert all(everything.owns(area) for area in AREAS)
    assert Territory.parse(" west, east ,,east", AREAS).area_ids == ("east", "west")
    many = Territory.parse(",".join(f"area-{n}" for n in range(30)), AREAS)
    assert len(many.name) <= 40
    assert many.name != Territory.parse(",".join(f"area-{n}" for n in range(29)), AREAS).name


def owner(areas: str, registered_area: str, folder: Path) -> Split:
    """One of two owners, east and west, with what its register says of button-1."""
    register = Register()
    for area_id, row in AREAS.items():
        register.put("area", {"area_id": area_id, **row})
    register.put("device", {
        "device_id": "button-1", "kind": "button", "area_id": registered_area, "revoked": False,
        "premises_id": "home-1", "person_id": None, "label": "", "secret_sha256": "",
    })  # fmt: skip
    split = Split(areas, register, folder, Session(""))
    split.territory.others = {name: (name,) for name in ("east", "west") if name != areas}
    return split


@pytest.mark.parametrize("retried", [False, True])
@pytest.mark.parametrize("known_in_east", ["east", "west"])
@pytest.mark.parametrize("known_in_west", ["east", "west"])
@pytest.mark.parametrize("topic_area", ["east", "west"])
def test_a_moving_device_is_somebodys_whoever_knows_first(
    *, retried: bool, known_in_east: str, known_in_west: str, topic_area: str, tmp_path: Path
) -> None:
    """Register and device learn of a move at different times, each owner at its own."""
    topic = f"care/v1/{topic_area}/home-1/button-1/alarm/press"
    payload = b"{}"
    if retried:
        kept = Kept(1, "alarm", topic, b"{}", datetime(2026, 1, 1, tzinfo=UTC))
        topic, payload = enveloped(kept)
    delivery = Delivery(topic, payload, (1, 1), 1, duplicate=False, retained=False)
    east, west = owner("east", known_in_east, tmp_path), owner("west", known_in_west, tmp_path)
    taken = {s.territory.name for s in (east, west) if not s.leaves_alone(delivery)}
    assert taken >= {topic_area}
    if topic_area == known_in_east == known_in_west:
        assert taken == {topic_area}, "and once everybody knows, one only"


def test_what_cannot_be_told_is_everybodys(tmp_path: Path) -> None:
    for topic in ("care/v1/odd", "desk/retry/alarm", "desk/retry/telemetry"):
        delivery = Delivery(topic, b"?", (1, 1), 1, duplicate=False, retained=False)
        assert not owner("east", "west", tmp_path).leaves_alone(delivery)


def test_a_loop_in_the_tree_ends() -> None:
    odd = Territory.parse("x", {"a": {"parent_id": "b"}, "b": {"parent_id": "a"}})
    assert not odd.owns("a")


@pytest.fixture(params=sorted(BROKERS))
async def hub(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Rig]:
    with own_folder() as folder:
        async with rig(request.param, database_url, folder) as made:
            yield made


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_two_owners_share_a_city(hub: Rig) -> None:
    (east,), (west,) = hub.homes(1, "east"), hub.homes(1, "west")
    (north,) = hub.homes(1, "north")
    first, second = hub.ingest("--areas", "east"), hub.ingest("--areas", "west")
    await hub.broker.knows(hub.settings, hub.database_url)
    lines = {button.prefix.split("/")[2]: Line(button) for button in (east, west, north)}
    for line in lines.values():
        await line.line.up.wait()
    await until(lambda: len(owners(hub)) == 2)

    for line in lines.values():
        line.press(1)
        line.report(2)
    await until(lambda: len(hub.alarms()) == 3)
    await until(lambda: all("received" in line.stages(1) for line in lines.values()))
    await until(lambda: areas_observed(hub) == {"east", "west"})

    # Moved from east to west in the register; the device does not know it.
    with psycopg.connect(hub.database_url) as connection:
        connection.execute(
            "UPDATE device SET area_id = 'west', premises_id = %s, person_id = NULL"
            " WHERE device_id = %s",
            (west.prefix.split("/")[3], east.id),
        )
    await until(lambda: "west" in checkpoint_areas(hub, lines["east"], 3))
    lines["east"].press(4)
    await until(lambda: (east.id, "m4") in {alarm[:2] for alarm in hub.alarms()})

    # An owner that is dead is stood in for, presses first.
    hub.kill(second)
    await until(lambda: owners(hub) == {"east"}, 40.0)
    await until(lambda: repeated(hub, lines["west"], 5), 40.0)
    assert first.poll() is None
    for line in lines.values():
        await line.close()


def owners(hub: Rig) -> set[str]:
    with psycopg.connect(hub.database_url) as connection:
        rows = connection.execute(
            "SELECT owner FROM ingest_owner WHERE seen_at > now() - interval '15 s'"
        ).fetchall()
    return {row[0] for row in rows}


def areas_observed(hub: Rig) -> set[str]:
    with psycopg.connect(hub.database_url) as connection:
        return {row[0] for row in connection.execute("SELECT area_id FROM observation").fetchall()}


def repeated(hub: Rig, line: Line, number: int) -> bool:
    """Press as a device does, again and again until it is recorded: the stand-in learns within a
    heartbeat that the owner is dead."""
    if (line.button.id, f"m{number}", "west") in hub.alarms():
        return True
    line.press(number)
    time.sleep(0.5)
    return False


def checkpoint_areas(hub: Rig, line: Line, number: int) -> set[str]:
    """Report once more, and say under which areas the device was observed."""
    line.report(number)
    with psycopg.connect(hub.database_url) as connection:
        rows = connection.execute(
            "SELECT area_id FROM observation WHERE device_id = %s", (line.button.id,)
        ).fetchall()
    return {row[0] for row in rows}


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.parametrize("hub", ["mosquitto"], indirect=True)
@pytest.mark.parametrize("areas", ["east", "city", "east-1,north", ""])
async def test_two_owners_of_one_area_refuse_to_start(hub: Rig, areas: str) -> None:
    hub.homes(1, "city")
    hub.homes(1, "east")
    hub.homes(1, "north")
    with psycopg.connect(hub.database_url) as connection:
        connection.execute("INSERT INTO area VALUES ('east-1', 'east', 'East 1')")
    hub.ingest("--areas", "east")
    await until(lambda: owners(hub) == {"east"})
    other = hub.settings.data_dir / "other-machine"
    late = hub.ingest("--areas", areas, folder=other)
    await until(lambda: late.poll() is not None)
    assert late.returncode == 1
    told = "".join(path.read_text() for path in other.rglob("ingest-*.log"))
    assert "Another ingest process owns these areas" in told
    assert "east" in told
    assert owners(hub) == {"east"}


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.parametrize("hub", ["mosquitto"], indirect=True)
async def test_an_owner_starts_again_at_once_and_nowhere_twice(hub: Rig) -> None:
    hub.homes(1, "east")
    first = hub.ingest("--areas", "east")
    await until(lambda: owners(hub) == {"east"})
    twice = hub.ingest("--areas", "east")
    await until(lambda: twice.poll() is not None)
    assert twice.returncode == 1
    hub.kill(first)
    again = hub.ingest("--areas", "east")
    await until(lambda: pid_of(hub) == again.pid, within_s=10.0)
    unknown = hub.ingest("--areas", "nowhere, east", folder=hub.settings.data_dir / "other")
    await until(lambda: unknown.poll() is not None)
    assert unknown.returncode == 1
    (log,) = (hub.settings.data_dir / "other").glob("ingest-*.log")
    assert "The register has no such area" in log.read_text()
    assert "nowhere" in log.read_text().splitlines()[-1]


def pid_of(hub: Rig) -> int:
    with psycopg.connect(hub.database_url) as connection:
        row = connection.execute("SELECT pid FROM ingest_owner").fetchone()
    return int(row[0]) if row else 0
