"""Whether a finding may wake anybody, by where its person is. Pure; presses never come here.

A press is a human who wants something: a desk always sees it (docs/adr/0009). What a machine
concludes is different: a quiet home says nothing about somebody who is in hospital, and nobody
calls a family about the dead father's wristband.
"""

from collections.abc import Sequence

from alerts.alarm import Category
from alerts.grouping import Reason
from alerts.people import PersonState

QUIET_HOME_KINDS = frozenset({"inactivity", "bed_left", "bed_long_stay", "bed_restless"})
"""Findings that rest on somebody living in the home just now."""
SILENCE_KINDS = frozenset({"device_silent"})


def muted(
    kind: str,
    category: Category,
    people: Sequence[PersonState],
    *,
    carried: bool,
) -> Reason | None:
    """Why this finding wakes nobody; None: it may.

    `people` are the states of whom it is about: the device's person, or everybody in the home.
    `carried`: the device goes along with its person (wristband, phone), so its silence matters
    while they are away, when they depend on it most. Hazards belong to the home, whoever lives
    there.

    >>> home, dead = PersonState.HOME, PersonState.SERVICE_ENDED
    >>> technical = Category.TECHNICAL
    >>> muted("device_silent", technical, [dead], carried=True).value
    'not_served'
    >>> muted("device_silent", technical, [home, dead], carried=False) is None
    True
    >>> muted("hazard", Category.HAZARD, [dead], carried=False) is None
    True
    """
    if not people or category is Category.HAZARD:
        return None
    if not any(state.served for state in people):
        return Reason.NOT_SERVED
    if any(state is PersonState.HOME for state in people):
        return None
    silence = kind in SILENCE_KINDS
    if kind in QUIET_HOME_KINDS or (silence and not (carried and PersonState.AWAY in people)):
        return Reason.NOT_AT_HOME
    return None
