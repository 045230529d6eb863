"""One partition a UTC day, today included (docs/design/interface.md, section 2)."""

from collections.abc import Iterator, Mapping
from datetime import date

import dagster as dg

from recall_pipeline.days import days_between
from recall_pipeline.settings import load_settings

DAYS = dg.DailyPartitionsDefinition(start_date=load_settings().start_date.isoformat(), timezone="UTC", end_offset=1)
_ONE, _FIRST, _LAST = (
    f"dagster/{name}" for name in ("partition", "asset_partition_range_start", "asset_partition_range_end")
)


def days_of(context: dg.AssetExecutionContext) -> Iterator[date]:
    """Yield the days that this step is to bring up to date: one, or those of a single-run backfill."""
    yield from map(date.fromisoformat, context.partition_keys)


def days_of_run(tags: Mapping[str, str]) -> list[date]:
    """Return the days that a run with these tags is about: one, those of a range, or none."""
    first, last = tags.get(_FIRST, tags.get(_ONE)), tags.get(_LAST, tags.get(_ONE))
    return list(days_between(date.fromisoformat(first), date.fromisoformat(last))) if first and last else []
