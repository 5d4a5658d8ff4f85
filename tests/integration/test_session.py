"""A lane's line to the database: one transaction after the other."""

import asyncio

from hub.database import Connection, Session


async def test_two_tasks_never_stand_in_one_transaction(database_url: str) -> None:
    """A restart with presses waiting: recovery reads while the first of them commit."""
    session = Session(database_url)
    inside = 0

    async def work(connection: Connection) -> int:
        nonlocal inside
        inside += 1
        assert inside == 1
        await connection.execute("SELECT pg_sleep(0.05)")
        inside -= 1
        return 1

    async with asyncio.timeout(20):
        done = await asyncio.gather(*(session.run(work) for _ in range(4)))
    await session.close()
    assert done == [1, 1, 1, 1]
