"""The real API over a real database in a thread of its own, and the visitors who try its doors."""

import asyncio
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from benchmarks.harness import say
from benchmarks.hostile.town import ABOVE, WEST, possessions, settle
from benchmarks.hostile.visitors import Account, Visit
from hub.api.access import MAY
from tests.integration.api_hub import ApiHub, api_hub

READY_WITHIN_S = 30.0
KEPT_BY_THE_HUB = frozenset({"context_change", "live_feed"})
"""Not theirs: what changed, by id, for caches; which API processes are alive."""


def at_the_door(
    fresh: Callable[[], str], *, often: int, seldom: int, seed: int, roles: Sequence[str] = ()
) -> dict[str, Account]:
    """Every role in a town of its own (`fresh` makes an empty database); afterwards the foreign
    areas must be as they were."""
    found: dict[str, Account] = {}
    for role in roles or MAY:
        database_url = fresh()
        with psycopg.connect(database_url) as connection:
            settle(connection)
        with _running(database_url) as hub:
            before = _possessions(database_url)
            visit = Visit(hub.url, database_url, role, hub.app.openapi())
            account = found[role] = visit.visit(often, seldom, seed)
            _compare(before, _possessions(database_url), account)
        say(f"{role}: {account.requests} requests, {account.server_errors} server errors,"
            f" {account.nonconforming} not as described, {account.foreign} foreign,"
            f" {account.touched} rows of others touched")  # fmt: skip
    return found


def _compare(before: dict[str, list[str]], after: dict[str, list[str]], account: Account) -> None:
    for table in before.keys() | after.keys():
        apart = set(before.get(table, [])) ^ set(after.get(table, []))
        if apart and table not in KEPT_BY_THE_HUB:
            account.touched += len(apart)
            account.note("touched", table, str(sorted(apart)[:3])[:600])


def _possessions(database_url: str) -> dict[str, list[str]]:
    with psycopg.connect(database_url) as connection:
        return possessions(connection, (WEST, ABOVE))


@contextmanager
def _running(database_url: str) -> Iterator[ApiHub]:
    """The API on a loop of its own: the visitors' client waits for each answer."""
    started, ending = threading.Event(), asyncio.Event()
    found: list[ApiHub] = []
    loop = asyncio.new_event_loop()

    async def serve(folder: Path) -> None:
        async with api_hub(database_url, folder) as hub:
            await hub.parts.switchboard.loaded.wait()
            hub.bus.beat(devices_online=0, devices_total=4)
            found.append(hub)
            started.set()
            await ending.wait()

    with tempfile.TemporaryDirectory(prefix="carebell-hostile-") as name:
        thread = threading.Thread(target=lambda: loop.run_until_complete(serve(Path(name))))
        thread.start()
        try:
            if not started.wait(READY_WITHIN_S):
                raise TimeoutError("the API did not start")
            yield found[0]
        finally:
            loop.call_soon_threadsafe(ending.set)
            thread.join(READY_WITHIN_S)
            loop.close()
