"""How a body gets worse over hours: which vital sign leads, which follows, and how far.

Shapes and end points are ours, built so that the order is the textbook one (breathing and pulse
move first, pressure last) and so that everybody ends at an aggregate NEWS2 score of 7 or more, the
emergency response (Royal College of Physicians 2017). They are scenery for a hub, no medicine.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from device_sim.resident import ResidentState


class Course(StrEnum):
    """What is going wrong."""

    PNEUMONIA = "pneumonia"
    SEPSIS = "sepsis"
    HEART_FAILURE = "heart_failure"


@dataclass(frozen=True, slots=True)
class Shift:
    """How far one vital sign moves, and from which share of the course on."""

    measure: str
    by: float
    begins_at: float = 0.0


COURSES: dict[Course, tuple[Shift, ...]] = {
    Course.PNEUMONIA: (
        Shift("body_temperature_c", 2.4),
        Shift("respiratory_rate_per_min", 13.0, 0.1),
        Shift("heart_rate_per_min", 40.0, 0.2),
        Shift("oxygen_saturation_percent", -9.0, 0.35),
        Shift("systolic_blood_pressure_mmhg", -15.0, 0.6),
    ),
    Course.SEPSIS: (
        Shift("heart_rate_per_min", 58.0),
        Shift("body_temperature_c", 2.9, 0.1),
        Shift("respiratory_rate_per_min", 12.0, 0.15),
        Shift("oxygen_saturation_percent", -3.5, 0.5),
        Shift("systolic_blood_pressure_mmhg", -46.0, 0.4),
        Shift("diastolic_blood_pressure_mmhg", -24.0, 0.4),
    ),
    Course.HEART_FAILURE: (
        Shift("respiratory_rate_per_min", 14.0),
        Shift("oxygen_saturation_percent", -9.0, 0.2),
        Shift("heart_rate_per_min", 42.0, 0.3),
    ),
}


@dataclass(frozen=True, slots=True)
class Decline:
    """A course that began at this second of the monotonic clock and is complete `over_s` later."""

    course: Course
    began_s: float
    over_s: float

    def worsen(self, state: ResidentState, now_s: float) -> ResidentState:
        """The same person so far into the course."""
        share = min(1.0, max(0.0, (now_s - self.began_s) / self.over_s))
        moved = {
            shift.measure: getattr(state, shift.measure) + shift.by * _way(share, shift.begins_at)
            for shift in COURSES[self.course]
        }
        return replace(state, **moved)


def _way(share: float, begins_at: float) -> float:
    """Share of a shift that is done: none before it begins, then smoothly to the whole."""
    within = max(0.0, (share - begins_at) / (1.0 - begins_at))
    return within * within * (3.0 - 2.0 * within)
