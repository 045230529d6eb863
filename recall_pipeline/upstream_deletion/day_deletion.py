"""Delete MP3s of a day at Recall.ai: compare with a fresh listing, verify, write audit rows, delete."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from recall_pipeline.audit import RELEASED, AuditRow, record_audit
from recall_pipeline.days import utc_now
from recall_pipeline.errors import RecallProtocolError
from recall_pipeline.progress import StepProgress
from recall_pipeline.recall_api import DELETED, AudioMixed, RecallClient, Upstream, list_days
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, mismatch
from recall_pipeline.upstream_deletion.candidates import Candidate, candidates_on
from recall_pipeline.verification import verify_days


@dataclass(slots=True)
class DeletionReport:
    """Counts of MP3s and bytes deleted at Recall.ai, and a line for each MP3 that was kept."""

    mp3s: int = 0
    bytes: int = 0
    kept: list[str] = field(default_factory=list)


async def delete_day(
    client: RecallClient,
    archive: Archive,
    settings: Settings,
    day: date,
    reason: str,
    progress: StepProgress,
    report: DeletionReport | None = None,
) -> DeletionReport:
    """Delete at Recall.ai the MP3s of `day` that are ready and verified. Holds the lock of the day.

    Adds to `report`, which also counts deletions before an error. Raises RecallError and StorageError; a second call
    completes an interrupted deletion.
    """
    report = DeletionReport() if report is None else report
    with archive.lock_day(day):
        if candidates := candidates_on(archive, day):
            upstream = await _listed(client, day, len(candidates))
            unchanged = await _unchanged(upstream, archive, day, candidates, report)
            for candidate in _without_problems(archive, settings, unchanged, day, report, progress):
                await _delete(client, archive, day, candidate, reason, report)
    return report


async def _listed(client: RecallClient, day: date, candidates: int) -> Upstream:
    listing = await list_days(client, day, day)
    if not listing.recordings and not listing.audio_mixed:
        raise RecallProtocolError(
            f"Recall lists nothing for {day}, of which {candidates} MP3s are archived: nothing is released; "
            "check RECALL_API_KEY and RECALL_REGION, or sync the day"
        )
    return Upstream(client, listing)


async def _unchanged(
    upstream: Upstream, archive: Archive, day: date, candidates: Sequence[Candidate], report: DeletionReport
) -> list[Candidate]:
    """Return the candidates listed in the archived version; finish the audit rows of those deleted before."""
    groups = upstream.artifacts_by_recording()
    listed = {audio_id: audio for group in groups.values() for audio_id, audio in group.items()}
    unchanged = []
    for candidate in candidates:
        audio_id = candidate.mp3.audio_id
        audio = listed.get(audio_id)
        if (
            candidate.unfinished
            and _is_gone_upstream(audio)
            and _is_gone_upstream(await upstream.client.audio_mixed_by_id(audio_id))
        ):
            _finish(archive, day, candidate.unfinished)
        elif reason := candidate.reason_to_keep(audio) or _other_recording(groups, candidate):
            report.kept.append(_line(candidate, reason))
        else:
            unchanged.append(candidate)
    return unchanged


def _other_recording(groups: Mapping[str, Mapping[str, AudioMixed]], candidate: Candidate) -> str | None:
    """Return a reason to keep if Recall lists the MP3 for another recording, also or only; else None."""
    owners = [recording_id for recording_id, group in groups.items() if candidate.mp3.audio_id in group]
    others = [recording_id for recording_id in owners if recording_id != candidate.mp3.recording_id]
    return f"it belongs to recording {others[0]} at Recall" if others else None


def _is_gone_upstream(audio: AudioMixed | None) -> bool:
    return audio is None or audio.status.code == DELETED


async def _delete(
    client: RecallClient, archive: Archive, day: date, candidate: Candidate, reason: str, report: DeletionReport
) -> None:
    """Delete one MP3 unless it, its row or its file has changed since it was verified."""
    mp3 = candidate.mp3
    audio = await client.audio_mixed_by_id(mp3.audio_id)
    reason_to_keep = candidate.reason_to_keep(audio) if audio else "it is already gone at Recall"
    if reason_to_keep := reason_to_keep or _change(archive, day, candidate):
        report.kept.append(_line(candidate, reason_to_keep))
        return
    audit_row = _deletion_audit_row(candidate, reason)
    record_audit(archive, day, [audit_row])
    await client.delete_audio_mixed(mp3.audio_id)
    _finish(archive, day, audit_row)
    report.mp3s += 1
    report.bytes += mp3.source_bytes or 0


def _change(archive: Archive, day: date, candidate: Candidate) -> str | None:
    """Return what has changed in the archive since the file was verified; None if nothing has."""
    current = [found for found in candidates_on(archive, day) if found.mp3.audio_id == candidate.mp3.audio_id]
    if not any(found.is_ready for found in current):
        return "it is no longer ready"
    if candidate.mp3 not in [found.mp3 for found in current]:
        return "its row has changed since its file was verified"
    key = candidate.mp3.source_key or ""
    changed = mismatch(archive, key, candidate.mp3.source_bytes, None)
    return f"{key} {changed}" if changed else None


def _finish(archive: Archive, day: date, audit_row: AuditRow) -> None:
    record_audit(archive, day, [dataclasses.replace(audit_row, finished_at=utc_now())])


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
