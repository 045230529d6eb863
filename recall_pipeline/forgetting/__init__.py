"""Remove recordings for good, and prove that.

Belongs here: which recordings and bots a wish concerns; removing their files, blanking their rows, writing it down;
when retention has to refuse.
Does not belong here: deleting at Recall (`releasing`), and what forgotten means to a sync (`audit`).
Comes in: a wish and a reason. Goes out: rows of `audit`; nothing else of what they name.
"""

from recall_pipeline.forgetting.day import forget_day
from recall_pipeline.forgetting.doubts import check_clock
from recall_pipeline.forgetting.inventory import Inventory, read_inventory
from recall_pipeline.forgetting.planning import Plan, wished
from recall_pipeline.forgetting.retention import check_limit, retention_plan
from recall_pipeline.forgetting.work import LetGo, forget, preview

__all__ = [
    "Inventory",
    "LetGo",
    "Plan",
    "check_clock",
    "check_limit",
    "forget",
    "forget_day",
    "preview",
    "read_inventory",
    "retention_plan",
    "wished",
]
