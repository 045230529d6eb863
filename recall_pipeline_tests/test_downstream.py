"""Another team's code location reads the catalog as a resource, knowing nothing but where it is."""

from datetime import UTC, date, datetime

import dagster as dg
import pytest

from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.downstream import DAYS, RecallCatalog
from recall_pipeline.storage import Archive

DAY = date(2026, 3, 2)


@dg.asset(deps=[dg.AssetKey("audio_catalog")], partitions_def=DAYS)
def ready_counted(
    context: dg.AssetExecutionContext, recall_catalog: dg.ResourceParam[RecallCatalog]
) -> dg.MaterializeResult[None]:
    day = date.fromisoformat(context.partition_key)
    rows = recall_catalog.read(first=day, last=day, outcomes=["ready"], columns=["recording_id"])
    recordings = list(recall_catalog.recordings(first=day, last=day))
    return dg.MaterializeResult(metadata={"rows": len(rows), "recordings": len(recordings)})


def test_an_asset_of_another_team_reads_its_day_without_the_key(
    archive: Archive, folder_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    rows = [CatalogRow(recording_id=name, outcome=name, created_at=at) for name in ("ready", "expired")]
    CATALOG.write(archive, DAY, rows)
    monkeypatch.setenv("RECALL_STORAGE_URL", folder_url)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [ready_counted],
            partition_key=DAY.isoformat(),
            instance=instance,
            resources={"recall_catalog": RecallCatalog()},
        )
    (event,) = result.get_asset_materialization_events()
    counted = {name: value.value for name, value in event.materialization.metadata.items()}
    assert counted == {"rows": 1, "recordings": 1}
