"""Wandering: a person leaves the circle or polygon in which they are safe; returns are told too.

A fix is a disc, not a point: outside counts only when the whole disc of its accuracy lies beyond
the border plus a margin, inside only when the point is back within it. Between the two nothing
changes (hysteresis), and one fix never decides: leaving needs two agreeing fixes or one that is
far out. Old, reordered and poor fixes move nothing but the last known position.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import hypot

import msgspec

from alerts.alarm import Category, Priority, Subject, SubjectKind
from hub.detect.detector import NONE, Context, Finding, Findings, Phase, Scope
from hub.detect.fence import Fence, distance_m, metres_between
from hub.geo import to_wgs84
from hub.observation import Observation
from schemas.alarms import Position

ASSUMED_ACCURACY_M = {"gnss": 30.0, "wifi": 60.0, "beacon": 15.0, "cell": 1_000.0}
"""Ours, for fixes that do not say: consumer GNSS in a street of houses, a Wi-Fi look-up, a radio
beacon in a room, one mobile cell in a city."""
POOREST_ACCURACY_M = 500.0
"""Ours: a disc wider than most safe areas cannot say that somebody left one."""
MARGIN_M = 25.0
"""Ours: the width of a street with its pavements; the border is drawn by hand."""
FAR_OUT_M = 300.0
"""Ours: so far beyond the border, accuracy deducted, no second fix is needed."""
AGREEING_FIXES = 2
MAX_AGE_S = 600.0
"""Ours: a fix this old when it arrives says where somebody was. It is kept as last known only."""
FASTEST_M_PER_S = 70.0
"""Ours: a high-speed train; a jump beyond is a wrong fix (reflections, a cell's own place)."""


class GeofenceState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Last known position and what was said; degrees are kept in units of 1e-6 (11 cm)."""

    fixed_s: int
    latitude_e6: int
    longitude_e6: int
    accuracy_m: int
    outside: tuple[tuple[str, int], ...] = ()
    """Fences the person is outside of, each with the time of the fix that told it: the episode."""
    out_fixes: int = 0
    """Agreeing fixes beyond some border, so far."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A fix against a fence."""

    beyond_m: float
    """Distance to the border: positive outside, negative inside."""
    accuracy_m: float

    @property
    def surely_out(self) -> bool:
        """The whole disc lies beyond the margin."""
        return self.beyond_m - self.accuracy_m > MARGIN_M

    @property
    def far_out(self) -> bool:
        """Out by so much that no second fix is needed."""
        return self.beyond_m - self.accuracy_m > FAR_OUT_M

    @property
    def back(self) -> bool:
        """Within the border again."""
        return self.beyond_m <= 0


def position_of(observation: Observation) -> Position | None:
    """The fix of a location report or of an alarm message, in WGS-84."""
    if observation.position is not None:
        return observation.position
    fix = None if observation.message is None else observation.message.position
    return None if fix is None else to_wgs84(fix)


def fences_of(context: Context) -> tuple[Fence, ...]:
    """The fences of the person's context."""
    return context.person.fences


class GeofenceDetector:
    """One state a person. A fence counts in its hours; outside of them nobody leaves it.

    >>> GeofenceDetector().name
    'geofence'
    """

    name = "geofence"
    scope = Scope.PERSON
    measures = frozenset({"position", "press", "fall", "motion"})
    """Alarms carry a fix too."""
    state_type = GeofenceState
    timed = False

    def observe(
        self, state: GeofenceState | None, observation: Observation, context: Context
    ) -> tuple[GeofenceState | None, Findings]:
        """One fix; without a position nothing is known."""
        fix = position_of(observation)
        if fix is None:
            return state, NONE
        fixed_s, arrived_s = _fixed_s(fix, observation), _seconds(observation.received_at)
        accuracy_m = accuracy_of(fix)
        if state is not None and fixed_s <= state.fixed_s:
            return state, NONE
        if state is not None and _impossible(state, fix, fixed_s, accuracy_m):
            return state, NONE
        known = _known(state, fix, fixed_s, accuracy_m)
        if accuracy_m > POOREST_ACCURACY_M or arrived_s - fixed_s > MAX_AGE_S:
            return known, NONE
        return self._judge(known, fix, accuracy_m, observation, context)

    def deadline(self, state: GeofenceState, context: Context) -> datetime | None:
        """Silence of a wristband is the silence detector's matter."""
        del state, context
        return None

    def expire(
        self, state: GeofenceState, now: datetime, context: Context
    ) -> tuple[GeofenceState, Findings]:
        """Never due."""
        del now, context
        return state, NONE

    def _judge(
        self,
        state: GeofenceState,
        fix: Position,
        accuracy_m: float,
        observation: Observation,
        context: Context,
    ) -> tuple[GeofenceState, Findings]:
        fences = fences_of(context)
        if not fences and not state.outside:
            return state, NONE
        local = datetime.fromtimestamp(state.fixed_s, UTC).astimezone(context.person.time_zone)
        minute = local.hour * 60 + local.minute
        # Whoever is outside already is followed until they are back, whatever the hour.
        since = dict(state.outside)
        fences = tuple(f for f in fences if f.id in since or f.holds(minute))
        standing = {
            fence.id: Standing(distance_m(fence, fix.latitude, fix.longitude), accuracy_m)
            for fence in fences
        }
        left = [f for f in fences if f.id not in since and standing[f.id].surely_out]
        back = [f for f in fences if f.id in since and standing[f.id].back]
        # A fence that was removed is not left any more.
        still = [
            (i, since_s) for i, since_s in state.outside if i in standing and not standing[i].back
        ]
        out_fixes = state.out_fixes + 1 if left else 0
        sure = out_fixes >= AGREEING_FIXES or any(standing[f.id].far_out for f in left)
        findings = [
            self._finding(fence, state, standing, observation, context, since[fence.id])
            for fence in back
        ]
        if left and sure:
            findings += [
                self._finding(fence, state, standing, observation, context, state.fixed_s, out=True)
                for fence in left
            ]
            still += [(fence.id, state.fixed_s) for fence in left]
            out_fixes = 0
        after = msgspec.structs.replace(state, outside=tuple(still), out_fixes=out_fixes)
        return after, tuple(findings)

    def _finding(
        self,
        fence: Fence,
        state: GeofenceState,
        standing: dict[str, Standing],
        observation: Observation,
        context: Context,
        episode_s: int,
        *,
        out: bool = False,
    ) -> Finding:
        person_id, premises_id = context.device.person_id, context.device.premises_id
        subject = (
            Subject(SubjectKind.PREMISES, premises_id)
            if person_id is None
            else Subject(SubjectKind.PERSON, person_id)
        )
        beyond_m = standing[fence.id].beyond_m
        where = f"{max(beyond_m, 0):.0f} m outside" if out else "back in"
        return Finding(
            detector=self.name,
            kind="wandering",
            phase=Phase.CONFIRMED if out else Phase.WITHDRAWN,
            category=Category.PERSONAL,
            priority=Priority.HIGH if out else Priority.LOW,
            subject=subject,
            key=f"{fence.id}:{episode_s}",
            at=observation.received_at,
            text=f"{where} {fence.label}",
            evidence={
                "fence": fence.id,
                "beyond_m": round(beyond_m),
                "latitude": state.latitude_e6 / 1e6,
                "longitude": state.longitude_e6 / 1e6,
                "accuracy_m": state.accuracy_m,
                "fixed_at": datetime.fromtimestamp(state.fixed_s, UTC).isoformat(),
            },
        )


def accuracy_of(fix: Position) -> float:
    """What the fix says of itself, or what its kind usually is; metres.

    >>> accuracy_of(Position(39.9, 116.4)), accuracy_of(Position(39.9, 116.4, accuracy_m=8))
    (30.0, 8)
    """
    if fix.accuracy_m is not None and fix.accuracy_m > 0:
        return fix.accuracy_m
    return ASSUMED_ACCURACY_M.get(fix.source.value, POOREST_ACCURACY_M)


def _impossible(state: GeofenceState, fix: Position, fixed_s: int, accuracy_m: float) -> bool:
    """Nobody gets from the last known position to this one in the time."""
    east, north = metres_between(
        state.latitude_e6 / 1e6, state.longitude_e6 / 1e6, fix.latitude, fix.longitude
    )
    apart_m = hypot(east, north) - accuracy_m - state.accuracy_m
    return apart_m > FASTEST_M_PER_S * max(fixed_s - state.fixed_s, 1)


def _known(
    state: GeofenceState | None, fix: Position, fixed_s: int, accuracy_m: float
) -> GeofenceState:
    place = (fixed_s, round(fix.latitude * 1e6), round(fix.longitude * 1e6), round(accuracy_m))
    if state is None:
        return GeofenceState(*place)
    return GeofenceState(*place, state.outside, state.out_fixes)


def _fixed_s(fix: Position, observation: Observation) -> int:
    """When the fix was made; a clock that is ahead proves only the arrival."""
    arrived_s = _seconds(observation.received_at)
    made = fix.fixed_at or observation.observed_at
    return arrived_s if made is None or _seconds(made) <= 0 else min(_seconds(made), arrived_s)


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
