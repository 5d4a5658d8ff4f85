"""What a wristband says about a movement: its raw window, and a claim if it judges by itself."""

from device_sim.acceleration import FALLS, RANGE_G, RATE_HZ, Movement, window
from device_sim.device import Device
from device_sim.seeded import between, fraction
from schemas.alarms import Fall, Motion

CLAIMED_CONFIDENCE = (0.55, 0.95)
"""Ours: what wristbands with a detector of their own state; right and wrong claims look alike."""
FALSE_IMPACT_G = (2.2, 5.0)


def send_window(device: Device, movement: Movement, seed: str) -> float:
    """Send the raw window; how hard the impact in it is, in g."""
    felt = window(movement, seed)
    device.raise_alarm(
        Motion(
            device.new_message_id(),
            device.hardware.time(),
            RATE_HZ,
            RANGE_G,
            felt.x_mg,
            felt.y_mg,
            felt.z_mg,
            device.hardware.position(),
        )
    )
    return felt.impact_g


def claim_fall(device: Device, seed: str, impact_g: float | None) -> None:
    """The wristband's own detector says that it was a fall; `impact_g` None: it felt something."""
    device.raise_alarm(
        Fall(
            message_id=device.new_message_id(),
            observed_at=device.hardware.time(),
            confidence=round(between(*CLAIMED_CONFIDENCE, seed, "confidence"), 2),
            impact_g=round(impact_g or between(*FALSE_IMPACT_G, seed, "impact"), 1),
            position=device.hardware.position(),
        )
    )


def a_fall(seed: str) -> Movement:
    """One of the ways to fall."""
    return FALLS[int(len(FALLS) * fraction(seed, "way"))]
