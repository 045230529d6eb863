"""What is archived is normalized storage to storage, by workers that need no secret."""

import pickle
import sys
from pathlib import Path

import pytest

from recall_pipeline.audio import Target
from recall_pipeline.catalog.normalization import NormalizeTask, normalize_all, normalize_task, target_of
from recall_pipeline.errors import NotAudio, SettingsError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, ArchiveLocation, Layout
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET
from recall_pipeline_tests.workspace import DAY, an_id, talk
from recall_sandbox.content import ErrorPage, body_of

SOURCE = Layout.source(DAY, an_id("recording"), an_id("mp3"))


@pytest.fixture(params=FOLDER_AND_BUCKET)
def storage_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def task(archive: Archive, content: bytes = b"", taken_key: str | None = None) -> NormalizeTask:
    """A task on a source of this content."""
    with archive.staged_file() as source:
        source.write_bytes(content or body_of(talk()))
        archive.publish(source, SOURCE)
    return NormalizeTask(archive.location, Target(), DAY, an_id("recording"), an_id("mp3"), SOURCE, taken_key)


def test_a_file_is_normalized_under_its_plain_name(archive: Archive) -> None:
    columns = normalize_task(task(archive)).values
    key = Layout.normalized(DAY, an_id("recording"), an_id("mp3"), "flac")
    assert columns["audio_uri"] == archive.uri(key)
    assert archive.size_bytes(key) == columns["audio_bytes"]
    assert list(archive.staging_folder.iterdir()) == []


def test_a_name_that_the_catalog_points_at_is_left_alone(archive: Archive) -> None:
    plain = Layout.normalized(DAY, an_id("recording"), an_id("mp3"), "flac")
    columns = normalize_task(task(archive, taken_key=plain)).values
    key = Layout.normalized(DAY, an_id("recording"), an_id("mp3"), "flac", columns["audio_sha256"][:8])
    assert columns["audio_uri"] == archive.uri(key)
    assert not archive.exists(plain)


def test_a_source_that_is_no_audio_publishes_nothing(archive: Archive) -> None:
    with pytest.raises(NotAudio):
        normalize_task(task(archive, body_of(ErrorPage())))
    assert not archive.exists(Layout.normalized(DAY, an_id("recording"), an_id("mp3"), "flac"))
    assert list(archive.staging_folder.iterdir()) == []


def test_a_task_travels_to_a_worker_and_carries_no_secret(tmp_path: Path) -> None:
    settings = Settings(api_key="key-of-nobody", storage_url=str(tmp_path))
    sent = NormalizeTask(
        ArchiveLocation.from_settings(settings),
        target_of(settings),
        DAY,
        an_id("recording"),
        an_id("mp3"),
        SOURCE,
        None,
    )
    assert pickle.loads(pickle.dumps(sent)) == sent  # noqa: S301  its own
    assert b"key-of-nobody" not in pickle.dumps(sent)


def test_the_target_is_what_the_settings_ask_for() -> None:
    settings = Settings(audio_format="opus", audio_sample_rate_hz=48_000, audio_channels=2, target_lufs=-23)
    assert target_of(settings) == Target("opus", 48_000, 2, -23.0, -1.5, 12.0)


def test_no_task_starts_no_worker() -> None:
    assert list(normalize_all(Settings(workers="tcp://nowhere.invalid:8786"), [])) == []


def test_a_scheduler_without_its_package_fails_with_the_package_to_install(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SettingsError, match=r"needs the package distributed: pip install 'recall_pipeline\[dask\]'"):
        list(normalize_all(Settings(workers="tcp://nowhere.invalid:8786"), [task(archive)]))
