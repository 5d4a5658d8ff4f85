"""Many faults that end by themselves at once: each is told to whom it was told, nobody else."""

from datetime import UTC, datetime, timedelta

import psycopg

from alerts.alarm import Alarm, Category, Priority, Subject, SubjectKind
from hub.store.cases import AlarmItem, ClearItem, record
from schemas.ids import AlarmId, AreaId, DeviceId, PremisesId

DEVICES = 40
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)

REGISTER = f"""
INSERT INTO area (area_id, name) VALUES ('city', 'City');
INSERT INTO premises (premises_id, area_id, address) VALUES ('home', 'city', '1 Lake Road');
INSERT INTO device (device_id, area_id, premises_id, kind, label, secret_sha256)
SELECT 'band-' || i, 'city', 'home', 'wristband', '', 'x' FROM generate_series(1, {DEVICES}) i;
"""
RINGS = """
INSERT INTO notification (area_id, incident_id, channel, channels, recipient, kind, urgency, body,
    state, created_at, due_at, settled_at, sent_at)
SELECT 'city', incident_id, told.channel, '{}', who || subject_id, 'ring', 5, '{}', told.state,
    now(), now(), CASE told.state WHEN 'sent' THEN now() END,
    CASE told.state WHEN 'sent' THEN now() END
FROM incident, (VALUES ('sms', 'contact:', 'sent'), ('sms', 'responder:', 'pending'),
    ('desk', 'account:', 'sent')) AS told (channel, who, state);
"""
TOLD = """
SELECT i.subject_id, n.recipient, n.kind, n.state, n.settled_at, n.channel
FROM notification n JOIN incident i USING (incident_id)
WHERE n.kind = 'over' OR n.state = 'superseded'
ORDER BY n.notification_id
"""


def silence(number: int, tag: str) -> Alarm:
    device = DeviceId(f"band-{number}")
    return Alarm(
        id=AlarmId(f"{tag}{number:015x}"), area_id=AreaId("city"),
        subject=Subject(SubjectKind.DEVICE, device), device_id=device, person_id=None,
        premises_id=PremisesId("home"), kind="device_silent", category=Category.TECHNICAL,
        priority=Priority.LOW, action=None, message_id=None, observed_at=None,
        received_at=NOW + timedelta(seconds=number),
    )  # fmt: skip


async def test_each_is_told_to_whom_it_was_told_and_what_waited_is_not_sent(
    database_url: str,
) -> None:
    with psycopg.connect(database_url) as rows:
        rows.execute(REGISTER.encode())
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        silent = [silence(number, "a") for number in range(1, DEVICES + 1)]
        await record(connection, [AlarmItem(alarm) for alarm in silent])
        await connection.execute(RINGS.encode())
        await connection.commit()
        back = [silence(number, "c") for number in range(1, DEVICES)]
        results = await record(connection, [ClearItem(alarm.subject, alarm) for alarm in back])
    assert all(r.incident is not None and not r.incident.open for r in results)
    with psycopg.connect(database_url) as rows:
        told = rows.execute(TOLD.encode()).fetchall()
        still = rows.execute("SELECT subject_id FROM incident WHERE state <> 'resolved'").fetchall()
    assert still == [(f"band-{DEVICES}",)]
    over = [row for row in told if row[2] == "over"]
    assert {row[:2] for row in over} == {
        (alarm.subject.id, f"contact:{alarm.subject.id}") for alarm in back
    }
    assert len(over) == len(back)
    assert {row[3:] for row in over} == {("pending", None, "sms")}
    stopped = {row[0]: (row[1], row[4]) for row in told if row[3] == "superseded"}
    assert stopped == {
        alarm.subject.id: (f"responder:{alarm.subject.id}", alarm.received_at) for alarm in back
    }
