"""Every figure of `/metrics`: its name, what it means, and what to do when it moves.

The registry, docs/metrics.md and the dashboard's descriptions come from this table. Labels come
from closed sets that the code names, never from data (docs/adr/0004): each says which set.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """As Prometheus counts."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Figure:
    """One row. A counter's name has no `_total`; Prometheus shows it with one."""

    name: str
    kind: Kind
    part: str
    """Which part of the hub it speaks of."""
    unit: str
    meaning: str
    when: str
    """What to do, and when."""
    labels: tuple[tuple[str, str], ...] = ()
    """Name, and the closed set its values come from."""
    buckets: tuple[float, ...] = ()

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels in order."""
        return tuple(name for name, _ in self.labels)

    @property
    def shown_as(self) -> str:
        """The name Prometheus stores; a histogram's has further suffixes."""
        return f"{self.name}_total" if self.kind is Kind.COUNTER else self.name


REQUEST_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
PRESS_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0)
"""0.25 s is our aim, 5 s the floor (docs/promises.md)."""
DWELL_BUCKETS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""30 s is the first rung of the ladder, 60 s what alarm centres aim to answer within."""

SYNTHETIC_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)
"""0.25 s is the aim of a press to the desk, 5 s its floor; after 15 s it is not awaited."""

_STATE = (("state", "ok, slow, away"),)
_LANE = (("lane", "alarm, telemetry"),)
_LOOP = (("loop", "alerts.watches.LOOPS"),)
_CHILD = (("child", "the supervisor's table of children"),)

_G, _C, _H = Kind.GAUGE, Kind.COUNTER, Kind.HISTOGRAM

FIGURES: tuple[Figure, ...] = (
    # ---- the alarm path ----
    Figure("carebell_press_to_desk_seconds", _H, "alarm lane", "s",
           "From the hub's receiving an alarm to its being written to the live feed.",
           "p99 above 0.25 s: look at ingest's load; above 5 s the promise is broken.",
           buckets=PRESS_BUCKETS_S),
    Figure("carebell_incidents_open", _G, "alarm lane", "incidents",
           "Incidents that are not resolved, provisional ones included.",
           "Grows and does not shrink: there are too few people at the desk.",
           (("priority", "high, medium, low"),)),
    Figure("carebell_incidents_overdue", _G, "worker", "incidents",
           "Unresolved incidents whose deadline passed and that no ladder has looked at.",
           "Above 0 for 30 s: the escalator stands still; read log/worker.log, call by hand."),
    Figure("carebell_dwell_seconds", _H, "worker", "s",
           "From the opening of an incident to the first ring that a provider confirmed.",
           "p99 above 30 s: look at the channels and at dead letters.",
           buckets=DWELL_BUCKETS_S),
    # ---- ingest ----
    Figure("carebell_ingest_messages", _C, "ingest", "messages",
           "Messages taken in, both lanes.", "Falls to 0: is the broker there?"),
    Figure("carebell_ingest_messages_per_second", _G, "ingest", "messages/s",
           "Messages taken in within the last second, both lanes.",
           "For a glance; rules use rate()."),
    Figure("carebell_ingest_alarms", _C, "alarm lane", "alarms",
           "Alarms recorded, repeats left out.",
           "A jump without incidents: look at one device model."),
    Figure("carebell_ingest_repeats", _C, "alarm lane", "messages",
           "Alarm messages that were known already.",
           "Many: receipts do not reach devices, or the database is slow."),
    Figure("carebell_ingest_unrecorded_alarms", _G, "alarm lane", "alarms",
           "Alarms and desk actions that have rung and are not in the database yet.",
           "Above 0 for 10 s: the database is away; nothing is lost while ingest runs."),
    Figure("carebell_ingest_unacknowledged_messages", _G, "telemetry", "messages",
           "Delivered by the broker, not answered yet.",
           "At mqtt_max_unacknowledged: the database does not keep up."),
    Figure("carebell_ingest_oldest_unacknowledged_seconds", _G, "telemetry", "s",
           "Age of the oldest message that is not answered yet.",
           "Above 5 s: look at the database and the disk."),
    Figure("carebell_ingest_quarantined_messages", _C, "ingest", "messages",
           "Messages that could not be read, since ingest started.",
           "A rate: one device model or gateway is wrong; `carebell quarantine list`."),
    Figure("carebell_ingest_unknown_fields", _C, "ingest", "fields",
           "Fields of messages the contract does not know; they are ignored.",
           "A new device model says something this release cannot read."),
    Figure("carebell_ingest_step_failures", _C, "alarm lane", "messages",
           "Alarm messages on which a step of the hub itself failed; they rang all the same.",
           "Above 0: a mistake of ours; report it with log/ingest.log."),
    Figure("carebell_ingest_devices_online", _G, "ingest", "devices",
           "Devices heard within their heartbeat's patience.",
           "A drop: a network, a gateway or a power cut."),
    Figure("carebell_ingest_devices_registered", _G, "ingest", "devices",
           "Devices in the register that are not revoked.", "For the share that is online."),
    Figure("carebell_ingest_database", _G, "ingest", "1",
           "1 for the state ingest found the database in.", "away: see log/database.log.", _STATE),
    Figure("carebell_ingest_connected", _G, "ingest", "1",
           "1 while both lanes are connected to the broker.", "0: no press is heard."),
    Figure("carebell_ingest_uptime_seconds", _G, "ingest", "s", "Since ingest started.",
           "Returns to 0: it was restarted; see carebell_child_restarts."),
    # ---- worker ----
    Figure("carebell_loop_cycle_age_seconds", _G, "worker", "s",
           "Since a loop of the worker last finished a whole cycle.",
           "Above 30 s (history, learning and sealing are slower): read log/worker.log.", _LOOP),
    Figure("carebell_notifications", _C, "worker", "notifications",
           "Notifications by what became of them, and by channel.",
           "failed: look at the provider; `carebell dead-letters list`.",
           (("channel", "alerts.policy.ChannelName"),
            ("state", "alerts.notification.NotificationState"))),
    Figure("carebell_notifications_pending", _G, "worker", "notifications",
           "Notifications that are due and not sent.", "Grows: the courier or a provider is slow."),
    Figure("carebell_notifications_oldest_due_seconds", _G, "worker", "s",
           "How long the oldest due notification waits.", "Above 60 s: read log/worker.log."),
    Figure("carebell_dead_letters", _G, "worker", "notifications",
           "Notifications that were given up and wait for an operator.",
           "Above 0: `carebell dead-letters list`."),
    Figure("carebell_quarantine_waiting", _G, "ingest", "messages",
           "Messages that could not be read and wait for an operator.",
           "alarm above 0: `carebell quarantine list --lane alarm`.", _LANE),
    Figure("carebell_maintenance_open", _G, "worker", "windows",
           "Planned maintenance that mutes technical alarms just now.", "For a glance."),
    Figure("carebell_muted_conditions", _G, "worker", "conditions",
           "Technical conditions that are true and wait for the end of maintenance.",
           "For a glance."),
    # ---- the API ----
    Figure("carebell_api_request_duration_seconds", _H, "api", "s",
           "Time from a request to its whole answer; the live feed is not in it.",
           "p99 above 1 s: look at the database.",
           (("method", "HTTP's own"), ("route", "the routes' templates"),
            ("status", "HTTP's own")), REQUEST_BUCKETS_S),
    Figure("carebell_api_feed_clients", _G, "api", "desks", "Desks connected to the live feed.",
           "0 while somebody is on duty: a press rings at nobody."),
    Figure("carebell_api_feed_events", _C, "api", "events",
           "Events written to the live feed, before they are copied to each desk.",
           "For the load of a desk.", (("event", "hub.api.feed.EVENT_NAMES"),)),
    Figure("carebell_api_feed_cuts", _C, "api", "desks",
           "Desks the hub disconnected.", "slow: a desk's network or computer.",
           (("why", "slow, signed_out, changed, shutdown"),)),
    Figure("carebell_api_actions", _C, "api", "actions",
           "What dispatchers did, by what came of it.",
           "away or pending: broker or database; refused: two people at one incident.",
           (("verb", "alerts.actions.Verb"),
            ("result", "done, pending, refused, not_found, away"))),
    Figure("carebell_api_log_ins", _C, "api", "log-ins", "Tries to log in, by what came of them.",
           "wrong or throttled in numbers: somebody tries passwords.",
           (("result", "done, wrong, throttled"),)),
    Figure("carebell_api_unlogged_looks", _C, "api", "looks",
           "Looks at personal data that never reached the audit log: the outage was too long.",
           "Above 0: note the time for the auditor."),
    Figure("carebell_api_loop_failures", _C, "api", "failures",
           "Unexpected errors in a background loop, which went on.",
           "Above 0: report it with log/api.log.", (("loop", "hub.api.reconcile"),)),
    Figure("carebell_api_unreadable_announcements", _C, "api", "messages",
           "Messages on the desk bus that could not be understood.",
           "Above 0: two releases run side by side, or something else writes to desk/#."),
    Figure("carebell_api_broker_connected", _G, "api", "1",
           "1 while the API is connected to the broker.", "0: desks hear nothing new."),
    Figure("carebell_api_ingest_heard", _G, "api", "1",
           "1 while ingest said something within the last 5 s.", "0: no press would ring."),
    Figure("carebell_api_database", _G, "api", "1",
           "1 for the state the API found the database in.", "away: see log/database.log.", _STATE),
    # ---- callout ----
    Figure("carebell_callout_answers", _C, "callout", "answers",
           "Devices that asked to come in, by the answer.",
           "wrong_secret in numbers: a batch of devices has old secrets, or somebody tries.",
           (("answer", "admitted, too_late, hub.embedded.admission.Refusal"),)),
    Figure("carebell_callout_ready", _G, "callout", "1",
           "1 once both sessions of the hub exist and devices are admitted.",
           "0: no device gets in; read log/ingest.log."),
    # ---- broker ----
    Figure("carebell_broker_connections", _G, "broker", "connections",
           "Clients connected to the embedded broker.", "A drop: the network of many homes."),
    Figure("carebell_broker_slow_consumers", _C, "broker", "clients",
           "Clients the embedded broker cut because they did not read.",
           "Rises: ingest or a desk hangs."),
    Figure("carebell_broker_store_bytes", _G, "broker", "bytes",
           "What the embedded broker keeps on disk.",
           "Near 8 GiB: devices get no PUBACK soon; bring the database back."),
    Figure("carebell_broker_store_messages", _G, "broker", "messages",
           "Messages the embedded broker keeps, answered ones that are not trimmed yet included.",
           "Grows for minutes: ingest does not take them."),
    # ---- database and retention ----
    Figure("carebell_database_bytes", _G, "database", "bytes", "Size of the hub's database.",
           "Grows faster than devices do: look at retention."),
    Figure("carebell_database_connections", _G, "database", "connections",
           "Connections to the hub's database.", "Near max_connections (60 embedded)."),
    Figure("carebell_database_oldest_transaction_seconds", _G, "database", "s",
           "Age of the oldest transaction that is still open.",
           "Above 60 s: it holds locks and stops cleaning."),
    Figure("carebell_retention_oldest_observation_seconds", _G, "retention", "s",
           "Age of the oldest observation by the device's clock; unknown times left out.",
           "Two days above keep_observations_days: retention does not run; the law asks for it."),
    Figure("carebell_retention_aggregates_age_seconds", _G, "retention", "s",
           "Since hourly and daily history were brought up to date.",
           "Above 2 h: read log/worker.log."),
    # ---- the audit log ----
    Figure("carebell_audit_blocks", _C, "audit", "blocks",
           "Blocks that seal the audit log, since it began.",
           "Stands still while people work: read log/worker.log."),
    Figure("carebell_audit_unsealed_entries", _G, "audit", "entries",
           "Entries of the audit log that no block seals yet; 100,000 means so many or more.",
           "Grows for minutes: read log/worker.log."),
    Figure("carebell_audit_unsealed_seconds", _G, "audit", "s",
           "How old the oldest entry is that no block seals yet.",
           "Above 60 s: until then only the table's trigger guards it; read log/worker.log."),
    # ---- assurance ----
    Figure("carebell_synthetic_press_seconds", _H, "assurance", "s",
           "From the hub's own press to the last of receipt, row and live feed.",
           "p99 above 0.5 s: look at ingest's load; above 5 s presses come too late.",
           buckets=SYNTHETIC_BUCKETS_S),
    Figure("carebell_synthetic_press_age_seconds", _G, "assurance", "s",
           "Since the hub's own press last came through; absent where it is off.",
           "Above 180 s: a press would not arrive; `carebell assurance presses`."),
    Figure("carebell_dead_man_age_seconds", _G, "assurance", "s",
           "Since the watcher outside was last reached; absent where none is set.",
           "Above 600 s: is its address right, is the way out open? It rings by itself soon."),
    Figure("carebell_assurance_conditions", _G, "assurance", "conditions",
           "What is wrong before anybody presses, by whether it rings already.",
           "ringing above 0: the desk has an incident; `carebell assurance list`.",
           (("concern", "alerts.assurance.Concern"), ("state", "holding, ringing"))),
    Figure("carebell_desks_present", _G, "assurance", "desks",
           "People who may acknowledge and have the live feed of this process open.",
           "0: a press rings at nobody."),
    # ---- processes ----
    Figure("carebell_child_up", _G, "supervisor", "1", "1 while a child of `carebell up` runs.",
           "0: read log/<child>.log.", _CHILD),
    Figure("carebell_child_restarts", _C, "supervisor", "restarts",
           "How often a child came back by itself since the supervisor started.",
           "Rises: read log/<child>.log.", _CHILD),
    Figure("carebell_backup_age_seconds", _G, "supervisor", "s",
           "Since `carebell backup` last finished; absent if it never did.",
           "Above two days: look why it does not run."),
)  # fmt: skip

BY_NAME = {figure.name: figure for figure in FIGURES}
