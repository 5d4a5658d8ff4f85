"""One of everything for each of four tenants, so that a leak has something to leak.

Whatever belongs to a tenant bears its mark: ids begin with its name, texts are its `kept` word,
which nobody who asks has ever seen. A response with a mark that the request did not hold is a leak.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from hub.api.access import MAY
from schemas.vocabulary import MEASURE_BY_KEY
from tests.integration.api_hub import QUICK_HASH

Connection = psycopg.Connection[Any]

SEAT = "east"
"""Where everybody who asks belongs to."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose rows they are."""

    name: str
    area_id: str

    @property
    def kept(self) -> str:
        """What every text of theirs says."""
        return f"kept-by-{self.name}"

    def id(self, noun: str) -> str:
        """The id of the one they have."""
        return f"{self.name}-{noun}"


OWN = Tenant("own", "east-1")
NEIGHBOUR = Tenant("zqnext", "east-1")
"""In the same area; family and responders see nothing of them either."""
WEST = Tenant("zqwest", "west")
ABOVE = Tenant("zqcity", "city")
"""What belongs to the whole city is not a county's."""
TENANTS = (OWN, NEIGHBOUR, WEST, ABOVE)
NOUNS = (
    "person", "premises", "device", "incident", "responder", "account", "token", "fence",
    "outage", "finding",
)  # fmt: skip
_KIN_SIGHT = frozenset({"family", "responder"})


def foreign_to(role: str) -> tuple[Tenant, ...]:
    """Whose rows somebody with this role must never see."""
    return (NEIGHBOUR, WEST, ABOVE) if role in _KIN_SIGHT else (WEST, ABOVE)


def visitor(role: str) -> str:
    """The account that asks."""
    return f"visitor-{role}"


def settle(connection: Connection) -> None:
    """Areas, tenants, and somebody of every role in `SEAT`."""
    for table in ("history_hour", "history_day"):
        query = sql.SQL("CREATE TABLE {} PARTITION OF {} DEFAULT")
        connection.execute(query.format(sql.Identifier(f"{table}_rest"), sql.Identifier(table)))
    for area_id, parent_id, name in (
        ("city", None, "City"), ("east", "city", "East"), ("west", "city", WEST.kept),
        ("east-1", "east", "East 1"), ("east-2", "east", "East 2"),
        ("zqwest-1", "west", WEST.kept),
    ):  # fmt: skip
        _insert(connection, "area", {"area_id": area_id, "parent_id": parent_id, "name": name})
    for tenant in TENANTS:
        for table, row in rows_of(tenant, datetime.now(UTC)):
            _insert(connection, table, row)
    for role in MAY:
        _insert(connection, "account", _account(visitor(role), SEAT, role))
    link = {"account_id": visitor("family"), "person_id": OWN.id("person"), "area_id": OWN.area_id}
    since = {"relation": "daughter", "since": datetime.now(UTC), "by_id": "nobody"}
    _insert(connection, "family_link", link | since)


def rows_of(tenant: Tenant, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """One tenant's rows as (table, row), referenced tables first."""
    area, kept = {"area_id": tenant.area_id}, tenant.kept
    home = {"premises_id": tenant.id("premises")}
    person, device = {"person_id": tenant.id("person")}, {"device_id": tenant.id("device")}
    today, ago = now.date(), now - timedelta(hours=1)
    place = {"latitude": 31.2, "longitude": 121.4}
    yield "premises", area | home | place | {"address": kept, "access_notes": kept}
    yield "key_safe", area | home | {"code": kept, "changed_at": ago, "changed_by": "nobody"}
    notes = {"name": kept, "medical_notes": kept, "state_reason": kept, "birth_year": 1940}
    yield "person", area | home | person | notes
    contact = {"name": kept, "relation": kept, "phone": "123", "place": 0}
    yield "person_contact", area | person | contact
    yield "person_care", area | person | {"author": kept, "set_on": today}
    limit = {"measure": "heart_rate_per_min", "low": 40, "high": 120}
    yield "person_limit", area | person | limit | {"author": kept, "set_on": today}
    shape = {"type": "circle", "radius_m": 300.0} | place
    fence = {"fence_id": tenant.id("fence"), "label": kept, "shapes": Jsonb([shape])}
    yield "fence", area | person | fence | {"author": kept, "set_on": today}
    state = {"state": "away", "since": ago, "by_name": kept, "reason": kept}
    yield "person_state_change", area | person | state
    known = {"kind": "button", "label": kept, "secret_sha256": "00" * 32}
    yield "device", area | home | person | device | known
    yield "device_heard", area | device | {"received_at": ago}
    responder = {"responder_id": tenant.id("responder"), "kind": "team", "name": kept}
    yield "responder", area | responder | {"notes": kept}
    yield "account", _account(tenant.id("account"), tenant.area_id, "dispatcher") | {"name": kept}
    token = {"token_id": tenant.id("token"), "token_sha256": tenant.name, "name": kept}
    until = {"created_at": ago, "created_by": kept, "expires_at": now + timedelta(days=9)}
    yield "api_token", area | token | until | {"role": "auditor"}
    session = {"account_id": tenant.id("account"), "token_sha256": f"session of {tenant.name}"}
    times = {"created_at": ago, "expires_at": now + timedelta(days=1)}
    yield "desk_session", session | times | {"address": kept, "agent": kept}
    yield from _measured(tenant, area | device | person, now)
    yield from _happened(tenant, area, now)
    line = {"minutes": [180] * 98, "days": 20, "learned_on": today, "version": 1}
    yield "inactivity_line", area | home | line
    day = {"day": today - timedelta(days=1), "learned": False, "reason": kept, "tally": b""}
    yield "inactivity_day", area | home | day


def _measured(
    tenant: Tenant, whose: dict[str, Any], now: datetime
) -> Iterator[tuple[str, dict[str, Any]]]:
    ago, measure = now - timedelta(hours=1), MEASURE_BY_KEY["bed_state"].code
    value = {"measure": measure, "state": tenant.kept, "quality": 0, "received_at": ago}
    stored = {"observed_at": ago, "message_key": 1, "batch_id": 0}
    yield "observation", whose | value | stored
    without = {name: whose[name] for name in ("area_id", "device_id")}
    yield "device_last", without | value | {"observed_at": ago}
    counted = {"observations": 1, "good": 1, "usable": 1, "last_state": tenant.kept}
    bucket = {"bucket_at": ago.replace(minute=0, second=0, microsecond=0), "measure": measure}
    yield "history_hour", whose | counted | bucket
    yield "history_day", whose | counted | bucket


def _happened(
    tenant: Tenant, area: dict[str, Any], now: datetime
) -> Iterator[tuple[str, dict[str, Any]]]:
    kept, ago = tenant.kept, now - timedelta(hours=1)
    subject = {"subject_kind": "person", "subject_id": tenant.id("person")}
    about = {noun: tenant.id(noun.removesuffix("_id")) for noun in
             ("person_id", "premises_id", "device_id")}  # fmt: skip
    kind = {"kind": "press", "category": "personal", "priority": "high"}
    incident = {"incident_id": tenant.id("incident")}
    stands = {"state": "raised", "opened_at": ago, "last_alarm_at": ago, "alarm_count": 1,
              "step": 0, "silent": False, "revision": 1, "note": kept,
              "next_deadline_at": now + timedelta(days=1)}  # fmt: skip
    yield "incident", area | subject | about | kind | incident | stands
    alarm = {
        "alarm_id": tenant.id("alarm"),
        "grouping_reason": "opened",
        "action": "emergency",
        "received_at": ago,
        "flags": [],
        "text": kept,
        "evidence": Jsonb({"note": kept}),
    }
    yield "alarm", area | subject | about | kind | incident | alarm
    letter = {"channel": "webhook", "recipient": kept, "kind": "ring", "urgency": 1,
              "body": Jsonb({"text": kept}), "state": "failed", "attempts": 9, "created_at": ago,
              "due_at": ago, "settled_at": ago, "detail": kept}  # fmt: skip
    yield "notification", area | incident | letter
    finding = {"finding_id": tenant.id("finding"), "detector": "silence", "phase": "confirmed",
               "key": kept, "at": ago, "ask_s": 0, "evidence": Jsonb({}), "text": kept,
               "reason": "recorded"}  # fmt: skip
    yield "finding", area | subject | about | kind | finding
    yield "audit_log", area | incident | {
        "at": ago, "actor_kind": "account", "actor_id": tenant.id("account"), "actor_name": kept,
        "action": "look", "detail": Jsonb({"note": kept}),
    }  # fmt: skip
    yield "quarantine", area | {
        "lane": "alarm", "topic": kept, "device_id": tenant.id("device"),
        "message_key": TENANTS.index(tenant),
        "reason": kept, "payload": kept.encode(), "received_at": ago,
    }  # fmt: skip
    yield "maintenance", area | {
        "kinds": [], "why": kept, "by_kind": "account", "by_id": tenant.id("account"),
        "by_name": kept, "from_at": ago, "until_at": now + timedelta(days=1), "created_at": ago,
    }  # fmt: skip
    outage = {"outage_id": tenant.id("outage")}
    yield "area_outage", area | outage | {"began_at": ago, "most": 1}
    silent = {"device_id": tenant.id("device"), "heard_at": ago}
    yield "area_outage_device", area | outage | silent


def _account(account_id: str, area_id: str, role: str) -> dict[str, Any]:
    who = {"account_id": account_id, "username": account_id, "name": account_id, "role": role}
    return who | {"area_id": area_id, "password_hash": QUICK_HASH, "language": "en"}


def _insert(connection: Connection, table: str, row: dict[str, Any]) -> None:
    query = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(map(sql.Placeholder, row)),
    )
    connection.execute(query, row)


def possessions(connection: Connection, tenants: tuple[Tenant, ...]) -> dict[str, list[str]]:
    """Every row of the tenants' areas or with one of their marks, by table, as text."""
    tables = connection.execute(
        "SELECT table_name, bool_or(column_name = 'area_id') FROM information_schema.columns"
        " JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE' GROUP BY 1"
    ).fetchall()
    areas = sorted({tenant.area_id for tenant in tenants} | {"zqwest-1"})
    marks = [f"%{tenant.kept}%" for tenant in tenants]
    found: dict[str, list[str]] = {}
    for table, has_area in tables:
        of_area = sql.SQL("area_id = ANY(%(areas)s) OR ") if has_area else sql.SQL("")
        query = sql.SQL(
            "SELECT t::text FROM {} t WHERE {} t::text LIKE ANY(%(marks)s) ORDER BY 1"
        ).format(sql.Identifier(table), of_area)
        rows = connection.execute(query, {"areas": areas, "marks": marks}).fetchall()
        found[table] = [row[0] for row in rows]
    return found
