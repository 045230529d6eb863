"""Each file is read within the cycle, also when passes are lost and files arrive meanwhile."""

import dataclasses
import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import pytest

from recall_pipeline.days import ONE_DAY
from recall_pipeline.fixity import FixityRow, ReadingCycle

START = datetime(2026, 3, 2, 6, tzinfo=UTC)


def file(name: str, found_at: datetime = START, size_bytes: int = 100, **others: object) -> FixityRow:
    row = FixityRow(name, "original", found_at.date(), None, None, size_bytes, found_at, None, None)
    return dataclasses.replace(row, **others)  # type: ignore[arg-type]


def keys(rows: Iterable[FixityRow]) -> list[str]:
    return [row.key for row in rows]


def simulate(
    cycle: ReadingCycle, days: int, is_lost: Callable[[int], bool], arrivals: Callable[[int], int]
) -> tuple[list[int], list[str]]:
    """Run a pass a day; return the files that each read, and the files that were overdue at any time."""
    rows: dict[str, FixityRow] = {}
    read, overdue = [], []
    for day in range(days):
        now = START + day * ONE_DAY
        rows |= {name: file(name, now) for name in (f"{day}-{number}" for number in range(arrivals(day)))}
        overdue += [row.key for row in rows.values() if cycle.is_overdue(row, now)]
        if is_lost(day):
            continue
        chosen = cycle.chosen(list(rows.values()), now)
        rows |= {row.key: dataclasses.replace(row, checked_at=now, result="ok") for row in chosen}
        read.append(len(chosen))
    return read, overdue


def a_fifth(seed: int) -> Callable[[int], bool]:
    numbers = random.Random(seed)  # noqa: S311 -- not for secrets
    return lambda _: numbers.random() < 0.2


@pytest.mark.parametrize("days", [14, 30, 90])
@pytest.mark.parametrize("seed", range(2))
def test_the_cycle_closes_although_a_fifth_of_the_passes_is_lost(days: int, seed: int) -> None:
    read, overdue = simulate(ReadingCycle(days), 4 * days, a_fifth(seed), lambda day: 400 if day == 0 else 1)
    assert overdue == []
    assert sum(read) > 3 * 400


@pytest.mark.parametrize("days", [2, 4, 7])
def test_a_short_cycle_closes_although_every_fourth_pass_is_lost(days: int) -> None:
    assert simulate(ReadingCycle(days), 50, lambda day: day % 4 == 3, lambda _: 5)[1] == []


def test_the_cycle_closes_in_an_archive_that_grows_from_nothing() -> None:
    assert simulate(ReadingCycle(90), 300, a_fifth(4), lambda _: 4)[1] == []


def test_a_backfill_that_doubles_the_archive_is_spread_over_the_cycle() -> None:
    read, overdue = simulate(ReadingCycle(30), 100, a_fifth(5), lambda day: 300 if day in (0, 10) else 0)
    assert overdue == []
    assert max(read) < 150


def test_a_new_cycle_spreads_the_archive_evenly() -> None:
    read, _ = simulate(ReadingCycle(90), 60, lambda _: False, lambda day: 675 if day == 0 else 0)
    assert set(read) == {10}


def test_a_file_never_read_comes_before_the_one_read_longest_ago() -> None:
    read = [file(name, START - 60 * ONE_DAY, checked_at=START - ONE_DAY, result="ok") for name in ("old", "older")]
    assert keys(ReadingCycle(90).chosen([*read, file("new")], START)) == ["new"]


def test_a_damaged_file_is_read_at_every_pass_and_first() -> None:
    damaged = file("damaged", checked_at=START - timedelta(hours=1), result="file_changed")
    read = ReadingCycle(90).chosen([file(str(number)) for number in range(900)] + [damaged], START)
    assert keys(read)[0] == "damaged"


def test_the_share_of_a_pass_is_of_bytes_not_of_files() -> None:
    files = [file(str(number), size_bytes=10**9 if number == 0 else 1) for number in range(100)]
    assert keys(ReadingCycle(90).chosen(files, START)) == ["0"]


def test_an_archive_without_files_needs_no_reading() -> None:
    assert ReadingCycle(90).chosen([], START) == []


def test_a_cycle_of_a_day_reads_everything_at_every_pass() -> None:
    files = [file(str(number), checked_at=START - ONE_DAY, result="ok") for number in range(50)]
    assert len(ReadingCycle(1).chosen(files, START)) == 50
