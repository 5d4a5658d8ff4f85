"""What the API asks about findings; implemented by `hub.store.findings`."""

from datetime import datetime
from typing import Protocol

from hub.desk import Entry, Within
from hub.view import View


class FindingStore(Protocol):
    """Raises DatabaseAway."""

    async def page(
        self,
        within: Within,
        before: tuple[datetime, str],
        limit: int,
        *,
        person_id: str | None,
        premises_id: str | None,
        reason: str | None,
        look: Entry | None,
    ) -> list[View]:
        """Findings before a place, newest first; a look at one person's is logged with it."""
        ...
