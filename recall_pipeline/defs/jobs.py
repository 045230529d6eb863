"""Job `sync_day`: all four assets of one day, or of a range of days."""

from typing import TYPE_CHECKING

import dagster as dg

from recall_pipeline.defs.names import Names

if TYPE_CHECKING:  # not among Dagster's public names
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition


def sync_day_job(names: Names) -> "UnresolvedAssetJobDefinition":
    """Return the job that brings a day up to date."""
    return dg.define_asset_job(
        names.of("sync_day"),
        selection=dg.AssetSelection.assets(*names.assets),
        # The steps follow one another and have their own concurrency; a process per step costs 3 to 8 s.
        executor_def=dg.in_process_executor,
        description="Bring a day up to date: list, download, check, normalize, catalog.",
    )
