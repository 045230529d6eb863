"""Failures that Dagster has recorded, with their causes: of steps, whole runs, and checks.

Each belongs to a day. It is over as soon as a run of that day succeeds, or the tables show it (`alert_tables`).
"""

from collections.abc import Iterator
from datetime import datetime

import dagster as dg

from recall_pipeline.defs.alert_state import AlertState
from recall_pipeline.defs.alert_tables import cause_of
from recall_pipeline.defs.fixity_asset import FIXITY_CHECKS
from recall_pipeline.defs.fixity_automation import FIXITY_JOB
from recall_pipeline.defs.freshness import DUE_DAYS_SYNCED
from recall_pipeline.defs.names import Names
from recall_pipeline.defs.partitions import days_of_run
from recall_pipeline.defs.run_context import INTERRUPTED

_JOBS = ("sync_day", "retention", FIXITY_JOB)  # who starts `forget` sees its result
_EVENT_TYPES = {
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
}
_KILLED = "the run's process was killed, or it ran too long; the next sync continues from there"


def record_run(
    instance: dg.DagsterInstance, state: AlertState, ended: dg.EventLogRecord, names: Names, now: datetime
) -> None:
    """Record at `now` how a run of our jobs, assets or checks ended, whatever requested it."""
    run = instance.get_run_by_id(ended.run_id)
    if run is None or not _is_ours(run, names):
        return
    days = [day.isoformat() for day in days_of_run(run.tags)] or [_place_of(run, names)]
    events = list(_events(instance, run.run_id))
    for event in events:
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            _note_check(state, event.asset_check_evaluation_data, days, now)
        elif event.is_step_success:
            _record_state(state, str(event.step_key), days, None, now)
        elif (cause := _cause_of_step(event)) != INTERRUPTED:  # the user who pressed Ctrl-C knows
            _record_state(state, str(event.step_key), days, cause, now)
    if not any(event.is_step_failure for event in events):
        _record_state(state, "the run", days, _cause_of_run(ended) if run.is_failure else None, now)


def _is_ours(run: dg.DagsterRun, names: Names) -> bool:
    """Whether it is a run of one of our jobs, or of assets or checks alone, as the UI starts them."""
    selected = {check.asset_key for check in run.asset_check_selection or ()} | (run.asset_selection or set())
    return run.job_name in map(names.of, _JOBS) or not selected.isdisjoint([*names.assets, names.asset("fixity")])


def _place_of(run: dg.DagsterRun, names: Names) -> str:
    """Return the job of a run without a day; the same for a pass of `fixity`, however it was started."""
    return names.of(FIXITY_JOB) if names.asset("fixity") in (run.asset_selection or ()) else run.job_name


def _events(instance: dg.DagsterInstance, run_id: str) -> Iterator[dg.DagsterEvent]:
    for record in instance.get_records_for_run(run_id, of_type=_EVENT_TYPES).records:
        if event := record.event_log_entry.dagster_event:
            yield event


def _record_state(state: AlertState, what: str, where: list[str], cause: str | None, now: datetime) -> None:
    for place in where:
        if cause:
            state.failed(f"{what} of {place}", cause, now)
        else:
            state.passed(f"{what} of {place}")


def _note_check(state: AlertState, check: dg.AssetCheckEvaluation, days: list[str], now: datetime) -> None:
    """Record a check of severity ERROR. A warning is shown in the UI only. What is not of a day, the tables show."""
    if check.check_name in (*FIXITY_CHECKS, DUE_DAYS_SYNCED):
        return
    if check.passed or check.severity != dg.AssetCheckSeverity.ERROR:
        _record_state(state, check.check_name, days, None, now)
        return
    failing_days = check.metadata.get("days")  # of a range
    failing = str(failing_days.value).split(", ") if failing_days else days
    advice = check.metadata.get("next_action")  # the same for every day, so it is one cause
    cause = cause_of(check.check_name, str(advice.value) if advice else "see Dagster")
    _record_state(state, check.check_name, [day for day in days if day not in failing], None, now)
    _record_state(state, check.check_name, failing, cause, now)


def _cause_of_step(event: dg.DagsterEvent) -> str:
    """Return the description of a failed step: the fault and the next action."""
    failure = event.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return failure.user_failure_data.description
    kind = failure.error.cls_name if failure.error else "an unknown error"
    return f"step {event.step_key} ended with {kind}; its log is in Dagster"


def _cause_of_run(ended: dg.EventLogRecord) -> str:
    """Return why a run failed without a failed step, without the text of its error, which may contain a secret."""
    event = ended.event_log_entry.dagster_event
    error = event.job_failure_data.error if event and event.event_specific_data else None
    while error and error.cause:
        error = error.cause
    return f"the run ended with {error.cls_name} before its first step; its log is in Dagster" if error else _KILLED
