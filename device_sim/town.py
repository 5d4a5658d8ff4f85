"""All homes of a run and what happens in them, without a network: whoever runs it brings the lines.

`city` runs it against a broker in real time, `rehearsal` on a moved clock into a file.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from device_sim.agenda import Agenda
from device_sim.clock import Clock
from device_sim.device import Device
from device_sim.display import Shown
from device_sim.fleet import Fleet, FleetDevice, Home
from device_sim.household import DayClock, Household
from device_sim.laying import Happening
from device_sim.line import Line, Listener
from device_sim.mishaps import let_happen
from device_sim.play import Scene, perform
from device_sim.surroundings import Surroundings
from device_sim.tally import Tally
from device_sim.traits import TraitRow, ordinary, traits_of
from device_sim.truth import Truth

OpenLine = Callable[[Home, FleetDevice, Listener], Line]


@dataclass(frozen=True, slots=True)
class Play:
    """What is played, how fast, and from which seed."""

    happenings: Sequence[Happening] = ()
    traits: Sequence[TraitRow] = ()
    seed: str = "1"
    time_factor: float = 1.0
    """The scenario and the residents' day run this much faster; heartbeats and repeats do not."""
    starts_at: datetime | None = None
    """The residents' time at the start; None: the clock's."""
    answers: float = 0.0


class Town:
    """Builds every device of a fleet and lets the happenings happen."""

    def __init__(
        self,
        fleet: Fleet,
        play: Play,
        *,
        clock: Clock,
        agenda: Agenda,
        boot: str,
        open_line: OpenLine,
        show: Callable[[Shown], None],
        write_truth: Callable[[bytes], None] | None = None,
    ) -> None:
        self.tally = Tally()
        self._fleet, self._play, self._clock, self._agenda = fleet, play, clock, agenda
        self.began_s = now_s = clock.monotonic_s()
        truth = Truth(clock.now(), now_s, write_truth)
        self._around = Surroundings(
            clock, agenda, self.tally, show, truth, boot, play.seed, play.answers
        )
        day_clock = DayClock(play.starts_at or clock.now(), now_s, play.time_factor)
        self.households = [Household(home, play.seed, clock, day_clock) for home in fleet.homes]
        self.devices: dict[str, Device] = {}
        for home, household in zip(fleet.homes, self.households, strict=True):
            for identity in home.devices:
                self.devices[identity.id] = self._device(home, identity, household, open_line)
        self._next = 0

    def _device(
        self, home: Home, identity: FleetDevice, household: Household, open_line: OpenLine
    ) -> Device:
        traits = (
            traits_of(self._play.traits, identity.id, identity.kind, self._play.seed)
            if self._play.traits
            else ordinary(identity.kind)
        )

        def line(listener: Listener) -> Line:
            return open_line(home, identity, listener)

        return Device(home, identity, household, self._around, line, traits)

    def start(self, *, reports: bool = True) -> None:
        """Everybody begins to live."""
        for device in self.devices.values():
            device.start(reports=reports)
            let_happen(device, self._around)
        self._plan_next()

    def _plan_next(self) -> None:
        if self._next < len(self._play.happenings):
            self._agenda.add(self._due_s(self._play.happenings[self._next]), self._happen)

    def _due_s(self, happening: Happening) -> float:
        return self.began_s + happening.at_s / self._play.time_factor

    def _happen(self) -> None:
        happening = self._play.happenings[self._next]
        self._next += 1
        home = self._fleet.homes[happening.home_index]
        scene = Scene(
            home,
            self.households[happening.home_index],
            None if happening.device_id is None else self.devices[happening.device_id],
            [self.devices[identity.id] for identity in home.devices],
            self._around,
            self._play.time_factor,
        )
        perform(happening, scene, self._due_s(happening))
        self._plan_next()
