"""Stories, fleets and what a device says: wrong files say why, right ones play."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from device_sim.display import PHRASES, Screen, face_of, phrases_in, receipt_face
from device_sim.fleet import (
    BrokerAddress,
    Fleet,
    FleetDevice,
    FleetUnreadable,
    Home,
    Resident,
    load_fleet,
)
from device_sim.laying import happenings
from device_sim.press import answered, begin, minutes_until
from device_sim.scenario import (
    Action,
    ScenarioUnreadable,
    bundled_scenarios,
    load_scenario,
    read_duration_s,
)
from schemas.alarms import PressAction
from schemas.commands import Receipt, ReceiptStage
from schemas.vocabulary import DeviceKind

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KINDS = (DeviceKind.BUTTON, DeviceKind.WRISTBAND, DeviceKind.CARE_BED)


def fleet(homes: int = 3, kinds: tuple[DeviceKind, ...] = KINDS) -> Fleet:
    return Fleet(
        BrokerAddress("127.0.0.1", 1883),
        [
            Home(
                "city",
                f"home-{number}",
                Resident(f"person-{number}"),
                [
                    FleetDevice(f"{kind.value}-{number}".replace("_", "-"), kind, "s")
                    for kind in kinds
                ],
            )
            for number in range(homes)
        ],
    )


ONE_BUTTON = '{"id":"b","kind":"button","secret":"s"}'


def home_json(area_id: str, devices: str) -> str:
    """A fleet file with one home."""
    return (
        '{"broker":{"host":"h","port":1},"homes":[{"premises_id":"p","person":{"id":"x"},'
        f'"area_id":"{area_id}","devices":[{devices}]}}]}}'
    )


@pytest.mark.parametrize("name", bundled_scenarios())
def test_every_bundled_scenario_plays_in_its_homes(name: str) -> None:
    scenario = load_scenario(name)
    homes = fleet(8, tuple(scenario.devices))
    laid = happenings(scenario, homes, "1")
    assert laid == happenings(scenario, homes, "1")
    assert [h.at_s for h in laid] == sorted(h.at_s for h in laid)


def test_the_demo_has_two_emergencies_in_its_first_minute() -> None:
    laid = happenings(load_scenario("demo"), fleet(), "1")
    presses = [h for h in laid if h.step.action is Action.PRESS and h.at_s < 60]
    assert [(h.at_s, h.home_index, h.device_id) for h in presses] == [
        (8.0, 0, "wristband-0"),
        (30.0, 1, "button-1"),
    ]
    assert presses[0].step.room == "bathroom"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            'title = "x"\n[[step]]\nat = "soon"\nhome = 0\ndevice = "button"\naction = "press"',
            "step 1, at: 'soon' is no duration",
        ),
        (
            'title = "x"\n[[step]]\nat = "1s"\nhome = -1\ndevice = "button"\naction = "press"',
            "from 0",
        ),
        ('title = "x"\n[[step]]\nat = "1s"\nhome = 0\ndevice = "phone"\naction = "press"', "phone"),
        (
            'title = "x"\n[[step]]\nat = "1s"\nhome = "any"\ndevice = "phone"\naction = "test"',
            "phone",
        ),
        ('title = "x"\n[[step]]\nat = "1s"\nhome = 0\naction = "press"', "needs a device"),
        (
            'title = "x"\n[[step]]\nat = "1s"\nhome = 0\naction = "dance"',
            "step 1, action: 'dance' is none of cancel, charge",
        ),
        (
            'title = "x"\n[[step]]\nat = "1s"\nhome = 0\nwhen = 3\naction = "place"',
            "step 1: unknown field 'when'; allowed are action, at, by",
        ),
        ('title = "x"\n[[step]]\nat = "1s"\nhome = 0\ntimes = 2\naction = "place"', "every"),
    ],
)
def test_a_scenario_that_cannot_happen_says_why(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(text)
    with pytest.raises(ScenarioUnreadable, match=complaint):
        happenings(load_scenario(str(path)), fleet(), "1")


def test_an_unknown_scenario_names_the_bundled_ones() -> None:
    with pytest.raises(ScenarioUnreadable, match="demo"):
        load_scenario("nowhere")


@pytest.mark.parametrize("text", ["", "5", "s", "--1s", "1w", "1e9s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        read_duration_s(text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "fleet.json"),
        ('{"broker":{"host":"h","port":1},"homes":[]}', "no device"),
        (
            home_json("A/B", ONE_BUTTON),
            "A/B",
        ),
        (
            home_json("a", f"{ONE_BUTTON},{ONE_BUTTON}"),
            "twice",
        ),
    ],
)
def test_a_fleet_file_that_is_wrong_says_why(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "fleet.json"
    path.write_text(text)
    with pytest.raises(FleetUnreadable, match=complaint):
        load_fleet(path)
    with pytest.raises(FleetUnreadable, match="No such file"):
        load_fleet(tmp_path / "missing.json")


def coming(text: str = "", who: str | None = None, minutes: float | None = None) -> Receipt:
    expected_at = None if minutes is None else NOW + timedelta(minutes=minutes)
    return Receipt(ReceiptStage.COMING, NOW, text, "m-1", who=who, expected_at=expected_at)


@pytest.mark.parametrize(
    ("receipt", "language", "text"),
    [
        (coming(who="Li", minutes=14.2), "en", "Li is coming, about 15 min"),
        (coming(who="李明", minutes=15), "zh-CN", "李明正在赶来，大约15分钟"),
        (coming(who="Li"), "en", "Li is coming"),
        (coming(minutes=3), "en", "help is coming, about 3 min"),
        (coming(), "fr", "help is coming"),
        (coming("Your daughter is on her way", who="Li"), "en", "Your daughter is on her way"),
    ],
)
def test_coming_says_who_and_when(receipt: Receipt, language: str, text: str) -> None:
    assert receipt_face(receipt, now=NOW, language=language).text == text


def test_both_languages_say_everything() -> None:
    assert PHRASES["en"].keys() == PHRASES["zh"].keys()
    assert phrases_in("zh-Hans-CN") is PHRASES["zh"]
    assert {screen.value for screen in Screen} - {"question"} <= PHRASES["en"].keys()
    assert minutes_until(NOW, NOW + timedelta(hours=1)) == 1


def test_a_heard_press_without_connection_admits_it() -> None:
    alarm = begin("m-1", "press", b"{}", 0.0)
    heard = answered(alarm, Receipt(ReceiptStage.HEARD, NOW, ""))
    received = answered(heard, Receipt(ReceiptStage.RECEIVED, NOW, ""))

    def screen(state: object, *, connected: bool) -> Screen:
        assert isinstance(state, type(alarm))
        return face_of(
            state, PressAction.TEST, now_s=1.0, now=NOW, language="en", connected=connected
        ).screen

    assert screen(heard, connected=True) is Screen.HEARD
    assert screen(heard, connected=False) is Screen.NO_CONNECTION
    assert screen(received, connected=False) is Screen.RECEIVED
    assert screen(alarm, connected=True) is Screen.CALLING
