"""What the policies of the assets show; `test_alert_tables` has the alerts about freshness."""

from datetime import date

import dagster as dg
import pytest

# The daemon's own way to say what is fresh; there is no public one.
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange

from recall_pipeline.days import utc_now
from recall_pipeline.defs.alert_conditions import record_freshness
from recall_pipeline.defs.alert_state import AlertState
from recall_pipeline.defs.freshness import FRESH_ASSETS
from recall_pipeline.defs.names import Names


@pytest.mark.parametrize("name", FRESH_ASSETS)
def test_an_asset_fails_as_long_as_its_policy_does(instance: dg.DagsterInstance, name: str) -> None:
    state = AlertState()
    instance.report_runless_asset_event(dg.AssetMaterialization(name, partition=date(2026, 3, 2).isoformat()))
    for now in (FreshnessState.FAIL, FreshnessState.PASS):
        change = FreshnessStateChange(
            key=dg.AssetKey(name), previous_state=FreshnessState.WARN, new_state=now, state_change_timestamp=1.0
        )
        instance._report_runless_asset_event(change)
        record_freshness(instance, state, Names(), utc_now())
        assert set(state.failing) == ({f"freshness of {name}"} if now is FreshnessState.FAIL else set())
