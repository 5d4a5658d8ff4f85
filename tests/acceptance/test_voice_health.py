"""Is the provider of calls broken, or do people not pick up?"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acceptance.watchtower import Watchtower, running_watchtower
from tests.providers import running_providers
from tests.scenes import ROOT


@pytest.fixture
async def tower(database_url: str, tmp_path: Path) -> AsyncIterator[Watchtower]:
    async with (
        running_providers() as providers,
        running_watchtower(database_url, tmp_path, providers.gateway) as running,
    ):
        yield running


async def calls_end(tower: Watchtower, detail: str) -> None:
    """Six calls to three telephones, each told by the gateway to have ended like this."""
    now = tower.clock.now()
    await tower.rows(
        "WITH rung AS (INSERT INTO notification (area_id, channel, recipient, kind, urgency, body,"
        " state, created_at, due_at) SELECT %s, 'voice', 'contact:c-' || n %% 3, 'ring', 1, '{}',"
        " 'failed', %s, %s FROM generate_series(1, 6) n RETURNING notification_id, recipient)"
        " INSERT INTO delivery (area_id, notification_id, channel, recipient, attempt, reference,"
        " state, began_at, at, detail) SELECT %s, notification_id, 'voice', recipient, 1,"
        " 'r-' || notification_id, 'failed', %s, %s, %s FROM rung",
        ROOT, now, now, ROOT, now, now, detail,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("detail", "rings"), [("no_answer", False), ("busy", False), ("failed", True)]
)
async def test_people_who_do_not_pick_up_are_no_fault_of_the_provider(
    tower: Watchtower, detail: str, *, rings: bool
) -> None:
    await tower.sits("mei")
    await calls_end(tower, detail)
    await tower.later(minutes=2)
    assert ("provider_fails" in await tower.open()) is rings
