"""A normalized file that was lost or damaged is made anew when its recording is looked at again."""

import dataclasses

import pytest

from recall_pipeline.audio import Target
from recall_pipeline.catalog import CATALOG, CatalogReport, normalization, sync_catalog
from recall_pipeline.catalog.normalization import NormalizeTask
from recall_pipeline.errors import NormalizationError
from recall_pipeline.storage import Layout, open_day
from recall_pipeline_tests.workspace import DAY, Workspace, talk


def sync_with_refetch(workspace: Workspace, *recording_ids: str) -> CatalogReport:
    """Catalog the day, and read back the normalized files of some recordings."""
    with open_day(workspace.archive, DAY) as day:
        return sync_catalog(day, workspace.settings, refetch=frozenset(recording_ids))


def damage(workspace: Workspace, key: str, how: str) -> None:
    """Lose a file, or change its bytes and keep its size."""
    content = workspace.content(key)
    workspace.archive.remove(key)
    if how == "changed":
        with workspace.archive.staged_file() as written:
            written.write_bytes(content[:-4] + b"rot!")
            workspace.archive.publish(written, key)


@pytest.fixture
def storage_url(folder_url: str) -> str:
    """A folder."""
    return folder_url


@pytest.mark.parametrize("how", ["lost", "changed"])
def test_it_is_rebuilt_under_its_name_from_the_stored_source(workspace: Workspace, how: str) -> None:
    [mp3] = workspace.meet("one", talk())
    [before] = workspace.sync().rows
    key = Layout.normalized(DAY, mp3.recording_id, mp3.id, "flac")
    content = workspace.content(key)
    damage(workspace, key, how)
    assert sync_with_refetch(workspace).normalized == 0
    cataloged = sync_with_refetch(workspace, mp3.recording_id)
    assert (cataloged.normalized, cataloged.rows) == (1, [before])
    assert workspace.content(key) == content


def test_one_that_is_what_it_should_be_is_left_alone(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk())
    before = workspace.sync().rows
    cataloged = sync_with_refetch(workspace, mp3.recording_id)
    assert (cataloged.normalized, cataloged.rows) == (0, before)


def test_the_row_stays_with_a_finding_where_that_fails_and_every_sync_tries_again(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    [mp3] = workspace.meet("one", talk())
    [before] = workspace.sync().rows
    damage(workspace, Layout.normalized(DAY, mp3.recording_id, mp3.id, "flac"), "lost")
    with monkeypatch.context() as patched:
        patched.setattr(normalization, "normalize_task", fails)
        [row] = sync_with_refetch(workspace, mp3.recording_id).rows
        assert (row.outcome, row.audio_uri, row.audio_sha256) == ("ready", before.audio_uri, before.audio_sha256)
        lost = "the normalized file is lost or damaged, and normalizing it again failed: no room"
        assert row.outcome_reason == lost
        assert workspace.catalog().rows[0].outcome_reason == lost
    [healed] = workspace.catalog().rows
    assert (healed.outcome, healed.outcome_reason, healed.audio_recipe) == ("ready", None, Target().recipe)
    assert Layout.key_in(healed.audio_uri or "") in workspace.keys("normalized_audio")


def fails(task: NormalizeTask) -> None:
    """Stand in for an encoder."""
    raise NormalizationError("no room")


def test_a_file_of_an_older_engine_stays_until_its_recording_is_asked_for(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk())
    [row] = workspace.sync().rows
    older = dataclasses.replace(row, audio_recipe=str(row.audio_recipe).replace("engine", "engine0"))
    with open_day(workspace.archive, DAY) as day:
        day.write(CATALOG, [older])
    assert sync_with_refetch(workspace).rows == [older]
    cataloged = sync_with_refetch(workspace, mp3.recording_id)
    assert (cataloged.normalized, cataloged.rows[0].audio_recipe) == (1, Target().recipe)
