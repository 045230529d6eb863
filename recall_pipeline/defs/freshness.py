"""When `bots` and `audio_catalog` are fresh: their newest day that has ended was materialized since its end."""

from datetime import date, datetime, timedelta

import dagster as dg

from recall_pipeline.days import end_of, utc_now

_FAIL_AFTER = timedelta(hours=36)
DAILY = dg.FreshnessPolicy.time_window(fail_window=_FAIL_AFTER, warn_window=timedelta(hours=26))
"""Shown on the pages of the assets. Any day counts for Dagster, so `is_stale` looks at the newest one."""

FRESH_ASSETS = ("bots", "audio_catalog")
"""The first and the last asset: `daily_sync` materializes both at least once a day."""


def newest_day_due(now: datetime) -> date:
    """Return the newest UTC day whose sync after its end is overdue at `now`: it ended at least 12 hours ago."""
    return (now - _FAIL_AFTER).date()


def is_stale(instance: dg.DagsterInstance, key: dg.AssetKey, now: datetime | None = None) -> bool:
    """Return whether the newest day due was not materialized since it ended.

    A backfill of an older day changes nothing. An asset is not stale if its first materialization is younger.
    """
    day = newest_day_due(now or utc_now())
    ended = end_of(day).timestamp()
    return _is_materialized(instance, dg.AssetRecordsFilter(key, before_timestamp=ended)) and not _is_materialized(
        instance, dg.AssetRecordsFilter(key, asset_partitions=[day.isoformat()], after_timestamp=ended)
    )


def _is_materialized(instance: dg.DagsterInstance, records: dg.AssetRecordsFilter) -> bool:
    return bool(instance.fetch_materializations(records, limit=1).records)
