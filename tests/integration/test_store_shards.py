"""A shard of detector state is never ahead of what is stored, and holds all of it."""

import asyncio

import psycopg

from hub.detect.belonging import shard_of
from hub.detect.silence import SilenceState
from hub.detect.states import stored_states
from tests.integration.test_store_telemetry_lane import Hub, lives
from tests.scenes import HandClock, settle_in

BAND = "band-1"


async def heard_s(hub: Hub) -> int | None:
    """What the stored shard says of the wristband's last word."""
    rows = await hub.rows(f"SELECT state FROM detector_shard WHERE shard = {shard_of(BAND)}")
    for row in rows:
        state = stored_states(bytes(row["state"]), "silence", SilenceState).get(BAND)
        return None if state is None else state.heard_s
    return None


async def said_with_its_shard(hub: Hub) -> int:
    """The wristband speaks in a batch after which its own shard is due."""
    hub.clock.pass_time(2)
    hub.lane._next_shard = shard_of(BAND)
    hub.say(BAND, battery_percent=80, observed_at=hub._now())
    return int(hub.clock.now().timestamp())


async def test_a_shard_holds_the_batch_it_was_taken_after(database_url: str) -> None:
    settle_in(database_url)
    async with lives(database_url, HandClock()) as hub:
        for _ in range(3):
            at_s = await said_with_its_shard(hub)
            await hub.committed()
            async with asyncio.timeout(5):
                while await heard_s(hub) != at_s:  # noqa: ASYNC110 - in the database
                    await asyncio.sleep(0.01)


async def test_a_shard_is_not_stored_without_its_batch(database_url: str) -> None:
    """Killed while the database holds the batch back: what was detected in it is not known, so
    that the message, which comes again, is detected again."""
    settle_in(database_url)
    clock = HandClock()
    async with lives(database_url, clock) as hub:
        first_s = await said_with_its_shard(hub)
        await hub.committed()
        async with asyncio.timeout(5):
            while await heard_s(hub) != first_s:  # noqa: ASYNC110 - in the database
                await asyncio.sleep(0.01)
        with psycopg.connect(database_url) as other:
            other.execute("LOCK TABLE observation IN ACCESS EXCLUSIVE MODE")
            await said_with_its_shard(hub)
            async with asyncio.timeout(5):
                while hub.lane.committing_since_s is None:  # noqa: ASYNC110 - the lane tells nobody
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            assert hub.states()["silence"][BAND].heard_s > first_s
            assert await heard_s(hub) == first_s
    async with lives(database_url, clock) as hub:
        assert hub.states()["silence"][BAND].heard_s == first_s
