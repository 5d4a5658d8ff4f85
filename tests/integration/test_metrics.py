"""Every figure that is shown is explained, and everything that is explained can be shown."""

import json
import re
from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hub.figures.dashboard import PANELS, RULES
from hub.figures.pages import pages
from hub.figures.table import BY_NAME, FIGURES, SYNTHETIC_BUCKETS_S, Kind
from hub.figures.tally import CountedOutbox
from schemas import topics
from tests.integration.api_hub import ApiHub, press
from tests.integration.test_outbox_counts import MemoryOutbox, notification

ELSEWHERE = ("carebell_broker_", "carebell_callout_", "carebell_child_", "carebell_backup_")
"""What comes from beside the API; tests/integration/test_survival.py runs a whole hub."""


def test_the_written_pages_are_current() -> None:
    for path, wanted in pages():
        assert path.read_text(encoding="utf-8") == wanted, "run `python -m hub.figures.pages`"


def test_names_follow_prometheus() -> None:
    assert len(BY_NAME) == len(FIGURES)
    for figure in FIGURES:
        assert re.fullmatch(r"carebell_[a-z0-9_]+", figure.name)
        assert not figure.name.endswith("_total")
        assert figure.meaning.endswith(".")
        assert figure.when
        if figure.unit == "s":
            assert figure.name.endswith("_seconds")
        if figure.unit == "bytes":
            assert figure.name.endswith("_bytes")
        assert bool(figure.buckets) == (figure.kind is Kind.HISTOGRAM)


@pytest.mark.parametrize("row", [*PANELS, *RULES], ids=lambda row: str(row.figure))
def test_panels_and_rules_ask_only_for_what_exists(row: object) -> None:
    stored = {f.shown_as for f in FIGURES if f.kind is not Kind.HISTOGRAM}
    stored |= {f"{f.name}_bucket" for f in FIGURES if f.kind is Kind.HISTOGRAM}
    query, figure = str(row.query), str(row.figure)  # type: ignore[attr-defined]
    asked = set(re.findall(r"carebell_\w+", query))
    assert asked
    assert asked <= stored
    assert any(name.startswith(figure) for name in asked)


def test_the_dashboard_chooses_its_source() -> None:
    text = next(text for path, text in pages() if path.suffix == ".json")
    board = json.loads(text)
    assert board["templating"]["list"][0]["type"] == "datasource"
    assert {p["datasource"]["uid"] for p in board["panels"]} == {"${datasource}"}
    assert len({p["id"] for p in board["panels"]}) == len(board["panels"])


async def test_everything_in_the_table_is_shown(hub: ApiHub) -> None:
    outbox = CountedOutbox(MemoryOutbox())
    await outbox.settle(*notification(sent=True))
    hub.bus.beat(
        messages=3, messages_per_s=1.5, alarms=1, repeats=0, unrecorded_alarms=0, unacknowledged=2,
        oldest_unacknowledged_s=0.1, quarantined=0, unknown_fields=0, step_failures=0,
        devices_online=2, devices_total=2, connected=True, uptime_s=9,
    )  # fmt: skip
    for loop in ("escalator", "courier", "maintenance"):
        hub.bus.say(topics.DESK_STATS, {"type": "cycle", "loop": loop, "handled": 0})
    hub.bus.say(topics.DESK_STATS, {"type": "worker", **outbox.figures()})
    hub.bus.say(
        topics.DESK_STATS,
        {"type": "assurance", "every_s": 60, "press_age_s": 3.5, "watcher_age_s": 9,
         "conditions": {"rota_gap": {"holding": 2, "raised": 1}},
         "synthetic": [1] + [0] * len(SYNTHETIC_BUCKETS_S), "synthetic_s": 0.02},
    )  # fmt: skip
    await hub.ingest.take_press(press(received_at=datetime.now(UTC)))
    async with hub.client() as client:
        text = (await client.get("/metrics")).text
    families = {f.name: f for f in text_string_to_metric_families(text)}
    assert families.keys() <= BY_NAME.keys(), "shown and not explained"
    quiet = {
        "carebell_notifications_oldest_due_seconds",  # nothing is due
        "carebell_retention_aggregates_age_seconds",  # never aggregated
        "carebell_retention_oldest_observation_seconds",  # no observation
    }
    expected = {n for n in BY_NAME if not n.startswith(ELSEWHERE)} - quiet
    assert expected <= families.keys(), "explained and not shown"
    for figure in FIGURES:
        for sample in families[figure.name].samples if figure.name in families else ():
            assert set(sample.labels) - {"le"} <= set(figure.label_names)
    (shown,) = [
        s.value for s in families["carebell_press_to_desk_seconds"].samples
        if s.name.endswith("_count")
    ]  # fmt: skip
    assert shown == 1
    assert "carebell_dwell_seconds_count 1.0" in text


async def test_no_figure_tells_of_a_person(hub: ApiHub) -> None:
    await hub.ingest.take_press(press())
    async with hub.client() as client:
        await client.post("/api/v1/session", json={"username": "mei", "password": "x" * 12})
        text = (await client.get("/metrics")).text
    for word in ("button-1", "wang", "home-1", "east", "mei"):
        assert f'"{word}' not in text
