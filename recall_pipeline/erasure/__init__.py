"""Remove recordings for good, and prove that.

Belongs here: which recordings and bots a wish concerns; removing their files, blanking their rows, writing it down;
when retention has to refuse.
Does not belong here: deleting at Recall (`releasing`), and what forgotten means to a sync (`audit`).
Comes in: a wish and a reason. Goes out: rows of `audit`; nothing else of what they name.
"""

from recall_pipeline.erasure.day_erasure import erase_day
from recall_pipeline.erasure.execute import ErasureSummary, finish_erasures, forget, preview
from recall_pipeline.erasure.inventory import Inventory, read_inventory
from recall_pipeline.erasure.plan import ErasurePlan, plan_for_request
from recall_pipeline.erasure.retention import check_limit, retention_plan
from recall_pipeline.erasure.safety_checks import check_clock

__all__ = [
    "ErasurePlan",
    "ErasureSummary",
    "Inventory",
    "check_clock",
    "check_limit",
    "erase_day",
    "finish_erasures",
    "forget",
    "plan_for_request",
    "preview",
    "read_inventory",
    "retention_plan",
]
