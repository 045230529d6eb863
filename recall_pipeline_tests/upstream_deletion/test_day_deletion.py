"""Only MP3s that are ready, listed in the archived version and just verified are deleted at Recall.ai."""

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


def test_ready_mp3s_are_deleted_upstream_and_stay_ready_in_the_archive(
    workspace: Workspace, release: Callable[[], DeletionReport]
) -> None:
    report = release()
    assert (report.mp3s, report.kept) == (2, [])
    assert deletions(workspace) == sorted([WEEKLY, REVIEW])
    files = workspace.keys("mixed_audio") + workspace.keys("normalized_audio")
    workspace.sync()
    assert workspace.keys("mixed_audio") + workspace.keys("normalized_audio") == files
    rows = {row.audio_id: row for row in CATALOG.read(workspace.archive, DAY) or []}
    assert (rows[WEEKLY].outcome, rows[WEEKLY].upstream_status) == ("ready", "deleted")
    assert candidates_on(workspace.archive, DAY) == []


def test_one_candidate_is_read_without_the_others(workspace: Workspace) -> None:
    every = candidates_on(workspace.archive, DAY)
    assert [candidate.mp3.audio_id for candidate in every] == [WEEKLY, REVIEW]
    for candidate in every:
        assert candidates_on(workspace.archive, DAY, candidate.mp3.audio_id) == [candidate]
    assert candidates_on(workspace.archive, DAY, an_id("unknown")) == []


def test_each_deletion_has_an_audit_row(workspace: Workspace, release: Callable[[], DeletionReport]) -> None:
    report = release()
    rows = {row.audio_id: row for row in AUDIT.read(workspace.archive, DAY) or []}
    assert rows.keys() == {WEEKLY, REVIEW}
    row, mp3 = rows[WEEKLY], workspace.row(WEEKLY)
    assert (row.action, row.recording_id, row.reason) == ("released", an_id("weekly"), REASON)
    assert row.finished_at
    assert json.loads(row.removed) == [{"key": mp3.source_key, "bytes": mp3.source_bytes, "sha256": mp3.source_sha256}]
    assert report.bytes == sum(row.bytes for row in rows.values())


def test_an_mp3_is_deleted_once(workspace: Workspace, release: Callable[[], DeletionReport]) -> None:
    release()
    assert release() == DeletionReport()
    assert len(deletions(workspace)) == 2


@pytest.mark.on_disk
def test_an_mp3_with_a_damaged_copy_is_kept_upstream(
    workspace: Workspace, release: Callable[[], DeletionReport]
) -> None:
    path = workspace.archive.local_path(workspace.row(WEEKLY).source_key or "")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    report = release()
    assert deletions(workspace) == [REVIEW]
    assert "has another SHA-256" in report.kept[0]
    assert WEEKLY in report.kept[0]


def test_another_version_upstream_is_kept(workspace: Workspace, release: Callable[[], DeletionReport]) -> None:
    workspace.world.replace_audio(WEEKLY, talk(3))
    report = release()
    assert deletions(workspace) == [REVIEW]
    assert "Recall has another version than the archive: sync its day first" in report.kept[0]


@pytest.mark.parametrize("outcome", ["silent", "corrupt", "download_failed", "forgotten", "processing"])
def test_an_mp3_that_is_not_ready_is_kept(
    workspace: Workspace, release: Callable[[], DeletionReport], outcome: str
) -> None:
    rows = CATALOG.read(workspace.archive, DAY) or []
    changed = [dataclasses.replace(row, outcome=outcome) if row.audio_id == WEEKLY else row for row in rows]
    CATALOG.write(workspace.archive, DAY, changed)
    release()
    assert deletions(workspace) == [REVIEW]


def test_an_empty_listing_stops_the_deletion(workspace: Workspace, release: Callable[[], DeletionReport]) -> None:
    workspace.world.empty_listings()
    with pytest.raises(RecallProtocolError, match=f"Recall lists nothing for {DAY}, of which 2 MP3s are archived"):
        release()
    assert deletions(workspace) == []


def test_a_failed_listing_stops_the_deletion(workspace: Workspace, release: Callable[[], DeletionReport]) -> None:
    workspace.sandbox.faults.add(Rule(unavailable(503), origin="api", path="/audio_mixed/"))
    with pytest.raises(RecallUnreachable):
        release()
    assert deletions(workspace) == []


def test_a_second_call_completes_an_interrupted_deletion(
    workspace: Workspace, release: Callable[[], DeletionReport]
) -> None:
    rule = Rule(unavailable(503), origin="api", method="DELETE", path=REVIEW)
    workspace.sandbox.faults.add(rule)
    with pytest.raises(RecallUnreachable):
        release()
    assert {row.audio_id for row in AUDIT.read(workspace.archive, DAY) or [] if not row.finished_at} == {REVIEW}
    workspace.sandbox.faults.remove(rule)
    workspace.sync()  # it finds that one is already deleted
    assert release().mp3s == 1
    audit_rows = AUDIT.read(workspace.archive, DAY) or []
    assert {row.audio_id for row in audit_rows if row.finished_at} == {WEEKLY, REVIEW}
    assert {artifact.status for artifact in workspace.world.artifacts} == {"deleted"}


def test_the_age_of_a_day_counts_from_its_end(workspace: Workspace) -> None:
    def older_than(days: int) -> bool:
        return DAY in days_older_than(workspace.archive, days, datetime(2026, 3, 10, 12, tzinfo=UTC))

    assert older_than(7)
    assert not older_than(8)


def test_mp3s_without_a_catalog_row_are_kept(workspace: Workspace, release: Callable[[], DeletionReport]) -> None:
    CATALOG.write(workspace.archive, DAY, [])
    assert MIXED_AUDIO.read(workspace.archive, DAY)
    assert release() == DeletionReport()
