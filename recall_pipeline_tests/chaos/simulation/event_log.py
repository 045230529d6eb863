"""Dagster's event log as lists: its own one in memory is a database, which takes half of the time of a run."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import dagster as dg
from dagster._core.event_api import EventLogRecord, EventRecordsResult
from dagster._core.storage.event_log.base import EventLogConnection
from dagster._core.storage.event_log.in_memory import InMemoryEventLogStorage

_READ = {
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.STEP_FAILURE,
}
_ENDS = (dg.DagsterEventType.RUN_SUCCESS, dg.DagsterEventType.RUN_FAILURE)


class EventLists(InMemoryEventLogStorage):
    """Stores the events that the product's sensors read: how steps, checks and runs ended.

    Dagster itself looks up earlier materializations, which it finds nowhere: their data versions are not compared.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        super().__init__()
        self.register_instance(instance)
        self._of_run: dict[str, list[EventLogRecord]] = defaultdict(list)
        self._ends: dict[str, list[EventLogRecord]] = defaultdict(list)
        self._stored = 0

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Append an event if it is read."""
        kind = _type_of(event)
        if kind is None or kind not in _READ.union(_ENDS):
            return
        self._stored += 1
        record = EventLogRecord(storage_id=self._stored, event_log_entry=event)
        (self._ends[kind.value] if kind in _ENDS else self._of_run[event.run_id]).append(record)

    def get_records_for_run(self, run_id: str, *arguments: Any, **options: Any) -> EventLogConnection:
        """Return the events of a run, of the types that are asked for, and release them: a run is read once."""
        types = options.get("of_type") or dict(enumerate(arguments)).get(1) or _READ
        found = [each for each in self._of_run.pop(run_id, []) if _type_of(each.event_log_entry) in types]
        return EventLogConnection(records=found, cursor="", has_more=False)

    def fetch_run_status_changes(
        self, records_filter: Any, limit: int, cursor: str | None = None, ascending: bool = False
    ) -> EventRecordsResult:
        """Return the ends of runs after `cursor`, or the newest one."""
        every = self._ends[records_filter.value]
        if not ascending:
            return EventRecordsResult(every[-1:], str(self._stored), has_more=False)
        after = int(cursor or 0)
        newer: Sequence[EventLogRecord] = [each for each in every if each.storage_id > after]
        self._ends[records_filter.value] = list(newer)
        return EventRecordsResult(
            newer[:limit], str(newer[:limit][-1].storage_id) if newer else str(after), has_more=len(newer) > limit
        )

    def fetch_materializations(self, *_: Any, **__: Any) -> EventRecordsResult:
        """Return none."""
        return EventRecordsResult([], "0", has_more=False)

    def fetch_observations(self, *_: Any, **__: Any) -> EventRecordsResult:
        """Return none."""
        return EventRecordsResult([], "0", has_more=False)

    def get_asset_records(self, *_: Any, **__: Any) -> list[Any]:
        """Return none."""
        return []

    def get_latest_tags_by_partition(self, *_: Any, **__: Any) -> dict[str, dict[str, str]]:
        """Return none."""
        return {}


def _type_of(event: dg.EventLogEntry) -> dg.DagsterEventType | None:
    return event.dagster_event.event_type if event.dagster_event else None
