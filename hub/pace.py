"""Long work on the loop of a lane in slices: a press must not wait behind bookkeeping."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

T = TypeVar("T")

SLICE = 8
"""Items between two breaths; at most about a tenth of a millisecond each."""


async def in_slices(items: Iterable[T]) -> AsyncIterator[T]:
    """The items, letting the loop do something else after every few."""
    for number, item in enumerate(items, 1):
        yield item
        if number % SLICE == 0:
            await asyncio.sleep(0)
