"""The request budget: a sliding minute, shared by processes.

See docs/design/recall-api.md, section 2, and docs/design/interface.md, section 1.
"""

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from recall_pipeline.errors import RecallThrottled, SettingsError
from recall_pipeline.recall_api.rate_limit import WINDOW_SECONDS, BudgetShare, RequestBudget, reserve_of


class Clock:
    """Stands still until it is told how late it is; sleeping moves it on."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "home" / "budget.sqlite"


@pytest.fixture
def budget(ledger: Path, clock: Clock) -> RequestBudget:
    return RequestBudget(ledger, clock=clock, sleep=clock.sleep)


def take(budget: RequestBudget, times: int, endpoint: str = "list bot", per_minute: int = 6) -> None:
    """Take as a walk does: of 6 requests a minute it leaves 2 to short looks."""

    async def all_of_them() -> None:
        for _ in range(times):
            await budget.take(endpoint, per_minute)

    asyncio.run(all_of_them())


def test_requests_within_the_budget_do_not_wait(budget: RequestBudget, clock: Clock) -> None:
    take(budget, 4)
    assert clock.now == 1000


def test_the_next_request_waits_until_the_oldest_is_a_minute_old(budget: RequestBudget, clock: Clock) -> None:
    take(budget, 1)
    clock.now = 1040
    take(budget, 3)
    assert clock.now == 1040
    take(budget, 1)
    assert clock.now == pytest.approx(1060)


def test_no_minute_has_more_requests_than_the_budget(budget: RequestBudget, clock: Clock) -> None:
    moments = []
    for step in range(60):
        clock.now += (step * 7) % 13
        take(budget, 1, per_minute=5)
        moments.append(clock.now)
    assert all(later - earlier >= WINDOW_SECONDS for earlier, later in zip(moments, moments[4:], strict=False))
    assert [earlier for earlier, later in pairwise(moments) if later < earlier] == []


def test_each_endpoint_has_a_budget_of_its_own(budget: RequestBudget, clock: Clock) -> None:
    take(budget, 4, "list bot")
    take(budget, 4, "get bot")
    assert clock.now == 1000


def test_concurrent_tasks_get_no_more_than_the_budget(budget: RequestBudget, clock: Clock) -> None:
    async def at_once() -> None:
        await asyncio.gather(*(budget.take("list bot", 5) for _ in range(11)))

    asyncio.run(at_once())
    assert clock.now >= 1120


def test_two_budgets_on_one_ledger_are_one_budget(ledger: Path, clock: Clock) -> None:
    first = RequestBudget(ledger, clock=clock, sleep=clock.sleep)
    second = RequestBudget(ledger, clock=clock, sleep=clock.sleep)
    take(first, 2)
    take(second, 2)
    assert clock.now == 1000
    take(first, 1)
    assert clock.now == pytest.approx(1060)


def test_real_processes_share_the_budget_by_their_common_clock(ledger: Path) -> None:
    asks_until_refused = (
        "import pathlib, sys\n"
        "from recall_pipeline.recall_api.rate_limit import RequestBudget\n"
        "class Refused(Exception): pass\n"
        "async def refuse(seconds): raise Refused\n"
        "budget, granted = RequestBudget(pathlib.Path(sys.argv[1]), sleep=refuse), 0\n"
        "import asyncio\n"
        "try:\n"
        "    while True:\n"
        "        asyncio.run(budget.take('list bot', 50))\n"
        "        granted += 1\n"
        "except Refused:\n"
        "    print(granted)\n"
    )
    command = [sys.executable, "-c", asks_until_refused, str(ledger)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]  # noqa: S603
    granted = [int(process.communicate()[0]) for process in processes]
    assert sum(granted) == 40


def test_requests_before_the_last_boot_are_ignored(ledger: Path, clock: Clock) -> None:
    clock.now = 500_000
    take(RequestBudget(ledger, clock=clock, sleep=clock.sleep), 4)
    clock.now = 10
    take(RequestBudget(ledger, clock=clock, sleep=clock.sleep), 4)
    assert clock.now == 10


def test_the_ledger_keeps_one_minute_only(budget: RequestBudget, ledger: Path, clock: Clock) -> None:
    for _ in range(50):
        take(budget, 4)
        clock.now += 61
    with sqlite3.connect(ledger) as connection:
        assert connection.execute("SELECT count(*) FROM sent").fetchone() == (4,)
    connection.close()


def test_an_unwritable_home_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"cannot store the request budget in \S+ \(.*\): .*DAGSTER_HOME"):
        RequestBudget(tmp_path / "file" / "home" / "budget.sqlite")


def test_a_share_is_counted_per_endpoint_and_never_waits(budget: RequestBudget, clock: Clock) -> None:
    share = BudgetShare(budget, 2)
    for endpoint in ("list bot", "list bot", "list recording"):
        asyncio.run(share.take(endpoint, 50))
    with pytest.raises(RecallThrottled, match="the request budget of this task is used"):
        asyncio.run(share.take("list bot", 50))
    asyncio.run(share.take("list recording", 50))
    assert clock.now == 1000.0


def test_a_share_is_refused_if_others_have_used_the_minute(budget: RequestBudget, clock: Clock) -> None:
    for _ in range(3):
        asyncio.run(BudgetShare(budget, 1).take("list bot", 4))
    asyncio.run(budget.take("list bot", 4))
    with pytest.raises(RecallThrottled):
        asyncio.run(BudgetShare(budget, 2).take("list bot", 4))
    clock.now += WINDOW_SECONDS
    asyncio.run(BudgetShare(budget, 2).take("list bot", 4))


def test_requests_of_a_share_count_in_the_whole_budget(budget: RequestBudget) -> None:
    for _ in range(3):
        asyncio.run(BudgetShare(budget, 1).take("list bot", 4))
    assert not budget.try_take("list bot", 4)


class TestTwoClasses:
    def test_looks_of_a_sensor_beside_two_walks_read_all_their_pages(self, ledger: Path, clock: Clock) -> None:
        """Two hours: 24 ticks of ten pages, while two walks take whatever they can."""
        walks = [RequestBudget(ledger, clock=clock, sleep=never_wait) for _ in range(2)]
        sensor, read, walked = RequestBudget(ledger, clock=clock, sleep=clock.sleep), 0, 0
        for _ in range(24):
            for _ in range(5):
                clock.now += WINDOW_SECONDS
                walked += sum(as_much_as_fits(walk) for walk in walks)
            share = BudgetShare(sensor, 10)
            for _ in range(10):
                with contextlib.suppress(RecallThrottled):
                    asyncio.run(share.take("list bot", 50))
                    read += 1
        assert read == 240
        assert walked >= 24 * 5 * 40 - 40

    @pytest.mark.parametrize("per_minute", [2, 3, 5, 50, 250])
    def test_short_looks_leave_a_part_of_every_minute_to_a_walk(self, budget: RequestBudget, per_minute: int) -> None:
        taken = sum(budget.try_take("list bot", per_minute) for _ in range(per_minute))
        assert taken == per_minute - reserve_of(per_minute) < per_minute
        take(budget, reserve_of(per_minute), per_minute=per_minute)

    def test_both_classes_together_stay_below_the_budget(self, budget: RequestBudget, clock: Clock) -> None:
        assert sum(budget.try_take("list bot", 50) for _ in range(50)) == 40
        take(budget, 10, per_minute=50)
        assert clock.now == 1000
        take(budget, 1, per_minute=50)
        assert clock.now == pytest.approx(1060)

    def test_a_budget_of_one_request_is_taken_by_the_first_class(self, budget: RequestBudget, clock: Clock) -> None:
        take(budget, 1, per_minute=1)
        assert not budget.try_take("list bot", 1)
        clock.now += WINDOW_SECONDS
        assert budget.try_take("list bot", 1)


async def never_wait(_: float) -> None:
    """Refuse to wait, as no walk does, to count what it may take at once."""
    raise RecallThrottled("it would wait")


def as_much_as_fits(walk: RequestBudget, per_minute: int = 50) -> int:
    """Let a walk take until it would have to wait; return how many requests that were."""

    async def until_it_waits() -> int:
        taken = 0
        with contextlib.suppress(RecallThrottled):
            while True:
                await walk.take("list bot", per_minute)
                taken += 1
        return taken

    return asyncio.run(until_it_waits())
