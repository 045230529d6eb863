"""What goes at Recall is ready, of the version that is archived, and proven just before; everything else stays."""

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from recall_pipeline.audit import AUDIT
from recall_pipeline.catalog import CATALOG
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.errors import RecallProtocolError, RecallUnreachable
from recall_pipeline.upstream_deletion import DeletionReport, candidates_on, days_older_than
from recall_pipeline_tests.upstream_deletion.conftest import REASON, REVIEW, WEEKLY, deletions
from recall_pipeline_tests.workspace import DAY, Workspace, an_id, talk
from recall_sandbox import Rule
from recall_sandbox.effects import unavailable


def test_what_is_ready_goes_and_stays_ready_here(workspace: Workspace, release: Callable[[], DeletionReport]) -> None:
    released = release()
    assert (released.mp3s, released.kept) == (2, [])
    assert deletions(workspace) == sorted([WEEKLY, REVIEW])
    files = workspace.keys("mixed_audio") + workspace.keys("normalized_audio")
    workspace.sync()
    assert workspace.keys("mixed_audio") + workspace.keys("normalized_audio") == files
    rows = {row.audio_id: row for row in CATALOG.read(workspace.archive, DAY) or []}
    assert (rows[WEEKLY].outcome, rows[WEEKLY].upstream_status) == ("ready", "deleted")
    assert candidates_on(workspace.archive, DAY) == []


def test_it_is_written_down(workspace: Workspace, release: Callable[[], DeletionReport]) -> None:
    released = release()
    rows = {row.audio_id: row for row in AUDIT.read(workspace.archive, DAY) or []}
    assert rows.keys() == {WEEKLY, REVIEW}
    row, mp3 = rows[WEEKLY], workspace.row(WEEKLY)
    assert (row.action, row.recording_id, row.reason) == ("released", an_id("weekly"), REASON)
    assert row.finished_at
    assert json.loads(row.removed) == [{"key": mp3.source_key, "bytes": mp3.source_bytes, "sha256": mp3.source_sha256}]
    assert released.bytes == sum(row.bytes for row in rows.values())


def test_it_goes_once(workspace: Workspace, release: Callable[[], DeletionReport]) -> None:
    release()
    assert release() == DeletionReport()
    assert len(deletions(workspace)) == 2


@pytest.mark.on_disk
def test_damaged_bytes_stay_at_recall(workspace: Workspace, release: Callable[[], DeletionReport]) -> None:
    path = workspace.archive.local_path(workspace.row(WEEKLY).source_key or "")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    released = release()
    assert deletions(workspace) == [REVIEW]
    assert "has another SHA-256" in released.kept[0]
    assert WEEKLY in released.kept[0]


def test_another_version_at_recall_stays(workspace: Workspace, release: Callable[[], DeletionReport]) -> None:
    workspace.world.replace_audio(WEEKLY, talk(3))
    released = release()
    assert deletions(workspace) == [REVIEW]
    assert "Recall has another version than the archive: sync its day first" in released.kept[0]


@pytest.mark.parametrize("outcome", ["silent", "corrupt", "download_failed", "forgotten", "processing"])
def test_what_is_not_ready_stays(workspace: Workspace, release: Callable[[], DeletionReport], outcome: str) -> None:
    rows = CATALOG.read(workspace.archive, DAY) or []
    changed = [dataclasses.replace(row, outcome=outcome) if row.audio_id == WEEKLY else row for row in rows]
    CATALOG.write(workspace.archive, DAY, changed)
    release()
    assert deletions(workspace) == [REVIEW]


def test_an_empty_listing_is_no_reason_to_delete_anything(
    workspace: Workspace, release: Callable[[], DeletionReport]
) -> None:
    workspace.world.empty_listings()
    with pytest.raises(RecallProtocolError, match=f"Recall lists nothing for {DAY}, of which 2 MP3s are archived"):
        release()
    assert deletions(workspace) == []


def test_a_failed_listing_neither(workspace: Workspace, release: Callable[[], DeletionReport]) -> None:
    workspace.sandbox.faults.add(Rule(unavailable(503), origin="api", path="/audio_mixed/"))
    with pytest.raises(RecallUnreachable):
        release()
    assert deletions(workspace) == []


def test_what_was_interrupted_goes_on(workspace: Workspace, release: Callable[[], DeletionReport]) -> None:
    fault = Rule(unavailable(503), origin="api", method="DELETE", path=REVIEW)
    workspace.sandbox.faults.add(fault)
    with pytest.raises(RecallUnreachable):
        release()
    assert {row.audio_id for row in AUDIT.read(workspace.archive, DAY) or [] if not row.finished_at} == {REVIEW}
    workspace.sandbox.faults.remove(fault)
    workspace.sync()  # which sees that one is deleted already
    assert release().mp3s == 1
    notes = AUDIT.read(workspace.archive, DAY) or []
    assert {row.audio_id for row in notes if row.finished_at} == {WEEKLY, REVIEW}
    assert {artifact.status for artifact in workspace.world.artifacts} == {"deleted"}


def test_a_day_counts_from_its_end(workspace: Workspace) -> None:
    def older_than(days: int) -> bool:
        return DAY in days_older_than(workspace.archive, days, datetime(2026, 3, 10, 12, tzinfo=UTC))

    assert older_than(7)
    assert not older_than(8)


def test_rows_of_mixed_audio_alone_release_nothing(workspace: Workspace, release: Callable[[], DeletionReport]) -> None:
    CATALOG.write(workspace.archive, DAY, [])
    assert MIXED_AUDIO.read(workspace.archive, DAY)
    assert release() == DeletionReport()
