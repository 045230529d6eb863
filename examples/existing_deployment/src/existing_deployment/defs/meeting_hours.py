"""Hours of meetings a day, from both archives."""

from datetime import date

import dagster as dg

from recall_pipeline.downstream import RecallCatalog

CATALOGS = [dg.AssetKey(["eu", "audio_catalog"]), dg.AssetKey(["us", "audio_catalog"])]


@dg.asset(
    deps=CATALOGS,
    partitions_def=dg.DailyPartitionsDefinition("2026-01-01", timezone="UTC", end_offset=1),
    automation_condition=dg.AutomationCondition.any_deps_updated() & ~dg.AutomationCondition.any_deps_missing(),
    group_name="reporting",
)
def meeting_hours(
    context: dg.AssetExecutionContext,
    eu_recall_catalog: dg.ResourceParam[RecallCatalog],
    us_recall_catalog: dg.ResourceParam[RecallCatalog],
) -> dg.MaterializeResult[None]:
    """Hours of archived meetings in Europe and America."""
    day = date.fromisoformat(context.partition_key)
    totals: dict[str, float] = {}
    for name, catalog in {"eu": eu_recall_catalog, "us": us_recall_catalog}.items():
        rows = catalog.read(first=day, last=day, columns=["recording_id", "duration_seconds"])
        totals[f"{name}_recordings"] = rows["recording_id"].nunique()
        totals[f"{name}_hours"] = float(rows["duration_seconds"].sum() / 3600)
    return dg.MaterializeResult(metadata=totals)
