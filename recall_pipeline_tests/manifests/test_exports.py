"""A manifest lists what is ready with its exact length, and its toolkit finds the audio."""

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
from recall_pipeline.manifests import FORMATS, Exported, export
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout
from recall_pipeline_tests.manifests.conftest import LENGTHS, NEXT, Export
from recall_pipeline_tests.storages import BUCKET
from recall_pipeline_tests.workspace import DAY, an_id

KINDS = sorted(FORMATS)
AUDIO = {"lhotse": "sources", "nemo": "audio_filepath", "huggingface": "file_name", "csv": "audio_path"}
DURATION = {"lhotse": "duration", "nemo": "duration", "huggingface": "duration_seconds"}


def lines_of(done: Exported) -> list[dict[str, Any]]:
    content = done.manifest.read_bytes()
    text = (gzip.decompress(content) if done.manifest.suffix == ".gz" else content).decode()
    if done.manifest.suffix == ".csv":
        return list(csv.DictReader(text.splitlines()))
    return [json.loads(line) for line in text.splitlines()]


def audio_of(kind: str, line: dict[str, Any]) -> str:
    named = line[AUDIO[kind]]
    return str(named[0]["source"]) if kind == "lhotse" else str(named)


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_is_ready_is_listed_in_the_order_of_days(exported: Export, kind: str) -> None:
    done = exported(kind)
    ids = [line["id"] if kind == "lhotse" else line["audio_id"] for line in lines_of(done)]
    assert ids == [an_id(f"{name} mp3") for name in LENGTHS]
    assert done.recordings == 3
    assert done.duration_seconds == pytest.approx(16_001 / 16_000 + 48_123 / 16_000 + 88_207 / 44_100)


@pytest.mark.parametrize("kind", DURATION)
def test_durations_agree_to_the_sample(exported: Export, kind: str) -> None:
    for line, (samples, rate_hz, _) in zip(lines_of(exported(kind)), LENGTHS.values(), strict=True):
        assert line["num_samples"] == samples
        assert line[DURATION[kind]] == samples / rate_hz


@pytest.mark.parametrize(("bounds", "count"), [({"first": NEXT}, 1), ({"last": DAY}, 2), ({"first": DAY}, 3)])
def test_both_bounds_are_included(exported: Export, bounds: dict[str, Any], count: int) -> None:
    assert len(lines_of(exported("nemo", **bounds))) == count


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "huggingface"])
def test_the_audio_is_named_where_it_lies_in_the_archive(exported: Export, cataloged: Archive, kind: str) -> None:
    named = [audio_of(kind, line) for line in lines_of(exported(kind))]
    assert [soundfile.info(path).frames for path in named] == [samples for samples, _, _ in LENGTHS.values()]
    assert all(path.startswith(str(cataloged.local_path("normalized_audio"))) for path in named)


def test_a_hugging_face_folder_links_into_the_archive(exported: Export, cataloged: Archive) -> None:
    done = exported("huggingface")
    for line in lines_of(done):
        link = done.manifest.parent / line["file_name"]
        assert str(link.readlink()).startswith(str(cataloged.local_path("normalized_audio")))
        assert soundfile.info(link).frames == line["num_samples"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_needs_the_archive_no_more(exported: Export, cataloged: Archive, kind: str, tmp_path: Path) -> None:
    if kind == "huggingface":
        exported(kind)  # links from an earlier export give way to copies
    done = exported(kind, copy=True)
    cataloged.local_path("").rename(tmp_path / "unmounted")
    places = [done.manifest.parent / audio_of(kind, line) for line in lines_of(done)]
    assert [soundfile.info(place).frames for place in places] == [samples for samples, _, _ in LENGTHS.values()]
    assert sorted(places) == sorted((done.manifest.parent / "audio").iterdir())


def test_only_lhotse_which_looks_from_its_working_folder_gets_absolute_paths(exported: Export) -> None:
    absolute = {kind for kind in KINDS if Path(audio_of(kind, lines_of(exported(kind, copy=True))[0])).is_absolute()}
    assert absolute == {"lhotse"}


def test_what_was_copied_before_is_not_copied_again(exported: Export) -> None:
    folder = exported("nemo", copy=True).manifest.parent / "audio"
    before = {path: path.stat().st_ino for path in folder.iterdir()}
    exported("nemo", copy=True)
    assert {path: path.stat().st_ino for path in folder.iterdir()} == before


def test_a_table_has_every_column_of_the_catalog(exported: Export) -> None:
    first = lines_of(exported("csv"))[0]
    assert list(first) == ["audio_path", "day", *CATALOG.columns]
    assert (first["day"], first["audio_samples"], first["platform"]) == ("2026-03-02", "16001", "")
    assert first["bot_name"] == 'Notes, "Köln"'
    assert first["created_at"] == "2026-03-02T09:00:00+00:00"


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_catalog_gives_the_same_bytes_for_its_owner_only(exported: Export, kind: str) -> None:
    once = exported(kind).manifest
    content = once.read_bytes()
    assert exported(kind).manifest.read_bytes() == content
    assert stat.S_IMODE(once.stat().st_mode) == 0o600


def test_a_fault_leaves_the_manifest_before_it_as_it_was(exported: Export, cataloged: Archive) -> None:
    done = exported("nemo", copy=True)
    before = done.manifest.read_bytes()
    cataloged.local_path(Layout.table("audio_catalog", NEXT)).write_bytes(b"no parquet")
    with pytest.raises(StorageError):
        exported("nemo", copy=True)
    assert done.manifest.read_bytes() == before
    assert [path.name for path in done.manifest.parent.iterdir() if path.name.endswith(".part")] == []


def test_days_without_anything_make_an_empty_manifest(settings: Settings, tmp_path: Path) -> None:
    done = export(settings, "nemo", tmp_path)
    assert (done.recordings, done.manifest.read_bytes()) == (0, b"")


class TestOnAnObjectStore:
    @pytest.fixture(params=[BUCKET])
    def storage_url(self, request: pytest.FixtureRequest) -> str:
        """An S3 bucket."""
        return str(request.getfixturevalue(request.param))

    def test_uris_are_named_and_lhotse_told_so(self, exported: Export, cataloged: Archive) -> None:
        (source,) = lines_of(exported("lhotse"))[0]["sources"]
        assert source["type"] == "url"
        assert source["source"].startswith(f"{cataloged.location.root}/normalized_audio/")

    def test_copies_are_fetched_and_nothing_stays_in_the_spool(self, exported: Export, cataloged: Archive) -> None:
        done = exported("huggingface", copy=True)
        for line in lines_of(done):
            assert soundfile.info(done.manifest.parent / line["file_name"]).frames == line["num_samples"]
        assert [path for path in cataloged.staging_folder.rglob("*") if path.is_file()] == []

    def test_a_hugging_face_folder_has_to_be_a_copy(self, exported: Export, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="give --copy"):
            exported("huggingface")
        assert not os.path.lexists(tmp_path / "out")
