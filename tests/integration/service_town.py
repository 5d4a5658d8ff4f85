"""A small town whose figures can be counted on the fingers."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from hub.database import Session
from hub.fact_keeping import FactKeeping

MORNING = datetime(2026, 3, 2, 2, tzinfo=UTC)
"""Ten o'clock in Beijing, Monday."""
PLACES = """
INSERT INTO area (area_id, parent_id, name, level) VALUES
    ('city', NULL, 'City', 'city'), ('east', 'city', 'East', 'county'),
    ('east-1', 'east', 'East 1', 'street'), ('west', 'city', 'West', 'county');
UPDATE area SET time_zone = 'Asia/Urumqi' WHERE area_id = 'west';
INSERT INTO premises (premises_id, area_id, address) VALUES ('home-1', 'east-1', '1 Lake Road');
INSERT INTO person (person_id, area_id, premises_id, name) VALUES
    ('anna', 'east-1', 'home-1', '安娜'), ('ben', 'east-1', 'home-1', 'Ben');
INSERT INTO device (device_id, area_id, premises_id, person_id, kind, secret_sha256, model) VALUES
    ('button-1', 'east-1', 'home-1', 'anna', 'button', 'x', 'SOS-7'),
    ('band-1', 'east-1', 'home-1', 'ben', 'wristband', 'x', NULL);
INSERT INTO device_last (device_id, measure, area_id, observed_at, received_at, state, quality)
VALUES ('button-1', 47, 'east-1', now(), now(), '2.4.1', 0)
"""
INCIDENT = (
    "INSERT INTO incident (incident_id, area_id, subject_kind, subject_id, state, category,"
    " priority, kind, opened_at, last_alarm_at, alarm_count, step, silent, revision,"
    " next_deadline_at, person_id, device_id, outcome, resolved_at, drill, arrive_by)"
    " VALUES (%(id)s, %(area)s, 'person', %(id)s, %(state)s, %(category)s, %(priority)s, %(kind)s,"
    " %(at)s, %(at)s, 1, 1, false, 1, %(deadline)s, %(person)s, %(device)s, %(outcome)s,"
    " %(resolved_at)s, %(drill)s, %(arrive_by)s)"
)
ALARM = (
    "INSERT INTO alarm (alarm_id, area_id, incident_id, grouping_reason, subject_kind, subject_id,"
    " device_id, person_id, kind, category, priority, received_at, flags, text)"
    " VALUES (%(id)s, %(area)s, %(id)s, %(grouping)s, 'person', %(id)s, %(device)s, %(person)s,"
    " %(kind)s, %(category)s, %(priority)s, %(at)s, '{}', '')"
)
LOG = (
    "INSERT INTO audit_log (at, area_id, incident_id, actor_kind, actor_id, actor_name, action,"
    " reason) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
)
RING = (
    "INSERT INTO notification (area_id, incident_id, channel, recipient, kind, urgency, body,"
    " state, created_at, due_at, settled_at, reason)"
    " VALUES (%s, %s, %s, 'r', 'ring', 0, '{}', %s, %s, %s, %s, %s)"
)


class Town:
    """What happened there, written as the hub writes it."""

    def __init__(self, url: str) -> None:
        self.url = url
        with psycopg.connect(url) as connection:
            connection.execute(PLACES)

    def incident(self, name: str, **told: Any) -> None:
        """An incident with what was done about it, in seconds after it opened."""
        facts: dict[str, Any] = {
            "id": name, "area": "east-1", "category": "personal", "priority": "high",
            "kind": "press", "at": MORNING, "person": "anna", "device": "button-1",
            "outcome": "helped", "drill": False, "grouping": "opened", "by": "lin",
        } | told  # fmt: skip
        at = facts["at"]

        def after(key: str, usual: float | None = None) -> datetime | None:
            seconds = facts.get(key, usual)
            return None if seconds is None else at + timedelta(seconds=seconds)

        is_open = facts["outcome"] is None
        facts |= {
            "state": "raised" if is_open else "resolved",
            "deadline": at if is_open else None,
            "resolved_at": None if is_open else after("resolved", 1800),
            "arrive_by": None if facts["category"] == "technical" else after("within", 900),
        }
        with psycopg.connect(self.url) as connection:
            connection.execute(INCIDENT, facts)
            connection.execute(ALARM, facts)
            lines: list[tuple[Any, ...]] = [
                (at, "device", "button-1", None, "alarm", facts["grouping"])
            ]
            for key, action in (("answered", "acknowledge"), ("attended", "attend")):
                if (moment := after(key)) is not None:
                    lines.append(
                        (moment, "account", facts["by"], facts["by"].title(), action, None)
                    )
            if not is_open and facts["by"] is not None:
                lines.append((facts["resolved_at"], "account", facts["by"], "L", "resolve", None))
            for moment, reason in facts.get("rang_again", ()):
                lines.append((at + timedelta(seconds=moment), "hub", "x", None, "escalate", reason))
            for moment, kind, actor, who, action, reason in lines:
                connection.execute(
                    LOG, (moment, facts["area"], name, kind, actor, who, action, reason)
                )
            for channel, state, seconds, reason in facts.get("told", ()):
                settled = at + timedelta(seconds=seconds)
                connection.execute(
                    RING, (facts["area"], name, channel, state, at, at, settled, reason)
                )

    def counted(self, now: datetime = MORNING + timedelta(days=1)) -> int:
        """The worker has looked; at how many incidents."""
        return asyncio.run(self.counts(now))

    async def counts(self, now: datetime = MORNING + timedelta(days=1)) -> int:
        """The same for whoever has a loop already."""

        class Standing:
            def now(self) -> datetime:
                return now

        session = Session(self.url)
        looked = await FactKeeping(session, Standing()).catch_up()
        await session.close()
        return looked


def usual_days(town: Town) -> None:
    """A Monday, mostly."""
    town.incident("i-1", answered=20, attended=600, told=[("desk", "sent", 1.5, "taken")])
    town.incident(
        "i-2", answered=100, outcome="false_alarm", by="wang",
        rang_again=[(50, "next_step"), (700, "lease_lapsed")],
        told=[("desk", "sent", 2.5, "taken"), ("sms", "failed", 9, "refused")],
    )  # fmt: skip
    town.incident("i-3", area="east", outcome=None, by=None, device="unknown-1", person=None)
    town.incident("practice", drill=True, answered=1, attended=2)
    town.incident("tested", outcome="test", answered=1)
    town.incident("late-evening", area="west", at=datetime(2026, 3, 1, 16, 30, tzinfo=UTC),
                  answered=200, attended=1200, person=None, device="unknown-2")  # fmt: skip
    town.incident("asked", kind="fall", grouping="asked", outcome="withdrawn", by=None,
                  device="band-1", person="ben", category="physiological")  # fmt: skip
    town.incident("flat", category="technical", kind="battery_low", outcome="fixed", answered=4000)
    town.incident("i-4", at=MORNING + timedelta(days=1), answered=61, outcome="false_alarm")
    town.incident("i-5", at=MORNING + timedelta(days=1, hours=1), answered=5, outcome="false_alarm")
