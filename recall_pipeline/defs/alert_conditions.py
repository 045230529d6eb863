"""What Dagster has recorded, as things that fail and why: steps, whole runs, checks, freshness.

A thing belongs to a day, so that it is in order again as soon as anybody has brought that day up to date, however.
"""

from collections.abc import Iterator

import dagster as dg

from recall_pipeline.defs.alert_state import AlertState
from recall_pipeline.defs.audio_catalog_asset import audio_catalog
from recall_pipeline.defs.bots_asset import bots
from recall_pipeline.defs.erasure_jobs import retention_job
from recall_pipeline.defs.jobs import sync_day
from recall_pipeline.defs.mixed_audio_asset import mixed_audio
from recall_pipeline.defs.partitions import days_of_run
from recall_pipeline.defs.recordings_asset import recordings
from recall_pipeline.defs.run_context import INTERRUPTED

_OURS = frozenset(asset.key for asset in (bots, recordings, mixed_audio, audio_catalog))
_JOBS = frozenset((sync_day.name, retention_job.name))  # who runs `forget` by hand sees how it ends
_TOLD = {
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
}
_KILLED = "the run's process was killed, or it ran too long; the next sync goes on from there"
_NOT_FRESH = (
    "no day has been brought up to date for too long (36 hours as shipped): in Dagster, see under Automation why "
    "finished_bots and daily_sync ask for nothing, and under Runs why theirs do not end well"
)


def record_run(instance: dg.DagsterInstance, book: AlertState, ended: dg.EventLogRecord) -> None:
    """Note how a run of our assets or checks ended, whoever asked for it."""
    run = instance.get_run_by_id(ended.run_id)
    if run is None or not _is_ours(run):
        return
    days = [day.isoformat() for day in days_of_run(run.tags)] or [run.job_name]
    events = list(_events(instance, run.run_id))
    for event in events:
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            _note_check(book, event.asset_check_evaluation_data, days)
        elif event.is_step_success:
            _record_state(book, str(event.step_key), days, None)
        elif (cause := _cause_of_step(event)) != INTERRUPTED:  # who pressed Ctrl-C knows
            _record_state(book, str(event.step_key), days, cause)
    if not any(event.is_step_failure for event in events):
        _record_state(book, "the run", days, _cause_of_run(ended) if run.is_failure else None)


def record_freshness(instance: dg.DagsterInstance, book: AlertState) -> None:
    """Note the assets whose freshness policy Dagster sees broken, as their pages show it."""
    for key, record in instance.get_freshness_state_records(sorted(_OURS)).items():
        failing = record.freshness_state.value == "FAIL"
        _record_state(book, "freshness", [key.to_user_string()], _NOT_FRESH if failing else None)


def _is_ours(run: dg.DagsterRun) -> bool:
    """Whether it is of one of our jobs, or of the assets or checks alone, as the UI starts them."""
    checked = {check.asset_key for check in run.asset_check_selection or ()}
    return run.job_name in _JOBS or not _OURS.isdisjoint(checked | (run.asset_selection or set()))


def _events(instance: dg.DagsterInstance, run_id: str) -> Iterator[dg.DagsterEvent]:
    for record in instance.get_records_for_run(run_id, of_type=_TOLD).records:
        if event := record.event_log_entry.dagster_event:
            yield event


def _record_state(book: AlertState, what: str, where: list[str], cause: str | None) -> None:
    for place in where:
        if cause:
            book.failed(f"{what} of {place}", cause)
        else:
            book.passed(f"{what} of {place}")


def _note_check(book: AlertState, check: dg.AssetCheckEvaluation, days: list[str]) -> None:
    """A warning is for those who look; an error is for those who are called."""
    if check.passed or check.severity != dg.AssetCheckSeverity.ERROR:
        _record_state(book, check.check_name, days, None)
        return
    named = check.metadata.get("days")  # of a range: those with problems
    failing = str(named.value).split(", ") if named else days
    advice = check.metadata.get("next_action")  # the same for every day, which makes it one cause
    _record_state(book, check.check_name, [day for day in days if day not in failing], None)
    _record_state(
        book, check.check_name, failing, f"check {check.check_name}: {advice.value if advice else 'see Dagster'}"
    )


def _cause_of_step(event: dg.DagsterEvent) -> str:
    """Return the text of a failed step: what, where, what to do."""
    failure = event.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return failure.user_failure_data.description
    kind = failure.error.cls_name if failure.error else "an unknown error"
    return f"step {event.step_key} ended with {kind}; its log is in Dagster"


def _cause_of_run(ended: dg.EventLogRecord) -> str:
    """Return why a run failed none of whose steps did; texts of unknown errors may hold anything and are left out."""
    event = ended.event_log_entry.dagster_event
    error = event.job_failure_data.error if event and event.event_specific_data else None
    while error and error.cause:
        error = error.cause
    return f"the run ended with {error.cls_name} before its first step; its log is in Dagster" if error else _KILLED
