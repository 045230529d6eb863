"""A lost or damaged file of the request budget costs nothing, and the limit still holds."""

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from recall_pipeline.errors import SettingsError
from recall_pipeline.recall_api.rate_limit import RequestBudget

_TAKES_UNTIL_IT_WAITS = """
import asyncio, pathlib, sys
from recall_pipeline.recall_api.rate_limit import RequestBudget
class Waits(Exception): pass
async def stop(seconds): raise Waits
granted = 0
try:
    budget = RequestBudget(pathlib.Path(sys.argv[1]), sleep=stop)
    while True:
        asyncio.run(budget.take("list bot", 50))
        granted += 1
except Waits:
    print(granted)
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "home" / "recall_budget.sqlite"


def _valid(ledger: Path) -> bytes:
    asyncio.run(RequestBudget(ledger).take("list bot", 50))
    return ledger.read_bytes()


def _garbage(ledger: Path) -> None:
    ledger.write_bytes(os.urandom(20_000))


def _text(ledger: Path) -> None:
    ledger.write_text("these are not the pages of a database, however long they may be" * 100)


def _zero_bytes(ledger: Path) -> None:
    ledger.write_bytes(b"")


def _truncated(ledger: Path) -> None:
    content = _valid(ledger)
    ledger.write_bytes(content[: len(content) // 2 + 7])


def _header_only(ledger: Path) -> None:
    ledger.write_bytes(_valid(ledger)[:100])


def _torn_page(ledger: Path) -> None:
    content = _valid(ledger)
    ledger.write_bytes(content[:4096] + os.urandom(len(content) - 4096))


def _zeros(ledger: Path) -> None:
    ledger.write_bytes(bytes(len(_valid(ledger))))


def _of_another_schema(ledger: Path) -> None:
    with sqlite3.connect(ledger) as connection:
        connection.execute("CREATE TABLE sent (something TEXT)")
    connection.close()


def _of_the_version_before(ledger: Path) -> None:
    with sqlite3.connect(ledger) as connection:
        connection.execute("CREATE TABLE request (endpoint TEXT NOT NULL, at REAL NOT NULL)")
    connection.close()


def _a_folder(ledger: Path) -> None:
    ledger.mkdir()
    (ledger / "notes").write_text("mine")


def _a_folder_for_its_journal(ledger: Path) -> None:
    ledger.with_name(f"{ledger.name}-journal").mkdir()


def _a_pipe(ledger: Path) -> None:
    os.mkfifo(ledger)


def _a_broken_link(ledger: Path) -> None:
    ledger.symlink_to("/no/such/folder/recall_budget.sqlite")


def _a_garbage_journal(ledger: Path) -> None:
    _valid(ledger)
    ledger.with_name(f"{ledger.name}-journal").write_bytes(os.urandom(9000))


DAMAGES = [
    _garbage, _text, _zero_bytes, _truncated, _header_only, _torn_page, _zeros, _of_another_schema,
    _of_the_version_before, _a_folder, _a_folder_for_its_journal, _a_pipe, _a_broken_link, _a_garbage_journal,
]  # fmt: skip
each_damage = pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.strip("_"))


@each_damage
def test_a_damaged_ledger_is_replaced(ledger: Path, damage: Callable[[Path], None]) -> None:
    ledger.parent.mkdir()
    damage(ledger)
    assert sum(RequestBudget(ledger).try_take("list bot", 5) for _ in range(5)) == 4
    assert not RequestBudget(ledger).try_take("list bot", 5)


@each_damage
def test_damage_during_the_work_does_not_raise_the_limit(ledger: Path, damage: Callable[[Path], None]) -> None:
    budgets = [RequestBudget(ledger), RequestBudget(ledger)]
    assert all(budget.try_take("list bot", 10) for budget in budgets for _ in range(3))
    ledger.unlink()
    damage(ledger)
    assert [budget.try_take("list bot", 10) for budget in budgets] == [True, True]
    assert not budgets[0].try_take("list bot", 10)


def test_what_was_in_its_place_is_kept_beside_it(ledger: Path) -> None:
    ledger.parent.mkdir()
    for _ in range(2):
        _a_folder(ledger)
        RequestBudget(ledger)
        assert (ledger.with_name("recall_budget.sqlite.damaged") / "notes").read_text() == "mine"
        ledger.unlink()


@pytest.mark.parametrize("damage", [_garbage, _zero_bytes, _a_folder, _torn_page])
def test_several_processes_on_a_damaged_ledger_stay_within_the_budget(
    ledger: Path, damage: Callable[[Path], None]
) -> None:
    ledger.parent.mkdir()
    damage(ledger)
    command = [sys.executable, "-c", _TAKES_UNTIL_IT_WAITS, str(ledger)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]  # noqa: S603
    assert sum(int(process.communicate()[0]) for process in processes) == 40


def test_a_ledger_that_is_locked_is_not_damaged(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = RequestBudget(ledger)
    monkeypatch.setattr("recall_pipeline.recall_api.request_ledger._LOCK_TIMEOUT_SECONDS", 0.01)
    other = sqlite3.connect(ledger, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SettingsError, match="database is locked"):
        budget.try_take("list bot", 5)
    other.execute("COMMIT")
    other.close()
    assert budget.try_take("list bot", 5)
    assert not ledger.with_name("recall_budget.sqlite.damaged").exists()


def test_too_few_file_handles_are_named_and_nothing_is_replaced(ledger: Path) -> None:
    program = (
        "import os, pathlib, resource, sys\n"
        "from recall_pipeline.errors import SettingsError\n"
        "from recall_pipeline.recall_api.rate_limit import RequestBudget\n"
        "budget = RequestBudget(pathlib.Path(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))\n"
        "handles = []\n"
        "try:\n"
        "    while True: handles.append(os.open('/dev/null', os.O_RDONLY))\n"
        "except OSError: pass\n"
        "try: budget.try_take('list bot', 5)\n"
        "except SettingsError as error: print(error)\n"
    )
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 40
    ran = subprocess.run([sys.executable, "-c", program, str(ledger)], capture_output=True, text=True, check=True)  # noqa: S603
    assert "ulimit -n" in ran.stdout
    assert not ledger.with_name("recall_budget.sqlite.damaged").exists()


def test_a_file_system_without_locks_replaces_a_damaged_ledger_too(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(37, "No locks available")

    ledger.parent.mkdir()
    _garbage(ledger)
    monkeypatch.setattr("fcntl.flock", no_locks)
    assert RequestBudget(ledger).try_take("list bot", 5)
