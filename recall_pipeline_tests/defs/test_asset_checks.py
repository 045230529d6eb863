"""The checks run with their asset, one result a day, and only a wrong schema blocks."""

import dataclasses
from datetime import UTC, date, datetime

import dagster as dg
import pytest

from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.defs import RunContext, day_partitions
from recall_pipeline.defs.asset_checks import asset_checks
from recall_pipeline.defs.names import Names
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Table

DAY = date(2026, 3, 2)
DAYS = day_partitions(Settings())
CHECKS = asset_checks(Names(), DAYS)
FAILED = CatalogRow(
    recording_id="c1a5c4be-0d4a-4b55-8f6e-1a2b3c4d5e6f",
    audio_id=None,
    outcome="download_failed",
    outcome_reason="the media host answers 500",
    created_at=datetime(2026, 3, 2, 12, 0, tzinfo=UTC),
)


@dg.asset(partitions_def=DAYS)
def audio_catalog() -> None:
    """Stand in for the asset: the check looks at what the test has stored."""


def _evaluate(storage_url: str, name: str) -> dg.AssetCheckEvaluation:
    run_context = RunContext(Settings(storage_url=storage_url))
    definitions = dg.Definitions(
        assets=[audio_catalog],
        asset_checks=[checks for checks in CHECKS if audio_catalog.key in {key.asset_key for key in checks.check_keys}],
        jobs=[dg.define_asset_job("look", selection=[audio_catalog])],
        resources={"run_context": dg.ResourceDefinition.hardcoded_resource(run_context)},
        executor=dg.in_process_executor,
    )
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("look").execute_in_process(
            instance=instance, partition_key=DAY.isoformat(), raise_on_error=False
        )
        return next(found for found in result.get_asset_check_evaluations() if found.check_name == name)


def test_a_failing_check_shows_count_sample_and_next_action_for_its_day(storage_url: str, archive: Archive) -> None:
    CATALOG.write(archive, DAY, [FAILED])
    found = _evaluate(storage_url, "none_left_failed")
    assert not found.passed
    assert found.partition == "2026-03-02"
    assert found.severity == dg.AssetCheckSeverity.ERROR
    assert found.description is not None
    assert found.description.startswith(f"1 of 1: recording {FAILED.recording_id} the media host answers 500. Next: ")
    assert found.metadata["problems"].value == 1


def test_the_same_check_clears_once_the_day_is_in_order(storage_url: str, archive: Archive) -> None:
    CATALOG.write(archive, DAY, [dataclasses.replace(FAILED, outcome="not_requested")])
    assert _evaluate(storage_url, "none_left_failed").passed


@pytest.mark.parametrize("name", ["durations_agree", "audio_undamaged", "loudness_in_tolerance"])
def test_what_may_have_good_reasons_only_warns(storage_url: str, archive: Archive, name: str) -> None:
    row = dataclasses.replace(
        FAILED, outcome="ready", recording_seconds=60.0, duration_seconds=10.0, audio_lufs=-30.0, findings=["zero_runs"]
    )
    CATALOG.write(archive, DAY, [row])
    found = _evaluate(storage_url, name)
    assert not found.passed
    assert found.severity == dg.AssetCheckSeverity.WARN


def test_only_a_wrong_schema_blocks_what_comes_after() -> None:
    blocking = {spec.name for checks in CHECKS for spec in checks.check_specs if spec.blocking}
    assert blocking == {"bots_schema", "recordings_schema", "mixed_audio_schema", "audio_catalog_schema"}


def test_the_checks_of_an_asset_read_each_table_once(
    storage_url: str, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    CATALOG.write(archive, DAY, [FAILED])
    keys: list[str] = []
    read = Archive.read

    def noting(self: Archive, key: str) -> bytes | None:
        keys.append(key)
        return read(self, key)

    monkeypatch.setattr(Archive, "read", noting)
    _evaluate(storage_url, "none_left_failed")
    assert sorted(key.split("/")[0] for key in keys if "/" in key) == ["audio_catalog", "mixed_audio", "recordings"]


def test_a_table_with_a_wrong_schema_has_a_result_and_stops_no_other_check(storage_url: str, archive: Archive) -> None:
    @dataclasses.dataclass(frozen=True)
    class Narrow:
        recording_id: str = dataclasses.field(metadata={"description": "as in the catalog"})
        created_at: datetime = dataclasses.field(metadata={"description": "as in the catalog"})
        outcome: str = dataclasses.field(metadata={"description": "as in the catalog"})

    Table("audio_catalog", Narrow).write(archive, DAY, [Narrow(FAILED.recording_id, FAILED.created_at, "ready")])
    assert not _evaluate(storage_url, "audio_catalog_schema").passed
    assert _evaluate(storage_url, "none_left_failed").passed
