"""Events in the archive: one small object each, from when it was proven until the sensor has looked, and a while on."""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import PurePosixPath

from recall_pipeline.days import utc_now
from recall_pipeline.storage import DRAINED_EVENTS, EVENTS, Archive, Layout
from recall_pipeline.webhooks.events import Event

KEPT_DRAINED = timedelta(days=3)
"""How long events are kept; Recall's last try is 28 hours after its first (docs/design/recall-api.md, section 8)."""

_MOST_AT_ONCE = 1000


class EventStore:
    """Any number of receivers keep events in it; one sensor drains it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def keep(self, event: Event) -> bool:
        """Make an event durable; False when it waits already. Raises StorageError."""
        key = Layout.event(event.event_id)
        if self._archive.exists(key):
            return False
        with self._archive.scratch(suffix=".json") as written:
            written.write_bytes(event.written())
            self._archive.publish(written, key)
        return True

    def waiting(self) -> list[Event]:
        """Return the events that wait, the first to come first, at most 1,000; what is no event is put aside."""
        keys = [Layout.event(event_id) for event_id in self._ids()[:_MOST_AT_ONCE]]
        read = {key: Event.read(content) for key, content in self._archive.read_many(keys).items()}
        unreadable = [key for key, event in read.items() if event is None]
        today = utc_now().date()
        self._archive.move_many({key: Layout.drained_event(today, f"unreadable-{_id_in(key)}") for key in unreadable})
        events = [event for key, event in read.items() if event]
        return sorted(events, key=lambda event: (event.received_at, event.event_id))

    def count(self) -> int:
        """Return how many events wait."""
        return len(self._ids())

    def drain(self, events: Iterable[Event], today: date) -> None:
        """Put aside events that have been looked at."""
        ids = [event.event_id for event in events]
        self._archive.move_many({Layout.event(name): Layout.drained_event(today, name) for name in ids})

    def sweep(self, today: date) -> int:
        """Remove what was drained more than three days before `today`; return how many events that were."""
        swept = 0
        for name in self._archive.names(DRAINED_EVENTS):
            day = Layout.day_in(name)
            if day is not None and today - day > KEPT_DRAINED:
                swept += len(self._archive.names(f"{DRAINED_EVENTS}/{name}"))
                self._archive.remove_below(f"{DRAINED_EVENTS}/{name}")
        return swept

    def _ids(self) -> list[str]:
        return [_id_in(name) for name in self._archive.names(EVENTS) if name.endswith(".json")]


def _id_in(key: str) -> str:
    return PurePosixPath(key).stem
