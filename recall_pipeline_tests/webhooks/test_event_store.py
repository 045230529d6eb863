"""Events wait in the order in which they came, are put aside once looked at, and go after a while."""

from datetime import UTC, date, datetime, timedelta

import pytest

from recall_pipeline.storage import Archive, Layout
from recall_pipeline.webhooks import Event, EventStore
from recall_pipeline_tests.storages import stored_keys

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TODAY = date(2026, 3, 2)


def event(event_id: str, minutes: int = 0) -> Event:
    return Event(event_id, "bot.done", NOON + timedelta(minutes=minutes), bot_id="c1a5c4be-0d4a-4b55-8f6e-1a2b3c4d5e01")


def test_stored_events_are_read_back_unchanged(inbox: EventStore) -> None:
    first, second = event("b"), event("a", 1)
    assert inbox.store(second)
    assert inbox.store(first)
    assert inbox.pending() == [first, second]
    assert inbox.pending_count() == 2


def test_an_empty_storage_has_no_events(inbox: EventStore) -> None:
    assert (inbox.pending(), inbox.pending_count(), inbox.remove_expired(TODAY)) == ([], 0, 0)


def test_consumed_events_are_not_pending_and_are_kept_for_three_days(inbox: EventStore, storage_url: str) -> None:
    inbox.store(event("a"))
    inbox.store(event("b"))
    inbox.mark_consumed([event("a"), event("gone meanwhile")], TODAY)
    assert inbox.pending() == [event("b")]
    assert inbox.remove_expired(TODAY + timedelta(days=3)) == 0
    assert "_events/drained/day=2026-03-02/a.json" in stored_keys(storage_url)
    assert inbox.remove_expired(TODAY + timedelta(days=4)) == 1
    assert [key for key in stored_keys(storage_url) if not key.startswith("_spool")] == ["_events/b.json"]


def test_unreadable_events_are_set_aside_and_block_nothing(
    inbox: EventStore, archive: Archive, storage_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recall_pipeline.webhooks.event_store.utc_now", lambda: NOON)
    inbox.store(event("a"))
    with archive.staged_file() as written:
        written.write_text('{"event_id": "torn')
        archive.publish(written, Layout.event("torn"))
    assert inbox.pending() == [event("a")]
    assert "_events/drained/day=2026-03-02/unreadable-torn.json" in stored_keys(storage_url)
    assert inbox.pending_count() == 1
    assert inbox.remove_expired(TODAY + timedelta(days=4)) == 1


def test_a_backlog_is_read_a_thousand_at_a_time(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recall_pipeline.webhooks.event_store._MAX_EVENTS", 2)
    inbox = EventStore(archive)
    for name in "abc":
        inbox.store(event(name))
    first = inbox.pending()
    inbox.mark_consumed(first, TODAY)
    assert [one.event_id for one in (*first, *inbox.pending())] == ["a", "b", "c"]
