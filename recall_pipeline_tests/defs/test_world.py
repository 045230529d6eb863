"""The whole demo comes home, through faults, and a second sync finds nothing left to do."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import fsspec
import pytest

from recall_pipeline.catalog import CATALOG, CatalogRow, read_catalog
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.storage import Archive, Layout, open_archive
from recall_pipeline_tests.defs.conftest import Sync, SyncedWorld
from recall_pipeline_tests.storages import stored
from recall_sandbox.demo import demo_meetings
from recall_sandbox.json_views import PARTICIPANT
from recall_sandbox.meetings import rows_of
from recall_sandbox.records import Artifact, SandboxBot, SandboxRecording

_ASSETS = ("bots", "recordings", "mixed_audio", "audio_catalog")
_PRIVATE = (b"sandbox-url-password", b"sandbox-object-password", PARTICIPANT.encode())


@pytest.fixture(autouse=True)
def way_to_the_archive(synced: SyncedWorld, own_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what leads to the archive, as whoever reads it has."""
    for name, value in synced.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def files(synced: SyncedWorld) -> dict[str, bytes]:
    """Everything that is stored now."""
    return stored(synced.settings.storage_root)


@pytest.fixture
def archive(synced: SyncedWorld) -> Archive:
    return open_archive(synced.settings)


@pytest.fixture
def catalog(synced: SyncedWorld, archive: Archive) -> dict[tuple[str, str | None], CatalogRow]:
    """Every row of every day, by recording and MP3."""
    rows = [row for day in synced.days for row in CATALOG.read(archive, day) or []]
    by_key = {(row.recording_id, row.audio_id): row for row in rows}
    assert len(by_key) == len(rows)
    return by_key


def sample_rows(synced: SyncedWorld, key: str) -> tuple[list[SandboxBot], list[SandboxRecording], list[Artifact]]:
    """The rows of the demo's meeting of that key."""
    [meeting] = [meeting for meeting in demo_meetings() if meeting.key == key]
    rows = list(rows_of(meeting, synced.days[-1]))
    return (
        [row for row in rows if isinstance(row, SandboxBot)],
        [row for row in rows if isinstance(row, SandboxRecording)],
        [row for row in rows if isinstance(row, Artifact)],
    )


def downloads(sync: Sync) -> Counter[str]:
    """How often each artifact was served whole."""
    served = [access for access in sync.accesses if access.origin == "media" and access.status in (200, 206)]
    return Counter(Path(access.path).stem for access in served)


def test_both_syncs_succeed(synced: SyncedWorld) -> None:
    assert [result.success for sync in (synced.first, synced.second) for result in sync.results] == [True] * 7


def test_every_recording_has_the_expected_outcome(
    synced: SyncedWorld, catalog: dict[tuple[str, str | None], CatalogRow]
) -> None:
    expected = {(row.recording_id, row.audio_id): row.outcome for row in synced.truth}
    assert {key: row.outcome for key, row in catalog.items()} == expected


def test_every_mp3_is_archived_byte_for_byte(
    synced: SyncedWorld, catalog: dict[tuple[str, str | None], CatalogRow]
) -> None:
    archived = [row for row in synced.truth if row.is_archived]
    assert len(archived) > 20
    for expected in archived:
        row = catalog[expected.recording_id, expected.audio_id]
        assert row.source_uri
        with fsspec.open(row.source_uri) as file:
            assert file.read() == expected.body
        assert (row.source_bytes, row.source_sha256) == (expected.digest.size_bytes, expected.digest.sha256)


def test_the_catalogs_uris_open_as_they_stand(catalog: dict[tuple[str, str | None], CatalogRow]) -> None:
    uris = {row.audio_uri: row.audio_sha256 for row in catalog.values() if row.audio_uri}
    uris |= {row.source_uri: row.source_sha256 for row in catalog.values() if row.source_uri}
    assert len(uris) > 40
    for uri, sha256 in uris.items():
        with fsspec.open(uri) as file:
            assert hashlib.sha256(file.read()).hexdigest() == sha256


def test_nothing_but_the_mp3s_is_archived(synced: SyncedWorld, files: dict[str, bytes]) -> None:
    mp3s = {Path(key).stem for key in files if key.startswith("mixed_audio/") and key.endswith(".mp3")}
    assert mp3s == {row.audio_id for row in synced.truth if row.is_archived}


def test_what_is_ready_has_a_file_of_the_right_level(
    catalog: dict[tuple[str, str | None], CatalogRow], files: dict[str, bytes]
) -> None:
    ready = [row for row in catalog.values() if row.outcome == "ready"]
    for row in ready:
        assert row.audio_uri
        assert len(files[Layout.key_in(row.audio_uri)]) == row.audio_bytes
        assert row.audio_true_peak_dbtp is not None
        assert row.audio_true_peak_dbtp <= -1.5
        assert row.audio_lufs == pytest.approx(-16, abs=0.5) or "quieter than the target" in (row.outcome_reason or "")
    assert not [row for row in catalog.values() if row.outcome not in ("ready", "silent") and row.audio_uri]


def test_a_recording_is_in_the_partition_of_the_utc_day_of_its_start(synced: SyncedWorld) -> None:
    table = read_catalog(settings=synced.settings)
    assert (table["day"] == table["created_at"].dt.date).all()
    late, early = sample_rows(synced, "over-midnight")[1]
    days = table.set_index("recording_id")["day"]
    assert days[early.id] - days[late.id] == timedelta(days=1)


def test_a_bot_stays_under_its_first_day_when_its_times_change(synced: SyncedWorld, archive: Archive) -> None:
    filed = [row.bot_id for day in synced.days for row in BOTS.read(archive, day) or []]
    assert sorted(filed) == sorted(bot.id for bot in synced.sandbox.world.bots)


def test_the_second_sync_moves_no_audio_byte_and_changes_no_audio_file(
    synced: SyncedWorld, files: dict[str, bytes]
) -> None:
    assert [access for access in synced.second.accesses if access.origin == "media"] == []
    for key, content in synced.files_after_first.items():
        if not key.endswith(".parquet"):
            assert files[key] == content


def test_the_second_sync_leaves_every_row_as_it_was(synced: SyncedWorld, tmp_path: Path) -> None:
    for key, content in synced.files_after_first.items():
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(content)
    then = open_archive(synced.settings.__class__(storage_url=str(tmp_path)))
    now = open_archive(synced.settings)
    for day in synced.days:
        assert CATALOG.read(then, day) == CATALOG.read(now, day)
        assert MIXED_AUDIO.read(then, day) == MIXED_AUDIO.read(now, day)


def test_the_second_sync_asks_for_the_pages_of_three_walks_and_what_these_leave_open(synced: SyncedWorld) -> None:
    asked = [access for access in synced.second.accesses if access.origin == "api"]
    pages = [access for access in asked if "_after=" in access.query]
    gaps = {f"{access.path.removeprefix('/api/v1')}?{access.query}" for access in asked if access not in pages}
    assert len({(page.path, page.query) for page in pages}) == len(pages)
    assert Counter(page.path for page in pages) == Counter(_pages(synced))
    assert gaps == set(_gaps(synced))
    assert len(asked) == len(pages) + len(gaps)


def _pages(synced: SyncedWorld) -> Iterator[str]:
    world, size = synced.sandbox.world, synced.sandbox.behaviour.page_size
    listed = {
        "bot": sum(bot.join_at is not None for bot in world.bots),
        "recording": sum(recording.listed for recording in world.recordings),
        "audio_mixed": sum(artifact.listed for artifact in world.artifacts),
    }
    for name, count in listed.items():
        yield from [f"/api/v1/{name}/"] * -(-count // size)


def _gaps(synced: SyncedWorld) -> Iterator[str]:
    """An MP3 that was asked for and that nothing shows; an artifact that a shortcut shows and that is gone."""
    for key in ("short-lived", "media-expired", "asked-for-but-absent", "recording-failed"):
        yield f"/audio_mixed/?recording_id={sample_rows(synced, key)[1][0].id}"
    yield f"/audio_mixed/{sample_rows(synced, 'audio-gone')[2][0].id}/?"


def test_no_get_had_a_body_and_no_request_was_refused(synced: SyncedWorld) -> None:
    assert not [access for access in (*synced.first.accesses, *synced.second.accesses) if access.had_body]
    assert {access.status for access in synced.second.accesses} == {200, 404}


def test_the_media_host_never_sees_the_key(synced: SyncedWorld) -> None:
    media = [access for access in synced.first.accesses if access.origin == "media"]
    assert media
    assert not [access for access in media if access.had_authorization]
    assert {access.method for access in media} == {"GET"}


def test_no_mp3_is_fetched_more_often_than_its_faults_take(synced: SyncedWorld) -> None:
    fetched = downloads(synced.first)
    raw = {artifact.id for artifact in synced.sandbox.world.artifacts if artifact.format == "raw"}
    assert raw.isdisjoint(fetched)
    twice = {mp3 for mp3, times in fetched.items() if times > 1}
    corrupt = {row.audio_id for row in synced.truth if row.outcome == "corrupt"}
    assert corrupt <= twice
    assert len(twice - corrupt) <= 4  # two error pages, two torn bodies


def test_no_file_contains_a_secret(synced: SyncedWorld, files: dict[str, bytes]) -> None:
    signatures = {
        value
        for access in synced.first.accesses
        if access.origin == "media"
        for name, _, value in (pair.partition("=") for pair in access.query.split("&"))
        if name in ("Signature", "x-amz-security-token")
    }
    assert len(signatures) > 20
    secrets = [synced.sandbox.api_key.encode(), *_PRIVATE, b"Signature=", b"x-amz-security-token"]
    secrets += [signature.encode() for signature in signatures]
    everything = {**files, **stored(str(synced.home))}
    assert {Path(name).suffix for name in everything} >= {".parquet", ".mp3", ".flac", ".db"}
    found = [(name, secret) for name, content in everything.items() for secret in secrets if secret in content]
    assert found == []


def test_no_unpacked_table_contains_a_secret(synced: SyncedWorld, archive: Archive) -> None:
    rows = [
        repr(row)
        for table in (BOTS, RECORDINGS, MIXED_AUDIO, CATALOG)
        for day in synced.days
        for row in table.read(archive, day) or []
    ]
    words = (synced.sandbox.api_key, "Signature=", "x-amz-security-token", *(word.decode() for word in _PRIVATE))
    assert not [word for word in words if any(word in row for row in rows)]


def test_the_spool_is_gone_after_a_sync_that_ended_well(archive: Archive) -> None:
    assert not archive.staging_folder.exists()


def test_every_file_is_for_its_owner_only(synced: SyncedWorld) -> None:
    if not synced.settings.storage_is_local:
        pytest.skip("a bucket has owners of its own")
    modes = [path.stat().st_mode for path in Path(synced.settings.storage_root).rglob("*") if path.is_file()]
    assert {mode & 0o077 for mode in modes} == {0}


@pytest.mark.parametrize("asset", _ASSETS)
def test_each_day_of_a_range_has_its_own_metadata(synced: SyncedWorld, asset: str) -> None:
    of_range, day_by_day = synced.first.metadata(asset), synced.second.metadata(asset)
    days = [day.isoformat() for day in synced.days]
    assert sorted(map(str, of_range)) == sorted(map(str, day_by_day)) == days
    table = {"bots": BOTS, "recordings": RECORDINGS, "mixed_audio": MIXED_AUDIO, "audio_catalog": CATALOG}[asset]
    archive = open_archive(synced.settings)
    counts = {day.isoformat(): len(table.read(archive, day) or []) for day in synced.days}  # type: ignore[attr-defined]
    assert {day: metadata["dagster/partition_row_count"] for day, metadata in of_range.items()} == counts
    assert {day: metadata["dagster/partition_row_count"] for day, metadata in day_by_day.items()} == counts


def test_only_the_day_with_a_meeting_of_a_later_api_has_something_unknown(synced: SyncedWorld) -> None:
    for sync in (synced.first, synced.second):
        days = list(sync.metadata("recordings").values())
        (named,) = {str(day["unknown_to_this_version"]) for day in days} - {"none"}
        assert named.startswith("code bot.insights_ready: 1, field bot.generation: 1, field bot.insights: 1")
        assert len([day for day in days if "new_at_recall" in day]) == 1


def test_the_metadata_counts_what_was_done(synced: SyncedWorld) -> None:
    captured = synced.first.metadata("mixed_audio").values()
    stats = synced.first.run_context.stats
    assert sum(day["downloaded"] for day in captured) == stats.downloaded  # type: ignore[misc]
    assert stats.downloaded == sum(row.is_archived for row in synced.truth)
    assert sum(day["bytes_downloaded"] for day in captured) == stats.bytes_downloaded  # type: ignore[misc]
    outcomes: Counter[str] = Counter()
    for day in synced.first.metadata("audio_catalog").values():
        outcomes.update(day["outcomes"])  # type: ignore[call-overload]
    assert outcomes == Counter(row.outcome for row in synced.truth)


def test_every_request_to_the_api_is_counted(synced: SyncedWorld) -> None:
    for sync in (synced.first, synced.second):
        asked = sum(access.origin == "api" for access in sync.accesses)
        assert sync.run_context.stats.api_requests == asked


def test_the_second_sync_reuses_everything(synced: SyncedWorld) -> None:
    stats = synced.second.run_context.stats
    good = sum(row.outcome in ("ready", "silent") for row in synced.truth)
    assert (stats.downloaded, stats.reused, stats.bytes_downloaded, stats.normalized) == (0, good, 0, 0)
