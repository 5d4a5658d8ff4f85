"""An empty battery is a device that does not ring: told once in time, withdrawn when charged.

The forecast is a straight line through the last points, by the median of all slopes between them
(Theil 1950, Sen 1968): a cold night or one wild percentage moves it little. Rechargeable devices
are warned about by percentage alone, since they are empty in about a day or two all their life.
"""

from datetime import datetime
from statistics import median

import msgspec

from alerts.alarm import Category, Priority, Subject, SubjectKind
from hub.detect.detector import NONE, Context, Finding, Findings, Phase, Scope
from hub.detect.vitals_moment import moment_s
from hub.observation import Observation
from schemas.telemetry import WornState
from schemas.vocabulary import DeviceKind

RECHARGEABLE = (DeviceKind.WRISTBAND, DeviceKind.PHONE)
LOW_PERCENT = 15
"""Ours: a wristband that lasts two days has seven hours left."""
EMPTY_PERCENT = 5
"""Ours: below, gauges are wrong by as much; lithium cells drop at the end."""
LOW_DAYS, EMPTY_DAYS = 7.0, 1.0
"""Ours: a visit can be planned within a week; a day is for today's round."""
CHARGED_BY = 10
"""Percent above the lowest: charged or changed (cold and warmth move a gauge by less)."""
POINTS = 8
"""Kept for the slope; with the spacing: 16 days of a button, 16 hours of a wristband."""
RECHARGEABLE_APART_S, APART_S = 2 * 3600, 2 * 86_400
"""Spacing of the points; the first is the shorter one."""
FEWEST_POINTS = 4
"""Ours: three intervals before a slope is believed."""
LONGEST_DAYS = 999
DAY_S = 86_400

_PRIORITIES = {1: Priority.LOW, 2: Priority.MEDIUM}


class BatteryState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The battery since it was charged or changed."""

    at_s: int
    """Of the newest value."""
    lowest: int
    """Percent."""
    points: tuple[tuple[int, int], ...] = ()
    """Hours since 1970 and percent, oldest first."""
    level: int = 0
    """0 nothing said, 1 low, 2 empty soon."""
    since_s: int = 0
    """Names the episode."""
    first: int = 1
    """The level that was told first: an empty battery may never have been low."""
    charging: bool = False
    """On the charger: its percentages are not judged."""


class BatteryDetector:
    """One state a device. Parameters: the constants above.

    >>> days_left(((0, 50), (48, 46), (96, 42), (144, 38)), 37)
    18.5
    """

    name = "battery"
    scope = Scope.DEVICE
    measures = frozenset({"battery_percent", "worn_state"})
    begins_with = frozenset({"battery_percent"})
    state_type = BatteryState
    timed = False

    def observe(
        self, state: BatteryState | None, observation: Observation, context: Context
    ) -> tuple[BatteryState | None, Findings]:
        """Take one percentage; what comes out of order or cannot be changes nothing."""
        if observation.measure != "battery_percent":
            return _on_charger(state, observation, context)
        value = observation.value
        if value is None or not 0 <= value <= 100:
            return state, NONE
        percent, at_s = round(value), observation.moment_s or moment_s(observation)
        if state is None:
            return _judged(_begun(at_s, percent), observation, context)
        if at_s <= state.at_s:
            return state, NONE
        if state.charging:
            return msgspec.structs.replace(_begun(at_s, percent), charging=True), NONE
        if percent >= state.lowest + CHARGED_BY:
            return _charged(state, at_s, percent, observation, context)
        points = state.points
        since_s = at_s - points[-1][0] * 3600
        spaced = since_s >= RECHARGEABLE_APART_S and (
            since_s >= APART_S or context.device.kind in RECHARGEABLE
        )
        if percent >= state.lowest and not spaced:
            return state, NONE
        if spaced:
            points = (*points[1 - POINTS :], (at_s // 3600, percent))
        lowest = min(percent, state.lowest)
        after = BatteryState(at_s, lowest, points, state.level, state.since_s, state.first)
        return _judged(after, observation, context)

    def deadline(self, state: BatteryState, context: Context) -> datetime | None:
        """A battery that is empty makes its device silent: another finding."""
        del state, context
        return None

    def expire(
        self, state: BatteryState, now: datetime, context: Context
    ) -> tuple[BatteryState, Findings]:
        """Never due."""
        del now, context
        return state, NONE


def days_left(points: tuple[tuple[int, int], ...], percent: int) -> float | None:
    """Days until empty from `percent` by the median slope; None while it cannot be told."""
    if len(points) < FEWEST_POINTS:
        return None
    slopes = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for index, earlier in enumerate(points)
        for later in points[index + 1 :]
        if later[0] > earlier[0]
    ]
    slope = median(slopes) if slopes else 0.0
    if slope >= 0:
        return None
    return min(LONGEST_DAYS, round(percent / -slope / 24, 1))


def _judged(
    state: BatteryState, observation: Observation, context: Context
) -> tuple[BatteryState, Findings]:
    """Say it when it becomes low, and once more when it is nearly empty."""
    days = days_left(state.points, state.lowest)
    by_days = days if context.device.kind not in RECHARGEABLE else None
    level = 0
    if state.lowest <= EMPTY_PERCENT or (by_days is not None and by_days <= EMPTY_DAYS):
        level = 2
    elif state.lowest <= LOW_PERCENT or (by_days is not None and by_days <= LOW_DAYS):
        level = 1
    if level <= state.level:
        return state, NONE
    since_s = state.since_s if state.level else state.at_s
    first = state.first if state.level else level
    after = BatteryState(state.at_s, state.lowest, state.points, level, since_s, first)
    return after, (_finding(after, level, days, Phase.CONFIRMED, observation, context),)


def _charged(
    state: BatteryState, at_s: int, percent: int, observation: Observation, context: Context
) -> tuple[BatteryState, Findings]:
    """A new battery life begins."""
    told = _withdrawn(state, observation, context)
    fresh, more = _judged(_begun(at_s, percent), observation, context)
    return fresh, (*told, *more)


def _on_charger(
    state: BatteryState | None, observation: Observation, context: Context
) -> tuple[BatteryState | None, Findings]:
    """Somebody has put it on the charger: nobody needs to be asked to."""
    charging = observation.state == WornState.CHARGING
    if state is None or charging == state.charging or moment_s(observation) < state.at_s:
        return state, NONE
    if not charging:
        return msgspec.structs.replace(state, charging=False), NONE
    after = msgspec.structs.replace(state, charging=True, level=0)
    return after, _withdrawn(state, observation, context)


def _begun(at_s: int, percent: int) -> BatteryState:
    return BatteryState(at_s, percent, ((at_s // 3600, percent),))


def _withdrawn(state: BatteryState, observation: Observation, context: Context) -> Findings:
    return tuple(
        _finding(state, level, None, Phase.WITHDRAWN, observation, context)
        for level in range(state.first, state.level + 1)
    )


def _finding(
    state: BatteryState,
    level: int,
    days: float | None,
    phase: Phase,
    observation: Observation,
    context: Context,
) -> Finding:
    value = observation.value
    text = f"battery at {state.lowest} %"
    if phase is Phase.WITHDRAWN:
        text = "on the charger" if value is None else f"battery at {round(value)} % again"
    elif days is not None:
        text += f", empty in {_spelt(days)}"
    return Finding(
        detector="battery",
        kind="battery_low" if level == 1 else "battery_empty",
        phase=phase,
        category=Category.TECHNICAL,
        priority=_PRIORITIES[level],
        subject=Subject(SubjectKind.DEVICE, context.device.id),
        key=f"{state.since_s}-{level}",
        at=observation.received_at,
        text=text,
        evidence={
            "percent": state.lowest,
            "days_left": days,
            "limit_percent": LOW_PERCENT if level == 1 else EMPTY_PERCENT,
            "limit_days": LOW_DAYS if level == 1 else EMPTY_DAYS,
            "points": [list(point) for point in state.points],
        },
    )


def _spelt(days: float) -> str:
    """About how long, as one says it.

    >>> _spelt(0.4), _spelt(1.2), _spelt(3.4)
    ('about 10 hours', 'about a day', 'about 3 days')
    """
    if days < 1:
        return f"about {max(1, round(days * 24))} hours"
    return "about a day" if round(days) == 1 else f"about {round(days)} days"
