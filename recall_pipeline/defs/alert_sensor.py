"""Sensor `alerts`: reads what Dagster has recorded since the last tick, and tells people through the alert book."""

import json
from dataclasses import dataclass, field

import dagster as dg

from recall_pipeline.days import utc_now
from recall_pipeline.defs.alert_conditions import record_freshness, record_run
from recall_pipeline.defs.alert_destinations import destinations_of
from recall_pipeline.defs.alert_state import AlertState
from recall_pipeline.defs.run_liveness import close_dead_runs
from recall_pipeline.settings import load_settings

_RUNS_A_TICK = 100
_ENDINGS = (dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_SUCCESS)


@dataclass(slots=True)
class _Cursor:
    """How far each kind of ending has been read, and the book."""

    read: dict[str, str] = field(default_factory=dict)
    book: AlertState = field(default_factory=AlertState)

    @classmethod
    def of(cls, text: str | None) -> "_Cursor":
        try:
            read, book = json.loads(text or "")
            return cls({str(kind): str(place) for kind, place in read.items()}, AlertState.read(book))
        except (ValueError, TypeError, AttributeError):
            return cls()

    def written(self) -> str:
        return json.dumps([self.read, self.book.written()])


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells people what fails and when it is over: runs, checks of their days, and freshness.",
)
def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Read the runs that ended since the last tick and what is fresh now, and send what is due."""
    cursor = _Cursor.of(context.cursor)
    close_dead_runs(context.instance)  # their days could not be asked for, and nobody would be told
    for ended in _runs_ended(context.instance, cursor.read):
        record_run(context.instance, cursor.book, ended)
    record_freshness(context.instance, cursor.book)
    sinks = destinations_of(load_settings(), context.log)
    told = cursor.book.tell(utc_now(), lambda message: [sink.send(message) for sink in sinks][-1])
    context.update_cursor(cursor.written())
    return dg.SkipReason(f"{told} messages sent; {len(cursor.book.failing)} things fail")


def _runs_ended(instance: dg.DagsterInstance, read: dict[str, str]) -> list[dg.EventLogRecord]:
    """Return the next endings in the order in which they happened; the first look starts from now."""
    records: list[dg.EventLogRecord] = []
    for kind in _ENDINGS:
        place = read.get(kind.value)
        if place is None:
            newest = instance.fetch_run_status_changes(kind, limit=1)
            read[kind.value] = newest.cursor
            continue
        found = instance.fetch_run_status_changes(kind, limit=_RUNS_A_TICK, cursor=place, ascending=True)
        records += found.records
        read[kind.value] = found.cursor
    return sorted(records, key=lambda record: record.storage_id)
