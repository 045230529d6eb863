"""One request budget for all hosts, by the server's clock (docs/design/interface.md, section 1)."""

import asyncio
import subprocess
import sys
import threading
import time
import uuid

import pytest

from recall_pipeline.coordination import CoordinationServer, RequestLimits, redis_server
from recall_pipeline.errors import RecallThrottled
from recall_pipeline.recall_api import BudgetShare
from recall_pipeline.recall_api.rate_limit import limits_of
from recall_pipeline.recall_api.shared_budget import SharedBudget
from recall_pipeline_tests.coordination_servers import RunningServer

pytestmark = pytest.mark.xdist_group("coordination")
_TAKES_ALL = """
import sys, time
ahead, real = float(sys.argv[3]), time.time
time.time = lambda: real() + ahead
from pydantic import SecretStr
from recall_pipeline.coordination import RequestLimits, connect, redis_server
redis_server._UPTIME_ERROR_SECONDS = -3600.0
server = connect(SecretStr(sys.argv[1]))
print(sum(server.take_request(sys.argv[2], RequestLimits(50, 40), is_short=False) == 0 for _ in range(50)))
"""


@pytest.fixture
def endpoint() -> str:
    """A name that no other test uses."""
    return f"list bot {uuid.uuid4()}"


def granted(server: CoordinationServer, endpoint: str, limits: RequestLimits, *, is_short: bool = False) -> int:
    return sum(server.take_request(endpoint, limits, is_short=is_short) == 0 for _ in range(2 * limits.of_both))


def test_a_window_has_no_more_requests_than_its_limit(server: RunningServer, endpoint: str) -> None:
    first, second = server.open(), server.open()
    assert granted(first, endpoint, limits_of(50)) == 40
    assert granted(second, endpoint, limits_of(50)) == 0
    assert granted(second, endpoint, limits_of(50), is_short=True) == 10
    assert granted(first, f"{endpoint} of another workspace", limits_of(50)) == 40


def test_short_looks_leave_a_fifth_to_walks(server: RunningServer, endpoint: str) -> None:
    assert granted(server.open(), endpoint, limits_of(50), is_short=True) == 40
    assert granted(server.open(), endpoint, limits_of(50)) == 10


def test_the_wait_ends_when_the_oldest_request_leaves_the_window(server: RunningServer, endpoint: str) -> None:
    opened = server.open()
    assert opened.take_request(endpoint, RequestLimits(1, 1), is_short=False) == 0
    assert 50 < opened.take_request(endpoint, RequestLimits(1, 1), is_short=False) <= 61


def test_processes_whose_clocks_differ_by_a_minute_share_one_budget(server: RunningServer, endpoint: str) -> None:
    command = [sys.executable, "-c", _TAKES_ALL, server.url.get_secret_value(), endpoint]
    running = [
        subprocess.Popen([*command, ahead], stdout=subprocess.PIPE, text=True)  # noqa: S603
        for ahead in ("-30", "30")
    ]
    assert sum(int(process.communicate()[0]) for process in running) == 40


@pytest.mark.parametrize("per_minute", [1, 7])
def test_threads_of_two_hosts_that_wait_never_exceed_the_limit(
    server: RunningServer, endpoint: str, short_window: float, per_minute: int
) -> None:
    """Times are taken before and after each grant, so that any window that was exceeded is seen for certain."""
    spans: list[tuple[float, float]] = []

    def take(opened: CoordinationServer) -> None:
        for _ in range(per_minute):
            while True:
                asked_at = time.monotonic()
                wait_seconds = opened.take_request(endpoint, RequestLimits(per_minute, per_minute), is_short=False)
                if not wait_seconds:
                    break
                time.sleep(wait_seconds)
            spans.append((asked_at, time.monotonic()))

    threads = [threading.Thread(target=take, args=[opened]) for opened in (server.open(), server.open()) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(spans) == 4 * per_minute
    for begin, _ in spans:
        certainly_within = [span for span in spans if begin <= span[0] and span[1] < begin + short_window]
        assert len(certainly_within) <= per_minute


def test_a_walk_waits_for_the_shared_budget_and_a_look_does_not(server: RunningServer, endpoint: str) -> None:
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)
        raise RecallThrottled("it would wait")

    budget = SharedBudget(server.open(), sleep=note)
    asyncio.run(budget.take(endpoint, 2))
    with pytest.raises(RecallThrottled, match="it would wait"):
        asyncio.run(budget.take(endpoint, 2))
    look = BudgetShare(budget, 5)
    asyncio.run(look.take(endpoint, 2))
    with pytest.raises(RecallThrottled, match="the request budget of this task is used"):
        asyncio.run(look.take(endpoint, 2))
    assert len(waits) == 1


def test_a_restart_of_the_server_gives_no_second_budget(
    server: RunningServer, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_server, "_UPTIME_ERROR_SECONDS", 3600.0)  # as if it had not run for a window yet
    opened = server.open()
    if server.scheme == "postgresql":
        assert granted(opened, endpoint, limits_of(50)) == 40
    server.kill()
    server.start()
    assert opened.take_request(endpoint, limits_of(50), is_short=False) > 0


def test_a_redis_grants_again_once_it_has_run_for_a_window(server: RunningServer, endpoint: str) -> None:
    if server.scheme == "redis":
        server.kill()
        server.start()
    assert granted(server.open(), endpoint, limits_of(50)) == 40
