"""One fixture for all tests of the API client: an open client for one call."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from recall_pipeline.recall_api import RecallClient, open_client
from recall_pipeline.settings import Settings

CallApi = Callable[[Callable[[RecallClient], Awaitable[Any]]], Any]
"""Calls a coroutine function with an open client, and returns its result."""


@pytest.fixture
def call(settings: Settings) -> CallApi:
    """Open a client of the sandbox's API for one call."""

    def once(function: Callable[[RecallClient], Awaitable[Any]]) -> Any:
        async def run() -> Any:
            async with open_client(settings) as client:
                return await function(client)

        return asyncio.run(run())

    return once
