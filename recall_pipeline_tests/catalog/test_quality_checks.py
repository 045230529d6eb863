"""Each finding is silent about a right day, and names what is wrong with a broken one."""

import dataclasses
import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import s3fs

from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.catalog.quality_checks import (
    Finding,
    byte_mismatches,
    damaged_audio,
    duration_differences,
    expiring_soon,
    failed_downloads_left,
    loudness_out_of_tolerance,
    missing_among,
    same_corrupt_bytes,
    schema_mismatch,
)
from recall_pipeline.discovery import BOTS, RECORDINGS, RecordingRow
from recall_pipeline.download import MIXED_AUDIO, MixedAudioRow
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, Layout, Table
from recall_pipeline_tests.s3_proxy import S3Proxy
from recall_pipeline_tests.s3_server import S3Server

DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RECORDING, AUDIO = "c1a5c4be-0d4a-4b55-8f6e-1a2b3c4d5e6f", "e9d0a1b2-3344-4c55-9d66-778899aabbcc"
BYTES = b"an MP3, for all that the table knows"
READY = CatalogRow(
    recording_id=RECORDING,
    audio_id=AUDIO,
    outcome="ready",
    created_at=NOW,
    recording_seconds=60.0,
    duration_seconds=59.0,
    audio_lufs=-16.1,
    audio_true_peak_dbtp=-1.6,
)
SOURCE = MixedAudioRow(
    recording_id=RECORDING,
    audio_id=AUDIO,
    state="archived",
    source_key=Layout.source(DAY, RECORDING, AUDIO),
    source_bytes=len(BYTES),
    source_sha256=hashlib.sha256(BYTES).hexdigest(),
    captured_at=NOW,
)


@pytest.mark.parametrize(("pages", "passes"), [(4, True), (5, False)])
def test_five_corrupt_mp3s_with_the_same_bytes_are_an_answer_of_something_else(pages: int, passes: bool) -> None:
    page = dataclasses.replace(READY, outcome="corrupt", source_sha256="ab" * 32)
    others = [dataclasses.replace(page, source_sha256=f"{number:064}") for number in range(9)]
    ready = [dataclasses.replace(page, outcome="ready")] * 9
    found = same_corrupt_bytes([*[page] * pages, *others, *ready])
    assert (found.passed, found.looked_at) == (passes, pages + 9)
    assert passes or found.sample == "5 corrupt MP3s have the same bytes, of SHA-256 abababab"


def _catalog(archive: Archive, *rows: CatalogRow) -> None:
    CATALOG.write(archive, DAY, rows)


def _rows(archive: Archive) -> list[CatalogRow]:
    return CATALOG.read(archive, DAY) or []


def _missing(archive: Archive) -> Finding:
    return missing_among(RECORDINGS.read(archive, DAY) or [], MIXED_AUDIO.read(archive, DAY) or [], _rows(archive))


def _byte_mismatches(archive: Archive) -> Finding:
    return byte_mismatches(archive, DAY, MIXED_AUDIO.read(archive, DAY) or [])


def _store(archive: Archive, content: bytes) -> None:
    with archive.staged_file() as written:
        written.write_bytes(content)
        archive.publish(written, SOURCE.source_key or "")


def test_a_recording_or_mp3_without_a_row_is_missing(archive: Archive) -> None:
    RECORDINGS.write(archive, DAY, [RecordingRow(recording_id=RECORDING, created_at=NOW)])
    MIXED_AUDIO.write(archive, DAY, [SOURCE])
    _catalog(archive, READY)
    assert _missing(archive).passed
    _catalog(archive, dataclasses.replace(READY, audio_id=None))
    assert _missing(archive).problems == (f"MP3 {AUDIO}",)
    _catalog(archive)
    assert _missing(archive).problems == (f"recording {RECORDING}", f"MP3 {AUDIO}")


@pytest.mark.on_disk
def test_stored_bytes_are_held_against_the_size_that_the_table_states(archive: Archive) -> None:
    MIXED_AUDIO.write(archive, DAY, [SOURCE])
    assert _byte_mismatches(archive).problems == (f"MP3 {AUDIO} is not there",)
    _store(archive, BYTES)
    assert _byte_mismatches(archive).passed
    _store(archive, BYTES[:-1])
    assert _byte_mismatches(archive).problems == (f"MP3 {AUDIO} has {len(BYTES) - 1} bytes, not {len(BYTES)}",)


@pytest.mark.on_disk
def test_bytes_captured_by_the_last_sync_are_held_against_their_sha256(archive: Archive) -> None:
    MIXED_AUDIO.write(archive, DAY, [SOURCE])
    _store(archive, BYTES.upper())
    RECORDINGS.write(archive, DAY, [], {"listed_at": (NOW + timedelta(hours=1)).isoformat()})
    assert _byte_mismatches(archive).passed
    RECORDINGS.write(archive, DAY, [], {"listed_at": (NOW - timedelta(hours=1)).isoformat()})
    assert _byte_mismatches(archive).problems == (f"MP3 {AUDIO} has another SHA-256",)


class TestOnAnObjectStore:
    """Each look is a request there."""

    @pytest.fixture
    def proxy(self, s3_server: S3Server) -> Iterator[S3Proxy]:
        """What counts the requests."""
        s3fs.S3FileSystem.clear_instance_cache()
        with S3Proxy(s3_server.url).running() as proxy:
            yield proxy
        s3fs.S3FileSystem.clear_instance_cache()

    @pytest.fixture
    def storage_url(self, bucket_url: str, proxy: S3Proxy, monkeypatch: pytest.MonkeyPatch) -> str:
        """A bucket behind the proxy."""
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        return bucket_url

    @pytest.mark.xdist_group("s3")
    def test_only_what_the_last_sync_captured_is_looked_at(self, archive: Archive, proxy: S3Proxy) -> None:
        MIXED_AUDIO.write(archive, DAY, [SOURCE])
        _store(archive, BYTES[:-1])
        RECORDINGS.write(archive, DAY, [], {"listed_at": (NOW - timedelta(hours=1)).isoformat()})
        assert "bytes, not" in _byte_mismatches(archive).sample
        RECORDINGS.write(archive, DAY, [], {"listed_at": (NOW + timedelta(hours=1)).isoformat()})
        before = len(proxy.seen)
        finding = _byte_mismatches(archive)
        assert (finding.looked_at, finding.passed) == (0, True)
        asked = proxy.seen[before:]
        assert {Path(request.path).name for request in asked} == {"mixed_audio.parquet", "recordings.parquet"}


def test_a_decoded_length_far_from_the_apis_times_is_named(archive: Archive) -> None:
    _catalog(archive, READY)
    assert duration_differences(_rows(archive)).passed
    _catalog(archive, dataclasses.replace(READY, duration_seconds=20.0))
    assert duration_differences(_rows(archive)).problems == (
        f"recording {RECORDING} decodes to 20 s, while the API's times span 60 s",
    )


def test_damage_of_an_archived_mp3_is_named_with_its_words(archive: Archive) -> None:
    _catalog(archive, dataclasses.replace(READY, findings=["duration_differs", "channels_cancel"]))
    assert damaged_audio(_rows(archive)).passed
    words = "decodes to 59.0 s, 1.0 s less than its header promises"
    _catalog(archive, dataclasses.replace(READY, findings=["shorter_than_promised"], audio_findings=words))
    assert damaged_audio(_rows(archive)).problems == (f"recording {RECORDING} has shorter_than_promised: {words}",)


def test_loudness_and_peaks_off_target_are_reported_unless_the_row_has_a_finding(archive: Archive) -> None:
    settings = Settings()
    _catalog(archive, READY)
    assert loudness_out_of_tolerance(_rows(archive), settings).passed
    _catalog(archive, dataclasses.replace(READY, audio_lufs=-17.0))
    assert loudness_out_of_tolerance(_rows(archive), settings).problems == (f"recording {RECORDING} has -17.0 LUFS",)
    _catalog(archive, dataclasses.replace(READY, audio_lufs=-17.0, audio_findings="the limiter's cap bit"))
    assert loudness_out_of_tolerance(_rows(archive), settings).passed
    damaged = dataclasses.replace(READY, audio_lufs=-17.0, audio_findings="damaged", findings=["damaged_frames"])
    _catalog(archive, damaged)
    assert not loudness_out_of_tolerance(_rows(archive), settings).passed
    _catalog(archive, dataclasses.replace(damaged, findings=["damaged_frames", "too_quiet"]))
    assert loudness_out_of_tolerance(_rows(archive), settings).passed
    _catalog(archive, dataclasses.replace(READY, audio_true_peak_dbtp=-0.5))
    assert loudness_out_of_tolerance(_rows(archive), settings).problems == (
        f"recording {RECORDING} peaks at -0.5 dBTP",
    )


def test_what_is_not_archived_and_expires_soon_is_named(archive: Archive) -> None:
    soon = dataclasses.replace(READY, outcome="download_failed", expires_at=NOW + timedelta(hours=30))
    _catalog(archive, dataclasses.replace(soon, outcome="ready"), dataclasses.replace(soon, expires_at=None))
    assert expiring_soon(_rows(archive), NOW).passed
    _catalog(archive, dataclasses.replace(soon, expires_at=NOW + timedelta(days=5)))
    assert expiring_soon(_rows(archive), NOW).passed
    _catalog(archive, soon)
    (problem,) = expiring_soon(_rows(archive), NOW).problems
    assert problem == f"recording {RECORDING} is download_failed and expires at 2026-03-03 18:00 UTC"


@pytest.mark.parametrize(
    ("outcome", "code", "state"),
    [
        ("failed_upstream", "overdue", "is failed_upstream"),
        ("ready", "newer_version_failed", "has a newer version"),
        ("silent", "newer_version_corrupt", "has a newer version"),
    ],
)
def test_what_may_still_come_and_expires_soon_is_named(outcome: str, code: str, state: str) -> None:
    row = dataclasses.replace(READY, outcome=outcome, findings=[code], expires_at=NOW + timedelta(hours=30))
    (problem,) = expiring_soon([row], NOW).problems
    assert f"{state} and expires at" in problem


def test_a_failed_download_of_a_newer_version_is_left() -> None:
    row = dataclasses.replace(READY, findings=["newer_version_failed"], outcome_reason="no room")
    assert failed_downloads_left([row, READY]).problems == (f"recording {RECORDING} no room",)


def test_every_failed_download_is_counted_and_a_few_are_quoted(archive: Archive) -> None:
    _catalog(archive, READY)
    assert failed_downloads_left(_rows(archive)).passed
    failed = [
        dataclasses.replace(READY, audio_id=None, outcome="download_failed", outcome_reason=f"reason {number}")
        for number in range(8)
    ]
    _catalog(archive, *failed)
    finding = failed_downloads_left(_rows(archive))
    assert len(finding.problems) == 8
    assert finding.sample.endswith("reason 4; and 3 more")


def _stored_columns(archive: Archive) -> dict[str, str] | None:
    file = BOTS.file(archive, DAY)
    return file.columns if file else None


def test_a_table_of_another_schema_is_named_column_by_column(archive: Archive, tmp_path: Path) -> None:
    assert schema_mismatch(BOTS, _stored_columns(archive)).problems == ("there is no table",)
    BOTS.write(archive, DAY, [])
    assert schema_mismatch(BOTS, _stored_columns(archive)).passed

    @dataclasses.dataclass(frozen=True)
    class Other:
        bot_id: int = dataclasses.field(metadata={"description": "a number, for once"})

    Table("bots", Other).write(archive, DAY, [])
    problems = schema_mismatch(BOTS, _stored_columns(archive)).problems
    assert problems[:2] == ("bot_id is int64, not string", "bot_name is missing, not string")
