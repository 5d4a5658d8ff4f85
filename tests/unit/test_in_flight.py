"""What is recorded first when a thousand alarms wait."""

from alerts.actions import Verb
from alerts.alarm import Priority
from hub.in_flight import Entry, InFlight
from hub.store.cases import ActionItem, AlarmItem
from schemas.ids import IncidentId
from tests.scenes import START, action, alarm

HIGH, MEDIUM = Priority.HIGH, Priority.MEDIUM


def press(number: int, incident: str, priority: Priority) -> Entry:
    item = AlarmItem(alarm(number, priority=priority))
    return Entry(item, 0.0, key=str(number), provisional_id=IncidentId(incident))


def deed(verb: Verb, incident: str) -> Entry:
    item = ActionItem(action(verb, incident, START))
    return Entry(item, 0.0, key=f"{verb} {incident}")


def recorded(*entries: Entry) -> list[str]:
    """Their keys in the order in which they are recorded, two at a time."""
    waiting = InFlight()
    for entry in entries:
        waiting.add(entry)
    order = []
    while batch := waiting.take(2):
        order += [entry.key for entry in batch]
        for entry in batch:
            waiting.forget(entry)
    return order


def test_high_priority_and_what_humans_did_overtake_the_rest() -> None:
    order = recorded(
        press(1, "a", MEDIUM), press(2, "b", MEDIUM), press(3, "c", HIGH),
        deed(Verb.ACKNOWLEDGE, "old"), press(4, "d", HIGH),
    )  # fmt: skip
    assert order == ["3", "acknowledge old", "4", "1", "2"]


def test_of_one_incident_nothing_overtakes_anything() -> None:
    """A resolve must never take a press with it that came later, nor one that waits."""
    order = recorded(
        press(1, "a", MEDIUM), deed(Verb.ACKNOWLEDGE, "a"), press(2, "a", HIGH),
        deed(Verb.RESOLVE, "b"), press(3, "b", HIGH),
    )  # fmt: skip
    assert order == ["resolve b", "3", "1", "acknowledge a", "2"]
