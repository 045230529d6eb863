"""The published reader of audio opens what the catalog names, on a disk and in a bucket alike."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile

from recall_pipeline.catalog import CATALOG, ArchivedRecording, CatalogRow, read_recordings
from recall_pipeline.errors import StorageError, UsageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout, open_archive
from recall_pipeline_tests.workspace import DAY, NINE, an_id

NEXT = DAY + timedelta(days=1)
RATE_HZ = 16_000
PCM = np.random.default_rng(7).integers(-9000, 9000, size=(RATE_HZ, 1), dtype=np.int16)


@pytest.fixture
def settings(storage_url: str) -> Settings:
    """An archive, and no key."""
    return Settings(storage_url=storage_url)


def a_row(archive: Archive, name: str, day: date, outcome: str = "ready") -> CatalogRow:
    """A row whose audio is a second of noise; a published file if it is ready or silent."""
    row = CatalogRow(recording_id=an_id(name), audio_id=an_id(f"{name} mp3"), outcome=outcome, created_at=NINE)
    if outcome not in ("ready", "silent"):
        return row
    key = Layout.normalized(day, row.recording_id, row.audio_id or "", "flac")
    with archive.staged_file(suffix=".flac") as written:
        soundfile.write(written, PCM, RATE_HZ)
        archive.publish(written, key)
    return CatalogRow(
        recording_id=row.recording_id, audio_id=row.audio_id, outcome=outcome, created_at=NINE,
        audio_uri=archive.uri(key), audio_samples=RATE_HZ, audio_channels=1,
    )  # fmt: skip


@pytest.fixture
def filled(archive: Archive) -> Archive:
    """Two days: one recording ready, one silent and one deleted; another ready."""
    first = [a_row(archive, name, DAY, name) for name in ("ready", "silent", "deleted")]
    CATALOG.write(archive, DAY, first)
    CATALOG.write(archive, NEXT, [a_row(archive, "next", NEXT)])
    return archive


def names(recordings: list[ArchivedRecording]) -> set[str]:
    known = {an_id(name): name for name in ("ready", "silent", "deleted", "next")}
    return {known[recording.row.recording_id] for recording in recordings}


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_is_ready_is_given_day_by_day(filled: Archive, settings: Settings) -> None:
    recordings = list(read_recordings(settings=settings))
    assert [(recording.day, recording.row.recording_id) for recording in recordings] == [
        (DAY, an_id("ready")),
        (NEXT, an_id("next")),
    ]


def test_days_and_outcomes_are_chosen(filled: Archive, settings: Settings) -> None:
    assert names(list(read_recordings(last=DAY, outcomes=["silent", "deleted"], settings=settings))) == {
        "silent",
        "deleted",
    }
    assert names(list(read_recordings(first=NEXT, outcomes=None, settings=settings))) == {"next"}


def test_a_table_is_read_only_when_the_iteration_reaches_its_day(filled: Archive, settings: Settings) -> None:
    with filled.staged_file() as written:
        written.write_bytes(b"no parquet")
        filled.publish(written, Layout.table("audio_catalog", NEXT))
    recordings = read_recordings(settings=settings)
    assert next(recordings).day == DAY
    with pytest.raises(StorageError, match="not a readable Parquet file"):
        next(recordings)


def test_the_samples_are_those_of_the_file_exactly(filled: Archive, settings: Settings) -> None:
    recording = next(read_recordings(settings=settings))
    samples = recording.samples()
    assert samples.dtype == np.float32
    assert samples.shape == (recording.row.audio_samples, recording.row.audio_channels)
    assert np.array_equal(samples, PCM.astype(np.float32) / 32768)


def test_a_file_opens_and_can_be_sought(filled: Archive, settings: Settings) -> None:
    with next(read_recordings(settings=settings)).opened() as file:
        assert file.read(4) == b"fLaC"
        file.seek(0)
        decoded, rate_hz = soundfile.read(file, dtype="int16", always_2d=True)
    assert rate_hz == RATE_HZ
    assert np.array_equal(decoded, PCM)


def test_there_is_one_local_copy_at_a_time_and_it_is_removed(filled: Archive, settings: Settings) -> None:
    for recording in read_recordings(settings=settings):
        with recording.local_path() as path:
            assert soundfile.info(path).frames == RATE_HZ
            assert files_below(filled.staging_folder) in ([], [path])
    assert files_below(filled.staging_folder) == []


def test_audio_opens_where_the_archive_is_now(tmp_path: Path, folder_url: str) -> None:
    archive = open_archive(Settings(storage_url=folder_url))
    CATALOG.write(archive, DAY, [a_row(archive, "ready", DAY)])
    Path(folder_url).rename(tmp_path / "elsewhere")
    (recording,) = read_recordings(settings=Settings(storage_url=str(tmp_path / "elsewhere")))
    assert recording.samples().shape == PCM.shape


def test_the_error_for_a_recording_without_audio_names_its_outcome(filled: Archive, settings: Settings) -> None:
    (recording,) = read_recordings(outcomes=["deleted"], settings=settings)
    with pytest.raises(UsageError, match=r"has no audio: its outcome is deleted"), recording.opened():
        pass


def test_a_file_that_is_gone_is_named(filled: Archive, settings: Settings) -> None:
    recording = next(read_recordings(settings=settings))
    key = Layout.key_in(recording.row.audio_uri or "")
    filled.remove(key)
    with pytest.raises(StorageError, match=key), recording.local_path():
        pass
