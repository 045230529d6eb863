"""When a request is sent again, and when one gives up (docs/design/recall-api.md, section 2)."""

import asyncio
import logging
from collections.abc import Callable

import pytest
import stamina

from recall_pipeline.errors import RecallError, RecallProtocolError, RecallRefused, RecallThrottled, RecallUnreachable
from recall_pipeline.recall_api.responses import RetryableError
from recall_pipeline.recall_api.retry import RetryHook, RetryPolicy, WaitReporter, send_with_retries

DOWN = RecallUnreachable("down", 503)
THROTTLED = RecallThrottled("throttled", 429)


class Server:
    """Answers with each of these in turn, the last for ever; counts how often it was asked."""

    def __init__(self, *faults: Exception | None) -> None:
        self._faults = faults
        self.asked = 0

    async def __call__(self) -> str:
        fault = self._faults[min(self.asked, len(self._faults) - 1)]
        self.asked += 1
        if fault is not None:
            raise fault
        return "answer"


def a_clock(*seconds: float) -> Callable[[], float]:
    """A clock that shows each of these in turn."""
    return iter(seconds).__next__


@pytest.fixture(autouse=True)
def many_attempts() -> None:
    """Let the code under test, not the test's switch, end the attempts."""
    stamina.set_testing(True, attempts=1000)


@pytest.mark.parametrize("error", [DOWN, THROTTLED, RecallRefused("conflict", 409), RecallProtocolError("torn")])
def test_every_retryable_error_is_retried(error: RecallError) -> None:
    server = Server(RetryableError(error), RetryableError(error), None)
    assert asyncio.run(send_with_retries(server, RetryPolicy())) == "answer"
    assert server.asked == 3


def test_a_refusal_is_never_retried() -> None:
    server = Server(RecallRefused("bad", 400))
    with pytest.raises(RecallRefused, match="bad"):
        asyncio.run(send_with_retries(server, RetryPolicy()))
    assert server.asked == 1


def test_errors_are_retried_up_to_the_maximum_and_the_last_one_is_raised() -> None:
    server = Server(RetryableError(RecallUnreachable("first")), RetryableError(DOWN))
    with pytest.raises(RecallUnreachable, match="down") as raised:
        asyncio.run(send_with_retries(server, RetryPolicy(attempts=4)))
    assert server.asked == 4
    assert raised.value.__cause__ is None


def test_throttling_does_not_count_as_an_attempt() -> None:
    server = Server(*[RetryableError(THROTTLED, 1)] * 20, RetryableError(DOWN), None)
    assert asyncio.run(send_with_retries(server, RetryPolicy(attempts=2))) == "answer"
    assert server.asked == 22


def test_a_wait_beyond_the_deadline_is_not_started() -> None:
    server = Server(RetryableError(THROTTLED, 901))
    with pytest.raises(RecallThrottled):
        asyncio.run(send_with_retries(server, RetryPolicy(deadline_seconds=900)))
    assert server.asked == 1


def test_a_retry_is_logged_without_printing(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.WARNING)
    asyncio.run(send_with_retries(Server(RetryableError(DOWN), None), RetryPolicy()))
    assert [record.name for record in caplog.records] == ["stamina"]
    assert capsys.readouterr().out == ""


class TestWaits:
    def test_a_long_one_is_logged_once_for_all_requests_that_wait(self, caplog: pytest.LogCaptureFixture) -> None:
        waits = WaitReporter(a_clock(0, 0, 1, 40))
        waits.report(30, THROTTLED)
        waits.report(31, THROTTLED)
        assert [record.getMessage() for record in caplog.records] == ["waiting 30 s, as Recall.ai requests: throttled"]
        waits.report(30, THROTTLED)
        assert len(caplog.records) == 2

    def test_a_short_one_is_not_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        WaitReporter().report(9, THROTTLED)
        assert caplog.records == []

    def test_one_that_is_not_started_is_not_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        RetryHook(RetryPolicy(deadline_seconds=60))(RetryableError(THROTTLED, 90))
        assert caplog.records == []


class TestRetryHook:
    def test_the_wait_is_the_requested_one_plus_jitter(self) -> None:
        waits = [RetryHook(RetryPolicy(), a_clock(0, 0))(RetryableError(THROTTLED, 30)) for _ in range(200)]
        assert all(30 < wait <= 31 for wait in waits)
        assert len(set(waits)) > 100, "without jitter all clients come back at once"

    def test_a_wait_within_the_deadline_is_accepted(self) -> None:
        decide = RetryHook(RetryPolicy(deadline_seconds=900), a_clock(0, 800))
        assert decide(RetryableError(THROTTLED, 90)) is not False

    def test_a_wait_beyond_the_remaining_time_is_refused(self) -> None:
        decide = RetryHook(RetryPolicy(deadline_seconds=900), a_clock(0, 800))
        assert decide(RetryableError(THROTTLED, 100)) is False

    def test_without_a_stated_wait_stamina_backs_off_by_itself(self) -> None:
        assert RetryHook(RetryPolicy(), a_clock(0))(RetryableError(DOWN)) is True

    def test_any_other_exception_ends_it(self) -> None:
        assert RetryHook(RetryPolicy(), a_clock(0))(ValueError("a mistake of ours")) is False
