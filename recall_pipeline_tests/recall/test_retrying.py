"""When a request is sent again, and when one gives up (recall_api.md section 2)."""

import asyncio
import logging
from collections.abc import Callable

import pytest
import stamina

from recall_pipeline.errors import RecallError, RecallProtocolError, RecallRefused, RecallThrottled, RecallUnreachable
from recall_pipeline.recall.answers import Retry
from recall_pipeline.recall.retrying import Decision, Patience, Waits, insist

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
def test_whatever_a_retry_may_cure_is_asked_again(error: RecallError) -> None:
    server = Server(Retry(error), Retry(error), None)
    assert asyncio.run(insist(server, Patience())) == "answer"
    assert server.asked == 3


def test_a_refusal_is_never_asked_again() -> None:
    server = Server(RecallRefused("bad", 400))
    with pytest.raises(RecallRefused, match="bad"):
        asyncio.run(insist(server, Patience()))
    assert server.asked == 1


def test_faults_are_borne_for_the_stated_number_of_attempts_and_the_last_error_is_told() -> None:
    server = Server(Retry(RecallUnreachable("first")), Retry(DOWN))
    with pytest.raises(RecallUnreachable, match="down") as told:
        asyncio.run(insist(server, Patience(attempts=4)))
    assert server.asked == 4
    assert told.value.__cause__ is None


def test_being_throttled_does_not_use_up_the_attempts() -> None:
    server = Server(*[Retry(THROTTLED, 1)] * 20, Retry(DOWN), None)
    assert asyncio.run(insist(server, Patience(attempts=2))) == "answer"
    assert server.asked == 22


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    server = Server(Retry(THROTTLED, 901))
    with pytest.raises(RecallThrottled):
        asyncio.run(insist(server, Patience(deadline_seconds=900)))
    assert server.asked == 1


def test_a_retry_is_logged_without_printing(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.WARNING)
    asyncio.run(insist(Server(Retry(DOWN), None), Patience()))
    assert [record.name for record in caplog.records] == ["stamina"]
    assert capsys.readouterr().out == ""


class TestWaits:
    def test_a_long_one_is_told_once_for_all_that_wait(self, caplog: pytest.LogCaptureFixture) -> None:
        waits = Waits(a_clock(0, 0, 1, 40))
        waits.tell(30, THROTTLED)
        waits.tell(31, THROTTLED)
        assert [record.getMessage() for record in caplog.records] == ["waiting 30 s, as Recall.ai asks: throttled"]
        waits.tell(30, THROTTLED)
        assert len(caplog.records) == 2

    def test_a_short_one_is_not_worth_a_word(self, caplog: pytest.LogCaptureFixture) -> None:
        Waits().tell(9, THROTTLED)
        assert caplog.records == []

    def test_one_that_is_not_begun_is_not_told(self, caplog: pytest.LogCaptureFixture) -> None:
        Decision(Patience(deadline_seconds=60))(Retry(THROTTLED, 90))
        assert caplog.records == []


class TestDecision:
    def test_the_wait_is_what_the_server_asked_for_and_a_little_more(self) -> None:
        waits = [Decision(Patience(), a_clock(0, 0))(Retry(THROTTLED, 30)) for _ in range(200)]
        assert all(30 < wait <= 31 for wait in waits)
        assert len(set(waits)) > 100, "without jitter all clients come back at once"

    def test_a_wait_that_ends_within_the_deadline_is_borne(self) -> None:
        decide = Decision(Patience(deadline_seconds=900), a_clock(0, 800))
        assert decide(Retry(THROTTLED, 90)) is not False

    def test_one_that_would_end_beyond_what_is_left_is_not(self) -> None:
        decide = Decision(Patience(deadline_seconds=900), a_clock(0, 800))
        assert decide(Retry(THROTTLED, 100)) is False

    def test_without_a_stated_wait_stamina_backs_off_by_itself(self) -> None:
        assert Decision(Patience(), a_clock(0))(Retry(DOWN)) is True

    def test_any_other_exception_ends_it(self) -> None:
        assert Decision(Patience(), a_clock(0))(ValueError("a mistake of ours")) is False
