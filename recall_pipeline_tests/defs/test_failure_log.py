"""A step logs its first failures one by one, and counts the rest."""

import pytest

from recall_pipeline.defs.failure_log import MOST_EVENTS, failure_log


class Log:
    """Collects the warnings."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def warning(self, msg: object, /, *args: object) -> None:
        self.messages.append(str(msg) % args)


def test_failures_are_logged_one_by_one() -> None:
    log = Log()
    with failure_log(log, "mixed_audio") as failures:
        for number in range(MOST_EVENTS):
            failures.report("recording %s", number)
    assert log.messages == [f"recording {number}" for number in range(MOST_EVENTS)]


def test_more_than_fifty_failures_are_counted_even_if_the_step_fails() -> None:
    log = Log()

    def step() -> None:
        with failure_log(log, "mixed_audio") as failures:
            for number in range(10_000):
                failures.report("recording %s", number)
            raise KeyError

    with pytest.raises(KeyError):
        step()
    assert len(log.messages) == MOST_EVENTS + 1
    assert log.messages[-1] == "and 9950 more failures, which are not logged one by one: see the table mixed_audio"
