"""What a host runs to use the whole budget: `python -m ... SECONDS LOOKS`; 1: short looks, 0: a walk that waits."""

import asyncio
import sys
import time
from contextlib import suppress
from datetime import timedelta

from recall_pipeline.days import utc_now
from recall_pipeline.errors import RecallThrottled
from recall_pipeline.recall_api import BudgetShare, RecallClient, open_client
from recall_pipeline.settings import load_settings

_TASKS = 4
_LOOK_SECONDS = 0.5
_ENOUGH = 1_000_000


async def _walk(client: RecallClient, until: float) -> None:
    now = utc_now()
    while time.monotonic() < until:
        await client.page("recording", (now - timedelta(days=1), now), None)


async def _look(client: RecallClient, until: float) -> None:
    now = utc_now()
    while time.monotonic() < until:
        with suppress(RecallThrottled):
            await client.page("recording", (now - timedelta(days=1), now), None)
        await asyncio.sleep(_LOOK_SECONDS)


async def _use_all(seconds: float, *, looks: bool) -> None:
    until = time.monotonic() + seconds
    settings = load_settings()
    if looks:
        async with open_client(settings, None, lambda budget: BudgetShare(budget, _ENOUGH)) as client:
            await _look(client, until)
        return
    async with open_client(settings) as client:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(_walk(client, until) for _ in range(_TASKS)))


if __name__ == "__main__":
    asyncio.run(_use_all(float(sys.argv[1]), looks=sys.argv[2] == "1"))
