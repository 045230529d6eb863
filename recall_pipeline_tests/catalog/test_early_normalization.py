"""An MP3 is decoded once by a sync: what checks it also normalizes it, and the catalog takes up the file."""

import asyncio
import dataclasses
from datetime import timedelta

import pytest

from recall_pipeline.audio import Normalized
from recall_pipeline.catalog import CATALOG, EarlyNormalization, normalization
from recall_pipeline.days import utc_now
from recall_pipeline.download import MIXED_AUDIO, DownloadReport, sync_mp3s
from recall_pipeline.erasure.day_erasure import erase_day
from recall_pipeline.erasure.plan import ErasureIds
from recall_pipeline.errors import NormalizationError, StorageError
from recall_pipeline.recall_api import open_client
from recall_pipeline.storage import Archive, open_day
from recall_pipeline_tests.catalog.test_checkpoints import fails, records
from recall_pipeline_tests.catalog.test_waveforms import in_this_process
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET
from recall_pipeline_tests.workspace import DAY, Workspace, an_id, talk
from recall_sandbox.content import ErrorPage, Truncated

__all__ = ["in_this_process"]


@pytest.fixture
def storage_url(folder_url: str) -> str:
    return folder_url


def capture(workspace: Workspace, again: frozenset[str] = frozenset(), **changes: object) -> tuple[DownloadReport, int]:
    """Download the day as before a catalog of the same run; return the report and how many files were normalized."""
    settings = workspace.settings.model_copy(update=changes)

    async def downloaded() -> tuple[DownloadReport, int]:
        async with open_client(settings) as client:
            with open_day(workspace.archive, DAY) as day:
                upstream = await workspace.discovered(day, client)
                early = EarlyNormalization(day, settings, again)
                return await sync_mp3s(day, upstream, settings, again, early=early), early.normalized

    return asyncio.run(downloaded())


def outcomes(workspace: Workspace, **changes: object) -> tuple[int, list[str]]:
    report = workspace.catalog(**changes)
    return report.normalized, [row.outcome for row in report.rows]


@pytest.fixture
def none_in_the_catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if the catalog normalizes anything."""
    monkeypatch.setattr(normalization, "normalize_task", fails)


@pytest.mark.usefixtures("none_in_the_catalog")
class TestOnEitherStorage:
    @pytest.fixture(params=FOLDER_AND_BUCKET)
    def storage_url(self, request: pytest.FixtureRequest) -> str:
        return str(request.getfixturevalue(request.param))

    def test_the_catalog_has_nothing_left_to_normalize(self, workspace: Workspace) -> None:
        workspace.meet("one", talk(), talk(1))
        workspace.meet("page", ErrorPage())
        workspace.meet("half", Truncated(talk(2)))
        assert capture(workspace)[1] == 2
        report = workspace.catalog()
        assert (report.normalized, [row.outcome for row in report.rows]) == (
            0,
            ["ready", "ready", "corrupt", "corrupt"],
        )
        assert records(workspace) == []
        assert workspace.keys("normalized_audio") == sorted(row.audio_key for row in report.rows if row.audio_key)
        assert list(workspace.archive.staging_folder.glob("*")) == []

    def test_a_second_sync_makes_nothing(self, workspace: Workspace) -> None:
        workspace.meet("one", talk())
        capture(workspace)
        before = workspace.catalog().rows
        assert capture(workspace)[1] == 0
        report = workspace.catalog()
        assert (report.normalized, report.rows) == (0, before)


def test_the_row_is_the_same_as_after_two_decodes(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    capture(workspace)
    [once] = workspace.catalog().rows
    workspace.archive.remove(CATALOG.key(DAY))
    [twice] = workspace.catalog().rows
    assert dataclasses.replace(twice, cataloged_at=once.cataloged_at) == once


def test_downloads_by_themselves_normalize_nothing(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    workspace.capture()
    assert (workspace.keys("normalized_audio"), records(workspace)) == ([], [])


@pytest.mark.usefixtures("none_in_the_catalog")
def test_a_kill_between_the_two_steps_costs_nothing(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    capture(workspace)
    workspace.meet("two", talk(1))
    assert capture(workspace)[1] == 1
    assert outcomes(workspace) == (0, ["ready", "ready"])


def test_a_kill_before_the_row_is_written_costs_no_second_normalization(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk())
    workspace.meet("two", talk(1))
    assert capture(workspace)[1] == 2
    workspace.archive.remove(MIXED_AUDIO.key(DAY))
    workspace.world.replace_audio(mp3.id, talk(2))
    assert capture(workspace)[1] == 0
    assert outcomes(workspace) == (1, ["ready", "ready"])  # the one whose bytes are others now
    assert len(workspace.keys("normalized_audio")) == 2


@pytest.mark.parametrize("lost", ["the record", "the file"])
def test_a_kill_that_left_half_of_a_normalization_costs_one_more(workspace: Workspace, lost: str) -> None:
    workspace.meet("one", talk())
    capture(workspace)
    workspace.archive.remove(MIXED_AUDIO.key(DAY))
    if lost == "the file":
        workspace.archive.remove(*workspace.keys("normalized_audio"))
    else:
        workspace.archive.local_path(*records(workspace)).write_bytes(b"{torn")
    normalized = capture(workspace)[1]
    report = workspace.catalog()
    assert (normalized + report.normalized, [row.outcome for row in report.rows]) == (1, ["ready"])
    assert workspace.keys("normalized_audio") == [row.audio_key for row in report.rows]
    assert records(workspace) == []


@pytest.mark.parametrize("changes", [{"target_lufs": -23.0}, {"audio_format": "wav"}])
def test_a_file_of_another_target_is_made_again_and_removed(workspace: Workspace, changes: dict[str, object]) -> None:
    workspace.meet("one", talk())
    capture(workspace)
    assert outcomes(workspace, **changes) == (1, ["ready"])
    [row] = CATALOG.read(workspace.archive, DAY) or []
    assert workspace.keys("normalized_audio") == [row.audio_key]


def out_of_space(*_: object) -> None:
    raise StorageError("cannot write: the disk is full")


@pytest.mark.parametrize("method", ["staged_file", "publish"])
def test_a_full_disk_fails_no_download(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    workspace.meet("one", talk())
    real = getattr(Archive, method)

    def refused(archive: Archive, *arguments: object, **named: object) -> object:
        if ".flac" in f"{arguments}{named}":
            out_of_space()
        return real(archive, *arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Archive, method, refused)
        report, normalized = capture(workspace)
    assert ([row.state for row in report.rows], normalized) == (["archived"], 0)
    assert outcomes(workspace) == (1, ["ready"])


def fails_to_normalize(*_: object, **__: object) -> Normalized:
    raise NormalizationError("the disk is full: free some space")


def test_what_cannot_be_normalized_is_archived(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace.meet("one", talk())
    with monkeypatch.context() as patched:
        patched.setattr(EarlyNormalization, "task", lambda *_: fails_to_normalize)
        report, normalized = capture(workspace)
    assert ([row.state for row in report.rows], normalized) == (["archived"], 0)
    assert outcomes(workspace) == (1, ["ready"])


@pytest.mark.parametrize(("hours", "normalized"), [(47, 0), (49, 1)])
def test_what_expires_soon_is_only_checked(workspace: Workspace, hours: int, normalized: int) -> None:
    workspace.meet("one", talk(), expires_at=utc_now() + timedelta(hours=hours))
    assert capture(workspace)[1] == normalized
    assert outcomes(workspace) == (1 - normalized, ["ready"])


def test_a_newer_version_and_a_recording_asked_for_by_name_are_only_checked(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk())
    capture(workspace)
    [first] = workspace.catalog().rows
    workspace.world.replace_audio(mp3.id, talk(1))
    assert capture(workspace)[1] == 0
    [second] = workspace.catalog().rows
    assert first.audio_key != second.audio_key
    workspace.meet("two", talk(2))
    assert capture(workspace, again=frozenset({an_id("two")}))[1] == 0


def test_a_dask_cluster_normalizes_all(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    assert capture(workspace, workers="tcp://127.0.0.1:1")[1] == 0


def test_a_cataloged_file_is_never_replaced_when_mixed_audio_is_lost(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    capture(workspace)
    before = workspace.catalog().rows
    workspace.archive.remove(f"mixed_audio/day={DAY}/mixed_audio.parquet")
    assert capture(workspace)[1] == 0
    assert (workspace.catalog().rows, len(workspace.keys("normalized_audio"))) == (before, 1)


def test_an_erasure_between_the_two_steps_leaves_nothing(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    capture(workspace)
    erase_day(workspace.archive, DAY, ErasureIds(frozenset({an_id("one")})), "request 1")
    assert (workspace.keys("normalized_audio"), records(workspace)) == ([], [])
    assert outcomes(workspace) == (0, ["forgotten"])
