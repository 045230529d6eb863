"""Check `due_days_synced` of `audio_catalog`: the archive is fresh if no day that is due waits for its sync.

The tables decide it, day by day, so that a backfill of an old day does not make today fresh. Dagster (1.13.27)
evaluates its own freshness policies from the last materialization of any partition; no asset here has one. The sensor
`alerts` evaluates the check once an hour: a run judges its own days only, and not the days without a run.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from recall_pipeline.catalog import DueDays, days_due
from recall_pipeline.days import utc_now
from recall_pipeline.defs.names import Names
from recall_pipeline.defs.run_context import RunContext

DUE_DAYS_SYNCED = "due_days_synced"
NOT_SYNCED = (
    "days that are due were not synced: in Dagster, see under Automation why finished_bots and daily_sync request no "
    "runs, and under Runs why their runs fail; recall-pipeline doctor lists the days"
)
"""The cause of every alert about freshness."""
_LISTED = 10  # days that a description names


def freshness_check(names: Names) -> dg.AssetChecksDefinition:
    """Return the check, which the page of the asset can also start. It is of all days, so runs of some days omit it."""
    spec = dg.AssetCheckSpec(
        DUE_DAYS_SYNCED,
        asset=names.asset("audio_catalog"),
        description="No day that is due has waited for its sync for more than 12 hours. "
        "The sensor alerts evaluates it once an hour.",
    )

    @dg.multi_asset_check(
        name=names.of("freshness"),
        specs=[spec],
        can_subset=True,
        required_resource_keys={names.run_context},
    )
    def evaluate(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        if context.has_partition_key or context.has_partition_key_range:
            return
        run_context: RunContext = getattr(context.resources, names.run_context)
        with run_context.as_dagster_failure():
            due = days_due(run_context.archive, run_context.settings, utc_now())
        yield dg.AssetCheckResult(check_name=spec.name, asset_key=spec.asset_key, **_finding(due))

    return evaluate


def freshness_evaluation(due: DueDays, names: Names) -> dg.AssetCheckEvaluation:
    """Return the result of the check, for the sensor to report."""
    return dg.AssetCheckEvaluation(asset_key=names.asset("audio_catalog"), check_name=DUE_DAYS_SYNCED, **_finding(due))


def _finding(due: DueDays) -> dict[str, Any]:
    late = list(map(str, due.late))
    more = f", and {len(late) - _LISTED} more" if len(late) > _LISTED else ""
    return {
        "passed": not late,
        "description": f"{', '.join(late[:_LISTED])}{more}: {NOT_SYNCED}." if late else None,
        "metadata": {"looked_at": len(due.states), "problems": len(late)},
    }
