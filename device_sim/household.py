"""One home's resident in the course of a run: their day, and what the scenario does to them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from device_sim.clock import Clock
from device_sim.course import Course, Decline
from device_sim.day import Doing, Stretch, minute_of, stretch_and_end
from device_sim.fleet import Home
from device_sim.place import Place, walking, wandering
from device_sim.resident import Episode, EpisodeKind, ResidentState, resident_at, suffer

RESIDENT_KEPT_S = 1.0
"""Ours: nobody's pulse changes faster than the devices of a home ask for it."""

OUTSIDE = "outside"
IN_BED = "bed"
"""Rooms of a scenario that mean more than their name."""


@dataclass(frozen=True, slots=True)
class DayClock:
    """The residents' time: starts with the run and may run faster than the clock on the wall."""

    started_at: datetime
    started_s: float
    time_factor: float

    def at(self, now_s: float) -> datetime:
        return self.started_at + timedelta(seconds=(now_s - self.started_s) * self.time_factor)


class Household:
    """The person all devices of one home feel; a scenario may place them or make them ill."""

    __slots__ = (
        "_clock", "_day_clock", "_decline", "_doing", "_episodes", "_home", "_kept", "_kept_s",
        "_room", "_seed", "_wandering_s", "_zone",
    )  # fmt: skip

    def __init__(self, home: Home, seed: str, clock: Clock, day_clock: DayClock) -> None:
        self._seed = f"{seed}/{home.person.id}"
        self._zone = ZoneInfo(home.time_zone)
        self._home = (
            None
            if home.latitude is None or home.longitude is None
            else Place(home.latitude, home.longitude, indoors=True)
        )
        self._clock, self._day_clock = clock, day_clock
        self._room: str | None = None
        self._doing: Doing | None = None
        self._wandering_s: float | None = None
        self._episodes: tuple[Episode, ...] = ()
        self._decline: Decline | None = None
        self._kept: ResidentState | None = None
        self._kept_s = 0.0

    def resident(self) -> ResidentState:
        """The person now."""
        now_s = self._clock.monotonic_s()
        if self._kept is None or now_s - self._kept_s >= RESIDENT_KEPT_S:
            self._kept, self._kept_s = self._resident_at(now_s), now_s
        return self._kept

    def where(self) -> Place | None:
        """Where the person really is; None: nobody knows where this home stands."""
        home, now_s = self._home, self._clock.monotonic_s()
        if home is None:
            return None
        if self._wandering_s is not None:
            return wandering(home, self._seed, now_s - self._wandering_s)
        if self._room is not None or self._doing is not None:
            return replace(home, indoors=self._room != OUTSIDE)
        local = self._local(now_s)
        stretch, end = stretch_and_end(self._seed, local)
        if stretch.doing is not Doing.OUTSIDE:
            return home
        minute = minute_of(local)
        return walking(home, self._seed, minute, minute - stretch.from_minute, end - minute)

    def changes_in_s(self) -> float | None:
        """When their own day has them do something else; None: the scenario holds them."""
        if self._room is not None or self._doing is not None:
            return None
        local = self._local(self._clock.monotonic_s())
        _, end = stretch_and_end(self._seed, local)
        return (end - minute_of(local)) * 60.0 / self._day_clock.time_factor

    @property
    def well(self) -> bool:
        """Whether nothing that a scenario did keeps the person from answering."""
        return self._doing is None and not self._episodes and self._decline is None

    # What a scenario does

    def place(self, room: str | None) -> None:
        """The person is in this room until further notice; None: where their day has them."""
        self._room, self._doing, self._wandering_s = room, None, None
        self._kept = None

    def lie(self, room: str | None = None) -> None:
        """The person lies and does not move, on the floor of this room; `bed`: in bed. None: where
        they are."""
        self._room = room or self.resident().room
        self._doing, self._wandering_s = Doing.LYING, None
        self._kept = None

    def wander(self) -> None:
        """The person leaves the home and walks away, whatever the hour."""
        self._room, self._doing = OUTSIDE, Doing.OUTSIDE
        self._wandering_s = self._clock.monotonic_s()
        self._kept = None

    def resume(self) -> None:
        """The person is where their day has them, and does what it says."""
        self.place(None)

    def fail(self, kind: EpisodeKind) -> None:
        """The body begins to fail in this way."""
        self._episodes = (Episode(kind, self._clock.monotonic_s()),)
        self._kept = None

    def decline(self, course: Course, over_s: float) -> None:
        """The body gets worse, completely so after `over_s`."""
        self._decline = Decline(course, self._clock.monotonic_s(), over_s)
        self._kept = None

    def recover(self) -> None:
        """All vital signs are the person's own again."""
        self._episodes, self._decline = (), None
        self._kept = None

    def _local(self, now_s: float) -> datetime:
        return self._day_clock.at(now_s).astimezone(self._zone)

    def _resident_at(self, now_s: float) -> ResidentState:
        local = self._local(now_s)
        forced = None
        if self._doing is not None:
            forced = Stretch(minute_of(local), self._room or OUTSIDE, self._doing)
        state = resident_at(self._seed, local, forced)
        if self._room is not None:
            state = replace(state, room=self._room, in_bed=self._room == IN_BED)
        if self._decline is not None:
            state = self._decline.worsen(state, now_s)
        return suffer(state, self._episodes, now_s)
