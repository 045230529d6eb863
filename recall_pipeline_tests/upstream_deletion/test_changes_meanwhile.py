"""MP3s that change during a deletion run are kept; every deletion is in the audit and counted."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from recall_pipeline.audit import AUDIT, FORGOTTEN, AuditRow, record_audit
from recall_pipeline.catalog import CATALOG
from recall_pipeline.days import utc_now
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.errors import RecallError
from recall_pipeline.progress import StepProgress
from recall_pipeline.storage import Archive
from recall_pipeline.upstream_deletion import DeletionReport
from recall_pipeline_tests.storages import BUCKET, FOLDER_AND_BUCKET
from recall_pipeline_tests.upstream_deletion.conftest import REVIEW, WEEKLY, Release, deletions
from recall_pipeline_tests.workspace import DAY, NINE, Rewritten, Workspace, an_id, talk
from recall_sandbox import Rule
from recall_sandbox.effects import Answer, Call, unavailable
from recall_sandbox.records import Artifact


@pytest.fixture
def storage_url(request: pytest.FixtureRequest) -> str:
    """A folder, or the storage that a test names."""
    return str(request.getfixturevalue(getattr(request, "param", "folder_url")))


def once_verified(act: Callable[[], object]) -> StepProgress:
    """Return a progress callback that acts when the files of the day have been verified."""

    def progress(step: str, done: int, total: int) -> None:
        if step == "days":
            act()

    return progress


def restated(archive: Archive, **changes: Any) -> None:
    """Change columns in the row of the weekly's MP3."""
    rows = MIXED_AUDIO.read(archive, DAY) or []
    MIXED_AUDIO.write(archive, DAY, [dataclasses.replace(r, **changes) if r.audio_id == WEEKLY else r for r in rows])


def finished(workspace: Workspace) -> dict[str | None, bool]:
    """Whether the deletion of each MP3 in the audit is finished, by id."""
    return {row.audio_id: row.finished_at is not None for row in AUDIT.read(workspace.archive, DAY) or []}


def undated(answer: Answer) -> Answer:
    """Return an answer without the dates of statuses."""

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: None if name == "updated_at" else without(inner) for name, inner in value.items()}
        return [without(inner) for inner in value] if isinstance(value, list) else value

    return Answer(answer.status, json.dumps(without(json.loads(answer.body))).encode(), answer.headers)


CHANGES: dict[str, tuple[Callable[[Workspace], object], str]] = {
    "a newer version": (lambda w: w.world.replace_audio(WEEKLY, talk(3)), "Recall has another version"),
    "deleted": (lambda w: w.world.delete_artifact(WEEKLY), "it is deleted at Recall"),
    "gone": (lambda w: w.world.delete_artifact(WEEKLY, "gone"), "it is already gone at Recall"),
    "processing again": (lambda w: w.world.change_artifact(WEEKLY, status="processing"), "it is processing at Recall"),
    "another recording": (
        lambda w: w.world.change_artifact(WEEKLY, recording_id=an_id("review")),
        f"it belongs to recording {an_id('review')} at Recall",
    ),
    "another format": (lambda w: w.world.change_artifact(WEEKLY, format="raw"), "it is not an MP3 at Recall"),
    "another row": (lambda w: restated(w.archive, source_sha256="0" * 64), "its row has changed"),
    "a failed download": (lambda w: restated(w.archive, fetch_failure="not audio"), "it is no longer ready"),
    "another size": (lambda w: overwritten(w, b"short"), "has 5 bytes"),
    "no file": (lambda w: w.archive.remove(w.row(WEEKLY).source_key or ""), "is not there"),
    "erased": (lambda w: record_audit(w.archive, DAY, [erased()]), "it is no longer ready"),
}


def overwritten(workspace: Workspace, content: bytes) -> None:
    """Replace the bytes of the weekly's MP3."""
    with workspace.archive.staged_file() as staged:
        staged.write_bytes(content)
        workspace.archive.publish(staged, workspace.row(WEEKLY).source_key or "")


def erased() -> AuditRow:
    """The audit row of an erasure of the weekly."""
    return AuditRow(FORGOTTEN, an_id("weekly"), None, None, "request 17", utc_now(), utc_now())


@pytest.mark.parametrize(
    ("change", "storage_url"),
    [
        *(pytest.param(change, "folder_url", id=change) for change in CHANGES),
        *(pytest.param(c, "bucket_url", id=f"{c}, s3", marks=BUCKET.marks) for c in ("another size", "no file")),
    ],
    indirect=["storage_url"],
)
def test_an_mp3_that_changes_after_its_verification_is_kept(
    workspace: Workspace, release: Release, change: str
) -> None:
    act, reason = CHANGES[change]
    report = release(once_verified(lambda: act(workspace)))
    assert deletions(workspace) == [REVIEW]
    assert (report.mp3s, len(report.kept)) == (1, 1)
    assert f"MP3 {WEEKLY}: not released, " in report.kept[0]
    assert reason in report.kept[0]
    assert WEEKLY not in finished(workspace)


@pytest.mark.parametrize("at", ["in the archive", "at Recall", "both"])
def test_a_version_without_a_date_is_not_the_same_version(workspace: Workspace, release: Release, at: str) -> None:
    if at != "at Recall":
        restated(workspace.archive, captured_updated_at=None, updated_at=None)
    if at != "in the archive":
        workspace.sandbox.faults.add(Rule(Rewritten(undated), origin="api", method="GET", path="/audio_mixed/"))
    report = release()
    assert WEEKLY not in deletions(workspace)
    assert "the date of its version is not known" in next(line for line in report.kept if WEEKLY in line)


def test_a_version_that_loses_its_date_meanwhile_is_kept(workspace: Workspace, release: Release) -> None:
    workspace.sandbox.faults.add(Rule(Rewritten(undated), origin="api", method="GET", path=WEEKLY))
    assert "the date of its version is not known" in release().kept[0]
    assert deletions(workspace) == [REVIEW]


@pytest.mark.parametrize("column", ["fetch_failure", "fault"])
def test_an_mp3_with_a_failed_later_download_is_kept(workspace: Workspace, release: Release, column: str) -> None:
    restated(workspace.archive, **{column: "not audio"})
    release()
    assert deletions(workspace) == [REVIEW]


def test_an_mp3_listed_for_another_recording_is_kept(workspace: Workspace, release: Release) -> None:
    workspace.world.change_artifact(WEEKLY, recording_id=an_id("review"))
    assert f"it belongs to recording {an_id('review')} at Recall" in release().kept[0]
    assert deletions(workspace) == [REVIEW]


def test_a_raw_artifact_of_the_recording_is_not_touched(workspace: Workspace, release: Release) -> None:
    raw = Artifact(an_id("weekly raw"), an_id("weekly"), NINE, NINE, talk(1), format="raw")
    workspace.world.add(raw)
    assert release().mp3s == 2
    assert deletions(workspace) == sorted([WEEKLY, REVIEW])
    assert workspace.world.artifacts.get(raw.id) == raw


@dataclass(frozen=True)
class _Watched:
    """An effect that records the audit at the time of each request."""

    seen: list[dict[str | None, bool]]
    look: Callable[[], dict[str | None, bool]]

    async def apply(self, call: Call) -> None:
        """Record the audit, then serve the request."""
        self.seen.append(self.look())
        await call.serve()


@pytest.mark.parametrize("storage_url", FOLDER_AND_BUCKET, indirect=True)
def test_each_deletion_is_in_the_audit_before_its_request_and_finished_after_it(
    workspace: Workspace, release: Release
) -> None:
    seen: list[dict[str | None, bool]] = []
    watch = _Watched(seen, lambda: finished(workspace))
    workspace.sandbox.faults.add(Rule(watch, origin="api", method="DELETE"))
    release()
    first, second = (row.audio_id for row in MIXED_AUDIO.read(workspace.archive, DAY) or [])
    assert seen == [{first: False}, {first: True, second: False}]
    assert finished(workspace) == {first: True, second: True}


@pytest.mark.parametrize("status", [403, 409, 503])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_deletions_before_an_error_are_finished_and_counted(
    workspace: Workspace, release: Release, method: str, status: int
) -> None:
    first, second = (row.audio_id for row in MIXED_AUDIO.read(workspace.archive, DAY) or [])
    fault = Rule(unavailable(status), origin="api", method=method, path=f"/audio_mixed/{second}/")
    workspace.sandbox.faults.add(fault)
    report = DeletionReport()
    with pytest.raises(RecallError):
        release(report=report)
    assert (report.mp3s, report.bytes) == (1, workspace.row(first).source_bytes)
    assert finished(workspace)[first]
    assert not finished(workspace).get(second)
    workspace.sandbox.faults.remove(fault)
    assert release().mp3s == 1
    assert finished(workspace) == {first: True, second: True}


@pytest.mark.parametrize("reads_as", ["deleted", "gone"])
def test_a_deletion_whose_answer_was_lost_is_finished(workspace: Workspace, release: Release, reads_as: Any) -> None:
    key = workspace.row(WEEKLY).source_key
    begun = AuditRow("released", an_id("weekly"), WEEKLY, None, "killed", utc_now(), None, 1, 7, json.dumps([key]))
    record_audit(workspace.archive, DAY, [begun])
    workspace.world.delete_artifact(WEEKLY, reads_as)
    report = release()
    assert (deletions(workspace), report.kept) == ([REVIEW], [])
    assert finished(workspace) == {WEEKLY: True, REVIEW: True}


def test_a_begun_deletion_is_not_finished_because_a_listing_leaves_it_out(
    workspace: Workspace, release: Release
) -> None:
    begun = AuditRow("released", an_id("weekly"), WEEKLY, None, "killed", utc_now())
    record_audit(workspace.archive, DAY, [begun])
    workspace.world.change_artifact(WEEKLY, listed=False)
    assert "Recall does not list it" in release().kept[0]
    assert finished(workspace) == {WEEKLY: False, REVIEW: True}


def test_a_catalog_that_loses_its_ready_meanwhile_keeps_the_mp3(workspace: Workspace, release: Release) -> None:
    report = release(once_verified(lambda: CATALOG.write(workspace.archive, DAY, [])))
    assert (report.mp3s, deletions(workspace)) == (0, [])
    assert all("it is no longer ready" in line for line in report.kept)
    assert len(report.kept) == 2
