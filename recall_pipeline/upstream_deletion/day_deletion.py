"""Delete MP3s of a day at Recall.ai: compare with a fresh listing, verify, write audit rows, delete."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from recall_pipeline.audit import RELEASED, AuditRow, record_audit
from recall_pipeline.days import utc_now
from recall_pipeline.errors import RecallProtocolError
from recall_pipeline.progress import StepProgress
from recall_pipeline.recall_api import DELETED, RecallClient, Upstream, list_days, lookup_many
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive
from recall_pipeline.upstream_deletion.candidates import Candidate, candidates_on
from recall_pipeline.verification import verify_days


@dataclass(slots=True)
class DeletionReport:
    """Counts of MP3s and bytes deleted at Recall.ai, and a line for each MP3 that was kept."""

    mp3s: int = 0
    bytes: int = 0
    kept: list[str] = field(default_factory=list)


async def delete_day(
    client: RecallClient, archive: Archive, settings: Settings, day: date, reason: str, progress: StepProgress
) -> DeletionReport:
    """Delete at Recall.ai the MP3s of `day` that are ready and verified. Holds the lock of the day.

    Raises RecallError and StorageError; a second call completes an interrupted deletion.
    """
    report = DeletionReport()
    with archive.lock_day(day):
        candidates = candidates_on(archive, day)
        if not candidates:
            return report
        unchanged, finished = _unchanged(await _listed(client, day, len(candidates)), candidates, report)
        verified = _without_problems(archive, settings, unchanged, day, report, progress)
        audit_rows = {candidate.mp3.audio_id: _deletion_audit_row(candidate, reason) for candidate in verified}
        record_audit(archive, day, audit_rows.values())
        await lookup_many(client.delete_audio_mixed, list(audit_rows))
        record_audit(
            archive, day, (dataclasses.replace(row, finished_at=utc_now()) for row in (*audit_rows.values(), *finished))
        )
    report.mp3s += len(verified)
    report.bytes += sum(candidate.mp3.source_bytes or 0 for candidate in verified)
    return report


async def _listed(client: RecallClient, day: date, candidates: int) -> Upstream:
    listing = await list_days(client, day, day)
    if not listing.recordings and not listing.audio_mixed:
        raise RecallProtocolError(
            f"Recall lists nothing for {day}, of which {candidates} MP3s are archived: nothing is released; "
            "check RECALL_API_KEY and RECALL_REGION, or sync the day"
        )
    return Upstream(client, listing)


def _unchanged(
    upstream: Upstream, candidates: Sequence[Candidate], report: DeletionReport
) -> tuple[list[Candidate], list[AuditRow]]:
    """Return the candidates listed in the archived version, and the unfinished audit rows of those deleted before."""
    listed = {
        audio_id: audio for group in upstream.artifacts_by_recording().values() for audio_id, audio in group.items()
    }
    unchanged, finished = [], []
    for candidate in candidates:
        audio = listed.get(candidate.mp3.audio_id)
        if candidate.unfinished and (audio is None or audio.status.code == DELETED):
            finished.append(candidate.unfinished)
        elif reason := candidate.reason_to_keep(audio):
            report.kept.append(_line(candidate, reason))
        else:
            unchanged.append(candidate)
    return unchanged, finished


def _without_problems(
    archive: Archive,
    settings: Settings,
    candidates: Sequence[Candidate],
    day: date,
    report: DeletionReport,
    progress: StepProgress,
) -> list[Candidate]:
    """Verify every file of the candidates' recordings; return the candidates without problems."""
    recordings = frozenset(candidate.mp3.recording_id for candidate in candidates)
    problems = verify_days(archive, settings, [day], progress, recordings).problems if candidates else []
    of_tables = [problem for problem in problems if problem.recording_id is None]
    by_recording = {problem.recording_id: problem for problem in problems}
    verified = []
    for candidate in candidates:
        problem = of_tables[0] if of_tables else by_recording.get(candidate.mp3.recording_id)
        if problem is None:
            verified.append(candidate)
        else:
            report.kept.append(_line(candidate, f"{problem.subject} {problem.message}"))
    return verified


def _deletion_audit_row(candidate: Candidate, reason: str) -> AuditRow:
    if candidate.unfinished:
        return candidate.unfinished
    mp3 = candidate.mp3
    file = {"key": mp3.source_key, "bytes": mp3.source_bytes, "sha256": mp3.source_sha256}
    return AuditRow(
        action=RELEASED,
        recording_id=mp3.recording_id,
        audio_id=mp3.audio_id,
        bot_id=candidate.bot_id,
        reason=reason,
        began_at=utc_now(),
        files=1,
        bytes=mp3.source_bytes or 0,
        removed=json.dumps([file]),
    )


def _line(candidate: Candidate, reason: str) -> str:
    return f"recording {candidate.mp3.recording_id}, MP3 {candidate.mp3.audio_id}: not released, {reason}"
