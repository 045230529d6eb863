"""Erase recordings permanently, with a row in the audit for each.

Belongs here: selecting the recordings and bots of a request; removing their files, redacting their rows, recording
the erasure in the audit; safety checks before retention.
Does not belong here: deleting at Recall.ai (`upstream_deletion`); keeping erased recordings out of a sync (`audit`).
Comes in: a request and a reason. Goes out: rows of `audit`, and redacted rows in the other tables.
"""

from recall_pipeline.erasure.day_erasure import erase_day
from recall_pipeline.erasure.execute import ErasureSummary, finish_erasures, forget, preview
from recall_pipeline.erasure.plan import ErasurePlan
from recall_pipeline.erasure.requests import plan_for_request
from recall_pipeline.erasure.retention import check_limit, retention_plan
from recall_pipeline.erasure.safety_checks import check_clock

__all__ = [
    "ErasurePlan",
    "ErasureSummary",
    "check_clock",
    "check_limit",
    "erase_day",
    "finish_erasures",
    "forget",
    "plan_for_request",
    "preview",
    "retention_plan",
]
