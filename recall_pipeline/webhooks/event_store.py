"""Event store: one object per webhook event; consumed events are kept for three days."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from pathlib import PurePosixPath

from recall_pipeline.days import utc_now
from recall_pipeline.storage import AWAITED_EVENTS, CONSUMED_EVENTS, EVENTS, Archive, Layout
from recall_pipeline.webhooks.events import Event

CONSUMED_RETENTION = timedelta(days=3)
"""Recall's last attempt is 28 hours after its first (docs/design/recall-api.md, section 8)."""

_MAX_EVENTS = 1000


class EventStore:
    """A queue of events in the archive, with any number of receivers and one sensor that consumes it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def store(self, event: Event) -> bool:
        """Write `event` durably; return False if it is already pending. Raises StorageError."""
        key = Layout.event(event.event_id)
        if self._archive.exists(key):
            return False
        with self._archive.staged_file(suffix=".json") as staged:
            staged.write_bytes(event.to_json())
            self._archive.publish(staged, key)
        return True

    def awaited(self) -> list[Event]:
        """Return the pending events that were looked up, with the changes that the tables are to show."""
        stored = Event.many_from_json(self._archive.read(AWAITED_EVENTS) or b"")
        ids = set(self._ids()) if stored else set()
        return [event for event in stored if event.event_id in ids]

    def set_awaited(self, events: Sequence[Event]) -> None:
        """Replace the events of `awaited`. They stay pending until they are consumed. Raises StorageError."""
        if list(events) != self.awaited():
            with self._archive.staged_file() as staged:
                staged.write_bytes(Event.many_to_json(events))
                self._archive.publish(staged, AWAITED_EVENTS)

    def pending(self) -> list[Event]:
        """Return up to 1,000 events that wait for a lookup, oldest first; archive the unreadable ones."""
        looked_up = {event.event_id for event in self.awaited()}
        new_ids = [event_id for event_id in self._ids() if event_id not in looked_up]
        keys = [Layout.event(event_id) for event_id in new_ids[:_MAX_EVENTS]]
        parsed = {key: Event.from_json(content) for key, content in self._archive.read_many(keys).items()}
        unreadable = [key for key, event in parsed.items() if event is None]
        today = utc_now().date()
        self._archive.move_many({key: Layout.consumed_event(today, f"unreadable-{_id_in(key)}") for key in unreadable})
        events = [event for key, event in parsed.items() if event]
        return sorted(events, key=lambda event: (event.received_at, event.event_id))

    def pending_count(self) -> int:
        """Return the number of pending events, looked up or not."""
        return len(self._ids())

    def mark_consumed(self, events: Iterable[Event], today: date) -> None:
        """Move `events` from the pending to the consumed events of `today`."""
        ids = [event.event_id for event in events]
        self._archive.move_many({Layout.event(name): Layout.consumed_event(today, name) for name in ids})

    def deleted_recordings(self, recording_ids: Collection[str]) -> set[str]:
        """Return those of `recording_ids` whose deletion is reported by a pending event, or by one of the last days."""
        folders = [EVENTS, *(f"{CONSUMED_EVENTS}/{name}" for name in self._archive.names(CONSUMED_EVENTS))]
        keys = [f"{folder}/{name}" for folder in folders for name in self._archive.names(folder)]
        contents = self._archive.read_many([key for key in keys if key.endswith(".json")])
        events = filter(None, map(Event.from_json, contents.values()))
        deleted = {event.recording_id for event in events if event.type == "recording.deleted"}
        return deleted & set(recording_ids)  # type: ignore[return-value]

    def remove_expired(self, today: date) -> int:
        """Remove events that were consumed more than three days before `today`; return their number."""
        removed = 0
        for name in self._archive.names(CONSUMED_EVENTS):
            day = Layout.day_in(name)
            if day is not None and today - day > CONSUMED_RETENTION:
                removed += len(self._archive.names(f"{CONSUMED_EVENTS}/{name}"))
                self._archive.remove_below(f"{CONSUMED_EVENTS}/{name}")
        return removed

    def _ids(self) -> list[str]:
        return [_id_in(name) for name in self._archive.names(EVENTS) if name.endswith(".json")]


def _id_in(key: str) -> str:
    return PurePosixPath(key).stem
