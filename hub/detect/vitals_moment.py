"""When something was measured, as far as the device's clock can be believed."""

from hub.observation import Observation

CLOCK_AHEAD_S = 300
"""Ours: NTP keeps a healthy device within a second; five minutes ahead is a clock that lies."""
BACKLOG_S = 86_400
"""Ours: a bed keeps hours of minute values after lost coverage, not days: older is a wrong clock."""


def moment_s(observation: Observation) -> int:
    """Seconds since 1970: the device's time, or the arrival where that cannot be.

    Samples of one message whose clock lies share their arrival: they count as one reading.
    """
    received_s = int(observation.received_at.timestamp())
    if observation.observed_at is None:
        return received_s
    observed_s = int(observation.observed_at.timestamp())
    if received_s - BACKLOG_S <= observed_s <= received_s + CLOCK_AHEAD_S:
        return observed_s
    return received_s
