"""A proven recording is kept, however bad a newer version is (docs/design/interface.md, section 4, row 1)."""

from collections.abc import Callable

import pytest

from recall_pipeline.catalog import CATALOG, CatalogRow, normalization
from recall_pipeline.catalog.normalization import NormalizeTask
from recall_pipeline.errors import NormalizationError
from recall_pipeline.storage import Layout
from recall_pipeline_tests.workspace import DAY, Workspace, talk
from recall_sandbox import Rule
from recall_sandbox.content import ErrorPage, Truncated
from recall_sandbox.effects import unavailable

Worsen = Callable[[Workspace, str], object]


@pytest.fixture
def storage_url(folder_url: str) -> str:
    """A folder."""
    return folder_url


def failing_download(workspace: Workspace, audio_id: str) -> None:
    workspace.world.replace_audio(audio_id, talk(1))
    workspace.sandbox.faults.add(Rule(unavailable(), origin="media", path=audio_id))


def without_url(workspace: Workspace, audio_id: str) -> None:
    workspace.world.replace_audio(audio_id, talk(1))
    workspace.world.change_artifact(audio_id, content=None)


def audio(row: CatalogRow) -> tuple[object, ...]:
    return row.outcome, row.source_uri, row.source_sha256, row.duration_seconds, row.audio_uri, row.audio_sha256


VARIANTS: dict[str, tuple[Worsen, list[str]]] = {
    "a web page": (lambda w, id_: w.world.replace_audio(id_, ErrorPage()), ["newer_version_corrupt"]),
    "a truncated file": (lambda w, id_: w.world.replace_audio(id_, Truncated(talk(1))), ["newer_version_corrupt"]),
    "a failing download": (failing_download, ["newer_version_failed"]),
    "a version without a URL": (without_url, ["newer_version_failed"]),
    "a version in progress": (lambda w, id_: w.world.change_artifact(id_, content=None, status="processing"), []),
    "a version that failed": (lambda w, id_: w.world.change_artifact(id_, content=None, status="failed"), []),
    "a deleted MP3": (lambda w, id_: w.world.delete_artifact(id_), []),
    "a lost MP3": (lambda w, id_: w.world.delete_artifact(id_, "gone"), []),
}


@pytest.mark.parametrize("lost_table", [False, True], ids=["", "mixed_audio is lost"])
def test_the_proven_recording_stays_whatever_becomes_of_the_newer_version(
    workspace: Workspace, *, lost_table: bool
) -> None:
    mp3s = {workspace.meet(variant, talk())[0].id: variant for variant in VARIANTS}
    before = {row.key: audio(row) for row in workspace.sync().rows}
    for audio_id, variant in mp3s.items():
        VARIANTS[variant][0](workspace, audio_id)
    if lost_table:
        workspace.archive.remove(Layout.table("mixed_audio", DAY))
    rows = workspace.sync().rows
    assert {row.key: audio(row) for row in rows} == before
    assert {mp3s[row.key]: row.findings for row in rows} == {name: found for name, (_, found) in VARIANTS.items()}
    assert workspace.sync().rows == rows


def test_the_newer_version_is_tried_at_every_sync_and_taken_once_it_is_good(workspace: Workspace) -> None:
    mp3s = {workspace.meet(variant, talk())[0].id: variant for variant in ("a web page", "a failing download")}
    workspace.sync()
    for audio_id, variant in mp3s.items():
        VARIANTS[variant][0](workspace, audio_id)
    workspace.capture()
    workspace.sandbox.access_log.clear()
    workspace.capture()
    assert set(workspace.media_requests()) == mp3s.keys()
    workspace.sandbox.faults.clear()
    for audio_id in mp3s:
        workspace.world.change_artifact(audio_id, content=talk(2))
    rows = workspace.sync().rows
    assert [(row.outcome, row.findings, row.outcome_reason) for row in rows] == [("ready", [], None)] * 2
    assert all(row.source_sha256 == workspace.row(row.key).source_sha256 for row in rows)
    workspace.sandbox.access_log.clear()
    workspace.capture()
    assert workspace.media_requests() == []


def test_a_newer_version_that_cannot_be_normalized_leaves_the_older_one(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    [mp3] = workspace.meet("one", talk())
    [before] = workspace.sync().rows
    workspace.world.replace_audio(mp3.id, talk(1))
    with monkeypatch.context() as patched:
        patched.setattr(normalization, "normalize_task", fails)
        [row] = workspace.sync().rows
        assert audio(row) == audio(before)
        assert row.findings == ["newer_version_failed"]
        assert row.outcome_reason == "a newer version could not be normalized: no room"
        assert workspace.catalog().rows == [row]
    [healed] = workspace.catalog().rows
    assert (healed.outcome, healed.findings) == ("ready", [])
    assert healed.source_sha256 == workspace.row(mp3.id).source_sha256 != before.source_sha256


def fails(task: NormalizeTask) -> None:
    """Stand in for an encoder."""
    raise NormalizationError("no room")


@pytest.mark.parametrize("same_audio", [True, False])
def test_after_a_lost_catalog_the_file_of_a_newer_version_is_replaced_only_by_one_with_the_same_bytes(
    workspace: Workspace, *, same_audio: bool
) -> None:
    [mp3] = workspace.meet("one", talk())
    workspace.sync()
    workspace.world.replace_audio(mp3.id, talk(2))
    [row] = workspace.sync().rows
    before = Layout.key_in(row.audio_uri or "")
    workspace.archive.remove(CATALOG.key(DAY))
    if not same_audio:
        with workspace.archive.staged_file() as other:
            other.write_bytes(b"perhaps the only good one")
            workspace.archive.publish(other, before)

    [row] = workspace.sync().rows

    after = Layout.key_in(row.audio_uri or "")
    assert before != after
    assert sorted(workspace.keys("normalized_audio")) == sorted([after] if same_audio else [before, after])
