"""Transcripts of an archive in a project of another team."""

import dagster as dg
import pytest

from recall_pipeline_tests.components.conftest import Project
from recall_transcripts import RecallTranscriptsComponent
from recall_transcripts.run_context import Transcription
from recall_transcripts.settings import TranscriptsSettings

TRANSCRIPTS = "recall_transcripts.RecallTranscriptsComponent"
pytestmark = [  # of Dagster, about itself
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]


def test_transcripts_follow_the_archive_that_they_name(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSCRIPTS_DEVICE", "tpu")  # of another code location
    for name in ("eu", "us"):
        translation = {"key_prefix": "raw"} if name == "eu" else {}
        project.add(name, name=name, api_key="a-key", storage_url=name, translation=translation)
        project.add(
            f"{name}_transcripts", TRANSCRIPTS, archive=name, language="de", model="small", engine="my.engine:open"
        )
    repository = project.load()
    graph = repository.asset_graph
    assert graph.get(dg.AssetKey(["raw", "eu", "transcripts"])).parent_keys == {
        dg.AssetKey(["raw", "eu", "audio_catalog"])
    }
    node, catalog = (graph.get(dg.AssetKey(["us", name])) for name in ("transcripts", "audio_catalog"))
    assert node.parent_keys == {catalog.key}
    assert node.partitions_def == catalog.partitions_def
    assert {"eu_transcribe_day", "us_transcribe_day"} <= set(repository.job_names)
    resources = repository.get_top_level_resources()
    with dg.build_resources({"us_transcription": resources["us_transcription"]}) as opened:
        transcription = opened.us_transcription
        assert isinstance(transcription, Transcription)
        settings = transcription.settings
        assert (settings.language, settings.device, settings.model) == ("de", "cpu", "small")
        assert transcription.archive.location.root == str(project.root / "us")


def test_the_translation_changes_group_owners_tags_and_key_and_the_rest_follows(project: Project) -> None:
    project.add("eu", name="eu", api_key="a-key")
    translation = {"group_name": "speech", "owners": ["team:nlp"], "tags": {"tier": "1"}, "key_prefix": "text"}
    project.add("text", TRANSCRIPTS, archive="eu", engine="my.engine:open", translation=translation)
    repository = project.load()
    key = dg.AssetKey(["text", "eu", "transcripts"])
    node = repository.asset_graph.get(key)
    assert (node.group_name, node.owners, node.kinds) == ("speech", ["team:nlp"], {"parquet"})
    assert {"tier": "1", "source": "recall.ai"}.items() <= node.tags.items()
    assert node.parent_keys == {dg.AssetKey(["eu", "audio_catalog"])}
    assert key in {check.asset_key for check in repository.asset_graph.asset_check_keys}
    assert repository.get_job("eu_transcribe_day").asset_layer.selected_asset_keys == {key}


class Renamed(RecallTranscriptsComponent):
    """A component of another team, with a rule of its own for keys."""

    def translate(self, spec: dg.AssetSpec) -> dg.AssetSpec:
        return super().translate(spec).replace_attributes(key=[*spec.key.path, "v1"])


def test_a_subclass_that_overrides_only_the_translation_keeps_lineage_check_and_job(project: Project) -> None:
    project.add("eu", name="eu", api_key="a-key")
    project.add("text", f"{__name__}.Renamed", archive="eu", engine="my.engine:open")
    repository = project.load()
    key = dg.AssetKey(["eu", "transcripts", "v1"])
    assert repository.asset_graph.get(key).parent_keys == {dg.AssetKey(["eu", "audio_catalog"])}
    assert repository.get_job("eu_transcribe_day").asset_layer.selected_asset_keys == {key}


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"archive": "us"}, "no archive with the name us"),
        ({"archive": "eu", "sample_rows": 99}, "sample_rows is wrong"),
    ],
)
def test_a_wrong_attribute_is_refused_in_one_line(project: Project, attributes: dict[str, object], words: str) -> None:
    project.add("eu", name="eu", api_key="a-key")
    project.add("transcripts", TRANSCRIPTS, **attributes)
    fault = project.fault()
    assert words in fault
    assert "\n" not in fault


def test_every_setting_of_transcripts_is_an_attribute_with_its_description() -> None:
    attributes = (RecallTranscriptsComponent.get_model_cls() or dg.Model).model_fields
    assert attributes.keys() == {*TranscriptsSettings.model_fields, "archive", "translation"}
    assert [name for name, field in attributes.items() if not field.description] == []
