"""The definitions with a freshness policy of minutes instead of 36 hours; `live.alerts` loads them."""

from datetime import timedelta

import dagster as dg

from recall_pipeline import definitions

SOON = dg.FreshnessPolicy.time_window(fail_window=timedelta(seconds=150), warn_window=timedelta(seconds=90))


def _impatient(spec: dg.AssetSpec) -> dg.AssetSpec:
    return spec.replace_attributes(freshness_policy=SOON) if spec.freshness_policy else spec


defs = definitions.defs.map_resolved_asset_specs(func=_impatient)
