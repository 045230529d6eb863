"""Bounded concurrent lookups."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from recall_pipeline.errors import RecallError, RecallProtocolError, RecallRefused, RecallUnreachable

_log = logging.getLogger(__name__)
T = TypeVar("T")
_CONCURRENT_LOOKUPS = 8


async def lookup_many(ask: Callable[[str], Awaitable[T]], ids: Sequence[str]) -> dict[str, T]:
    """Call `ask` for each id, a few at a time, and return the results by id; raise the first error."""
    slots = asyncio.Semaphore(_CONCURRENT_LOOKUPS)

    async def bounded(object_id: str) -> T:
        async with slots:
            return await ask(object_id)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = {object_id: group.create_task(bounded(object_id)) for object_id in ids}
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return {object_id: task.result() for object_id, task in tasks.items()}


def capture_errors(ask: Callable[[str], Awaitable[T]]) -> Callable[[str], Awaitable[T | RecallError]]:
    """Wrap `ask` so that errors about a single object are returned; an unreachable service still raises."""

    async def lookup(object_id: str) -> T | RecallError:
        try:
            return await ask(object_id)
        except (RecallProtocolError, RecallRefused, RecallUnreachable) as error:
            if isinstance(error, RecallUnreachable) and error.status_code is None:
                raise
            _log.warning("%s not updated: %s", object_id, error)
            return error

    return lookup
