"""The whole way from a press to a telephone, with everything going wrong at any moment.

To what `CasesMachine` does come connections that die before or after any statement (also between a
provider's "taken" and the row that says so), processes that are killed and started anew, providers
that fail, refuse, have no room, hang or stumble, receipts that come late, twice and in the wrong
order, a database that is away, ladders and people that change, a clock that is set forward and
back. `pytest --hypothesis-profile=long tests/properties` runs it for minutes (CONTRIBUTING.md).
"""

from datetime import timedelta
from typing import Any, ClassVar, cast

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

from alerts.actions import Verb
from alerts.delivery import LONGEST_DELAY_S
from alerts.policy import DISPATCHERS, PHONES, ChannelName, Policy, Step, Target, to_data
from hub.store.audit import verify
from hub.store.audit_seal import seal_some
from hub.store.cases import ActionItem, Recorded, record
from hub.store.setback import JITTER, LEASE_SLACK, LOOK_EVERY
from tests.conftest import long_run
from tests.properties.cases_ground import Ground, ground
from tests.properties.test_cases_machine import LONGEST_WAIT_S, CasesMachine
from tests.properties.unsteady import Fate, Mood, MortalConnection, Teller, buried, mortal_pool

FORGET = (
    "SET session_replication_role = replica; TRUNCATE audit_block, audit_awaited, policy;"
    " UPDATE person SET state = 'home'; SET session_replication_role = origin"
)
NEIGHBOURS = """
INSERT INTO person_contact (person_id, place, area_id, name, relation, phone, contact_id)
VALUES ('anna', 1, 'city', 'Mei', 'daughter', '+86 138 0000 0001', 'c-1'),
    ('anna', 2, 'city', 'Jun', 'nephew', '+86 138 0000 0002', 'c-2');
INSERT INTO account (account_id, area_id, username, name, password_hash, role, language, phone)
VALUES ('lin', 'city', 'lin', 'Lin', '', 'dispatcher', 'zh-CN', '+86 137 0000 0001'),
    ('wu', 'city', 'wu', 'Wu', '', 'dispatcher', 'zh-CN', '+86 137 0000 0002');
INSERT INTO responder (responder_id, area_id, kind, name, phone, latitude, longitude)
VALUES ('r-1', 'city', 'person', 'Chen', '+86 139 0000 0001', 30.001, 120.001);
INSERT INTO rota_change (area_id, duty, account_id, from_at, until_at, created_at, created_by)
VALUES ('city', 'second', 'wu', '2026-01-01', '2027-01-01', now(), 'test');
UPDATE premises SET latitude = 30.0, longitude = 120.0
"""
_DESK = Target(DISPATCHERS)
LADDERS = {
    "family alone": Policy((Step((Target("family", PHONES),), 60),), 600, 3600),
    "one after the other": Policy(
        (
            Step((Target("family:1", PHONES),), 30),
            Step((Target("nearest", (ChannelName.SMS,)),), 30),
            Step((_DESK,), 60),
        ),
        300, 900, responder_stops_ladder=True,
    ),
    "nobody but the last": Policy(
        (
            Step((Target("family:7", PHONES),), 300),
            Step((Target("account:gone", PHONES),), 300),
            Step((_DESK, Target("on_duty:second", (ChannelName.VOICE,))), 60),
        ),
        300, 900,
    ),
}  # fmt: skip
FATES = st.none() | st.integers(0, 16)
ENDED_WELL = {"sent", "superseded"}


class LadderMachine(CasesMachine):
    """One neighbourhood, and a hub that may be killed at any statement."""

    teller: ClassVar[Teller]
    fate: ClassVar[Fate]

    def __init__(self) -> None:
        super().__init__()
        self.place.rows(FORGET)
        self.fate.after, self.fate.away = None, False
        for provider in self.teller.providers.values():
            provider.mood = Mood.TAKES
            provider.taken.clear()
        self.teller.clock = self.clock
        for provider in self.teller.providers.values():
            provider.clock = self.clock
        self.place.runner.run(self.teller.born_again())
        self.rings: dict[tuple[int, int], set[str]] = {}
        """Of every ring and round: the channels it was to go by."""

    # What goes wrong outside

    @initialize(ladder=st.none() | st.sampled_from(sorted(LADDERS)))
    def somebody_wrote_a_ladder(self, ladder: str | None) -> None:
        if ladder is not None:
            self.a_ladder_is_edited(ladder)

    @rule(ladder=st.sampled_from(sorted(LADDERS)))
    def a_ladder_is_edited(self, ladder: str) -> None:
        self.place.rows(
            "INSERT INTO policy (policy_id, area_id, ladder, changed_at, changed_by)"
            " VALUES ('own', 'city', %(ladder)s, now(), 'test')"
            " ON CONFLICT (policy_id) DO UPDATE SET ladder = excluded.ladder",
            ladder=msgspec.json.encode(to_data(LADDERS[ladder])).decode(),
        )

    @rule(state=st.sampled_from(["home", "hospital", "service_ended"]))
    def anna_is(self, state: str) -> None:
        self.place.rows("UPDATE person SET state = %(state)s WHERE person_id = 'anna'", state=state)

    @rule(channel=st.sampled_from(sorted(Teller.REACHABLE)), mood=st.sampled_from(Mood))
    def a_provider_is(self, channel: ChannelName, mood: Mood) -> None:
        self.teller.providers[channel].mood = mood

    @rule(seconds=st.sampled_from([-1, -70, -3600, -30_000, 3600, 30_000]))
    def the_clock_is_set(self, seconds: int) -> None:
        self.clock.pass_time(seconds)

    @rule(
        data=st.data(),
        state=st.sampled_from(["delivered", "completed", "answered", "failed", "busy"]),
        times=st.integers(1, 2),
    )
    def a_provider_calls_back(self, data: st.DataObject, state: str, times: int) -> None:
        """Late, early, of any attempt; the second time nothing changes."""
        known = self.place.rows("SELECT channel, reference FROM delivery ORDER BY delivery_id")
        if not known:
            return
        said = data.draw(st.sampled_from(known))
        for number in range(times):
            before = self.place.rows("SELECT * FROM notification ORDER BY notification_id")
            done = self.teller.deliveries.status(
                ChannelName(said["channel"]), said["reference"], None, state, self.clock.now()
            )
            assert self.place.runner.run(done)
            if number:
                after = self.place.rows("SELECT * FROM notification ORDER BY notification_id")
                assert after == before

    # What the hub does

    @precondition(lambda self: self.waiting)
    @rule(after=FATES, carried_out=st.booleans(), away=st.booleans())
    def record(self, after: int | None, carried_out: bool, away: bool) -> None:
        """One batch. It stays until the hub knows that it is recorded."""
        items = list(self.waiting)
        results: list[Recorded] = []

        async def work() -> None:
            async with self.teller.pool.connection() as connection, connection.transaction():
                results.extend(await record(connection, items))

        commits = self.fate.commits
        known = self._unsteady(work(), after, carried_out, away)
        if self.fate.commits > commits:
            for item, recorded in zip(items, results, strict=True):
                if recorded.refusal is None or recorded.incident is not None:
                    self.expected.commit(item)
            self._one_owner(results)
        if known:
            self.waiting.clear()

    @rule(after=FATES, carried_out=st.booleans(), away=st.booleans())
    def climb(self, after: int | None, carried_out: bool, away: bool) -> None:
        if self._unsteady(self._climbs(), after, carried_out, away):
            self._nothing_is_due()

    @rule(after=FATES, carried_out=st.booleans(), survives=st.booleans(), away=st.booleans())
    def courier(self, after: int | None, carried_out: bool, survives: bool, away: bool) -> None:
        """One cycle; whoever is killed over it has forgotten what the providers said."""
        self._unsteady(self.teller.carry(), after, carried_out, away)
        if not survives:
            self.place.runner.run(self.teller.born_again())

    @rule(after=FATES, carried_out=st.booleans())
    def seal(self, after: int | None, carried_out: bool) -> None:
        async def work() -> None:
            async with self.teller.pool.connection() as connection, connection.transaction():
                await seal_some(connection, self.clock.now())

        self._unsteady(work(), after, carried_out, away=False)

    # What must hold

    @invariant()
    def no_ring_vanishes(self) -> None:
        rows = self.place.rows(
            "SELECT n.*, i.state AS incident_state, ARRAY(SELECT d.channel FROM delivery d WHERE"
            " d.notification_id = n.notification_id AND d.reference LIKE '%%-' || n.round) AS tried"
            " FROM notification n JOIN incident i USING (incident_id) WHERE n.kind = 'ring'",
            nothing=None,
        )
        there = {(row["notification_id"], row["round"]): row for row in rows}
        for key, row in there.items():
            if key not in self.rings:
                self.rings[key] = {row["channel"], *row["channels"]}
        assert {number for number, _ in self.rings} == {number for number, _ in there}
        taken = self.teller.rounds_taken()
        for key, row in there.items():
            self._accounted_for(row, key in taken, self.rings[key])

    def _accounted_for(self, row: dict[str, Any], taken: bool, channels: set[str]) -> None:
        match row["state"]:
            case "pending":
                assert row["settled_at"] is None
            case "sent":
                assert taken, row
            case "superseded" if row["reason"] == "rung_just_now":
                assert self._rung_besides(row), row
            case "superseded":
                deeds = self.place.rows(
                    "SELECT 1 FROM desk_action WHERE incident_id = %(id)s AND refusal IS NULL",
                    id=row["incident_id"],
                )
                assert deeds, "nobody acted, and somebody was not called"
            case "failed" | "unconfirmed" | "nobody" if row["reason"] != "not_to_be_told":
                assert row["reason"], row
                if row["reason"] != "not_delivered" or row["incident_state"] == "raised":
                    assert channels <= set(row["tried"]), row
            case state:
                assert state in ("poisoned", "nobody", "failed"), row
                assert row["reason"], row

    def _rung_besides(self, row: dict[str, Any]) -> bool:
        others = self.place.rows(
            "SELECT notification_id FROM notification WHERE incident_id = %(incident)s"
            " AND recipient = %(recipient)s AND kind = 'ring' AND notification_id <> %(id)s",
            incident=row["incident_id"], recipient=row["recipient"], id=row["notification_id"],
        )  # fmt: skip
        ever = {number for number, _ in self.teller.rounds_taken()}
        return any(other["notification_id"] in ever for other in others)

    @invariant()
    def the_log_verifies(self) -> None:
        with psycopg.connect(self.place.url, autocommit=True) as connection:
            verdict = verify(connection)
        assert verdict.whole, verdict.problems

    def teardown(self) -> None:
        """Everything works again, and nobody has come yet: everybody in need is rung for."""
        if self.waiting:
            self.record(None, carried_out=False, away=False)
        for provider in self.teller.providers.values():
            provider.mood = Mood.TAKES
        self.place.runner.run(self.teller.born_again())
        self.climb(None, carried_out=False, away=False)
        self.clock.pass_time(LONGEST_WAIT_S + LEASE_SLACK.total_seconds() + 60)
        since = self.clock.now()
        self.climb(None, carried_out=False, away=False)
        for _ in range(3):
            assert self.place.runner.run(self.teller.carry())
            self.clock.pass_time(LONGEST_DELAY_S)
        still_open = self.place.rows("SELECT incident_id FROM incident WHERE state <> 'resolved'")
        taken = self.place.rows(
            "SELECT DISTINCT incident_id FROM notification WHERE kind = 'ring'"
            " AND notification_id = ANY(%(taken)s)",
            taken=sorted(self.teller.taken(since)),
        )
        silent = {r["incident_id"] for r in still_open} - {r["incident_id"] for r in taken}
        assert all(map(self._nobody_is_left, silent)), silent
        self.no_ring_vanishes()
        self.seal(None, carried_out=False)
        self.the_log_verifies()
        self._owners_by_the_log()

    def _nobody_is_left(self, incident: str) -> bool:
        """Whether a reason why nobody could be reached stands in the log."""
        (last,) = self.place.rows(
            "SELECT detail FROM audit_log WHERE incident_id = %(id)s AND action = 'escalate'"
            " AND actor_kind = 'hub' ORDER BY entry_id DESC LIMIT 1",
            id=incident,
        )
        return bool(last["detail"]["nobody"])

    # How

    def _unsteady(self, work: Any, after: int | None, carried_out: bool, away: bool) -> bool:
        """Do it with such connections; whether it is known to be done."""
        self.fate.after, self.fate.carried_out, self.fate.away = after, carried_out, away
        try:
            done = self.place.runner.run(work)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            done = False
        self.fate.after, self.fate.away = None, False
        self.place.runner.run(buried(self.place.url, self.fate))
        return done is not False

    async def _climbs(self) -> None:
        decisions = await self.teller.escalation.climb_due(self.clock.now(), 1000)
        assert all(decision.told for decision in decisions)

    def _nothing_is_due(self) -> None:
        """Everything open is due later, and not later than its ladder and its lease say: a clock
        that was set back silences nobody."""
        if all(map(self._waits_as_it_should, self._open())):
            return
        self.clock.pass_time(LOOK_EVERY.total_seconds())
        self.place.runner.run(self._climbs())
        assert all(map(self._waits_as_it_should, self._open()))

    def _open(self) -> list[dict[str, Any]]:
        return self.place.rows("SELECT * FROM incident WHERE state <> 'resolved'")

    def _waits_as_it_should(self, row: dict[str, Any]) -> bool:
        now = self.clock.now()
        assert row["next_deadline_at"] > now, row
        longest = JITTER + timedelta(seconds=LONGEST_WAIT_S)
        if row["state"] == "raised":
            if row["step"] == 0:
                return False
            longest = JITTER + timedelta(seconds=row["ladder"]["steps"][row["step"] - 1]["wait_s"])
        elif row["state"] in ("acknowledged", "attended"):
            longest += LEASE_SLACK
        return bool(row["next_deadline_at"] <= now + longest)

    def _one_owner(self, results: list[Recorded]) -> None:
        for recorded in results:
            item = recorded.item
            if not isinstance(item, ActionItem) or recorded.duplicate or recorded.refusal:
                continue
            took = item.action.verb in (Verb.ACKNOWLEDGE, Verb.TAKE_OVER)
            if took and item.action.dispatcher and recorded.incident is not None:
                owner = recorded.incident.owner
                assert owner is not None
                assert owner.account_id == item.action.by.id

    def _owners_by_the_log(self) -> None:
        """Nobody ever acknowledged what another had: that is refused, and they are told."""
        has: dict[str, str | None] = {}
        for row in self.place.rows(
            "SELECT incident_id, actor_kind, actor_id, action, reason FROM audit_log"
            " WHERE incident_id IS NOT NULL ORDER BY entry_id"
        ):
            incident, who, deed = row["incident_id"], row["actor_id"], row["action"]
            lost = row["reason"] in ("lease_lapsed", "realarms") or deed in ("release", "reopen")
            if lost:
                has[incident] = None
            elif row["actor_kind"] != "account":
                continue
            elif deed == "acknowledge":
                assert has.get(incident) in (None, who)
                has[incident] = who
            elif deed == "take_over":
                has[incident] = who
            elif deed == "attend":
                has[incident] = has.get(incident) or who


@pytest.mark.slow
def test_whatever_fails_somebody_is_told(database_url: str) -> None:
    with ground(database_url) as place:
        place.rows(NEIGHBOURS)
        LadderMachine.place = place
        _run(place)


def _run(place: Ground) -> None:
    async def begin() -> Any:
        return await mortal.__aenter__()

    async def end() -> None:
        await mortal.__aexit__(None, None, None)

    mortal = mortal_pool(place.url)
    MortalConnection.fate = LadderMachine.fate = Fate()
    LadderMachine.teller = Teller(place.runner.run(begin()), cast(Any, None))
    try:
        run_state_machine_as_test(
            LadderMachine,
            settings=settings(
                max_examples=long_run(12),
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        place.runner.run(end())
