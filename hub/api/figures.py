"""What /metrics shows. Labels come from closed sets named in the code, never from data."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

DURATION_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Figures:
    """One set of figures for one API process, on a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.feed_clients = Gauge(
            "carebell_api_feed_clients", "Desks connected to the live feed.", registry=registry
        )
        self.requests = Histogram(
            "carebell_api_request_duration_seconds",
            "Time from a request to its whole answer; the live feed is not in it.",
            ["method", "route", "status"],
            buckets=DURATION_BUCKETS_S,
            registry=registry,
        )
        self.open_incidents = Gauge(
            "carebell_incidents_open",
            "Incidents that are not resolved, provisional ones included.",
            ["priority"],
            registry=registry,
        )
        self.database = Gauge(
            "carebell_api_database",
            "1 for the state the API found the database in.",
            ["state"],
            registry=registry,
        )
        self.broker_connected = Gauge(
            "carebell_api_broker_connected",
            "1 while the API is connected to the broker.",
            registry=registry,
        )
        self.ingest_heard = Gauge(
            "carebell_api_ingest_heard",
            "1 while ingest said something within the last 5 s.",
            registry=registry,
        )
        self.ingest_database = Gauge(
            "carebell_ingest_database",
            "1 for the state ingest found the database in.",
            ["state"],
            registry=registry,
        )
        self.ingest = {
            key: Gauge(f"carebell_ingest_{name}", meaning, registry=registry)
            for key, (name, meaning) in INGEST_FIGURES.items()
        }
        counters = {
            key: Counter(f"carebell_api_{key}", meaning, labels, registry=registry)
            for key, (meaning, labels) in COUNTERS.items()
        }
        self.feed_events = counters["feed_events"]
        self.feed_cuts = counters["feed_cuts"]
        self.actions = counters["actions"]
        self.log_ins = counters["log_ins"]
        self.unlogged_looks = counters["unlogged_looks"]
        self.loop_failures = counters["loop_failures"]
        self.unreadable = counters["unreadable_announcements"]


COUNTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "feed_events": (
        "Events written to the live feed, before they are copied to each desk.",
        ("event",),
    ),
    "feed_cuts": (
        "Desks the hub disconnected: slow, signed_out, changed (its account), shutdown.",
        ("why",),
    ),
    "actions": (
        "What dispatchers did, by what came of it: done, pending, refused, not_found, away.",
        ("verb", "result"),
    ),
    "log_ins": ("Tries to log in, by what came of them: done, wrong, throttled.", ("result",)),
    "unlogged_looks": (
        "Looks at personal data that never reached the audit log: the outage was too long.",
        (),
    ),
    "loop_failures": ("Unexpected errors in a background loop, which went on.", ("loop",)),
    "unreadable_announcements": ("Messages on the desk bus that could not be understood.", ()),
}
"""Counters by name (after `carebell_api_`), with meaning and labels."""

INGEST_FIGURES: dict[str, tuple[str, str]] = {
    "messages_per_s": ("messages_per_second", "Messages taken in, both lanes."),
    "unacknowledged": ("unacknowledged_messages", "Delivered by the broker, not answered yet."),
    "oldest_unacknowledged_s": (
        "oldest_unacknowledged_seconds",
        "Age of the oldest message that is not answered yet.",
    ),
    "devices_online": ("devices_online", "Devices heard within their heartbeat's patience."),
    "devices_total": ("devices_registered", "Devices in the register that are not revoked."),
    "quarantined": ("quarantined_messages", "Messages that could not be read, since the start."),
    "uptime_s": ("uptime_seconds", "Since ingest started."),
}
"""Figures of desk/stats that are mirrored: key there, metric name after `carebell_ingest_`."""
