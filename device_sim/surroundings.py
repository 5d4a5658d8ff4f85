"""What all devices of a process share."""

from collections.abc import Callable
from dataclasses import dataclass

from device_sim.agenda import Agenda
from device_sim.clock import Clock
from device_sim.display import Shown
from device_sim.tally import Tally


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Time, what is due, the counts and the output."""

    clock: Clock
    agenda: Agenda
    tally: Tally
    show: Callable[[Shown], None]
    boot: str
    """Differs in every run, so that no `message_id` comes again."""
