"""When something was measured, as far as the device's clock can be believed."""

from datetime import timedelta

from hub.observation import Observation

CLOCK_AHEAD = timedelta(minutes=5)
"""Ours: NTP keeps a healthy device within a second; five minutes ahead is a clock that lies."""
BACKLOG = timedelta(days=1)
"""Ours: a bed keeps hours of minute values after lost coverage; what is older is a wrong clock."""

_EARLIEST_S, _BACKLOG_S = -CLOCK_AHEAD.total_seconds(), BACKLOG.total_seconds()


def moment_s(observation: Observation) -> int:
    """Seconds since 1970: the device's time, or the arrival where that cannot be.

    Samples of one message whose clock lies share their arrival: they count as one reading.
    """
    received_s = observation.received_at.timestamp()
    observed_at = observation.observed_at
    if observed_at is not None:
        observed_s = observed_at.timestamp()
        if _EARLIEST_S <= received_s - observed_s <= _BACKLOG_S:
            return int(observed_s)
    return int(received_s)
