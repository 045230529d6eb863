"""A day's catalog names everything that is archived, and loses nothing."""

import hashlib
import os
import signal
from datetime import timedelta
from pathlib import Path

import fsspec
import pytest

from recall_pipeline.catalog import CATALOG, CatalogRow, normalization
from recall_pipeline.catalog.audio_columns import AudioColumns
from recall_pipeline.catalog.normalization import NormalizeTask, normalize_task
from recall_pipeline.discovery import RECORDINGS
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.errors import TableMissing
from recall_pipeline.storage import ArchiveLocation, Layout
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET, stored
from recall_pipeline_tests.workspace import DAY, NINE, Workspace, an_id, talk
from recall_sandbox.content import ErrorPage, body_of
from recall_sandbox.records import SandboxStatusChange
from recall_sandbox.speech import Speech


@pytest.fixture(params=FOLDER_AND_BUCKET)
def storage_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def kills_its_worker(task: NormalizeTask) -> AudioColumns:
    """Stand in for a normalization that the system kills, over the source of `an_id("heavy mp3 0")`."""
    if task.audio_id == an_id("heavy mp3 0"):
        os.kill(os.getpid(), signal.SIGKILL)
    return normalize_task(task)


def rows_on_file(workspace: Workspace) -> dict[str, CatalogRow]:
    """The catalog as it is on file, by the id of the MP3, else of the recording."""
    return {row.key: row for row in CATALOG.read(workspace.archive, DAY) or []}


def files(workspace: Workspace) -> list[str]:
    """Every normalized file."""
    return workspace.keys("normalized_audio")


def test_what_is_ready_is_normalized_and_described(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk())
    cataloged = workspace.sync()
    [row] = cataloged.rows
    assert cataloged.normalized == 1
    assert (row.outcome, row.upstream_status, row.outcome_reason) == ("ready", "done", None)
    assert (row.recording_id, row.audio_id, row.bot_id) == (mp3.recording_id, mp3.id, an_id("one bot"))
    assert (row.bot_name, row.platform, row.meeting_id) == ("Archive Bot", "zoom", "one")
    assert row.source_uri == workspace.archive.uri(Layout.source(DAY, mp3.recording_id, mp3.id))
    assert row.audio_uri == workspace.archive.uri(Layout.normalized(DAY, mp3.recording_id, mp3.id, "flac"))
    audio = workspace.content(Layout.key_in(row.audio_uri))
    assert (row.audio_bytes, row.audio_sha256) == (len(audio), hashlib.sha256(audio).hexdigest())
    assert (row.audio_format, row.audio_sample_rate_hz, row.audio_channels) == ("flac", 16_000, 1)
    assert row.audio_samples == pytest.approx(6 * 16_000, rel=0.02)
    assert row.audio_lufs == pytest.approx(-16, abs=0.5)
    assert len(row.waveform or "") == 60
    assert rows_on_file(workspace) == {mp3.id: row}


def test_a_second_look_changes_nothing_and_normalizes_nothing(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    workspace.meet("page", ErrorPage())
    workspace.meet("none")
    first = workspace.sync()
    again = workspace.sync()
    assert again.rows == first.rows  # `cataloged_at` included
    assert again.normalized == 0


def test_a_changed_row_states_when_it_changed(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk())
    [kept] = workspace.meet("two", talk(1))
    workspace.sync()
    before = rows_on_file(workspace)
    workspace.world.delete_artifact(mp3.id)
    workspace.sync()
    after = rows_on_file(workspace)
    assert after[kept.id].cataloged_at == before[kept.id].cataloged_at
    assert (after[mp3.id].outcome, after[mp3.id].upstream_status) == ("ready", "deleted")
    assert (after[mp3.id].cataloged_at or 0) > (before[mp3.id].cataloged_at or 0)  # type: ignore[operator]


def test_a_recording_without_an_mp3_has_one_row_and_one_with_several_has_several(workspace: Workspace) -> None:
    workspace.meet("none", platform="webex")
    first, second = workspace.meet("two", talk(), talk(1))
    rows = [(row.recording_id, row.audio_id, row.outcome) for row in workspace.sync().rows]
    assert rows[0] == (an_id("none"), None, "unsupported_platform")
    assert set(rows[1:]) == {(an_id("two"), first.id, "ready"), (an_id("two"), second.id, "ready")}


def test_the_row_without_an_mp3_goes_once_there_is_one(workspace: Workspace) -> None:
    [mp3] = workspace.meet("late", talk(), listed=False)
    assert [row.audio_id for row in workspace.sync().rows] == [None]
    workspace.world.change_artifact(mp3.id, listed=True)
    assert [row.audio_id for row in workspace.sync().rows] == [mp3.id]


def test_a_corrupt_mp3_has_its_bytes_and_no_normalized_file(workspace: Workspace) -> None:
    workspace.meet("page", ErrorPage())
    [row] = workspace.sync().rows
    assert (row.outcome, row.audio_uri) == ("corrupt", None)
    assert row.source_bytes == len(body_of(ErrorPage()))
    assert files(workspace) == []


def test_silence_has_a_file_and_no_gain(workspace: Workspace) -> None:
    workspace.meet("silence", Speech(6, clips=()))
    [row] = workspace.sync().rows
    assert (row.outcome, row.gain_db, row.audio_lufs) == ("silent", 0.0, None)
    assert len(files(workspace)) == 1
    assert workspace.sync().rows == [row]


def test_a_difference_from_the_apis_times_is_a_finding_and_no_verdict(workspace: Workspace) -> None:
    [mp3] = workspace.meet("paused", talk())
    recording = workspace.world.recordings.get(mp3.recording_id)
    assert recording
    assert recording.completed_at
    workspace.world.change_recording(recording.id, completed_at=recording.created_at.replace(minute=59))
    [row] = workspace.sync().rows
    assert row.outcome == "ready"
    assert "decodes to 6 s, while the API's times span 3540 s" in (row.outcome_reason or "")
    assert row.findings == ["duration_differs"]


class TestChangedTarget:
    def test_it_is_normalized_again_from_the_stored_source_without_a_download(self, workspace: Workspace) -> None:
        [mp3] = workspace.meet("one", talk())
        workspace.sync()
        [before] = files(workspace)
        workspace.sandbox.access_log.clear()
        [row] = workspace.sync(audio_format="wav", audio_sample_rate_hz=8000).rows
        assert workspace.media_requests() == []
        assert (row.outcome, row.audio_format, row.audio_sample_rate_hz) == ("ready", "wav", 8000)
        assert files(workspace) == [Layout.normalized(DAY, mp3.recording_id, mp3.id, "wav")] != [before]

    def test_of_the_same_format_the_new_file_has_a_name_of_its_own(self, workspace: Workspace) -> None:
        [mp3] = workspace.meet("one", talk())
        workspace.sync()
        [row] = workspace.sync(target_lufs=-20.0).rows
        assert files(workspace) == [
            Layout.normalized(DAY, mp3.recording_id, mp3.id, "flac", (row.audio_sha256 or "")[:8])
        ]
        assert row.audio_lufs == pytest.approx(-20, abs=0.5)
        workspace.sync(target_lufs=-16.0)
        assert files(workspace) == [Layout.normalized(DAY, mp3.recording_id, mp3.id, "flac")]

    def test_the_old_file_is_there_until_the_new_one_is_cataloged(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        workspace.meet("one", talk())
        workspace.sync()
        [before] = files(workspace)

        def no_table(*_: object, **__: object) -> None:
            raise InterruptedError

        with monkeypatch.context() as patched:
            patched.setattr("recall_pipeline.storage.tables.Table.write", no_table)
            with pytest.raises(InterruptedError):
                workspace.catalog(target_lufs=-20.0)
        assert before in files(workspace)
        workspace.catalog(target_lufs=-20.0)
        assert before not in files(workspace)
        assert len(files(workspace)) == 1

    def test_a_ready_row_stays_ready_when_normalizing_it_again_fails(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        [mp3] = workspace.meet("heavy", talk())
        [before] = workspace.sync().rows
        with monkeypatch.context() as patched:
            patched.setattr(normalization, "normalize_task", kills_its_worker)
            [row] = workspace.sync(target_lufs=-20.0).rows
        assert (row.outcome, row.audio_uri, row.audio_recipe) == ("ready", before.audio_uri, before.audio_recipe)
        assert "the previous normalized file is kept" in (row.outcome_reason or "")
        assert files(workspace) == [Layout.normalized(DAY, mp3.recording_id, mp3.id, "flac")]
        [healed] = workspace.sync(target_lufs=-20.0).rows
        assert (healed.outcome, healed.outcome_reason) == ("ready", None)
        assert healed.audio_recipe != before.audio_recipe


class TestKilledWorker:
    def test_one_row_fails_and_the_next_sync_corrects_it(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        [heavy] = workspace.meet("heavy", talk())
        [light] = workspace.meet("light", talk(1))
        with monkeypatch.context() as patched:
            patched.setattr(normalization, "normalize_task", kills_its_worker)
            workspace.sync(workers="2")
        rows = rows_on_file(workspace)
        assert (rows[light.id].outcome, rows[heavy.id].outcome) == ("ready", "download_failed")
        assert "normalizing it failed: the worker process was killed" in (rows[heavy.id].outcome_reason or "")
        workspace.sandbox.access_log.clear()
        workspace.sync()
        assert rows_on_file(workspace)[heavy.id].outcome == "ready"
        assert workspace.media_requests() == []


class TestVersions:
    def test_a_new_version_is_normalized_and_the_old_normalized_file_goes(self, workspace: Workspace) -> None:
        [mp3] = workspace.meet("one", talk())
        workspace.sync()
        workspace.world.replace_audio(mp3.id, talk(1))
        [row] = workspace.sync().rows
        assert row.source_sha256 == hashlib.sha256(body_of(talk(1))).hexdigest()
        assert files(workspace) == [Layout.key_in(row.audio_uri or "")]

    def test_a_corrupt_new_version_leaves_the_good_ones_files(self, workspace: Workspace) -> None:
        [mp3] = workspace.meet("one", talk())
        [before] = workspace.sync().rows
        workspace.world.replace_audio(mp3.id, ErrorPage())
        [row] = workspace.sync().rows
        assert (row.outcome, row.findings) == ("ready", ["newer_version_corrupt"])
        assert "a newer version is corrupt: " in (row.outcome_reason or "")
        assert (row.audio_uri, row.source_uri) == (before.audio_uri, before.source_uri)
        assert files(workspace) == [Layout.key_in(before.audio_uri or "")]


class TestLostTables:
    @pytest.mark.parametrize("reads_as", ["deleted", "gone"])
    def test_rows_survive_a_lost_table_of_recordings(self, workspace: Workspace, reads_as: str) -> None:
        [mp3] = workspace.meet("one", talk())
        workspace.sync()
        before = rows_on_file(workspace)
        workspace.world.delete_recording(mp3.recording_id, reads_as)  # type: ignore[arg-type]
        workspace.archive.remove(Layout.table("recordings", DAY))
        workspace.sync()
        assert rows_on_file(workspace).keys() == before.keys()
        assert rows_on_file(workspace)[mp3.id].outcome == "ready"

    def test_rows_survive_a_lost_table_of_mp3s(self, workspace: Workspace) -> None:
        [mp3] = workspace.meet("one", talk())
        workspace.sync()
        workspace.world.delete_artifact(mp3.id, "gone")
        workspace.archive.remove(Layout.table("mixed_audio", DAY))
        workspace.sync()
        assert [(row.audio_id, row.outcome) for row in rows_on_file(workspace).values()] == [(mp3.id, "ready")]

    def test_a_lost_table_of_mp3s_takes_no_normalized_file_away(self, workspace: Workspace) -> None:
        [mp3] = workspace.meet("one", talk())
        workspace.sync()
        before = files(workspace)
        workspace.world.change_artifact(mp3.id, content=ErrorPage())
        workspace.archive.remove(Layout.table("mixed_audio", DAY))
        workspace.sync()
        assert files(workspace) == before != []

    def test_a_lost_catalog_is_rebuilt_without_a_download(self, workspace: Workspace) -> None:
        [mp3] = workspace.meet("one", talk())
        [before] = workspace.sync().rows
        workspace.archive.remove(Layout.table("audio_catalog", DAY))
        workspace.sandbox.access_log.clear()
        [row] = workspace.sync().rows
        assert (row.outcome, row.audio_sha256) == ("ready", before.audio_sha256)
        assert workspace.media_requests() == []
        assert files(workspace) == [Layout.normalized(DAY, mp3.recording_id, mp3.id, "flac")]

    def test_a_day_that_was_never_listed_has_no_catalog(self, workspace: Workspace) -> None:
        with pytest.raises(TableMissing, match=f"run recall-pipeline sync --from {DAY} --to {DAY}"):
            workspace.catalog()
        assert CATALOG.read(workspace.archive, DAY) is None
        assert (MIXED_AUDIO.read(workspace.archive, DAY), RECORDINGS.read(workspace.archive, DAY)) == (None, None)


def test_an_upstream_deletion_and_an_emptied_listing_take_nothing_away(workspace: Workspace) -> None:
    [deleted] = workspace.meet("deleted", talk())
    [kept] = workspace.meet("kept", talk(1))
    workspace.sync()
    stored = files(workspace)
    workspace.world.delete_recording(deleted.recording_id, "gone")
    workspace.sync()
    workspace.world.empty_listings()
    workspace.sync()
    assert {key: row.outcome for key, row in rows_on_file(workspace).items()} == {deleted.id: "ready", kept.id: "ready"}
    assert files(workspace) == stored


def test_what_is_archived_stays_ready_when_its_time_at_recall_is_over(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk(), expires_at=NINE + timedelta(days=7))
    [before] = workspace.sync().rows
    stored = files(workspace)
    expired = SandboxStatusChange("media_expired", NINE + timedelta(days=7))
    workspace.world.change_bot(an_id("one bot"), status_changes=(SandboxStatusChange("done", NINE), expired))
    workspace.world.delete_artifact(mp3.id, "gone")
    workspace.world.delete_recording(mp3.recording_id, "gone")
    [row] = workspace.sync().rows
    assert (row.outcome, row.upstream_status, row.expires_at) == ("ready", "deleted", before.expires_at)
    assert (row.source_uri, row.audio_uri, files(workspace)) == (before.source_uri, before.audio_uri, stored)


def test_the_day_states_when_it_was_listed(workspace: Workspace) -> None:
    workspace.meet("one", platform="webex")
    workspace.sync()
    facts = CATALOG.facts(workspace.archive, DAY)
    assert facts
    assert facts.items() >= (RECORDINGS.facts(workspace.archive, DAY) or {}).items()


def test_an_archive_that_moved_is_named_where_it_is_now(workspace: Workspace, tmp_path: Path) -> None:
    workspace.meet("one", talk())
    workspace.sync()
    here = workspace.archive.location.root
    moved = ArchiveLocation(f"{here}-moved", tmp_path / "spool")
    workspace.archive = moved.open()
    for key, content in stored(here).items():
        with workspace.archive.staged_file() as copied:
            copied.write_bytes(content)
            workspace.archive.publish(copied, key)
    fsspec.url_to_fs(here)[0].rm(here, recursive=True)
    [row] = workspace.catalog().rows
    for uri in (row.audio_uri, row.source_uri):
        assert uri
        assert uri.startswith(workspace.archive.uri(""))
        with fsspec.open(uri) as file:
            assert file.read(1)
