"""One home's resident in the course of a run: their day, and what the story does to them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from device_sim.clock import Clock
from device_sim.fleet import Home
from device_sim.resident import Episode, EpisodeKind, ResidentState, resident_at, suffer


@dataclass(frozen=True, slots=True)
class DayClock:
    """The residents' time: starts with the run and may run faster than the clock on the wall."""

    started_at: datetime
    started_s: float
    time_factor: float

    def at(self, now_s: float) -> datetime:
        return self.started_at + timedelta(seconds=(now_s - self.started_s) * self.time_factor)


class Household:
    """The person all devices of one home feel; a story may place them or make them ill."""

    def __init__(self, home: Home, seed: str, clock: Clock, day_clock: DayClock) -> None:
        self._seed = f"{seed}/{home.person.id}"
        self._zone = ZoneInfo(home.time_zone)
        self._clock, self._day_clock = clock, day_clock
        self._room: str | None = None
        self._episodes: tuple[Episode, ...] = ()

    def resident(self) -> ResidentState:
        """The person now."""
        now_s = self._clock.monotonic_s()
        state = resident_at(self._seed, self._day_clock.at(now_s).astimezone(self._zone))
        if self._room is not None:
            state = replace(state, room=self._room, in_bed=self._room == "bed")
        return suffer(state, self._episodes, now_s)

    def place(self, room: str | None) -> None:
        """The person is in this room until further notice; None: where their day has them."""
        self._room = room

    def fail(self, kind: EpisodeKind) -> None:
        """The body begins to fail in this way."""
        self._episodes = (Episode(kind, self._clock.monotonic_s()),)

    def recover(self) -> None:
        """All vital signs are the person's own again."""
        self._episodes = ()
