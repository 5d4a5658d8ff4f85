"""The Grafana dashboard and the Prometheus rules, as tables over the figures."""

from dataclasses import dataclass
from typing import Any

from hub.figures.table import BY_NAME

SOURCE = "${datasource}"
WIDTH, HEIGHT = 8, 7
COLUMNS = 24 // WIDTH


@dataclass(frozen=True, slots=True)
class Panel:
    """A curve or several; its description is the figure's own."""

    title: str
    figure: str
    query: str
    legend: str = ""
    unit: str = "short"


def _rate(name: str, by: str = "") -> str:
    grouped = f" by ({by})" if by else ""
    return f"sum{grouped} (rate({name}_total[5m]))"


def _p99(name: str, by: str = "") -> str:
    labels = ", ".join(part for part in ("le", by) if part)
    return f"histogram_quantile(0.99, sum by ({labels}) (rate({name}_bucket[5m])))"


PANELS: tuple[Panel, ...] = (
    Panel("Press to desk, p99", "carebell_press_to_desk_seconds",
          _p99("carebell_press_to_desk_seconds"), "p99", "s"),
    Panel("Opening to first ring, p99", "carebell_dwell_seconds",
          _p99("carebell_dwell_seconds"), "p99", "s"),
    Panel("Open incidents", "carebell_incidents_open", "carebell_incidents_open", "{{priority}}"),
    Panel("Overdue incidents", "carebell_incidents_overdue", "carebell_incidents_overdue"),
    Panel("Desks on line", "carebell_api_feed_clients", "carebell_api_feed_clients"),
    Panel("Cycle age of the loops", "carebell_loop_cycle_age_seconds",
          "carebell_loop_cycle_age_seconds", "{{loop}}", "s"),
    Panel("Messages", "carebell_ingest_messages", _rate("carebell_ingest_messages"), "", "ops"),
    Panel("Alarms", "carebell_ingest_alarms", _rate("carebell_ingest_alarms"), "", "ops"),
    Panel("Not recorded yet", "carebell_ingest_unrecorded_alarms",
          "carebell_ingest_unrecorded_alarms"),
    Panel("Oldest unanswered message", "carebell_ingest_oldest_unacknowledged_seconds",
          "carebell_ingest_oldest_unacknowledged_seconds", "", "s"),
    Panel("Devices online", "carebell_ingest_devices_online",
          "carebell_ingest_devices_online / carebell_ingest_devices_registered", "", "percentunit"),
    Panel("Quarantine", "carebell_quarantine_waiting", "carebell_quarantine_waiting", "{{lane}}"),
    Panel("Notifications", "carebell_notifications",
          _rate("carebell_notifications", "channel, state"), "{{channel}} {{state}}", "ops"),
    Panel("Oldest due notification", "carebell_notifications_oldest_due_seconds",
          "carebell_notifications_oldest_due_seconds", "", "s"),
    Panel("Dead letters", "carebell_dead_letters", "carebell_dead_letters"),
    Panel("API, p99 by route", "carebell_api_request_duration_seconds",
          _p99("carebell_api_request_duration_seconds", "route"), "{{route}}", "s"),
    Panel("Log-ins", "carebell_api_log_ins", _rate("carebell_api_log_ins", "result"),
          "{{result}}", "ops"),
    Panel("Devices at the door", "carebell_callout_answers",
          _rate("carebell_callout_answers", "answer"), "{{answer}}", "ops"),
    Panel("Broker's store", "carebell_broker_store_bytes", "carebell_broker_store_bytes", "",
          "bytes"),
    Panel("Broker's connections", "carebell_broker_connections", "carebell_broker_connections"),
    Panel("Database", "carebell_database_bytes", "carebell_database_bytes", "", "bytes"),
    Panel("Oldest transaction", "carebell_database_oldest_transaction_seconds",
          "carebell_database_oldest_transaction_seconds", "", "s"),
    Panel("Oldest observation", "carebell_retention_oldest_observation_seconds",
          "carebell_retention_oldest_observation_seconds", "", "s"),
    Panel("Own press, p99", "carebell_synthetic_press_seconds",
          _p99("carebell_synthetic_press_seconds"), "p99", "s"),
    Panel("Own press, last success", "carebell_synthetic_press_age_seconds",
          "carebell_synthetic_press_age_seconds", "age", "s"),
    Panel("Wrong before anybody presses", "carebell_assurance_conditions",
          'carebell_assurance_conditions{state="ringing"}', "{{concern}}"),
    Panel("Desks present", "carebell_desks_present", "sum(carebell_desks_present)"),
    Panel("Watcher outside, last reached", "carebell_dead_man_age_seconds",
          "carebell_dead_man_age_seconds", "age", "s"),
    Panel("Restarts", "carebell_child_restarts", "increase(carebell_child_restarts_total[1h])",
          "{{child}}"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """When to call the one who operates the hub."""

    name: str
    figure: str
    query: str
    lasting: str
    severity: str
    """page: now, at night too; ticket: tomorrow."""
    summary: str


RULES: tuple[Rule, ...] = (
    Rule("CarebellGone", "carebell_api_ingest_heard", "absent(carebell_api_ingest_heard)", "1m",
         "page", "The hub's API does not answer."),
    Rule("CarebellNoPressHeard", "carebell_api_ingest_heard", "carebell_api_ingest_heard == 0",
         "15s", "page", "Ingest is silent: no press would ring."),
    Rule("CarebellBrokerLost", "carebell_ingest_connected", "carebell_ingest_connected == 0",
         "15s", "page", "Ingest is not connected to the broker."),
    Rule("CarebellLadderStands", "carebell_incidents_overdue", "carebell_incidents_overdue > 0",
         "30s", "page", "Incidents are overdue: call people by hand, restart the worker."),
    Rule("CarebellLoopStands", "carebell_loop_cycle_age_seconds",
         'carebell_loop_cycle_age_seconds{loop=~"escalator|courier|maintenance"} > 30', "15s",
         "page", "A loop of the worker stands still."),
    Rule("CarebellSlowLoopStands", "carebell_assurance_conditions",
         'carebell_assurance_conditions{concern="loop_stands",state="ringing"} > 0', "0s",
         "ticket", "A loop of the worker finished no cycle in its own time."),
    Rule("CarebellPressSlow", "carebell_press_to_desk_seconds",
         _p99("carebell_press_to_desk_seconds") + " > 5", "1m", "page",
         "Presses take longer than 5 s to the desk."),
    Rule("CarebellDatabaseAway", "carebell_ingest_database",
         'carebell_ingest_database{state="away"} == 1', "30s", "page",
         "The database is away: presses ring, nothing is recorded."),
    Rule("CarebellStoreFills", "carebell_broker_store_bytes", "carebell_broker_store_bytes > 6e9",
         "1m", "page", "The embedded broker's store (8 GiB) fills."),
    Rule("CarebellNobodyWatches", "carebell_api_feed_clients", "carebell_api_feed_clients == 0",
         "5m", "page", "No desk is connected."),
    Rule("CarebellOwnPressMissing", "carebell_synthetic_press_age_seconds",
         "carebell_synthetic_press_age_seconds > 180", "15s", "page",
         "The hub's own press does not come through: nobody's would."),
    Rule("CarebellOwnPressSlow", "carebell_synthetic_press_seconds",
         _p99("carebell_synthetic_press_seconds") + " > 5", "5m", "ticket",
         "The hub's own press takes longer than 5 s."),
    Rule("CarebellNobodyCouldAnswer", "carebell_assurance_conditions",
         'carebell_assurance_conditions{concern="nobody_reachable",state="ringing"} > 0', "0s",
         "page", "In some area an alarm would reach nobody."),
    Rule("CarebellProviderFails", "carebell_assurance_conditions",
         'carebell_assurance_conditions{concern="provider_fails",state="ringing"} > 0', "0s",
         "page", "A provider of messages or calls fails."),
    Rule("CarebellNobodyPresent", "carebell_desks_present", "sum(carebell_desks_present) == 0",
         "5m", "page", "Nobody who may acknowledge has the desk open."),
    Rule("CarebellWatcherUnreachable", "carebell_dead_man_age_seconds",
         "carebell_dead_man_age_seconds > 600", "1m", "ticket",
         "The watcher outside is not reached."),
    Rule("CarebellDwellLong", "carebell_dwell_seconds", _p99("carebell_dwell_seconds") + " > 30",
         "5m", "ticket", "First rings take longer than the ladder's first rung."),
    Rule("CarebellDeadLetters", "carebell_dead_letters", "carebell_dead_letters > 0", "10m",
         "ticket", "Notifications were given up."),
    Rule("CarebellAlarmQuarantined", "carebell_quarantine_waiting",
         'carebell_quarantine_waiting{lane="alarm"} > 0', "10m", "ticket",
         "Alarm messages could not be read."),
    Rule("CarebellStepFails", "carebell_ingest_step_failures",
         "increase(carebell_ingest_step_failures_total[15m]) > 0", "0s", "ticket",
         "A step of the hub fails on alarm messages."),
    Rule("CarebellPasswordsTried", "carebell_api_log_ins",
         'increase(carebell_api_log_ins_total{result!="done"}[10m]) > 30', "0s", "ticket",
         "Somebody tries passwords."),
    Rule("CarebellDevicesRefused", "carebell_callout_answers",
         'increase(carebell_callout_answers_total{answer="wrong_credential"}[10m]) > 100', "0s",
         "ticket", "Many devices come with a wrong secret."),
    Rule("CarebellChildRestarts", "carebell_child_restarts",
         "increase(carebell_child_restarts_total[15m]) > 3", "0s", "ticket",
         "A process of the hub keeps coming back."),
    Rule("CarebellLogUnsealed", "carebell_audit_unsealed_seconds",
         "carebell_audit_unsealed_seconds > 60", "5m", "ticket",
         "The audit log is not sealed: entries could be changed without a trace."),
    Rule("CarebellRetentionLags", "carebell_retention_aggregates_age_seconds",
         "carebell_retention_aggregates_age_seconds > 7200", "10m", "ticket",
         "History and retention do not run."),
    Rule("CarebellBackupOld", "carebell_backup_age_seconds", "carebell_backup_age_seconds > 172800",
         "10m", "ticket", "The last backup is older than two days."),
)  # fmt: skip


def dashboard() -> dict[str, Any]:
    """As Grafana imports it."""
    return {
        "title": "Carebell",
        "uid": "carebell",
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "15s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [
                {"name": "datasource", "label": "Prometheus", "type": "datasource",
                 "query": "prometheus", "current": {}, "hide": 0}
            ]
        },
        "panels": [_panel(number, panel) for number, panel in enumerate(PANELS)],
    }  # fmt: skip


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    figure = BY_NAME[panel.figure]
    source = {"type": "prometheus", "uid": SOURCE}
    place = {"x": number % COLUMNS * WIDTH, "y": number // COLUMNS * HEIGHT}
    target = {"refId": "A", "expr": panel.query, "legendFormat": panel.legend or panel.title,
              "datasource": source}  # fmt: skip
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": f"{figure.meaning} {figure.when}",
        "datasource": source,
        "gridPos": {"w": WIDTH, "h": HEIGHT, **place},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": [target],
    }
