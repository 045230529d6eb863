"""Sensor `alerts`: reads what Dagster has recorded since the last tick, and tells people through the alert book."""

import json
from dataclasses import dataclass, field

import dagster as dg

from recall_pipeline.automation.alert_book import AlertBook
from recall_pipeline.automation.alert_sinks import sinks_of
from recall_pipeline.automation.jobs import sync_day
from recall_pipeline.days import utc_now
from recall_pipeline.settings import load_settings

_RUNS_A_TICK = 100
_ENDINGS = (dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_SUCCESS)
_TOLD = {dg.DagsterEventType.ASSET_CHECK_EVALUATION, dg.DagsterEventType.STEP_FAILURE}


@dataclass(slots=True)
class _Cursor:
    """How far each kind of ending has been read, and the book."""

    read: dict[str, str] = field(default_factory=dict)
    book: AlertBook = field(default_factory=AlertBook)

    @classmethod
    def of(cls, text: str | None) -> "_Cursor":
        try:
            read, book = json.loads(text or "")
            return cls({str(kind): str(place) for kind, place in read.items()}, AlertBook.read(book))
        except (ValueError, TypeError, AttributeError):
            return cls()

    def written(self) -> str:
        return json.dumps([self.read, self.book.written()])


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells people what fails and when it is over: runs of sync_day, and checks of their days.",
)
def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Read the runs that ended since the last tick, and send what is due."""
    cursor = _Cursor.of(context.cursor)
    for ended in _runs_ended(context.instance, cursor.read):
        _note(context.instance, cursor.book, ended)
    sinks = sinks_of(load_settings(), context.log)
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


def _note(instance: dg.DagsterInstance, book: AlertBook, ended: dg.EventLogRecord) -> None:
    """Note how a run ended, and what its checks found."""
    cause = None
    for record in instance.get_records_for_run(ended.run_id, of_type=_TOLD).records:
        event = record.event_log_entry.dagster_event
        if event is not None and event.is_step_failure:
            cause = cause or _cause(event)
        elif event is not None:
            _note_check(book, event.asset_check_evaluation_data)
    run = instance.get_run_by_id(ended.run_id)
    if run is None or run.job_name != sync_day.name:
        return
    thing = f"sync_day of {run.tags.get('dagster/partition', 'a range of days')}"
    if run.is_failure:
        book.failed(
            thing, cause or "the run's process was killed, or it ran too long; the next sync goes on from there"
        )
    else:
        book.passed(thing)


def _note_check(book: AlertBook, check: dg.AssetCheckEvaluation) -> None:
    """A warning is for those who look; an error is for those who are called."""
    thing = f"{check.check_name} of {check.partition or 'a range of days'}"
    if check.passed or check.severity != dg.AssetCheckSeverity.ERROR:
        book.passed(thing)
    else:
        advice = check.metadata.get("next_action")  # the same for every day, which makes it one cause
        book.failed(thing, f"check {check.check_name}: {advice.value if advice else 'see Dagster'}")


def _cause(event: dg.DagsterEvent) -> str:
    """Return the text of a failed step: what, where, what to do."""
    failure = event.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return failure.user_failure_data.description
    kind = failure.error.cls_name if failure.error else "an unknown error"
    return f"step {event.step_key} ended with {kind}; its log is in Dagster"
