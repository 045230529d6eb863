"""One Redis and one PostgreSQL for all tests of the package, in one worker; leases of a second or two."""

from collections.abc import Iterator

import pytest

from recall_pipeline.coordination import leases, postgres_server, redis_server
from recall_pipeline_tests.coordination_servers import CannotStart, RunningServer, running_postgres, running_redis

LEASE_SECONDS = 1.5


@pytest.fixture(scope="session", params=["redis", "postgresql"])
def shared_server(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    """Each server in turn; a test that kills it starts it again."""
    running = {"redis": running_redis, "postgresql": running_postgres}[request.param]
    context = running()
    try:
        server = context.__enter__()
    except CannotStart as reason:
        pytest.skip(f"no {request.param} server: {reason}")
    yield server
    context.__exit__(None, None, None)


@pytest.fixture
def server(shared_server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningServer]:
    """A server whose leases are short; a Redis grants at once, although it has started just now."""
    monkeypatch.setattr(redis_server, "_UPTIME_ERROR_SECONDS", -3600.0)
    set_lease(monkeypatch, LEASE_SECONDS)
    monkeypatch.setattr(leases, "_ASK_SECONDS", 0.02)
    monkeypatch.setattr(leases, "_RENEW_SECONDS", 0.05)
    yield shared_server
    shared_server.close()


def set_lease(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let every lease last `seconds` without a renewal."""
    for module in (redis_server, postgres_server, leases):
        monkeypatch.setattr(module, "LEASE_SECONDS", seconds)


@pytest.fixture
def short_window(monkeypatch: pytest.MonkeyPatch) -> float:
    """Seconds of a window that passes within a test."""
    for module in (redis_server, postgres_server):
        monkeypatch.setattr(module, "WINDOW_SECONDS", 0.5)
    return 0.5
