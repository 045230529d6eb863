"""A manifest contains the ready recordings with their exact lengths, and its toolkit finds the audio."""

import csv
import gzip
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
import soundfile

from recall_pipeline.catalog import CATALOG
from recall_pipeline.errors import StorageError, UsageError
from recall_pipeline.manifests import FORMATS, ExportReport, export
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout
from recall_pipeline_tests.manifests.conftest import LENGTHS, NEXT, Export
from recall_pipeline_tests.storages import BUCKET
from recall_pipeline_tests.workspace import DAY, an_id

KINDS = sorted(FORMATS)
AUDIO = {"lhotse": "sources", "nemo": "audio_filepath", "huggingface": "file_name", "csv": "audio_path"}
DURATION = {"lhotse": "duration", "nemo": "duration", "huggingface": "duration_seconds"}


def lines_of(done: ExportReport) -> list[dict[str, Any]]:
    content = done.manifest.read_bytes()
    text = (gzip.decompress(content) if done.manifest.suffix == ".gz" else content).decode()
    if done.manifest.suffix == ".csv":
        return list(csv.DictReader(text.splitlines()))
    return [json.loads(line) for line in text.splitlines()]


def audio_of(kind: str, line: dict[str, Any]) -> str:
    audio = line[AUDIO[kind]]
    return str(audio[0]["source"]) if kind == "lhotse" else str(audio)


@pytest.mark.parametrize("kind", KINDS)
def test_a_manifest_contains_only_ready_recordings_in_order_of_days(exported: Export, kind: str) -> None:
    done = exported(kind)
    ids = [line["id"] if kind == "lhotse" else line["audio_id"] for line in lines_of(done)]
    assert ids == [an_id(f"{name} mp3") for name in LENGTHS]
    assert done.recordings == 3
    assert done.duration_seconds == pytest.approx(16_001 / 16_000 + 48_123 / 16_000 + 88_207 / 44_100)


@pytest.mark.parametrize("kind", DURATION)
def test_durations_are_exact_to_the_sample(exported: Export, kind: str) -> None:
    for line, (samples, rate_hz, _) in zip(lines_of(exported(kind)), LENGTHS.values(), strict=True):
        assert line["num_samples"] == samples
        assert line[DURATION[kind]] == samples / rate_hz


@pytest.mark.parametrize(("bounds", "count"), [({"first": NEXT}, 1), ({"last": DAY}, 2), ({"first": DAY}, 3)])
def test_the_first_and_the_last_day_are_included(exported: Export, bounds: dict[str, Any], count: int) -> None:
    assert len(lines_of(exported("nemo", **bounds))) == count


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "huggingface"])
def test_a_manifest_references_the_audio_in_the_archive(exported: Export, cataloged: Archive, kind: str) -> None:
    paths = [audio_of(kind, line) for line in lines_of(exported(kind))]
    assert [soundfile.info(path).frames for path in paths] == [samples for samples, _, _ in LENGTHS.values()]
    assert all(path.startswith(str(cataloged.local_path("normalized_audio"))) for path in paths)


def test_a_hugging_face_folder_contains_links_into_the_archive(exported: Export, cataloged: Archive) -> None:
    done = exported("huggingface")
    for line in lines_of(done):
        link = done.manifest.parent / line["file_name"]
        assert str(link.readlink()).startswith(str(cataloged.local_path("normalized_audio")))
        assert soundfile.info(link).frames == line["num_samples"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_manifest_with_copies_works_without_the_archive(
    exported: Export, cataloged: Archive, kind: str, tmp_path: Path
) -> None:
    if kind == "huggingface":
        exported(kind)  # copies replace the links of an earlier export
    done = exported(kind, copy=True)
    cataloged.local_path("").rename(tmp_path / "unmounted")
    paths = [done.manifest.parent / audio_of(kind, line) for line in lines_of(done)]
    assert [soundfile.info(path).frames for path in paths] == [samples for samples, _, _ in LENGTHS.values()]
    assert sorted(paths) == sorted((done.manifest.parent / "audio").iterdir())


def test_only_manifests_for_lhotse_have_absolute_paths(exported: Export) -> None:
    absolute = {kind for kind in KINDS if Path(audio_of(kind, lines_of(exported(kind, copy=True))[0])).is_absolute()}
    assert absolute == {"lhotse"}


def test_a_second_export_does_not_copy_the_same_audio_again(exported: Export) -> None:
    folder = exported("nemo", copy=True).manifest.parent / "audio"
    before = {path: path.stat().st_ino for path in folder.iterdir()}
    exported("nemo", copy=True)
    assert {path: path.stat().st_ino for path in folder.iterdir()} == before


def test_the_csv_manifest_has_every_column_of_the_catalog(exported: Export) -> None:
    first = lines_of(exported("csv"))[0]
    assert list(first) == ["audio_path", "day", *CATALOG.columns]
    assert (first["day"], first["audio_samples"], first["platform"]) == ("2026-03-02", "16001", "")
    assert first["bot_name"] == 'Notes, "Köln"'
    assert first["findings"] == "zero_runs;duration_differs"
    assert first["created_at"] == "2026-03-02T09:00:00+00:00"


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_catalog_gives_the_same_bytes_readable_by_the_owner_only(exported: Export, kind: str) -> None:
    manifest = exported(kind).manifest
    content = manifest.read_bytes()
    assert exported(kind).manifest.read_bytes() == content
    assert stat.S_IMODE(manifest.stat().st_mode) == 0o600


def test_a_failed_export_leaves_the_previous_manifest_unchanged(exported: Export, cataloged: Archive) -> None:
    done = exported("nemo", copy=True)
    before = done.manifest.read_bytes()
    cataloged.local_path(Layout.table("audio_catalog", NEXT)).write_bytes(b"not parquet")
    with pytest.raises(StorageError):
        exported("nemo", copy=True)
    assert done.manifest.read_bytes() == before
    assert [path.name for path in done.manifest.parent.iterdir() if path.name.endswith(".part")] == []


def test_days_without_recordings_give_an_empty_manifest(settings: Settings, tmp_path: Path) -> None:
    done = export(settings, "nemo", tmp_path)
    assert (done.recordings, done.manifest.read_bytes()) == (0, b"")


class TestOnAnObjectStore:
    @pytest.fixture(params=[BUCKET])
    def storage_url(self, request: pytest.FixtureRequest) -> str:
        """An S3 bucket."""
        return str(request.getfixturevalue(request.param))

    def test_a_manifest_contains_uris_and_declares_them_to_lhotse(self, exported: Export, cataloged: Archive) -> None:
        (source,) = lines_of(exported("lhotse"))[0]["sources"]
        assert source["type"] == "url"
        assert source["source"].startswith(f"{cataloged.location.root}/normalized_audio/")

    def test_copies_are_downloaded_and_the_staging_folder_stays_empty(
        self, exported: Export, cataloged: Archive
    ) -> None:
        done = exported("huggingface", copy=True)
        for line in lines_of(done):
            assert soundfile.info(done.manifest.parent / line["file_name"]).frames == line["num_samples"]
        assert [path for path in cataloged.staging_folder.rglob("*") if path.is_file()] == []

    def test_a_hugging_face_folder_requires_copies(self, exported: Export, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="pass --copy"):
            exported("huggingface")
        assert not os.path.lexists(tmp_path / "out")
