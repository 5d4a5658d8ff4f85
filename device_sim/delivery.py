"""What happens to a message between a device's program and its radio: by seed and number."""

from dataclasses import dataclass

from device_sim.seeded import fraction


@dataclass(frozen=True, slots=True)
class DeliveryTraits:
    """Shares of a device's messages, 0 to 1 each; `within_s` is how far they may be moved."""

    repeated: float = 0.0
    """Sent twice by the program, with the same `message_id` and without the mark of a duplicate."""
    redelivered: float = 0.0
    """The line breaks before the PUBACK: sent again on the next one, marked as a duplicate."""
    reordered: float = 0.0
    """Held back, so that later ones overtake it."""
    lost: float = 0.0
    """Never sent, though its number was used: a gap in the sequence."""
    within_s: float = 5.0


WELL = DeliveryTraits()


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one message."""

    after_s: tuple[float, ...] = (0.0,)
    """When it is sent; twice: a repeat; empty: never."""
    cut_line: bool = False
    """The line breaks right after it was sent."""


ORDINARY = Fate()


def fate_of(traits: DeliveryTraits, seed: str, number: int) -> Fate:
    """The fate of a device's `number`-th message; at most one of the four happens to it.

    >>> fate_of(DeliveryTraits(lost=1.0), "device", 1).after_s
    ()
    """
    if traits == WELL:
        return ORDINARY
    draw = fraction(seed, number, "fate")
    delay_s = traits.within_s * fraction(seed, number, "delay")
    if draw < traits.lost:
        return Fate(())
    draw -= traits.lost
    if draw < traits.repeated:
        return Fate((0.0, delay_s))
    draw -= traits.repeated
    if draw < traits.redelivered:
        return Fate(cut_line=True)
    draw -= traits.redelivered
    if draw < traits.reordered:
        return Fate((delay_s,))
    return ORDINARY
