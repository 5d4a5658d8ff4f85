"""Questions of many become one query, and one's trouble is nobody else's."""

import asyncio
from collections.abc import Mapping, Sequence

import psycopg
import pytest

from hub.store.gathered import Gathered


class Library:
    """Answers with the key in capitals; remembers what it was asked at once."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.away = False
        self.open = asyncio.Event()
        self.open.set()

    async def load(self, keys: Sequence[str]) -> Mapping[str, str]:
        self.asked.append(sorted(keys))
        await self.open.wait()
        if self.away:
            raise psycopg.OperationalError("gone")
        if "broken" in keys:
            raise ZeroDivisionError
        return {key: key.upper() for key in keys if key != "nobody"}


async def test_who_asks_while_a_query_runs_is_in_the_next_one_together() -> None:
    library = Library()
    library.open.clear()
    question = Gathered(library.load)
    first = asyncio.create_task(question.ask("a"))
    while not library.asked:  # noqa: ASYNC110 - the library tells nobody
        await asyncio.sleep(0)
    others = [asyncio.create_task(question.ask(key)) for key in ("b", "c", "a", "nobody")]
    await asyncio.sleep(0)
    library.open.set()
    assert await first == "A"
    assert await asyncio.gather(*others) == ["B", "C", "A", None]
    assert library.asked == [["a"], ["a", "b", "c", "nobody"]]


async def test_one_broken_key_fails_whoever_asked_for_it_alone() -> None:
    question = Gathered(Library().load)
    a, broken, b = await asyncio.gather(
        question.ask("a"), question.ask("broken"), question.ask("b"), return_exceptions=True
    )
    assert (a, b) == ("A", "B")
    assert isinstance(broken, ZeroDivisionError)


async def test_a_database_that_is_away_is_told_to_all_and_asked_again() -> None:
    library = Library()
    library.away = True
    question = Gathered(library.load)
    told = await asyncio.gather(question.ask("a"), question.ask("b"), return_exceptions=True)
    assert [type(each) for each in told] == [psycopg.OperationalError] * 2
    library.away = False
    assert await question.ask("a") == "A"


async def test_whoever_gives_up_takes_nothing_from_the_others() -> None:
    library = Library()
    library.open.clear()
    question = Gathered(library.load)
    one, other = (asyncio.create_task(question.ask("a")) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    library.open.set()
    assert await other == "A"
    with pytest.raises(asyncio.CancelledError):
        await one
