"""Ask one question for each of many objects, a few at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
_AT_ONCE = 8


async def ask_each(ask: Callable[[str], Awaitable[T]], ids: Sequence[str]) -> dict[str, T]:
    """Return the answer for each id; the first error ends it, since half an answer is none."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(object_id: str) -> T:
        async with gate:
            return await ask(object_id)

    try:
        async with asyncio.TaskGroup() as group:
            asked = {object_id: group.create_task(one(object_id)) for object_id in ids}
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return {object_id: task.result() for object_id, task in asked.items()}
