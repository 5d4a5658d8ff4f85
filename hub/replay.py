"""Stored observations through the same detectors again: what they say now, and what was said then.

People's whereabouts and open incidents are as they were, from the record; limits, fences, the
learned line and the register are as they are now. States begin empty some days before the span, so
that baselines and habits are there when it starts. The hub's own deafness is not recorded: where
nothing at all was stored, devices look silent here that nobody could have heard.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg

from alerts.alarm import Bearing
from alerts.incident import Incident
from hub.circumstances import Circumstances
from hub.detect.detector import Detector, Finding, Phase
from hub.detect.registry import ALARM_DETECTORS, TELEMETRY_DETECTORS
from hub.detect.runner import Draft, Runner
from hub.errors import HubError
from hub.findings import bearing_of, finding_id
from hub.observation import Observation
from hub.recovery import observations_of
from hub.register import Register
from hub.store import replay as stored
from schemas.alarms import Motion
from schemas.ids import DeviceId, PersonId

WARM_UP = timedelta(days=7)
"""Ours: a baseline of a vital sign is ready after a day, the habits of a bed after about a week."""
FETCH = 2_000
ROUND_S = 60
"""Circumstances are looked at, and deadlines pass, at least so often."""
EXPIRE_LIMIT = 1_000

DETECTORS: tuple[Detector[Any], ...] = (
    *TELEMETRY_DETECTORS,
    *(d for d in ALARM_DETECTORS if "motion" in d.measures),
)
"""Presses and hazards are their own word: there is nothing to detect again."""


class NobodyThere(HubError):
    """There is no such person."""


@dataclass(frozen=True, slots=True)
class Told:
    """A finding of the replay."""

    finding: Finding
    id: str
    bearing: Bearing
    known: stored.Row | None
    """The same finding as it was recorded; None: it was not."""


@dataclass(slots=True)
class Account:
    """What a replay amounts to."""

    person_id: str
    since: datetime
    until: datetime
    observations: int = 0
    windows: int = 0
    told: list[Told] = field(default_factory=list)
    missing: list[stored.Row] = field(default_factory=list)
    """Recorded then, not found now."""


async def replay(
    connection: psycopg.AsyncConnection[Any], person_id: str, since: datetime, until: datetime
) -> Account:
    """Everything of one person between two moments. Raises NobodyThere."""
    whose = await stored.whose(connection, person_id)
    if whose is None:
        raise NobodyThere(f"person = {person_id!r}; there is no such person")
    start = since - WARM_UP
    past = _Past(
        await stored.register_of(connection, whose),
        await stored.incidents(connection, whose, start, until),
        await stored.states(connection, whose, until),
        start,
    )
    known = {row["finding_id"]: row for row in await stored.recorded(
        connection, whose, since, until)}  # fmt: skip
    account = Account(person_id, since, until)
    seen: set[str] = set()
    async for finding in _findings(connection, whose, past, until, account):
        if finding.at < since or _passing(finding):
            continue
        name = finding_id(finding)
        if name not in seen:
            seen.add(name)
            account.told.append(Told(finding, name, bearing_of(finding), known.get(name)))
    names = {detector.name for detector in DETECTORS}
    account.missing = [
        row for name, row in known.items() if name not in seen and row["detector"] in names
    ]
    return account


def _passing(finding: Finding) -> bool:
    """A silence that waits for its neighbours: nobody records it either."""
    return finding.detector == "silence" and finding.phase is Phase.CANDIDATE


class _Past:
    """The world around the detectors, moved on by the replayed time."""

    def __init__(
        self,
        register: Register,
        incidents: list[Incident],
        states: list[stored.Row],
        start: datetime,
    ) -> None:
        self.now = start
        self._register = register
        self._incidents = incidents
        self._states = states
        self.circumstances = Circumstances(register, self._open)
        self.runner = Runner(DETECTORS, self.circumstances, start)
        self._looked_at = start
        self._move_people(start)

    def device_of(self, row: stored.Row) -> Any:
        """The device a row is of."""
        return self._register.devices.get(DeviceId(row["device_id"]))

    def pass_time(self, draft: Draft, now: datetime) -> None:
        """Up to `now`, minute by minute: what changed around, then what was due."""
        step = timedelta(seconds=ROUND_S)
        while self._looked_at + step <= now:
            self._looked_at += step
            self.now = self._looked_at
            self._move_people(self.now)
            changed = self.circumstances.refresh()
            if changed is None:
                self.runner.resettled()
            elif changed:
                self.runner.circumstances_changed(draft, changed)
            self.runner.expire(draft, self.now, EXPIRE_LIMIT)
        self.now = now
        self.runner.expire(draft, now, EXPIRE_LIMIT)

    def _open(self) -> Iterator[Incident]:
        for incident in self._incidents:
            over = incident.resolved_at
            if incident.opened_at <= self.now and (over is None or over > self.now):
                yield incident

    def _move_people(self, now: datetime) -> None:
        while self._states and self._states[0]["since"] <= now:
            change = self._states.pop(0)
            person = self._register.people.get(PersonId(change["person_id"]))
            if person is not None:
                self._register.people[person.id] = replace(person, state=type(person.state)(
                    change["state"]))  # fmt: skip
                self._register.note("person", person.id)


async def _findings(
    connection: psycopg.AsyncConnection[Any],
    whose: stored.Whose,
    past: _Past,
    until: datetime,
    account: Account,
) -> AsyncIterator[Finding]:
    windows = await stored.windows(connection, whose, past.now, until)
    account.windows = len(windows)
    cursor = await stored.observations(connection, whose, past.now, until)
    async with cursor:
        while rows := await cursor.fetchmany(FETCH):
            draft = past.runner.draft()
            for row in rows:
                account.observations += 1
                while windows and windows[0]["received_at"] <= row["received_at"]:
                    _show_window(past, draft, windows.pop(0))
                device = past.device_of(row)
                if device is None:
                    continue
                past.pass_time(draft, row["received_at"])
                for observation in observations_of(device, row):
                    past.runner.observe(draft, observation)
            for _, finding in draft.findings:
                yield finding
    draft = past.runner.draft()
    for window in windows:
        _show_window(past, draft, window)
    past.pass_time(draft, until)
    for _, finding in draft.findings:
        yield finding


def _show_window(past: _Past, draft: Draft, row: stored.Row) -> None:
    device = past.device_of(row)
    if device is None:
        return
    past.pass_time(draft, row["received_at"])
    message = msgspec.json.decode(row["content"], type=Motion)
    seen = Observation(device, "motion", row["received_at"], row["observed_at"], message=message)
    past.runner.observe(draft, seen)


def as_json(account: Account) -> dict[str, Any]:
    """The whole account for a program; times in UTC."""
    return {
        "person": account.person_id,
        "from": account.since.astimezone(UTC).isoformat(),
        "to": account.until.astimezone(UTC).isoformat(),
        "context": {
            "as_it_was": ["whereabouts", "open incidents"],
            "as_it_is_now": ["limits", "fences", "inactivity line", "register", "detectors"],
        },
        "observations": account.observations,
        "windows": account.windows,
        "findings": [
            {
                "id": told.id,
                "at": told.finding.at.astimezone(UTC).isoformat(),
                "detector": told.finding.detector,
                "kind": told.finding.kind,
                "phase": told.finding.phase.value,
                "category": told.finding.category.value,
                "priority": told.finding.priority.value,
                "subject": {
                    "kind": told.finding.subject.kind.value,
                    "id": told.finding.subject.id,
                },
                "text": told.finding.text,
                "evidence": dict(told.finding.evidence),
                "would": told.bearing.value,
                "recorded": told.known is not None,
                "reason_then": told.known["reason"] if told.known else None,
            }
            for told in account.told
        ],
        "recorded_only": [
            {name: row[name] for name in ("finding_id", "detector", "kind", "phase", "priority",
                                          "key", "text", "evidence", "reason")}
            | {"at": row["at"].astimezone(UTC).isoformat()}
            for row in account.missing
        ],
    }  # fmt: skip
