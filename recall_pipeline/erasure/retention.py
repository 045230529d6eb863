"""Forget by age: which recordings are due, and when that has to wait for a person."""

from datetime import timedelta

from recall_pipeline.days import utc_now
from recall_pipeline.erasure.inventory import Inventory, read_inventory
from recall_pipeline.erasure.plan import ErasurePlan, all_before
from recall_pipeline.erasure.safety_checks import check_clock, limit_of
from recall_pipeline.errors import UsageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive


def retention_plan(archive: Archive, settings: Settings, retention_days: int) -> ErasurePlan:
    """Plan for every recording that is older than `retention_days`, its whole day included.

    Raises StorageError when the archive cannot be read whole, and UsageError when its clock is in doubt or more would
    go at once than may.
    """
    inventory = read_inventory(archive)
    check_clock(archive, inventory)
    plan = all_before(inventory, (utc_now() - timedelta(days=retention_days)).date())
    check_limit(settings, inventory, plan)
    return plan


def check_limit(settings: Settings, inventory: Inventory, plan: ErasurePlan) -> None:
    """Raise UsageError when a plan by age concerns more recordings than may go at once; erased ones do not count."""
    limit = limit_of(settings, inventory)
    recordings = sum(len(ids.recordings - inventory.forgotten) for ids in plan.days.values())
    if recordings > limit:
        raise UsageError(
            f"{recordings} of {len(inventory.recordings)} recordings would be forgotten, and at most {limit} may "
            "go by age at once: look at `recall-pipeline forget --before DAY --dry-run`; then add --yes there, "
            "or raise RECALL_RETENTION_LIMIT"
        )
