"""How many connections this process may open, and from which addresses."""

import resource

SPARE = 64
"""Descriptors for everything that is no device."""

PORTS_PER_ADDRESS = 20_000
"""Linux hands out 28,232 local ports for one pair of addresses (ip_local_port_range)."""

LOOPBACK = "127.0.0.1"


class TooManyDevices(Exception):
    """The system allows this process fewer connections than the fleet has devices."""


def room_for(devices: int) -> None:
    """Take as many descriptors as the system gives. Raises `TooManyDevices`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = devices + SPARE
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise TooManyDevices(
            f"{devices} devices need a connection each, and this process may open {hard - SPARE}: "
            "raise the limit (`ulimit -n`, LimitNOFILE), take fewer homes, or let a few "
            "connections carry all devices (--trunks, docs/how-to/simulate.md)"
        )
    if soft != resource.RLIM_INFINITY and wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def local_host(host: str, index: int) -> str | None:
    """From which loopback address the `index`-th device dials; None: the system chooses."""
    if host != LOOPBACK or index < PORTS_PER_ADDRESS:
        return None
    return f"127.0.0.{1 + index // PORTS_PER_ADDRESS}"
