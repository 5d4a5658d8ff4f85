"""When something was measured, as far as the device's clock can be believed."""

from hub.observation import Observation, Seconds, seconds_of


def moment_s(observation: Observation) -> int:
    """Seconds since 1970: the device's time, or the arrival where that cannot be.

    Samples of one message whose clock lies share their arrival: they count as one reading.
    """
    return observation.moment_s or times_of(observation).moment_s


def times_of(observation: Observation) -> Seconds:
    """Worked out now, for an observation that does not bring them."""
    return seconds_of(observation.received_at.timestamp(), observation.observed_at)
