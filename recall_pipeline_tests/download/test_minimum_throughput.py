"""A download is given time for what it brings, and no more."""

import pytest

from recall_pipeline.download.minimum_throughput import MinimumThroughput
from recall_pipeline.errors import TransferError

KIB, MINUTE = 1024, 60.0


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_time_limit_is_ten_minutes_and_a_second_per_four_kib(clock: Clock) -> None:
    pace = MinimumThroughput(clock)
    pace.count(40 * KIB)
    clock.now = 10 * MINUTE + 10
    assert not pace.is_used_up
    clock.now += 1
    assert pace.is_used_up


def test_a_download_below_the_average_throughput_is_stopped(clock: Clock) -> None:
    pace = MinimumThroughput(clock)
    for _ in range(16):
        pace.count(80 * KIB)
        clock.now += MINUTE
    with pytest.raises(TransferError, match="received only 1392640 bytes in 16 minutes"):
        pace.count(80 * KIB)


def test_a_minute_with_less_than_64_kib_is_given_up(clock: Clock) -> None:
    pace = MinimumThroughput(clock)
    clock.now = MINUTE + 1
    with pytest.raises(TransferError, match="received only 1024 bytes in 60 s"):
        pace.count(KIB)
    assert not pace.is_used_up


def test_each_attempt_starts_a_new_minute(clock: Clock) -> None:
    pace = MinimumThroughput(clock)
    clock.now = MINUTE + 1
    pace.begin_window()
    pace.count(KIB)
