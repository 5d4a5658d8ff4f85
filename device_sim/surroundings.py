"""What all devices of a process share."""

from collections.abc import Callable
from dataclasses import dataclass

from device_sim.agenda import Agenda
from device_sim.clock import Clock
from device_sim.display import Shown
from device_sim.tally import Tally
from device_sim.truth import Truth


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Time, what is due, the counts, the output and the log of what really happened."""

    clock: Clock
    agenda: Agenda
    tally: Tally
    show: Callable[[Shown], None]
    truth: Truth
    boot: str
    """Differs in every run, so that no `message_id` comes again."""
    seed: str = "1"
    answers: float = 0.0
    """Of those who are well and are asked: the share that answers."""
