"""When something was measured, as far as the device's clock can be believed."""

from datetime import timedelta

from hub.observation import Observation

CLOCK_AHEAD = timedelta(minutes=5)
"""Ours: NTP keeps a healthy device within a second; five minutes ahead is a clock that lies."""
BACKLOG = timedelta(days=1)
"""Ours: a bed keeps hours of minute values after lost coverage; what is older is a wrong clock."""

_EARLIEST = -CLOCK_AHEAD


def moment_s(observation: Observation) -> int:
    """Seconds since 1970: the device's time, or the arrival where that cannot be.

    Samples of one message whose clock lies share their arrival: they count as one reading.
    """
    received_at, observed_at = observation.received_at, observation.observed_at
    if observed_at is None or not _EARLIEST <= received_at - observed_at <= BACKLOG:
        return int(received_at.timestamp())
    return int(observed_at.timestamp())
