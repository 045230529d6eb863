"""The archive in a project of another team: its names, its attributes, and what is refused."""

import itertools
import socket
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster.components.testing import create_defs_folder_sandbox

from recall_pipeline import RecallArchiveComponent, Settings
from recall_pipeline.days import utc_now
from recall_pipeline.defs import RunContext
from recall_pipeline_tests.components.conftest import Project

pytestmark = [  # of Dagster, about itself
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]
ASSETS = ("bots", "recordings", "mixed_audio", "audio_catalog")


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EU_KEY", "key-of-eu")
    monkeypatch.setenv("US_KEY", "key-of-us")


def settings_in(repository: dg.RepositoryDefinition, name: str | None = None) -> Settings:
    """Return the settings with which the runs of an instance begin."""
    key = f"{name}_run_context" if name else "run_context"
    with dg.build_resources({key: repository.get_top_level_resources()[key]}) as opened:
        context = getattr(opened, key)
        assert isinstance(context, RunContext)
        return context.settings


def archive_keys(repository: dg.RepositoryDefinition) -> set[str]:
    return {key.to_user_string() for key in repository.asset_graph.materializable_asset_keys}


def secret(settings: Settings) -> str:
    return settings.required_api_key().get_secret_value()


def test_the_yaml_of_the_documentation_loads(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EU_AWS_KEY", "1e5")
    monkeypatch.setenv("EU_AWS_SECRET", "0x10")
    project.add(
        "eu",
        name="eu",
        api_key="{{ env.EU_KEY }}",
        region="eu-central-1",
        storage_url="s3://bucket/eu",
        storage_options={"key": "{{ env.EU_AWS_KEY }}", "secret": "{{ env.EU_AWS_SECRET }}", "anon": False},
        start_date="2026-01-01",
        translation={"group_name": "meetings", "owners": ["team:data"], "key_prefix": "raw", "tags": {"tier": "1"}},
    )
    repository = project.load()
    assert archive_keys(repository) == {f"raw/eu/{name}" for name in (*ASSETS, "fixity")}
    assert {"eu_sync_day", "eu_forget", "eu_retention", "eu_check_fixity"} <= set(repository.job_names)
    assert {sensor.name for sensor in repository.sensor_defs} == {"eu_finished_bots", "eu_alerts", "eu_fixity_repairs"}
    assert {schedule.name for schedule in repository.schedule_defs} == {
        "eu_daily_sync",
        "eu_daily_retention",
        "eu_daily_fixity",
    }
    node = repository.asset_graph.get(dg.AssetKey(["raw", "eu", "audio_catalog"]))
    assert (node.group_name, node.owners) == ("meetings", ["team:data"])
    assert {"tier": "1", "source": "recall.ai"}.items() <= node.tags.items()
    settings = settings_in(repository, "eu")
    assert (settings.base_url, settings.start_date) == ("https://eu-central-1.recall.ai/api/v1", date(2026, 1, 1))
    assert settings.storage_options == {"key": "1e5", "secret": "0x10", "anon": False}
    assert secret(settings) == "key-of-eu"


def test_one_instance_needs_no_name_and_has_the_documented_names(project: Project) -> None:
    project.add("archive", api_key="{{ env.EU_KEY }}")
    repository = project.load()
    assert archive_keys(repository) == {*ASSETS, "fixity"}
    assert settings_in(repository).storage_root == str(project.root / "data")


def test_every_setting_is_an_attribute_with_its_description() -> None:
    own = {"name", "storage_options", "translation"}
    fields = RecallArchiveComponent.model_fields
    assert fields.keys() == Settings.model_fields.keys() | own
    shown = (RecallArchiveComponent.get_model_cls() or dg.Model).model_json_schema()["properties"]
    assert [name for name in fields if not shown[name].get("description")] == []
    assert shown["region"]["default"] == "us-east-1"


def test_a_value_of_any_type_reaches_the_settings(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWELVE", "12")
    monkeypatch.setenv("ALERTS", "https://hooks.example.com/x")
    common = {"api_key": "{{ env.EU_KEY }}", "concurrency": "{{ env.TWELVE }}", "alert_url": "{{ env.ALERTS }}"}
    day = date(2026, 2, 1)
    project.add("a", name="a", storage_url="a", workers=2, retention_days=30, start_date=day, **common)
    project.add(
        "b",
        name="b",
        storage_url="b",
        workers="local",
        retention_days="off",
        fixity_days="off",
        group_may_read=True,
        **common,
    )
    repository = project.load()
    a, b = settings_in(repository, "a"), settings_in(repository, "b")
    assert (a.workers, a.retention_days, a.start_date, a.concurrency) == ("2", 30, day, 12)
    assert (b.workers, b.retention_days, b.fixity_days, b.group_may_read) == ("local", None, "off", True)
    assert a.alert_url is not None
    assert a.alert_url.get_secret_value() == "https://hooks.example.com/x"


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"concurrency": "many"}, "archive eu: concurrency is wrong"),
        ({"start_date": "soon"}, "start_date is not a date"),
        ({"storage_url": "s3:/bucket"}, "storage_url begins with s3: and is not a URL"),
        ({"audio_format": "opus", "audio_sample_rate_hz": 44100}, "audio_sample_rate_hz is not valid for opus"),
        ({"name": "eu west"}, "use letters, digits and underscores, a digit not first, such as eu_west"),
        ({"name": "eu.west"}, "such as eu_west"),
        ({"name": "zürich"}, "such as z_rich"),
        ({"name": "n" * 200}, "has 200 characters: use at most 100"),
        ({"name": "2026"}, "such as archive_2026"),
        ({"name": ""}, "the name '' is not valid"),
    ],
)
def test_a_wrong_value_is_refused_in_one_line(project: Project, attributes: dict[str, Any], words: str) -> None:
    project.add("eu", **{"name": "eu", "api_key": "{{ env.EU_KEY }}", **attributes})
    fault = project.fault()
    assert words in fault
    assert "\n" not in fault


@pytest.mark.parametrize("name", ["EU_1", "n" * 100])
def test_a_valid_name_gives_valid_names(project: Project, name: str) -> None:
    project.add("eu", name=name, api_key="{{ env.EU_KEY }}")
    assert f"{name}_sync_day" in project.load().job_names


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ({}, {"storage_url": "other"}, "two archives of this project have no name"),
        ({"name": "a"}, {"name": "a", "storage_url": "other"}, "have the name a"),
        ({"name": "a"}, {}, "are stored in"),
        ({"name": "a"}, {"name": "b"}, "are stored in"),
        ({"name": "a"}, {"name": "b", "storage_url": "./data/"}, "are stored in"),
        ({"name": "a"}, {"name": "b", "storage_url": "x/../data/."}, "are stored in"),
        ({"name": "a"}, {"name": "b", "storage_url": "link"}, "are stored in"),
        ({"name": "a", "storage_url": "s3://b/p"}, {"name": "b", "storage_url": "s3://b/p/"}, "are stored in"),
        ({"name": "a", "storage_url": "gs://b/p"}, {"name": "b", "storage_url": "gcs://b/p"}, "are stored in"),
        ({"name": "a", "spool_dir": "s"}, {"name": "b", "spool_dir": "./s", "storage_url": "o"}, "share a staging"),
        ({"name": "a", "spool_dir": "o/_spool"}, {"name": "b", "storage_url": "o"}, "share a staging folder"),
    ],
)
def test_a_second_instance_of_one_name_or_storage_is_refused_in_one_line(
    project: Project, one: dict[str, Any], other: dict[str, Any], words: str
) -> None:
    (project.root / "link").symlink_to("data")
    project.add("one", api_key="{{ env.EU_KEY }}", **one)
    project.add("other", api_key="{{ env.US_KEY }}", **other)
    fault = project.fault()
    assert words in fault
    assert "\n" not in fault


def test_one_bucket_name_on_two_endpoints_is_two_storages(project: Project) -> None:
    for name in ("a", "b"):
        options = {"endpoint_url": f"https://{name}.example.com"}
        project.add(name, name=name, api_key="{{ env.EU_KEY }}", storage_url="s3://x/y", storage_options=options)
    assert len(archive_keys(project.load())) == 10


FAULTY: dict[str, tuple[dict[str, Any], str]] = {
    "dotted": ({"api_key": "{{ env.NO_KEY }}"}, "NO_KEY is not set"),
    "called": ({"api_key": "{{ env('NO_KEY') }}"}, "NO_KEY is not set"),
    "empty": ({"api_key": "{{ env.EMPTY }}"}, "EMPTY is not set"),
    "in_text": ({"storage_url": "s3://{{ env.NO_BUCKET }}/eu"}, "NO_BUCKET is not set"),
    "nested": ({"storage_options": {"client_kwargs": {"x": "{{env.NO_X}}"}}}, "NO_X is not set"),
    "number": ({"concurrency": "{{ env.NO_NUMBER }}"}, "NO_NUMBER is not set"),
    "wrong_region": ({"region": "{{ env.WRONG }}"}, "region is wrong"),
    "wrong_key": ({"api_key": "{{ env.WRONG }}"}, "api_key is not a key"),
    "no_key": ({"api_key": None}, "api_key is not set"),
}


def test_an_instance_whose_variable_is_missing_or_wrong_fails_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("WRONG", "not valid")
    for name, (attributes, _) in FAULTY.items():
        project.add(name, **{"name": name, "api_key": "{{ env.EU_KEY }}", "storage_url": name, **attributes})
    project.add("us", name="us", api_key="{{ env.US_KEY }}", storage_url="us")
    repository = project.load()
    assert secret(settings_in(repository, "us")) == "key-of-us"
    faults = {name: settings_in(repository, name).fault or "" for name in FAULTY}
    assert {name: fault for name, fault in faults.items() if FAULTY[name][1] not in fault} == {}
    assert {name: fault for name, fault in faults.items() if not fault.startswith(f"archive {name}: ")} == {}


def test_what_runs_of_an_instance_without_its_key_is_refused_with_the_line(project: Project) -> None:
    project.add("eu", name="eu", api_key="{{ env.NO_KEY }}", storage_url="eu")
    repository = project.load()
    with dg.DagsterInstance.ephemeral() as instance:
        failed = repository.get_job("eu_sync_day").execute_in_process(
            instance=instance, partition_key="2026-03-02", raise_on_error=False
        )
        (event,) = [event for event in failed.all_events if event.is_step_failure and "bots" in str(event.step_key)]
        described = event.step_failure_data.user_failure_data
        assert described is not None
        assert str(described.description).startswith("archive eu: NO_KEY is not set")
        context = dg.build_schedule_context(instance, scheduled_execution_time=utc_now())
        skipped = repository.get_schedule_def("eu_daily_sync").evaluate_tick(context)
        assert "NO_KEY" in str(skipped.skip_message)
        tick = repository.get_sensor_def("eu_finished_bots").evaluate_tick(dg.build_sensor_context(instance))
        assert "NO_KEY" in str(tick.skip_message)
    assert not (project.root / "data").exists()


def test_the_value_of_a_variable_stays_as_it_is(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = {"digits": "1234567890", "float": "1e5", "none": "None", "template": "{{ env.US_KEY }}", "bool": "true"}
    for name, value in odd.items():
        monkeypatch.setenv(f"ODD_{name}", value)
    options = {name: f"{{{{ env.ODD_{name} }}}}" for name in odd}
    project.add("eu", api_key="{{ env('NO_KEY', 'default-key') }}", storage_url="s3://b/x", storage_options=options)
    settings = settings_in(project.load())
    assert settings.storage_options == odd
    assert secret(settings) == "default-key"


def test_settings_of_the_environment_do_not_reach_an_instance(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECALL_API_KEY", "key-of-nobody")
    monkeypatch.setenv("RECALL_STORAGE_URL", "/nowhere")
    monkeypatch.setenv("RECALL_CONCURRENCY", "many")
    project.add("eu", api_key="{{ env.EU_KEY }}", storage_url="eu")
    settings = settings_in(project.load())
    assert (secret(settings), settings.storage_root) == ("key-of-eu", str(project.root / "eu"))


class Renamed(RecallArchiveComponent):
    """A component of another team, with a rule of its own for keys."""

    suffix: str = "x"

    def translate(self, spec: dg.AssetSpec) -> dg.AssetSpec:
        return (
            super().translate(spec).replace_attributes(key=[*spec.key.path[:-1], f"{spec.key.path[-1]}_{self.suffix}"])
        )


def test_a_subclass_that_overrides_only_the_translation_keeps_lineage_checks_and_jobs(project: Project) -> None:
    project.add("eu", f"{__name__}.Renamed", name="eu", api_key="{{ env.EU_KEY }}", suffix="{{ env.US_KEY }}")
    project.add("us", name="us", api_key="{{ env.US_KEY }}", storage_url="us")
    repository = project.load()
    renamed = {name: dg.AssetKey(["eu", f"{name}_key-of-us"]) for name in ASSETS}
    graph = repository.asset_graph
    for upstream, asset in itertools.pairwise(ASSETS):
        assert graph.get(renamed[asset]).parent_keys == {renamed[upstream]}
    theirs, plain = ({key for key in graph.asset_check_keys if key.asset_key.path[0] == name} for name in ("eu", "us"))
    assert {key.asset_key for key in theirs} == {*renamed.values(), dg.AssetKey(["eu", "fixity_key-of-us"])}
    assert {key.name for key in theirs} == {key.name for key in plain}
    assert repository.get_job("eu_sync_day").asset_layer.selected_asset_keys == set(renamed.values())


def test_loading_needs_no_network_and_writes_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network is used")

    for name in ("eu", "us"):
        project.add(name, name=name, api_key="{{ env.EU_KEY }}", storage_url=f"s3://bucket/{name}")
    before = sorted(path for path in project.root.rglob("*") if "__pycache__" not in path.parts)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert len(archive_keys(project.load())) == 10
    assert sorted(path for path in project.root.rglob("*") if "__pycache__" not in path.parts) == before


def test_the_scaffold_is_a_component_that_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EU_RECALL_API_KEY", "key-of-eu")
    with create_defs_folder_sandbox() as made:
        path = made.scaffold_component(
            RecallArchiveComponent, scaffold_params={"name": "eu", "region": "eu-central-1"}, defs_path="eu"
        )
        assert "EU_RECALL_API_KEY" in (path / "defs.yaml").read_text("utf-8")
        dotenv = made.project_root / ".env"
        with made.load_component_and_build_defs(path) as (component, definitions):
            assert isinstance(component, RecallArchiveComponent)
            assert (component.name, component.region) == ("eu", "eu-central-1")
            assert definitions.resolve_job_def("eu_sync_day")
        assert not dotenv.exists() or dotenv.stat().st_mode & 0o077 == 0


def test_a_component_made_in_python_takes_values_as_they_are(tmp_path: Path) -> None:
    component = RecallArchiveComponent(name="eu", api_key="key-of-eu", storage_url="here")
    assert "key-of-eu" not in repr(component)
    assert component.settings(tmp_path).storage_root == str(tmp_path / "here")
