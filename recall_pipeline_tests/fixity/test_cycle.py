"""The cycle closes on a real archive while days are added and replaced, passes are lost, and files are damaged."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from recall_pipeline.days import ONE_DAY
from recall_pipeline.fixity import ReadingCycle, read_fixity, read_state, run_pass
from recall_pipeline.storage import Archive
from recall_pipeline_tests.fixity.stored_days import DAY, audio_key, put, source_key, store

CYCLE = ReadingCycle(12)
FIVE = datetime(2026, 3, 2, 5, tzinfo=UTC)
_DAMAGED_ON, _DAYS = 8, 30


def test_every_file_is_read_in_time_although_a_fifth_of_the_passes_is_lost_and_a_sync_goes_on(archive: Archive) -> None:
    numbers = random.Random(17)  # noqa: S311 -- not for secrets
    found_after: int | None = None
    for number in range(_DAYS):
        now = FIVE + number * ONE_DAY
        store(archive, DAY + number * ONE_DAY)
        if number == _DAMAGED_ON:
            damage(archive, audio_key(DAY + ONE_DAY))
        assert read_state(archive, CYCLE, now).overdue == {}
        if numbers.random() < 0.2:
            continue
        run_pass(archive, CYCLE, clock=syncing(archive, number, now))
        if found_after is None and read_state(archive, CYCLE, now).damaged:
            found_after = number - _DAMAGED_ON
    assert found_after is not None
    assert found_after <= CYCLE.days
    rows = read_fixity(archive)
    assert {row.result for key, row in rows.items() if key != audio_key(DAY + ONE_DAY)} <= {"ok", None}
    assert len(rows) == 6 * _DAYS


def damage(archive: Archive, key: str) -> None:
    content = archive.read(key)
    assert content is not None
    put(archive, key, content[:-1] + b"!")


def syncing(archive: Archive, number: int, now: datetime) -> Callable[[], datetime]:
    """A clock of a pass, during which a sync stores a newer version of an earlier day."""
    calls: list[int] = []

    def clock() -> datetime:
        calls.append(1)
        if len(calls) == 3 and number % 5 == 4:
            store(archive, DAY + (number - 2) * ONE_DAY, f"version of day {number}".encode())
        return now + timedelta(seconds=len(calls))

    return clock


def test_the_day_of_the_original_is_that_of_its_row(archive: Archive) -> None:
    store(archive, DAY)
    run_pass(archive, CYCLE, clock=lambda: FIVE)
    assert read_fixity(archive)[source_key(DAY)].day == DAY
