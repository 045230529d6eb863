"""Sensor `alerts`: reads the runs that ended since the last tick, once an hour the tables, and sends what is due."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import dagster as dg

from recall_pipeline.days import utc_now
from recall_pipeline.defs.alert_conditions import record_run
from recall_pipeline.defs.alert_destinations import destinations_of
from recall_pipeline.defs.alert_state import AlertState
from recall_pipeline.defs.alert_tables import record_tables
from recall_pipeline.defs.freshness import freshness_evaluation
from recall_pipeline.defs.names import Names
from recall_pipeline.defs.run_liveness import close_dead_runs
from recall_pipeline.settings import Settings

_RUNS_PER_PAGE = 100
_TABLES_READ_EVERY = timedelta(hours=1)  # a tick is a minute, and reading all days of a bucket is not free
_NEVER = datetime.min.replace(tzinfo=UTC)
_EVENT_TYPES = (dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_SUCCESS)


@dataclass(slots=True)
class _Cursor:
    """Position in the event log for each kind of event, what is failing, and when the tables were read last."""

    positions: dict[str, str] = field(default_factory=dict)
    state: AlertState = field(default_factory=AlertState)
    tables_read_at: datetime = _NEVER

    @classmethod
    def from_json(cls, text: str | None) -> "_Cursor":
        """Return the cursor that `to_json` wrote; an empty one for any other text."""
        try:
            positions, state, read_at = json.loads(text or "")
            kinds = {str(kind): str(position) for kind, position in positions.items()}
            return cls(kinds, AlertState.from_json(state), datetime.fromisoformat(read_at))
        except (ValueError, TypeError, AttributeError):
            return cls()

    def to_json(self) -> str:
        return json.dumps([self.positions, self.state.to_json(), self.tables_read_at.isoformat()])


def alerts_sensor(settings: Settings, names: Names) -> dg.SensorDefinition:
    """Return the sensor `alerts`."""

    def send_alerts(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return _report(settings, names, context)

    return dg.sensor(
        name=names.of("alerts"),
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Reports what fails and when it is over: runs, checks of their days, and once an hour what the "
        "tables of all days show.",
    )(send_alerts)


def _report(settings: Settings, names: Names, context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Read the runs that ended since the last tick, once an hour the tables, and send the messages that are due."""
    cursor, now = _Cursor.from_json(context.cursor), utc_now()
    close_dead_runs(context.instance)  # else a killed run would keep its day from being requested, without an alert
    for ended in _runs_ended(context.instance, cursor.positions):
        record_run(context.instance, cursor.state, ended, names, now)
    due = None
    if abs(now - cursor.tables_read_at) >= _TABLES_READ_EVERY:  # abs: a clock that was set back must not stop it
        due = record_tables(settings, cursor.state, now)
        cursor.tables_read_at = now
    destinations = destinations_of(settings, context.log, names.instance)
    sent = cursor.state.send_due(now, lambda message: [each.send(message) for each in destinations][-1])
    return dg.SensorResult(
        skip_reason=f"{sent} messages sent; {len(cursor.state.failing)} active failures",
        cursor=cursor.to_json(),
        asset_events=[freshness_evaluation(due, names)] if due else [],
    )


def _runs_ended(instance: dg.DagsterInstance, positions: dict[str, str]) -> list[dg.EventLogRecord]:
    """Return the ends of runs since the positions in order, and move the positions. The first call starts from now."""
    records: list[dg.EventLogRecord] = []
    for kind in _EVENT_TYPES:
        position = positions.get(kind.value)
        if position is None:
            newest = instance.fetch_run_status_changes(kind, limit=1)
            positions[kind.value] = newest.cursor
            continue
        has_more = True  # all of both kinds: a failure that is read after a later success would count as the newer
        while has_more:
            found = instance.fetch_run_status_changes(kind, limit=_RUNS_PER_PAGE, cursor=position, ascending=True)
            records += found.records
            position, has_more = found.cursor, found.has_more
        positions[kind.value] = position
    return sorted(records, key=lambda record: record.storage_id)
