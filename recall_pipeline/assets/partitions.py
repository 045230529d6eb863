"""One partition a UTC day, today included (contract.md section 2)."""

import warnings
from collections.abc import Iterator
from datetime import date

import dagster as dg

from recall_pipeline.settings import load_settings

DAYS = dg.DailyPartitionsDefinition(start_date=load_settings().start_date.isoformat(), timezone="UTC", end_offset=1)

with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.BetaWarning)  # without the flag, the first day could not be run
    BOTS_OF_YESTERDAY_TOO = dg.TimeWindowPartitionMapping(start_offset=-1, allow_nonexistent_upstream_partitions=True)
"""A recording's bot may have been sent the day before."""


def days_of(context: dg.AssetExecutionContext) -> Iterator[date]:
    """Yield the days that this step is to bring up to date: one, or those of a single-run backfill."""
    yield from map(date.fromisoformat, context.partition_keys)
