"""One partition a UTC day, today included (contract.md section 2)."""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from recall_pipeline.settings import load_settings

DAYS = dg.DailyPartitionsDefinition(start_date=load_settings().start_date.isoformat(), timezone="UTC", end_offset=1)


def days_of(context: dg.AssetExecutionContext) -> Iterator[date]:
    """Yield the days that this step is to bring up to date: one, or those of a single-run backfill."""
    yield from map(date.fromisoformat, context.partition_keys)
