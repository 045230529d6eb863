"""A sandbox with the demo's meetings, and HTTP clients of it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import httpx
import pytest

from recall_sandbox import Sandbox, demo_world

TODAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(demo_world(TODAY)).running() as running:
        yield running


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = {"Authorization": sandbox.api_key}
    with httpx.Client(base_url=sandbox.api_url, headers=headers) as client:
        yield client


@pytest.fixture
def storage() -> Iterator[httpx.Client]:
    """A client for download links: absolute URLs, no key."""
    with httpx.Client() as client:
        yield client
