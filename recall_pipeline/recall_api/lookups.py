"""Ask one question for each of many objects, a few at a time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from recall_pipeline.errors import RecallError, RecallProtocolError, RecallRefused, RecallUnreachable

_log = logging.getLogger(__name__)
T = TypeVar("T")
_AT_ONCE = 8


async def lookup_many(ask: Callable[[str], Awaitable[T]], ids: Sequence[str]) -> dict[str, T]:
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


def capture_errors(ask: Callable[[str], Awaitable[T]]) -> Callable[[str], Awaitable[T | RecallError]]:
    """Return `ask` such that an object that is refused, is no such object, or breaks the service is told, not raised.

    A service that does not answer at all is raised: it says nothing of this object.
    """

    async def told(object_id: str) -> T | RecallError:
        try:
            return await ask(object_id)
        except (RecallProtocolError, RecallRefused, RecallUnreachable) as fault:
            if isinstance(fault, RecallUnreachable) and fault.status_code is None:
                raise
            _log.warning("%s stays as it was last seen: %s", object_id, fault)
            return fault

    return told
