"""`build_definitions` makes everything from its arguments, under the names asked for."""

from datetime import date, timedelta

import dagster as dg
import pytest
from pydantic import SecretStr

from recall_pipeline import Settings, build_definitions
from recall_pipeline.days import utc_now
from recall_pipeline.defs import RunContext

ASSETS = ("bots", "recordings", "mixed_audio", "audio_catalog")


def repository(settings: Settings, name: str | None = None) -> dg.RepositoryDefinition:
    return build_definitions(settings, name).get_repository_def()


def names_in(found: dg.RepositoryDefinition) -> set[str]:
    """All names of jobs, schedules and sensors; `__ASSET_JOB` is Dagster's own."""
    schedules, sensors = ([one.name for one in ones] for ones in (found.schedule_defs, found.sensor_defs))
    listed = (*found.job_names, *schedules, *sensors)
    return {name for name in listed if not name.startswith("__")}


def test_a_constructor_reads_nothing_but_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_STORAGE_URL", "/from/the/environment")
    monkeypatch.setenv("RECALL_CONCURRENCY", "many")
    assert Settings(storage_url="/archive").storage_root == "/archive"
    assert Settings().concurrency == 8


def test_the_constructor_refuses_a_setting_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="storage_uri"):
        Settings(storage_uri="/archive")  # type: ignore[call-arg]


def test_the_partitions_begin_with_the_start_date_of_the_settings() -> None:
    yesterday = utc_now().date() - timedelta(days=1)
    for first in (date(2026, 3, 1), yesterday):
        graph = repository(Settings(start_date=first)).asset_graph
        partitions = {graph.get(dg.AssetKey(name)).partitions_def for name in ASSETS}
        assert [each.get_first_partition_key() for each in partitions if each] == [first.isoformat()]


def test_the_interval_of_the_sensor_is_that_of_the_settings() -> None:
    sensor = repository(Settings(sensor_interval_seconds=77)).get_sensor_def("finished_bots")
    assert sensor.minimum_interval_seconds == 77


def test_two_calls_share_no_definition() -> None:
    one, other = (repository(Settings()) for _ in range(2))
    assert one.get_sensor_def("alerts") is not other.get_sensor_def("alerts")
    assert one.get_job("sync_day") is not other.get_job("sync_day")


def test_a_name_goes_before_every_asset_key_and_every_other_name() -> None:
    plain, named = repository(Settings()), repository(Settings(), "eu")
    assert {key.path[0] for key in named.asset_graph.materializable_asset_keys} == {"eu"}
    assert {key.path[1] for key in named.asset_graph.materializable_asset_keys} == {*ASSETS, "fixity"}
    assert names_in(named) == {f"eu_{name}" for name in names_in(plain)}
    checked = {key.asset_key.path[0] for key in named.asset_graph.asset_check_keys}
    assert checked == {"eu"}
    assert named.get_job("eu_sync_day").asset_layer.selected_asset_keys == {
        dg.AssetKey(["eu", name]) for name in ASSETS
    }


@pytest.mark.parametrize("name", ASSETS)
def test_a_backfill_takes_one_run_per_week(name: str) -> None:
    found = repository(Settings())
    assert found.asset_graph.get(dg.AssetKey(name)).backfill_policy == dg.BackfillPolicy.multi_run(7)
    assert found.get_job("sync_day").backfill_policy == dg.BackfillPolicy.multi_run(7)


def test_the_resource_of_a_run_has_no_configuration_that_could_show_a_secret() -> None:
    resource = repository(Settings(api_key=SecretStr("key-of-nobody"))).get_top_level_resources()["run_context"]
    assert resource.config_schema.default_value == {}
    assert "key-of-nobody" not in repr(vars(resource))


def test_the_resource_opens_a_context_of_the_settings() -> None:
    settings = Settings(concurrency=3)
    resource = build_definitions(settings).resources or {}
    assert isinstance(resource["run_context"], dg.ConfigurableResource)
    with dg.build_resources({"run_context": resource["run_context"]}) as opened:
        assert isinstance(opened.run_context, RunContext)
        assert opened.run_context.settings == settings
