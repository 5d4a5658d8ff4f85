"""Typed identifiers; each is one MQTT topic level, so none may hold `/`, `+`, `#` or blanks."""

import re
from typing import NewType

AreaId = NewType("AreaId", str)
PremisesId = NewType("PremisesId", str)
PersonId = NewType("PersonId", str)
DeviceId = NewType("DeviceId", str)
AccountId = NewType("AccountId", str)
AlarmId = NewType("AlarmId", str)
IncidentId = NewType("IncidentId", str)

ID_PATTERN = r"[a-z0-9-]{1,64}"
"""Lower case letters, digits and hyphens: safe as topic level, file name and URL segment."""

_ID = re.compile(ID_PATTERN)


def is_id(text: str) -> bool:
    """Say whether `text` may stand as an identifier (and so as a topic level).

    >>> is_id("button-17"), is_id("Button 17"), is_id("")
    (True, False, False)
    """
    return _ID.fullmatch(text) is not None
