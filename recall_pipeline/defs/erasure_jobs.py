"""Jobs `forget` and `retention`: the same work as the command's, where the UI shows it."""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from recall_pipeline.defs.priorities import SCHEDULE_PRIORITY
from recall_pipeline.defs.run_context import RunContext
from recall_pipeline.erasure import (
    ErasurePlan,
    ErasureSummary,
    check_limit,
    forget,
    plan_for_request,
    preview,
    read_inventory,
    retention_plan,
)
from recall_pipeline.errors import UsageError
from recall_pipeline.settings import load_settings


class ForgetConfig(dg.Config):
    """What to forget: one of `recording`, `bot` and `before`; `dry_run` says what would go, and changes nothing."""

    recording: str | None = None
    bot: str | None = None
    before: str | None = None
    reason: str
    dry_run: bool = True
    beyond_limit: bool = False


@dg.op(out=dg.Out(dg.Nothing), description="Remove what the run's configuration names from the archive, for good.")
def forget_requested(
    context: dg.OpExecutionContext, config: ForgetConfig, session: dg.ResourceParam[RunContext]
) -> None:
    """Forget what a person asks for."""
    with session.as_dagster_failure():
        plan = _plan_of(config, session)
        _carry_out(context, session, plan, config.reason, dry_run=config.dry_run)


@dg.op(out=dg.Out(dg.Nothing), description="Remove recordings older than RECALL_RETENTION_DAYS, for good.")
def forget_expired(context: dg.OpExecutionContext, session: dg.ResourceParam[RunContext]) -> None:
    """Forget what is older than the settings allow."""
    with session.as_dagster_failure():
        days = session.settings.retention_days
        if days is None:
            raise UsageError("RECALL_RETENTION_DAYS is not set: nothing is forgotten by age")
        plan = retention_plan(session.archive, session.settings, days)
        _carry_out(context, session, plan, f"older than {days} days (RECALL_RETENTION_DAYS)", dry_run=False)


@dg.job(name="forget", description="Remove recordings for good, on request; a dry run unless told otherwise.")
def forget_job() -> None:
    """One step, so that nothing comes between."""
    forget_requested()


@dg.job(name="retention", description="Remove recordings older than RECALL_RETENTION_DAYS, for good.")
def retention_job() -> None:
    """One step, so that nothing comes between."""
    forget_expired()


@dg.schedule(
    job=retention_job,
    cron_schedule="41 4 * * *",  # well after daily_sync, whose listing tells that the clock is right
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Forgets by age once a day, where RECALL_RETENTION_DAYS is set.",
)
def daily_retention(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request a run where the settings name an age."""
    if load_settings().retention_days is None:
        yield dg.SkipReason("RECALL_RETENTION_DAYS is not set: nothing is forgotten by age")
    else:
        yield dg.RunRequest(run_key=context.scheduled_execution_time.isoformat(), tags=SCHEDULE_PRIORITY)


def _plan_of(wish: ForgetConfig, session: RunContext) -> ErasurePlan:
    inventory = read_inventory(session.archive)
    before = _day(wish.before)
    plan = plan_for_request(inventory, recording_id=wish.recording, bot_id=wish.bot, before=before)
    if before and not wish.beyond_limit and not wish.dry_run:
        check_limit(session.settings, inventory, plan)
    return plan


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise UsageError(f"before: {text!r} is no day: write it like 2026-03-02") from None


def _carry_out(
    context: dg.OpExecutionContext, session: RunContext, plan: ErasurePlan, reason: str, *, dry_run: bool
) -> None:
    """Show what goes before it goes, and what went."""
    expected = preview(session.archive, plan)
    context.log.info("%s recordings, %s files, %s bytes are to be forgotten", *_counts(expected))
    context.add_output_metadata({"preview": _as_metadata(expected), "days": [day.isoformat() for day in plan.days]})
    if dry_run:
        return
    done = forget(session.archive, plan, reason, session.progress_callback("forget"))
    context.log.info("%s recordings, %s files, %s bytes were forgotten", *_counts(done))
    context.add_output_metadata({"forgotten": _as_metadata(done)})


def _counts(let_go: ErasureSummary) -> tuple[int, int, int]:
    return let_go.recordings, let_go.files, let_go.bytes


def _as_metadata(let_go: ErasureSummary) -> dict[str, int]:
    return {"recordings": let_go.recordings, "bots": let_go.bots, "files": let_go.files, "bytes": let_go.bytes}
