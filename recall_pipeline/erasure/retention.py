"""Retention: plan the erasure of recordings by age, within a limit."""

from datetime import timedelta

from recall_pipeline.days import utc_now
from recall_pipeline.erasure.inventory import Inventory, read_inventory
from recall_pipeline.erasure.plan import ErasurePlan, plan_before
from recall_pipeline.erasure.safety_checks import check_clock, limit_of, nights_since
from recall_pipeline.errors import UsageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive


def retention_plan(archive: Archive, settings: Settings, retention_days: int) -> ErasurePlan:
    """Plan all recordings whose whole day is older than `retention_days`.

    The plan names the days with a table that cannot be read. Raises StorageError if the storage fails, UsageError if
    the clock is not plausible or the plan exceeds the limit.
    """
    check_clock(archive)
    inventory = read_inventory(archive)
    plan = plan_before(inventory, (utc_now() - timedelta(days=retention_days)).date())
    check_limit(settings, inventory, plan, nights_since(inventory.last_erased_at))
    return plan


def check_limit(settings: Settings, inventory: Inventory, plan: ErasurePlan, nights: int = 0) -> None:
    """Raise UsageError if a plan by age contains more recordings than the limit allows; erased ones do not count.

    Without a limit in the settings, a plan of one whole day for each of `nights` is allowed: the usual work of a run,
    however many meetings a day has, and however short they are kept.
    """
    days = [len(ids.recordings - inventory.forgotten) for ids in plan.days.values()]
    limit, recordings = limit_of(settings, inventory), sum(days)
    if settings.retention_limit is None and sum(map(bool, days)) <= nights:
        return
    if recordings > limit:
        raise UsageError(
            f"{recordings} of {len(inventory.kept)} recordings would be erased by age, "
            f"but the limit of one run is {limit}: review with `recall-pipeline forget --before DAY --dry-run`, "
            "then pass --yes, or raise RECALL_RETENTION_LIMIT"
        )
