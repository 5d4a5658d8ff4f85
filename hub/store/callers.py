"""From a caller's number to the people it may be about; implements `hub.api.ports.CallerStore`."""

from collections.abc import Iterable

from hub.call_in import MOST_FOUND, Caller, Whose
from hub.store import queries
from hub.store.address_book import spellings
from hub.store.reach import Cursor, Reach

_SQL = queries.load("callers")


class PostgresCallers:
    """Raises DatabaseAway."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def by_number(self, number: str) -> list[Caller]:
        """Own numbers first, then homes, then contacts; everybody once."""

        async def read(cursor: Cursor) -> list[Caller]:
            values = {"numbers": with_trunk_digit(spellings(number)), "limit": MOST_FOUND}
            await cursor.execute(_SQL["by_number"], values)
            rows = await cursor.fetchall()
            return [Caller(**(row | {"whose": Whose(row["whose"])})) for row in rows]

        return _once(await self._reach.run(read))


def with_trunk_digit(numbers: Iterable[str]) -> list[str]:
    """Landlines stand with a 0 before the area code where they are dialled in the country.

    >>> with_trunk_digit(["2155550101"])
    ['02155550101', '2155550101']
    """
    plain = set(numbers)
    return sorted(plain | {f"0{each}" for each in plain if not each.startswith("0")})


def _once(found: list[Caller]) -> list[Caller]:
    """Whoever is found by their own number is not found again by that of their home."""
    seen: set[str] = set()
    kept = []
    for caller in found:
        if caller.person_id is None or caller.person_id not in seen:
            kept.append(caller)
        if caller.person_id is not None:
            seen.add(caller.person_id)
    return kept[:MOST_FOUND]
