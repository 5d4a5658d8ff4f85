"""Unusually long inactivity: nobody moved in a home for longer than its people ever stay quiet.

One state a home, since a shared room sensor knows no persons. Any activity restarts the silence;
its limit comes from the personal line (inactivity_line.py), by the local time the silence began
and by whether it began near the bed. First a soft question (candidate: "are you well?"), half an
hour later a dispatcher (confirmed). Activity afterwards withdraws the finding.

No silence is counted while the person is away or in hospital (the context says so), while none of
the home's sensors is heard, or while the hub was not listening. A person who may just have gone
out, or a home that is hardly used today, gets a longer limit. Until a line is learned, fixed
limits hold and every finding says "learning".
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zlib import crc32

import msgspec

from alerts.alarm import Category, Priority, Subject, SubjectKind
from hub.detect.detector import NONE, Context, Finding, Findings, Phase, Scope, Whereabouts
from hub.detect.inactivity_history import (
    PER_ACTIVE_MINUTE,
    Place,
    faded,
    left_by_door,
    place_of,
)
from hub.detect.inactivity_line import Line, allowed_min, line_from
from hub.detect.vitals_moment import times_of
from hub.device import Device
from hub.observation import ALIVE, Observation
from schemas.telemetry import BedState, WornState
from schemas.vocabulary import DEVICE_CLASSES, MISSED_HEARTBEATS_UNTIL_SILENT, DeviceKind, Quality

CHECK_IN_BEFORE_MIN = 30
"""standards.md, inactivity 7: a soft check-in, the dispatcher 30 min later."""
LEARNING_DAY_MIN, LEARNING_NIGHT_MIN = 4 * 60, 12 * 60
"""standards.md, inactivity 6: fixed lines of the cold start."""
NIGHT_FROM_H, NIGHT_UNTIL_H = 20, 6
"""Ours: a silence that begins in these hours may be a night's sleep."""
LEARNING_DAYS = 28
"""Ours: a budget of one false alert in four weeks cannot be seen in fewer days. Measured on TIHM:
lines from 14 days give half as many false alerts again in the third and fourth week."""
AWAY_LIMIT_MIN = 10 * 60
"""Ours: whoever left by the door and is not back after ten hours is missed by somebody."""
OUTINGS_TO_PRESUME = 5
"""Outings in 100 days from which a door that closes is taken for one (ours; measured on TIHM, 2 to
20 do equally well)."""
QUIET_SHARE, QUIET_LIMIT_MIN = 0.4, 12 * 60
"""Below this share of its usual activity (half-life six hours) a home is hardly used, or some of
its sensors are down: a short limit would say nothing. Ours; 1.8 % of the time, a fifth of the
false alerts on TIHM."""
MOST_WRISTBANDS = 4
"""Of one home, whose being worn is followed."""
MOVED_IN_BED_PERCENT = 5.0
"""Ours: a mattress sensor reports less from breathing alone."""

SENSING = (
    DeviceKind.WRISTBAND, DeviceKind.MOTION_SENSOR, DeviceKind.CARE_BED, DeviceKind.DOOR_SENSOR,
)  # fmt: skip
"""Devices whose silence would look like a person's, the most talkative first. (A tuple:
enumerations hash slowly.)"""
SENSORS_DOWN_AFTER_S = MISSED_HEARTBEATS_UNTIL_SILENT * max(
    DEVICE_CLASSES[kind].heartbeat_s for kind in SENSING
)


_GOOD, _WORN, _OCCUPIED, _EMPTY = Quality.GOOD, WornState.WORN, BedState.OCCUPIED, BedState.EMPTY
_NEAR_BED, _OUTSIDE_DOOR = Place.NEAR_BED, Place.OUTSIDE_DOOR
_PROVES_NOTHING = frozenset({ALIVE, "worn_state"})
"""A wristband says that it is worn as often as that it is there."""


HEARD_EVERY_S = 30
"""A home is noted as heard so often at most: a fraction of the shortest heartbeat."""


class Posture(StrEnum):
    """Why the limit is what it is; shown to the dispatcher."""

    ACTIVE = "active"
    NEAR_BED = "near_bed"
    ASLEEP = "asleep_in_bed"
    PRESUMED_AWAY = "presumed_away"
    HARDLY_USED = "home_hardly_used"


class InactivityState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The running silence; seconds since 1970 on the clock that saw them."""

    active_s: int
    heard_s: int
    """When any sensing device of the home was heard last."""
    place: int = 0
    in_bed: bool = False
    left: bool = False
    level_hundredths: int = 0
    """Remembered minutes of activity a day, times 100: whole minutes would round the memory off."""
    paused_s: int = 0
    """Seconds of this silence that do not count."""
    poll_s: int = 0
    """Nothing is due before: somebody is away, or nothing is heard."""
    said: int = 0
    """0 nothing, 1 asked, 2 told the dispatcher."""
    off: tuple[int, ...] = ()
    """Wristbands nobody wears just now, by checksum of their id: what they say proves nothing."""


class InactivityDetector:
    """Parameters are this module's constants, each with unit and source; the line is personal.

    >>> InactivityDetector().name, SENSORS_DOWN_AFTER_S
    ('inactivity', 900)
    """

    name = "inactivity"
    scope = Scope.PREMISES
    measures = frozenset(
        {
            ALIVE, "motion", "door", "room", "steps", "bed_state", "movement_percent",
            "systolic_blood_pressure_mmhg", "press", "worn_state",
        }
    )  # fmt: skip
    state_type = InactivityState

    def observe(
        self, state: InactivityState | None, observation: Observation, context: Context
    ) -> tuple[InactivityState | None, Findings]:
        """A sign of life restarts the silence; a heartbeat only proves that we would have seen."""
        measure = observation.measure
        arrived_s = observation.arrived_s or int(observation.received_at.timestamp())
        if state is None:
            if not proves_activity(observation):
                return None, NONE
            return InactivityState(_seen_s(observation), arrived_s, *whereof(observation)), NONE
        gap_s = arrived_s - state.heard_s
        if measure == ALIVE:
            if gap_s < HEARD_EVERY_S:
                return state, NONE
        elif measure == "worn_state":
            return _worn(state, observation), NONE
        elif not _is_news(state, observation):
            return state, NONE  # that it spoke at all came before, as `alive`
        if gap_s >= HEARD_EVERY_S and _senses(context.device, state):
            state = _heard(state, arrived_s)
        if measure == ALIVE:
            return state, NONE
        seen_s = _seen_s(observation)
        if seen_s <= state.active_s:
            return state, NONE
        findings = NONE
        if state.said:
            findings = (self._finding(state, observation.received_at, context, Phase.WITHDRAWN),)
        return _active(state, seen_s, observation), findings

    def deadline(self, state: InactivityState, context: Context) -> datetime | None:
        """When to ask, and after that when to tell the dispatcher."""
        if state.said > 1:
            return None
        limit_min, _ = limit_of(state, context)
        if state.said == 0:
            limit_min -= CHECK_IN_BEFORE_MIN
        due = _counted_from(state, context) + timedelta(minutes=limit_min)
        return max(due, datetime.fromtimestamp(state.poll_s, UTC))

    def soonest(self, state: InactivityState, context: Context) -> datetime:
        """Whatever is observed meanwhile can only restart the silence, and none is asked about
        before the shortest limit of this home is near."""
        return _counted(state.active_s, context) + timedelta(
            minutes=least_limit_min(context) - CHECK_IN_BEFORE_MIN
        )

    def expire(
        self, state: InactivityState, now: datetime, context: Context
    ) -> tuple[InactivityState, Findings]:
        """Ask once, tell once; wait while the person is away or nothing is heard."""
        due = self.deadline(state, context)
        if due is None or now < due:
            return state, NONE
        now_s = int(now.timestamp())
        if context.person.whereabouts is not Whereabouts.HOME:
            poll_s = now_s + SENSORS_DOWN_AFTER_S
            return msgspec.structs.replace(
                state, paused_s=max(now_s - state.active_s, 0), poll_s=poll_s
            ), NONE
        if now_s - state.heard_s > SENSORS_DOWN_AFTER_S:
            return msgspec.structs.replace(state, poll_s=now_s + SENSORS_DOWN_AFTER_S), NONE
        limit_min, _ = limit_of(state, context)
        late = now >= _counted_from(state, context) + timedelta(minutes=limit_min)
        said = 2 if state.said == 1 or late else 1
        after = msgspec.structs.replace(
            state, said=said, poll_s=0 if said > 1 else now_s + CHECK_IN_BEFORE_MIN * 60
        )
        phase = Phase.CONFIRMED if said > 1 else Phase.CANDIDATE
        return after, (self._finding(after, now, context, phase),)

    def _finding(
        self, state: InactivityState, at: datetime, context: Context, phase: Phase
    ) -> Finding:
        limit_min, posture = limit_of(state, context)
        silent_min = max(int(at.timestamp()) - state.active_s, 0) // 60
        learning = line_from(context.person.inactivity_line_min) is None
        text = "active again" if phase is Phase.WITHDRAWN else f"no activity for {silent_min} min"
        return Finding(
            detector=self.name,
            kind="inactivity",
            phase=phase,
            category=Category.PERSONAL,
            priority=Priority.MEDIUM if phase is Phase.CONFIRMED else Priority.LOW,
            subject=Subject(SubjectKind.PREMISES, context.device.premises_id),
            key=str(state.active_s),
            at=at,
            text=f"{text} (learning)" if learning else text,
            ask_s=CHECK_IN_BEFORE_MIN * 60 if phase is Phase.CANDIDATE else 0,
            evidence={
                "last_active_at": datetime.fromtimestamp(state.active_s, UTC).isoformat(),
                "silent_min": silent_min,
                "limit_min": limit_min,
                "not_counted_min": state.paused_s // 60,
                "posture": posture.value,
                "learning": learning,
            },
        )


def _worn(state: InactivityState, observation: Observation) -> InactivityState:
    """A wristband on the charger feels nobody: that it speaks proves nothing about its person."""
    off, worn = state.off, observation.state == _WORN
    if worn and not off:
        return state
    mark = _mark(observation.device.id)
    if worn:
        off = tuple(each for each in off if each != mark)
    elif mark not in off:
        off = (*off[1 - MOST_WRISTBANDS :], mark)
    return state if off == state.off else msgspec.structs.replace(state, off=off)


def _senses(device: Device, state: InactivityState) -> bool:
    """Whether it would have noticed somebody: not a wristband that nobody wears."""
    return device.kind in SENSING and not (state.off and _mark(device.id) in state.off)


def _mark(device_id: str) -> int:
    return crc32(device_id.encode())


def limit_of(state: InactivityState, context: Context) -> tuple[int, Posture]:
    """How long the running silence may last, in minutes, and why."""
    local = _counted_from(state, context).astimezone(context.person.time_zone)
    near_bed = state.in_bed or state.place == Place.NEAR_BED
    posture = Posture.NEAR_BED if near_bed else Posture.ACTIVE
    if state.in_bed:
        posture = Posture.ASLEEP
    line = line_from(context.person.inactivity_line_min)
    if line is None:
        limit_min = learning_limit_min(local)
        line = Line((), ())
    else:
        limit_min = allowed_min(line, local.hour * 60 + local.minute, near_bed)
    if state.left and line.outings_per_100_days >= OUTINGS_TO_PRESUME:
        limit_min, posture = max(limit_min, AWAY_LIMIT_MIN), Posture.PRESUMED_AWAY
    if state.level_hundredths < 100 * QUIET_SHARE * line.usual_active_min:
        limit_min, posture = max(limit_min, QUIET_LIMIT_MIN), Posture.HARDLY_USED
    if context.person.inactivity_limit_percent != 100:
        limit_min = limit_min * context.person.inactivity_limit_percent // 100
    return limit_min, posture


def least_limit_min(context: Context) -> int:
    """The shortest limit any silence of this home can have, in minutes."""
    line = line_from(context.person.inactivity_line_min)
    least_min = (
        LEARNING_DAY_MIN if line is None else min((*line.day_rooms_min, *line.bed_rooms_min))
    )
    return least_min * min(context.person.inactivity_limit_percent, 100) // 100


def learning_limit_min(local: datetime) -> int:
    """The fixed limit of a silence that began at this local time, while a line is learned."""
    night = local.hour >= NIGHT_FROM_H or local.hour < NIGHT_UNTIL_H
    return LEARNING_NIGHT_MIN if night else LEARNING_DAY_MIN


def _counted_from(state: InactivityState, context: Context) -> datetime:
    """The begin of the silence, moved by what does not count."""
    return _counted(state.active_s + state.paused_s, context)


def _counted(since_s: int, context: Context) -> datetime:
    return max(datetime.fromtimestamp(since_s, UTC), context.listening_since)


def _heard(state: InactivityState, arrived_s: int) -> InactivityState:
    """The home speaks; a time in which nothing was heard does not count as silence."""
    gap_s = arrived_s - state.heard_s
    if gap_s <= SENSORS_DOWN_AFTER_S:
        return InactivityState(
            state.active_s,
            arrived_s,
            state.place,
            state.in_bed,
            state.left,
            state.level_hundredths,
            state.paused_s,
            state.poll_s,
            state.said,
            state.off,
        )
    return msgspec.structs.replace(state, heard_s=arrived_s, paused_s=state.paused_s + gap_s)


def _active(state: InactivityState, seen_s: int, observation: Observation) -> InactivityState:
    place, in_bed = whereof(observation)
    quiet_min = (seen_s - state.active_s) / 60
    level: float = state.level_hundredths
    if seen_s // 60 > state.active_s // 60:
        level = faded(level, seen_s // 60 - state.active_s // 60)
        level += 100 * PER_ACTIVE_MINUTE
    return InactivityState(
        active_s=seen_s,
        heard_s=state.heard_s,
        place=place,
        in_bed=in_bed if observation.measure == "bed_state" else state.in_bed,
        left=left_by_door(
            state.left, place == _OUTSIDE_DOOR, quiet_min, state.place == _OUTSIDE_DOOR
        ),
        level_hundredths=round(level),
        off=state.off,
    )


def _is_news(state: InactivityState, observation: Observation) -> bool:
    """A bed tells every minute that somebody still lies in it."""
    if observation.measure == "bed_state":
        still = (observation.state == _OCCUPIED) == state.in_bed
        return not still and proves_activity(observation)
    return proves_activity(observation)


def proves_activity(observation: Observation) -> bool:
    """Whether somebody must have done something."""
    quality = observation.quality
    if quality is not _GOOD and (quality is Quality.INVALID or quality is Quality.IMPLAUSIBLE):
        return False
    match observation.measure:
        case "motion":
            return observation.state == "detected"
        case "steps":
            return bool(observation.value)
        case "movement_percent":
            return (observation.value or 0.0) >= MOVED_IN_BED_PERCENT
        case measure:
            return measure not in _PROVES_NOTHING


def whereof(observation: Observation) -> tuple[int, bool]:
    """The kind of place, and whether it is the bed itself."""
    measure = observation.measure
    if measure in {"bed_state", "movement_percent"}:
        return _NEAR_BED, observation.state != _EMPTY
    if measure == "room" and observation.state is not None:
        return place_of(observation.state), False
    place = place_of(observation.device.label)
    if measure == "door" and place is not _OUTSIDE_DOOR:
        return Place.ROOM, False
    return place, False


def _seen_s(observation: Observation) -> int:
    """When it happened. A late message is old news; a clock that is ahead proves only its arrival.

    A device clock that is behind makes a silence look longer: the error is on the side of asking.
    """
    if observation.arrived_s:
        arrived_s, observed_s = observation.arrived_s, observation.observed_s
    else:
        times = times_of(observation)
        arrived_s, observed_s = times.arrived_s, times.observed_s
    return observed_s if observed_s and observed_s < arrived_s else arrived_s
