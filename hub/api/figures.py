"""What /metrics shows of this process, and what it passes on of others (`hub.figures`)."""

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry

from alerts.assurance import Concern
from hub.figures.registry import Mirror, Mirrored, Tallied, counter, gauge, histogram


class Figures:
    """One set of figures for one API process, on a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.feed_clients = gauge(registry, "carebell_api_feed_clients")
        self.requests = histogram(registry, "carebell_api_request_duration_seconds")
        self.press_to_desk = histogram(registry, "carebell_press_to_desk_seconds")
        self.open_incidents = gauge(registry, "carebell_incidents_open")
        self.database = gauge(registry, "carebell_api_database")
        self.broker_connected = gauge(registry, "carebell_api_broker_connected")
        self.ingest_heard = gauge(registry, "carebell_api_ingest_heard")
        self.feed_events = counter(registry, "carebell_api_feed_events")
        self.feed_cuts = counter(registry, "carebell_api_feed_cuts")
        self.actions = counter(registry, "carebell_api_actions")
        self.log_ins = counter(registry, "carebell_api_log_ins")
        self.unlogged_looks = counter(registry, "carebell_api_unlogged_looks")
        self.loop_failures = counter(registry, "carebell_api_loop_failures")
        self.unreadable = counter(registry, "carebell_api_unreadable_announcements")
        self.desks_present = gauge(registry, "carebell_desks_present")
        self.mirrored: Mirrored = {}
        self.tallied: Mapping[str, Tallied] = {}
        self.dwell: Tallied | None = None
        registry.register(Mirror(lambda: self.mirrored, lambda: self.dwell, lambda: self.tallied))


INGEST_FIGURES: Mapping[str, str] = {
    "messages": "carebell_ingest_messages",
    "messages_per_s": "carebell_ingest_messages_per_second",
    "alarms": "carebell_ingest_alarms",
    "repeats": "carebell_ingest_repeats",
    "unrecorded_alarms": "carebell_ingest_unrecorded_alarms",
    "unacknowledged": "carebell_ingest_unacknowledged_messages",
    "oldest_unacknowledged_s": "carebell_ingest_oldest_unacknowledged_seconds",
    "quarantined": "carebell_ingest_quarantined_messages",
    "unknown_fields": "carebell_ingest_unknown_fields",
    "step_failures": "carebell_ingest_step_failures",
    "devices_online": "carebell_ingest_devices_online",
    "devices_total": "carebell_ingest_devices_registered",
    "connected": "carebell_ingest_connected",
    "uptime_s": "carebell_ingest_uptime_seconds",
}
"""Figures of desk/stats: the key there, and the figure's name."""

STATES = ("ok", "slow", "away")


def of_ingest(word: Mapping[str, Any]) -> dict[str, dict[tuple[str, ...], float]]:
    """What ingest said last; nothing while it is away."""
    found: dict[str, dict[tuple[str, ...], float]] = {
        name: {(): float(word[key])}
        for key, name in INGEST_FIGURES.items()
        if isinstance(word.get(key), int | float)
    }
    if word:
        state = word.get("database")
        found["carebell_ingest_database"] = {(s,): float(s == state) for s in STATES}
    return found


def of_worker(word: Mapping[str, Any]) -> dict[str, dict[tuple[str, ...], float]]:
    """What the worker's courier counted."""
    rows = word.get("notifications") or []
    fates: dict[tuple[str, ...], float] = {
        (str(channel), str(state)): float(n) for channel, state, n in rows
    }
    return {"carebell_notifications": fates} if fates else {}


def of_assurance(word: Mapping[str, Any]) -> dict[str, dict[tuple[str, ...], float]]:
    """What the assurance loop said; what is off or was never reached is left out."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for key, name in (
        ("press_age_s", "carebell_synthetic_press_age_seconds"),
        ("watcher_age_s", "carebell_dead_man_age_seconds"),
    ):
        if isinstance(word.get(key), int | float):
            found[name] = {(): float(word[key])}
    if word:
        counts = word.get("conditions") or {}
        conditions: dict[tuple[str, ...], float] = {}
        for concern in Concern:
            one = counts.get(concern.value) or {}
            ringing = float(one.get("raised", 0))
            conditions[concern.value, "ringing"] = ringing
            conditions[concern.value, "holding"] = float(one.get("holding", 0)) - ringing
        found["carebell_assurance_conditions"] = conditions
    return found


def tallied_of(word: Mapping[str, Any]) -> dict[str, Tallied]:
    """Histograms of the assurance loop, by figure."""
    counts = word.get("synthetic")
    if not counts:
        return {}
    tallied = Tallied(list(counts), float(word.get("synthetic_s", 0.0)))
    return {"carebell_synthetic_press_seconds": tallied}


def dwell_of(word: Mapping[str, Any]) -> Tallied | None:
    """The courier's dwell times; None: it has not said."""
    counts = word.get("dwell")
    return Tallied(list(counts), float(word.get("dwell_s", 0.0))) if counts else None
