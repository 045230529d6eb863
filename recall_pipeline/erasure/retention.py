"""Retention: plan the erasure of recordings by age, within a limit."""

from datetime import timedelta

from recall_pipeline.days import utc_now
from recall_pipeline.erasure.by_age import AgePlan, plan_before
from recall_pipeline.erasure.plan import ErasurePlan
from recall_pipeline.erasure.safety_checks import check_clock, limit_of, nights_since
from recall_pipeline.errors import UsageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive


def retention_plan(archive: Archive, settings: Settings, retention_days: int) -> AgePlan:
    """Plan all recordings whose whole day is older than `retention_days`.

    The plan names the days with a table that cannot be read. Raises StorageError if the storage fails, UsageError if
    the clock is not plausible or the plan exceeds the limit.
    """
    check_clock(archive)
    plan = plan_before(archive, (utc_now() - timedelta(days=retention_days)).date())
    check_limit(settings, plan, nights_since(plan.last_erased_at))
    return plan


def check_limit(settings: Settings, plan: ErasurePlan, nights: int = 0) -> None:
    """Raise UsageError if a plan by age has more recordings than the limit allows; those erased before do not count.

    Without a limit in the settings, a plan of one whole day for each of `nights` is allowed: the usual work of a run,
    however many meetings a day has, and however short they are kept. Other plans have no limit.
    """
    if not isinstance(plan, AgePlan):
        return
    limit, recordings = limit_of(settings, plan.kept), sum(plan.never_erased)
    if settings.retention_limit is None and sum(map(bool, plan.never_erased)) <= nights:
        return
    if recordings > limit:
        raise UsageError(
            f"{recordings} of {plan.kept} recordings would be erased by age, "
            f"but the limit of one run is {limit}: review with `recall-pipeline forget --before DAY --dry-run`, "
            "then pass --yes, or raise RECALL_RETENTION_LIMIT"
        )
