"""What the four assets have in common: partitions, owners, tags, retries, backfills."""

import inspect
import warnings
from collections.abc import Callable, Collection
from typing import Any

import dagster as dg

from recall_pipeline.defs.names import Names
from recall_pipeline.defs.run_context import RunContext

RETRY_TRANSIENT = dg.RetryPolicy(max_retries=3, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
"""For errors whose `retry_can_help`; permanent errors forbid it."""
_BACKFILL = dg.BackfillPolicy.multi_run(max_partitions_per_run=7)
"""The days of a run share the walks of the lists. More days per run would spread over fewer workers."""
_KIND = "dagster/kind/"

RECALL_API_POOL = "recall_api"
"""Steps that send requests to Recall.ai; dagster.yaml limits how many runs with such steps there are at once."""

Compute = Callable[[dg.AssetExecutionContext, RunContext], dg.MaterializeResult[None]]
"""Materializes an asset for the days of a run."""


def daily_asset(
    compute: Compute,
    names: Names,
    days: dg.DailyPartitionsDefinition,
    *,
    kinds: Collection[str],
    upstream: str | None = None,
    pool: str | None = None,
) -> dg.AssetsDefinition:
    """Return the asset that `compute` materializes. Its name and its description are those of the function."""
    spec = names.spec(compute.__name__, kinds=set(kinds), description=inspect.getdoc(compute))
    options: dict[str, Any] = {"pool": names.of(pool)} if pool else {}

    def step(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        return compute(context, getattr(context.resources, names.run_context))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # of backfill policies
        asset: dg.AssetsDefinition = dg.asset(
            key=spec.key,
            partitions_def=days,
            deps=[names.asset(upstream)] if upstream else [],
            description=spec.description,
            group_name=spec.group_name,
            owners=list(spec.owners),
            tags={name: value for name, value in spec.tags.items() if not name.startswith(_KIND)},
            kinds=spec.kinds,
            metadata=spec.metadata,
            required_resource_keys={names.run_context},
            retry_policy=RETRY_TRANSIENT,
            backfill_policy=_BACKFILL,
            **options,
        )(step)
    return asset
