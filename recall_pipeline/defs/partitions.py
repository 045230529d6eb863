"""One partition per UTC day, the current day included (docs/design/interface.md, section 2)."""

from collections.abc import Iterator, Mapping
from datetime import date

import dagster as dg

from recall_pipeline.days import days_between
from recall_pipeline.settings import Settings

_ONE, _FIRST, _LAST = (
    f"dagster/{name}" for name in ("partition", "asset_partition_range_start", "asset_partition_range_end")
)


def day_partitions(settings: Settings) -> dg.DailyPartitionsDefinition:
    """Return the partitions of every asset: the UTC days from RECALL_START_DATE on."""
    return dg.DailyPartitionsDefinition(start_date=settings.start_date.isoformat(), timezone="UTC", end_offset=1)


def days_of(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Iterator[date]:
    """Yield the days of a step: one, or each day of a range."""
    yield from map(date.fromisoformat, context.partition_keys)


def days_of_run(tags: Mapping[str, str]) -> list[date]:
    """Return the days of a run with these tags: one, each day of a range, or none."""
    first, last = tags.get(_FIRST, tags.get(_ONE)), tags.get(_LAST, tags.get(_ONE))
    return list(days_between(date.fromisoformat(first), date.fromisoformat(last))) if first and last else []
