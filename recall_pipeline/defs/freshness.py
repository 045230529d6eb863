"""When the archive is fresh: no day that is due waits for its sync.

The tables decide it (`alert_tables`), so that a backfill of an old day does not end the alert. The policy below is what
Dagster shows on the pages of the assets. Dagster (1.13.27) has two kinds of policies, `time_window` and `cron`, and
evaluates both from the last materialization of any partition. So there a backfill of an old day shows as fresh. Its
`build_time_partition_freshness_checks` is superseded, and accepts a partition that was materialized before its end.
"""

from datetime import timedelta

import dagster as dg

DAILY = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=36), warn_window=timedelta(hours=26))
"""Shown on the pages of the assets."""

FRESH_ASSETS = ("bots", "audio_catalog")
"""The first and the last asset: `daily_sync` materializes both at least once a day."""

NOT_SYNCED = (
    "days that are due were not synced: in Dagster, see under Automation why finished_bots and daily_sync request no "
    "runs, and under Runs why their runs fail; recall-pipeline doctor lists the days"
)
"""The cause of every alert about freshness."""
