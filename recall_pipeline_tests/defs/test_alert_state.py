"""One message a cause, repeats once a day, and one when it is over."""

from datetime import UTC, datetime, timedelta

from recall_pipeline.defs.alert_state import MOST_AT_ONCE, REPEAT_AFTER, AlertState

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
CAUSE = "list bot: HTTP 401: check RECALL_API_KEY"


class EventStore:
    """Takes messages, or refuses them."""

    def __init__(self, *, takes: bool = True) -> None:
        self.takes = takes
        self.messages: list[str] = []

    def send(self, message: str) -> bool:
        if self.takes:
            self.messages.append(message)
        return self.takes


def test_many_days_that_fail_for_one_cause_make_one_message() -> None:
    state, inbox = AlertState(), EventStore()
    for day in range(1, 9):
        state.failed(f"sync_day of 2026-03-0{day}", CAUSE, NOW)
    assert state.send_due(NOW, inbox.send) == 1
    (message,) = inbox.messages
    assert message.startswith(f"Failed: {CAUSE}\nWhere: sync_day of 2026-03-01, ")
    assert message.endswith("and 3 more")


def test_a_cause_is_repeated_once_a_day_and_not_before() -> None:
    state, inbox = AlertState(), EventStore()
    state.failed("sync_day of 2026-03-01", CAUSE, NOW)
    for hours in (0, 1, 23):
        state.send_due(NOW + timedelta(hours=hours), inbox.send)
    assert len(inbox.messages) == 1
    state.send_due(NOW + REPEAT_AFTER, inbox.send)
    assert inbox.messages[1].startswith(f"Still failing: {CAUSE}")


def test_a_cause_recovers_only_when_everything_that_it_broke_is_in_order() -> None:
    state, inbox = AlertState(), EventStore()
    state.failed("sync_day of 2026-03-01", CAUSE, NOW)
    state.failed("sync_day of 2026-03-02", CAUSE, NOW)
    state.send_due(NOW, inbox.send)
    state.passed("sync_day of 2026-03-01")
    assert state.send_due(NOW, inbox.send) == 0
    state.passed("sync_day of 2026-03-02")
    state.send_due(NOW, inbox.send)
    state.send_due(NOW, inbox.send)
    assert inbox.messages[1:] == [f"Recovered: {CAUSE}"]


def test_another_place_under_a_known_cause_is_reported_once_an_hour_at_most() -> None:
    state, inbox = AlertState(), EventStore()
    state.failed("old of 2026-03-01", CAUSE, NOW)
    state.send_due(NOW, inbox.send)
    for minutes in (10, 20, 59, 60, 61, 121):
        state.failed(f"bots after {minutes} minutes", CAUSE, NOW)
        state.send_due(NOW + timedelta(minutes=minutes), inbox.send)
    assert [message.partition(":")[0] for message in inbox.messages] == ["Failed", *["Fails in more places"] * 2]
    assert "\nWhere: bots after 10 minutes, " in inbox.messages[1]
    assert "\nWhere: bots after 121 minutes, bots after 61 minutes, " in inbox.messages[2]


def test_the_same_place_that_fails_again_is_not_another_one() -> None:
    state, inbox = AlertState(), EventStore()
    for hours in range(5):
        state.failed("bots of 2026-03-01", CAUSE, NOW + timedelta(hours=hours))
        state.send_due(NOW + timedelta(hours=hours), inbox.send)
    assert len(inbox.messages) == 1


def test_a_failure_that_no_run_can_fix_is_not_reported_as_recovered() -> None:
    state, inbox = AlertState(), EventStore()
    state.failed("bots of 2026-03-01", CAUSE, NOW)
    state.failed("bots of 2026-03-02", CAUSE, NOW)
    state.send_due(NOW, inbox.send)
    state.lapse("bots of 2026-03-01")
    assert state.send_due(NOW, inbox.send) == 0
    state.lapse("bots of 2026-03-02")
    state.lapse("never failed")
    assert [state.send_due(NOW, inbox.send) for _ in range(2)] == [1, 0]
    assert inbox.messages[1:] == [f"No longer due: {CAUSE}"]


def test_a_new_cause_is_reported_however_much_fails_already() -> None:
    state, inbox = AlertState(), EventStore()
    for number in range(1000):
        state.failed(f"nothing_missing of day {number}", CAUSE, NOW)
    state.send_due(NOW, inbox.send)
    state.failed("the archive", "cannot list it", NOW)
    state.send_due(NOW, inbox.send)
    assert inbox.messages[1:] == ["Failed: cannot list it\nWhere: the archive"]


def test_what_failed_and_recovered_between_two_ticks_is_not_mentioned() -> None:
    state, inbox = AlertState(), EventStore()
    state.failed("sync_day of 2026-03-01", CAUSE, NOW)
    state.passed("sync_day of 2026-03-01")
    assert state.send_due(NOW, inbox.send) == 0


def test_a_message_that_was_not_taken_is_sent_again_at_the_next_tick() -> None:
    state, deaf, inbox = AlertState(), EventStore(takes=False), EventStore()
    state.failed("sync_day of 2026-03-01", CAUSE, NOW)
    assert state.send_due(NOW, deaf.send) == 0
    assert state.send_due(NOW, inbox.send) == 1


def test_many_causes_are_reported_a_few_at_a_time() -> None:
    state, inbox = AlertState(), EventStore()
    for number in range(MOST_AT_ONCE + 3):
        state.failed(f"thing {number}", f"cause {number}", NOW)
    assert state.send_due(NOW, inbox.send) == MOST_AT_ONCE
    assert state.send_due(NOW, inbox.send) == 3


def test_the_alert_state_round_trips_through_json() -> None:
    state, inbox = AlertState(), EventStore()
    state.failed("sync_day of 2026-03-01", CAUSE, NOW)
    state.send_due(NOW, inbox.send)
    refetch = AlertState.from_json(state.to_json())
    assert refetch == state
    assert refetch.send_due(NOW, inbox.send) == 0


def test_an_invalid_cursor_gives_an_empty_alert_state() -> None:
    for text in (None, "", "{", "[]", "[1, 2]", '"x"'):
        assert AlertState.from_json(text) == AlertState()


def test_the_alert_state_is_bounded_in_size() -> None:
    state = AlertState()
    for number in range(5000):
        state.failed(f"nothing_missing of day {number}", "x" * 5000, NOW)
    assert len(state.to_json()) < 512 * 1024


def test_what_is_new_at_recall_is_reported_once_in_one_message() -> None:
    state, inbox = AlertState(), EventStore()
    state.set_notices({"field bot.mood", "code bot.in_orbit"})
    assert state.send_due(NOW, EventStore(takes=False).send) == 0
    for _ in range(2):
        state.send_due(NOW, inbox.send)
        state = AlertState.from_json(state.to_json())
        state.set_notices({"field bot.mood", "code bot.in_orbit"})
    assert len(inbox.messages) == 1
    assert inbox.messages[0].startswith("New at Recall.ai: code bot.in_orbit, field bot.mood\n")


def test_the_state_of_an_earlier_version_is_read() -> None:
    assert AlertState.from_json('[{"a of b": ["cause", "2026-03-02T03:00:00+00:00", true]}, {}]').failing
