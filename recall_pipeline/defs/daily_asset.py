"""What the four assets have in common: partitions, owners, tags, retries, backfills."""

import warnings
from collections.abc import Callable, Collection
from typing import Any

import dagster as dg

from recall_pipeline.defs.metadata import TAGS
from recall_pipeline.defs.names import Names

_OWNERS = ["team:meeting-audio"]
_RETRY_TRANSIENT = dg.RetryPolicy(max_retries=3, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
"""For errors whose `retry_can_help`; permanent errors forbid it."""
_BACKFILL = dg.BackfillPolicy.multi_run(max_partitions_per_run=7)
"""The days of a run share the walks of the lists. More days per run would spread over fewer workers."""

RECALL_API_POOL = "recall_api"
"""Steps that send requests to Recall.ai; dagster.yaml limits how many runs with such steps there are at once."""


def daily_asset(
    compute: Callable[..., dg.MaterializeResult[None]],
    names: Names,
    days: dg.DailyPartitionsDefinition,
    *,
    kinds: Collection[str],
    upstream: str | None = None,
    pool: str | None = None,
    freshness: dg.FreshnessPolicy | None = None,
) -> dg.AssetsDefinition:
    """Return the asset that `compute` materializes. Its name and its description are those of the function."""
    options: dict[str, Any] = {"pool": pool} if pool else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)  # of backfill policies
        asset: dg.AssetsDefinition = dg.asset(
            key=names.asset(compute.__name__),
            partitions_def=days,
            deps=[names.asset(upstream)] if upstream else [],
            group_name="recall",
            owners=_OWNERS,
            tags=TAGS,
            kinds=set(kinds),
            retry_policy=_RETRY_TRANSIENT,
            backfill_policy=_BACKFILL,
            freshness_policy=freshness,
            **options,
        )(compute)
    return asset
