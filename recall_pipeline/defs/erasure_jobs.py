"""Jobs `forget` and `retention`: what the command `forget` does, with configuration and result shown in the UI."""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from recall_pipeline.defs.names import Names
from recall_pipeline.defs.priorities import SCHEDULE_PRIORITY
from recall_pipeline.defs.run_context import RunContext
from recall_pipeline.erasure import (
    ErasurePlan,
    ErasureSummary,
    check_limit,
    forget,
    plan_for_request,
    preview,
    retention_plan,
)
from recall_pipeline.errors import UsageError
from recall_pipeline.settings import Settings


class ForgetConfig(dg.Config):
    """What to erase: one of `recording`, `bot` and `before`. A `dry_run` shows a preview and changes nothing."""

    recording: str | None = None
    bot: str | None = None
    before: str | None = None
    reason: str
    dry_run: bool = True
    beyond_limit: bool = False


def _forget_requested(context: dg.OpExecutionContext, run_context: RunContext, config: ForgetConfig) -> None:
    with run_context.as_dagster_failure():
        plan = _plan_of(config, run_context)
        _execute(context, run_context, plan, config.reason, dry_run=config.dry_run)


def _forget_expired(context: dg.OpExecutionContext, run_context: RunContext) -> None:
    with run_context.as_dagster_failure():
        days = run_context.settings.retention_days
        if days is None:
            raise UsageError("RECALL_RETENTION_DAYS is not set: no recording is erased by age")
        plan = retention_plan(run_context.archive, run_context.settings, days)
        _execute(context, run_context, plan, f"older than {days} days (RECALL_RETENTION_DAYS)", dry_run=False)


def forget_job(names: Names) -> dg.JobDefinition:
    """Return the job `forget`, of one step."""

    @dg.op(name=names.of("forget_requested"), out=dg.Out(dg.Nothing), required_resource_keys={names.run_context})
    def forget_requested(context: dg.OpExecutionContext, config: ForgetConfig) -> None:
        """Erase for good what the run's configuration names."""
        _forget_requested(context, getattr(context.resources, names.run_context), config)

    @dg.job(
        name=names.of("forget"),
        description="Erase recordings for good, on request. By default a dry run.",
        executor_def=dg.in_process_executor,
    )
    def forget_recordings() -> None:
        forget_requested()

    return forget_recordings


def retention_job(names: Names) -> dg.JobDefinition:
    """Return the job `retention`, of one step."""

    @dg.op(name=names.of("forget_expired"), out=dg.Out(dg.Nothing), required_resource_keys={names.run_context})
    def forget_expired(context: dg.OpExecutionContext) -> None:
        """Erase recordings older than RECALL_RETENTION_DAYS for good."""
        _forget_expired(context, getattr(context.resources, names.run_context))

    @dg.job(
        name=names.of("retention"),
        description="Erase recordings older than RECALL_RETENTION_DAYS for good.",
        executor_def=dg.in_process_executor,
    )
    def erase_by_age() -> None:
        forget_expired()

    return erase_by_age


def daily_retention_schedule(settings: Settings, names: Names) -> dg.ScheduleDefinition:
    """Return the schedule `daily_retention`, which requests a run if the settings have an age."""

    def request_retention(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        if settings.retention_days is None:
            yield dg.SkipReason("RECALL_RETENTION_DAYS is not set: no recording is erased by age")
        else:
            yield dg.RunRequest(run_key=context.scheduled_execution_time.isoformat(), tags=SCHEDULE_PRIORITY)

    return dg.schedule(
        name=names.of("daily_retention"),
        job_name=names.of("retention"),
        cron_schedule="41 4 * * *",  # well after daily_sync, whose listing shows that the clock is right
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Erases by age once a day, if RECALL_RETENTION_DAYS is set.",
    )(request_retention)


def _plan_of(config: ForgetConfig, run_context: RunContext) -> ErasurePlan:
    plan = plan_for_request(
        run_context.archive, recording_id=config.recording, bot_id=config.bot, before=_day(config.before)
    )
    if not config.beyond_limit and not config.dry_run:
        check_limit(run_context.settings, plan)
    return plan


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise UsageError(f"before: {text!r} is not a day: write it like 2026-03-02") from None


def _execute(
    context: dg.OpExecutionContext, run_context: RunContext, plan: ErasurePlan, reason: str, *, dry_run: bool
) -> None:
    """Report a preview before anything is erased, and then what was erased."""
    preview_summary = preview(run_context.archive, plan)
    context.log.info("%s recordings, %s files, %s bytes are to be forgotten", *_counts(preview_summary))
    context.add_output_metadata(
        {"preview": _as_metadata(preview_summary), "days": [day.isoformat() for day in plan.days]}
    )
    if dry_run:
        return
    done = forget(run_context.archive, plan, reason, run_context.progress_callback("forget"))
    context.log.info("%s recordings, %s files, %s bytes were forgotten", *_counts(done))
    context.add_output_metadata({"forgotten": _as_metadata(done)})
    done.raise_if_faulty()


def _counts(summary: ErasureSummary) -> tuple[int, int, int]:
    return summary.recordings, summary.files, summary.bytes


def _as_metadata(summary: ErasureSummary) -> dict[str, int]:
    return {"recordings": summary.recordings, "bots": summary.bots, "files": summary.files, "bytes": summary.bytes}
