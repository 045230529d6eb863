"""Delete MP3s of a day at Recall.ai: compare with a fresh listing, verify, write audit rows, delete."""

from datetime import date

from recall_pipeline.audit import record_audit
from recall_pipeline.errors import RecallProtocolError
from recall_pipeline.progress import StepProgress
from recall_pipeline.recall_api import RecallClient, Upstream, list_days
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, mismatch
from recall_pipeline.upstream_deletion.audit_rows import deletion_audit_row, finish_audit_row
from recall_pipeline.upstream_deletion.candidates import Candidate, candidates_on
from recall_pipeline.upstream_deletion.report import DeletionReport
from recall_pipeline.upstream_deletion.selection import unchanged_upstream, without_problems


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
            unchanged = await unchanged_upstream(upstream, archive, day, candidates, report)
            for candidate in without_problems(archive, settings, unchanged, day, report, progress):
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


async def _delete(
    client: RecallClient, archive: Archive, day: date, candidate: Candidate, reason: str, report: DeletionReport
) -> None:
    """Delete one MP3 unless it, its row or its file has changed since it was verified."""
    mp3 = candidate.mp3
    audio = await client.audio_mixed_by_id(mp3.audio_id)
    reason_to_keep = candidate.reason_to_keep(audio) if audio else "it is already gone at Recall"
    if reason_to_keep := reason_to_keep or _change(archive, day, candidate):
        report.keep(candidate, reason_to_keep)
        return
    audit_row = deletion_audit_row(candidate, reason)
    record_audit(archive, day, [audit_row])
    await client.delete_audio_mixed(mp3.audio_id)
    finish_audit_row(archive, day, audit_row)
    report.mp3s += 1
    report.bytes += mp3.source_bytes or 0


def _change(archive: Archive, day: date, candidate: Candidate) -> str | None:
    """Return what has changed in the archive since the file was verified; None if nothing has."""
    current = candidates_on(archive, day, candidate.mp3.audio_id)
    if not any(found.is_ready for found in current):
        return "it is no longer ready"
    if candidate.mp3 not in [found.mp3 for found in current]:
        return "its row has changed since its file was verified"
    key = candidate.mp3.source_key or ""
    changed = mismatch(archive, key, candidate.mp3.source_bytes, None)
    return f"{key} {changed}" if changed else None
