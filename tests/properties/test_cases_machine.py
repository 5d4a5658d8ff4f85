"""Presses, deeds, ladder and courier in any order against a real database, on a hand-moved clock.

Batches are tried again as after a lost answer to COMMIT, transactions are rolled back, devices
repeat and the broker delivers again. After every step the promises are read from the tables.
"""

import itertools
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import Phase as Trying
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from alerts.actions import CallResult, Verb
from alerts.alarm import Alarm, Category, Priority, Subject, SubjectKind
from alerts.delivery import Reason, not_taken
from alerts.delivery import taken as taken_by
from alerts.incident import HUMAN_OUTCOMES, Outcome
from alerts.ladders import SHIPPED
from alerts.notification import Notification, NotificationState
from alerts.policy import ChannelName
from alerts.responders import Actor, ActorKind
from hub.detect.button import subject_of
from hub.detect.detector import Finding, Phase
from hub.findings import item_of
from hub.store.cases import ActionItem, AlarmItem, ClearItem, Item, Recorded, record
from hub.store.escalation import PostgresEscalation
from hub.store.outbox import LEASE_S, PostgresOutbox
from schemas.identity import DERIVED_REPEAT_S
from schemas.ids import AlarmId, DeviceId, PremisesId
from tests.properties.cases_ground import CLEAN, Ground, ground
from tests.scenes import LIN, ROOT, WU, HandClock, action, delivery, register, taken

DEVICES = ("button-1", "band-1", "button-2", "stranger-1")
LONGEST_WAIT_S = max(max(p.acknowledged_lease_s, p.attended_lease_s) for p in SHIPPED.values())
MEI = Actor(ActorKind.CONTACT, "c-1", "Mei")
CHEN = Actor(ActorKind.RESPONDER, "r-1", "Chen")
TRIED = (Trying.explicit, Trying.reuse, Trying.generate)
"""Shrinking takes minutes here; with `Trying.shrink` added, the kept example is made smaller."""


class RolledBack(Exception):
    """The transaction must not take effect."""


@dataclass(slots=True)
class Expected:
    """What the tables must hold, from what was committed."""

    alarms: set[str] = field(default_factory=set)
    occurrences: dict[str, tuple[int, Any]] = field(default_factory=dict)
    deeds: set[str] = field(default_factory=set)
    findings: set[str] = field(default_factory=set)

    def commit(self, item: Item) -> None:
        if not isinstance(item, ActionItem) and item.found is not None:
            self.findings.add(item.found.id)
        if isinstance(item, ActionItem):
            self.deeds.add(item.action.id)
        elif isinstance(item, AlarmItem) and not item.derived:
            self.alarms.add(item.alarm.id)
        elif isinstance(item, AlarmItem):
            self._commit_derived(item.alarm)

    def _commit_derived(self, alarm: Alarm) -> None:
        """The same bytes within a minute of the press they were taken for are that press, whichever
        way the clock went meanwhile."""
        number, began_at = self.occurrences.get(alarm.id, (0, None))
        at = alarm.received_at
        if began_at is None or abs(at - began_at) > timedelta(seconds=DERIVED_REPEAT_S):
            self.occurrences[alarm.id] = (number + 1, at)

    @property
    def alarm_count(self) -> int:
        return len(self.alarms) + sum(number for number, _ in self.occurrences.values())


class CasesMachine(RuleBasedStateMachine):
    """One neighbourhood from quiet to quiet."""

    place: ClassVar[Ground]

    def __init__(self) -> None:
        super().__init__()
        self.clock = HandClock()
        self.waiting: list[Item] = []
        self.history: list[AlarmItem] = []
        self.expected = Expected()
        self.numbers = itertools.count(1)
        self.log_length = 0
        self.leased: dict[int, Any] = {}
        self.place.rows(CLEAN)
        self.escalation = PostgresEscalation(
            self.place.pool, frozenset(ChannelName), monotonic_s=lambda: 0.0
        )
        self.outbox = PostgresOutbox(self.place.pool)

    # What devices, people and time do

    @rule(
        device=st.sampled_from(DEVICES),
        number=st.none() | st.integers(1, 4),
        deed=st.sampled_from(["emergency", "emergency", "help", "cancel", "test"]),
        age_s=st.sampled_from([0, 0, 5, 86_400]),
        duress=st.booleans(),
    )
    def press(self, device: str, number: int | None, deed: str, age_s: int, duress: bool) -> None:
        fields: dict[str, Any] = {"action": deed}
        if number is not None:
            fields["message_id"] = str(number)
            at = self.clock.now() - timedelta(seconds=age_s)
            fields["observed_at"] = at.isoformat()
        if duress and deed == "cancel":
            fields["duress"] = True
        self._arrive(taken(delivery(device, **fields), self.clock.now()))

    @rule(device=st.sampled_from(DEVICES), payload=st.sampled_from([b"\xff\x00", b"[]", b"?"]))
    def unreadable(self, device: str, payload: bytes) -> None:
        self._arrive(taken(delivery(device, payload=payload), self.clock.now()))

    @precondition(lambda self: self.history)
    @rule(data=st.data())
    def deliver_again(self, data: st.DataObject) -> None:
        """The broker or the device: the same message, now."""
        item = data.draw(st.sampled_from(self.history))
        again = replace(item.alarm, received_at=self.clock.now())
        self._arrive(replace(item, alarm=again))

    @rule(device=st.sampled_from(DEVICES[:2]), over=st.booleans())
    def silence(self, device: str, over: bool) -> None:
        number = next(self.numbers)
        subject = Subject(SubjectKind.DEVICE, device)
        found = Alarm(
            id=AlarmId(f"5{number:029x}"),
            area_id=ROOT,
            subject=subject,
            device_id=DeviceId(device),
            person_id=None,
            premises_id=PremisesId("home-1"),
            kind="device_silent",
            category=Category.TECHNICAL,
            priority=Priority.LOW,
            action=None,
            message_id=None,
            observed_at=None,
            received_at=self.clock.now(),
        )
        self.waiting.append(ClearItem(subject, found) if over else AlarmItem(found))

    @rule(
        device=st.sampled_from(DEVICES[:3]),
        detector=st.sampled_from(["fall", "inactivity", "heart_rate"]),
        phase=st.sampled_from(Phase),
        priority=st.sampled_from(Priority),
        key=st.integers(1, 3),
        ask_s=st.sampled_from([0, 0, 30, 1800]),
    )
    def found(
        self, device: str, detector: str, phase: Phase, priority: Priority, key: int, ask_s: int
    ) -> None:
        """A detector claims, or takes back."""
        known = register().devices[DeviceId(device)]
        home = detector == "inactivity"
        subject = Subject(SubjectKind.PREMISES, known.premises_id)
        finding = Finding(
            detector=detector,
            kind=detector,
            phase=phase,
            category=Category.PHYSIOLOGICAL if detector == "heart_rate" else Category.PERSONAL,
            priority=priority,
            subject=subject if home else subject_of(known),
            key=str(key),
            at=self.clock.now(),
            text="",
            ask_s=0 if phase is Phase.WITHDRAWN else ask_s,
        )
        self.waiting.append(item_of(known, finding))

    @rule(
        data=st.data(),
        verb=st.sampled_from(Verb),
        by=st.sampled_from([LIN, LIN, WU, MEI, CHEN]),
        outcome=st.sampled_from([Outcome.HELPED, Outcome.TEST, Outcome.CLEARED]),
    )
    def act(self, data: st.DataObject, verb: Verb, by: Any, outcome: Outcome) -> None:
        known = self.place.rows("SELECT incident_id FROM incident ORDER BY 1")
        ids = [row["incident_id"] for row in known]
        ids += [item.alarm.id for item in self.waiting if isinstance(item, AlarmItem)][:1]
        if not ids:
            return
        chosen = data.draw(st.sampled_from(ids))
        deed = action(
            verb,
            chosen,
            self.clock.now(),
            by=by,
            number=next(self.numbers),
            outcome=outcome,
            expected_arrival_s=300,
            note="seen",
            whom=CHEN if verb is Verb.ADD_RESPONDER else None,
            service="120",
            result=CallResult.NO_REPLY,
        )
        self.waiting.append(ActionItem(deed))

    @rule(seconds=st.sampled_from([1, 31, 59, 61, 120, 700, 4000, 90_000]))
    def time_passes(self, seconds: int) -> None:
        self.clock.pass_time(seconds)

    # What the hub does

    @precondition(lambda self: self.waiting)
    @rule(fate=st.sampled_from(["committed", "rolled back", "answer lost"]))
    def record(self, fate: str) -> None:
        """One batch, one transaction. Both lanes try a batch again whole until they know."""
        items = list(self.waiting)
        if fate == "rolled back":
            with pytest.raises(RolledBack):
                self.place.run(lambda connection: _recorded(connection, items, keep=False))
            return
        results = self.place.run(lambda connection: _recorded(connection, items))
        for item, recorded in zip(items, results, strict=True):
            if recorded.refusal is None or recorded.incident is not None:
                self.expected.commit(item)
        if fate == "committed":
            self.waiting.clear()
            return
        again = self.place.run(lambda connection: _recorded(connection, items))
        self._same_answers(results, again)
        self.waiting.clear()

    def _same_answers(self, first: list[Recorded], again: list[Recorded]) -> None:
        for one, other in zip(first, again, strict=True):
            match one.item:
                case AlarmItem(derived=False):
                    assert other.duplicate
                case ActionItem() if one.incident is not None:
                    assert other.duplicate
                    assert (one.refusal is None) == (other.refusal is None)
                    assert type(one.refusal) is type(other.refusal)

    @rule()
    def climb(self) -> None:
        self._climb()

    @rule(word=st.sampled_from(["sent", "busy", "died"]))
    def courier(self, word: str) -> None:
        now = self.clock.now()
        claimed = self.place.runner.run(self.outbox.claim_due(ChannelName.DESK, now, 5))
        assert [n.urgency for n in claimed] == sorted(n.urgency for n in claimed)
        for notification in claimed:
            until = self.leased.get(notification.id)
            assert until is None or until <= now, "claimed under a living lease"
            self.leased[notification.id] = now + timedelta(seconds=LEASE_S)
            if word != "died":
                self._settle(notification, word)

    def _settle(self, notification: Notification, word: str) -> None:
        now = self.clock.now()
        outcome = not_taken(notification, Reason.FAILED, now, detail=word)
        if word == "sent":
            outcome = taken_by(
                notification, now, word=word, address="", provider_id=None, receipt_within_s=None
            )
        self.place.runner.run(self.outbox.settle([(notification, outcome)], now))
        if outcome.state is NotificationState.PENDING:
            self.leased[notification.id] = outcome.due_at
        else:
            del self.leased[notification.id]

    # What must hold

    @invariant()
    def every_press_is_one_alarm(self) -> None:
        found = self.place.rows("SELECT alarm_id FROM alarm WHERE kind <> 'device_silent'")
        ids = {row["alarm_id"] for row in found}
        technical = {i for i in self.expected.alarms if i.startswith("5") and len(i) == 30}
        assert self.expected.alarms - technical <= ids | technical
        (count,) = self.place.rows("SELECT count(*) FROM alarm")
        assert count["count"] == self.expected.alarm_count

    @invariant()
    def every_alarm_that_rings_is_in_one_incident(self) -> None:
        lost = self.place.rows(
            "SELECT alarm_id FROM alarm WHERE incident_id IS NULL"
            " AND (action IS NULL OR action IN ('emergency', 'help') OR 'duress' = ANY(flags))"
            " AND grouping_reason NOT IN ('not_served', 'not_at_home')"
        )
        assert not lost
        wrong = self.place.rows(
            "SELECT i.incident_id, i.alarm_count, count(*) FROM incident i JOIN alarm a"
            " ON a.incident_id = i.incident_id AND (a.action IS DISTINCT FROM 'cancel'"
            " OR 'duress' = ANY(a.flags)) GROUP BY 1, 2 HAVING i.alarm_count <> count(*)"
        )
        assert not wrong
        elsewhere = self.place.rows(
            "SELECT 1 FROM incident i LEFT JOIN alarm a ON a.alarm_id = i.incident_id"
            " WHERE a.incident_id IS DISTINCT FROM i.incident_id"
        )
        assert not elsewhere, "an incident's id is its first alarm's id"

    @invariant()
    def one_open_incident_a_subject_and_none_without_a_deadline(self) -> None:
        assert not self.place.rows(
            "SELECT 1 FROM incident WHERE state <> 'resolved'"
            " GROUP BY subject_kind, subject_id HAVING count(*) > 1"
        )
        assert not self.place.rows(
            "SELECT 1 FROM incident WHERE (state = 'resolved') <> (next_deadline_at IS NULL)"
        )

    @invariant()
    def only_humans_resolve_what_concerns_a_person(self) -> None:
        for row in self.place.rows(
            "SELECT i.category, i.outcome, (SELECT count(*) FROM audit_log l"
            " WHERE l.incident_id = i.incident_id AND l.actor_kind = 'account'"
            " AND l.action = 'resolve') AS resolved, (SELECT count(*) FROM audit_log l"
            " WHERE l.incident_id = i.incident_id AND l.action = 'reopen') AS reopened,"
            " (SELECT count(*) FROM notification n"
            " WHERE n.incident_id = i.incident_id AND n.kind = 'ring') AS rung"
            " FROM incident i WHERE state = 'resolved'"
        ):
            if row["category"] == "technical" and row["outcome"] == "cleared":
                assert row["resolved"] <= row["reopened"]
            elif row["outcome"] == "withdrawn":
                assert (row["resolved"], row["rung"]) == (0, 0), "nobody had been woken"
            else:
                assert row["outcome"] in HUMAN_OUTCOMES
                assert 1 <= row["resolved"] <= row["reopened"] + 1

    @invariant()
    def a_ladder_is_written_down_and_responders_are_there_once(self) -> None:
        assert not self.place.rows("SELECT 1 FROM incident WHERE ladder IS NULL")
        for row in self.place.rows(
            "SELECT i.incident_id, i.state, i.owner_id, jsonb_array_length(i.responders) AS listed,"
            " count(r.*) AS kept FROM incident i LEFT JOIN incident_responder r"
            " USING (incident_id) GROUP BY 1"
        ):
            assert row["listed"] == row["kept"]
        assert not self.place.rows(
            "SELECT 1 FROM incident WHERE lease_until IS NOT NULL"
            " AND state NOT IN ('acknowledged', 'attended')"
        )

    @invariant()
    def every_deed_is_recorded_once(self) -> None:
        deeds = {row["action_id"] for row in self.place.rows("SELECT action_id FROM desk_action")}
        assert deeds == self.expected.deeds
        (logged,) = self.place.rows(
            "SELECT count(*) FROM audit_log WHERE actor_kind IN ('account', 'contact', 'responder')"
        )
        assert logged["count"] == len(deeds)
        (alarms,) = self.place.rows("SELECT count(*) FROM audit_log WHERE action = 'alarm'")
        assert alarms["count"] == self.expected.alarm_count

    @invariant()
    def every_finding_is_recorded_once(self) -> None:
        known = {row["finding_id"] for row in self.place.rows("SELECT finding_id FROM finding")}
        assert known == self.expected.findings

    @invariant()
    def nobody_is_asked_about_what_is_settled(self) -> None:
        assert not self.place.rows(
            "SELECT 1 FROM notification n JOIN incident i USING (incident_id)"
            " WHERE n.kind = 'check_in' AND n.state = 'pending' AND i.state <> 'checking'"
        )
        assert not self.place.rows(
            "SELECT 1 FROM incident i WHERE state = 'checking' AND NOT EXISTS (SELECT 1"
            " FROM notification n WHERE n.incident_id = i.incident_id AND n.kind = 'check_in')"
        ), "whoever is being asked was asked"

    @invariant()
    def the_log_only_grows(self) -> None:
        (row,) = self.place.rows("SELECT count(*) FROM audit_log")
        assert row["count"] >= self.log_length
        self.log_length = row["count"]

    @invariant()
    def duress_shows_nothing_at_home(self) -> None:
        assert not self.place.rows(
            "SELECT 1 FROM notification n JOIN incident i USING (incident_id) WHERE i.silent"
            " AND n.channel = 'device' AND n.created_at > (SELECT min(received_at) FROM alarm a"
            " WHERE a.incident_id = i.incident_id AND 'duress' = ANY(a.flags))"
        )

    def teardown(self) -> None:
        """Whatever happened, the ladder is not silent: after the longest wait somebody is told."""
        self.clock.pass_time(LONGEST_WAIT_S + 1)
        self._climb()
        told = self.place.rows(
            "SELECT incident_id FROM notification WHERE kind = 'ring' AND"
            " (created_at = %(now)s OR due_at = %(now)s OR state = 'pending')",
            now=self.clock.now(),
        )
        still_open = self.place.rows("SELECT incident_id FROM incident WHERE state <> 'resolved'")
        assert {r["incident_id"] for r in still_open} == {r["incident_id"] for r in told}

    def _arrive(self, item: AlarmItem) -> None:
        self.waiting.append(item)
        self.history.append(item)

    def _climb(self) -> None:
        now = self.clock.now()
        decisions = self.place.runner.run(self.escalation.climb_due(now, 1000))
        assert all(decision.told for decision in decisions)
        assert not self.place.rows(
            "SELECT 1 FROM incident WHERE state <> 'resolved' AND next_deadline_at <= %(now)s",
            now=now,
        )


async def _recorded(
    connection: psycopg.AsyncConnection[Any], items: list[Item], *, keep: bool = True
) -> list[Recorded]:
    results = await record(connection, items)
    if not keep:
        raise RolledBack
    return results


def test_a_backlog_of_minutes_tried_again_counts_no_press_twice(database_url: str) -> None:
    with ground(database_url) as place:
        CasesMachine.place = place
        machine = CasesMachine()
        for seconds in (0, 30, 45, 61, 3600, 5):
            machine.clock.pass_time(seconds)
            machine.unreadable(device="button-2", payload=b"?")
        machine.record(fate="answer lost")
        machine.every_press_is_one_alarm()
        machine.every_deed_is_recorded_once()


def test_what_ended_by_itself_rings_nobody_any_more(database_url: str) -> None:
    with ground(database_url) as place:
        CasesMachine.place = place
        machine = CasesMachine()
        for over in (False, True):
            machine.silence(device="button-1", over=over)
            machine.record(fate="committed")
            machine.climb()
            if not over:
                assert place.rows("SELECT 1 FROM notification WHERE state = 'pending'")
        assert not place.rows("SELECT 1 FROM notification WHERE state = 'pending'")


@pytest.mark.slow
def test_any_order_of_events(database_url: str) -> None:
    with ground(database_url) as place:
        CasesMachine.place = place
        run_state_machine_as_test(
            CasesMachine,
            settings=settings(
                max_examples=40,
                stateful_step_count=25,
                deadline=None,
                phases=TRIED,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
