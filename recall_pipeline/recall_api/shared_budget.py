"""The request budget of all hosts (docs/design/adr/0020-shared-coordination.md)."""

import asyncio
from collections.abc import Awaitable, Callable

from recall_pipeline.coordination import CoordinationServer, RequestLimits
from recall_pipeline.recall_api.rate_limit import WindowBudget, limits_of


class SharedBudget(WindowBudget):
    """A budget that all hosts with the same server and workspace share, by the server's clock.

    Its methods raise CoordinationError if the server does not answer.
    """

    def __init__(self, server: CoordinationServer, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        super().__init__(sleep)
        self._server = server

    async def _record_walk(self, endpoint: str, per_minute: int) -> float:
        """Ask in a thread: downloads go on while the server does not answer."""
        return await asyncio.to_thread(self._record, endpoint, limits_of(per_minute), is_short=False)

    def _record(self, endpoint: str, limits: RequestLimits, *, is_short: bool) -> float:
        return self._server.take_request(endpoint, limits, is_short=is_short)
