"""Release a day's MP3s: hold them against a fresh listing, prove them, write them down, delete them at Recall."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from recall_pipeline.audit import RELEASED, AuditRow, record_audit
from recall_pipeline.days import utc_now
from recall_pipeline.errors import RecallProtocolError
from recall_pipeline.progress import StepProgress
from recall_pipeline.recall_api import DELETED, AudioMixed, Listing, RecallClient, list_days
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, mismatch
from recall_pipeline.upstream_deletion.candidates import Candidate, candidates_on
from recall_pipeline.verification import verify_days


@dataclass(slots=True)
class DeletionReport:
    """What was deleted at Recall, and a line for each MP3 that was not."""

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
    """Delete at Recall what of `day` is ready and verified; a sync of the day waits meanwhile.

    Adds to `report`, which counts what was deleted before an error too. Raises RecallError, and StorageError; the same
    again goes on where that stopped.
    """
    report = DeletionReport() if report is None else report
    with archive.lock_day(day):
        if candidates := candidates_on(archive, day):
            listing = await _listed(client, day, len(candidates))
            agreed = await _agreed(client, archive, day, listing, candidates, report)
            for candidate in _proven(archive, settings, agreed, day, report, progress):
                await _delete(client, archive, day, candidate, reason, report)
    return report


async def _listed(client: RecallClient, day: date, candidates: int) -> Listing:
    listing = await list_days(client, day, day)
    if not listing.recordings and not listing.audio_mixed:
        raise RecallProtocolError(
            f"Recall lists nothing for {day}, of which {candidates} MP3s are archived: nothing is released; "
            "check RECALL_API_KEY and RECALL_REGION, or sync the day"
        )
    return listing


async def _agreed(
    client: RecallClient,
    archive: Archive,
    day: date,
    listing: Listing,
    candidates: Sequence[Candidate],
    released: DeletionReport,
) -> list[Candidate]:
    """Return those of which Recall lists the version that is archived; finish what an earlier try has deleted."""
    groups = listing.artifacts_by_recording()
    shown = {audio_id: audio for group in groups.values() for audio_id, audio in group.items()}
    agreed = []
    for candidate in candidates:
        audio = shown.get(candidate.mp3.audio_id)
        if candidate.begun and _is_gone(audio) and _is_gone(await client.audio_mixed_by_id(candidate.mp3.audio_id)):
            _finish(archive, day, candidate.begun)
        elif objection := candidate.objection(audio) or _other_recording(groups, candidate):
            released.kept.append(_line(candidate, objection))
        else:
            agreed.append(candidate)
    return agreed


def _other_recording(groups: Mapping[str, Mapping[str, AudioMixed]], candidate: Candidate) -> str | None:
    """Return that Recall lists the MP3 with another recording, be it as well; None when it does not."""
    owners = [recording_id for recording_id, group in groups.items() if candidate.mp3.audio_id in group]
    others = [recording_id for recording_id in owners if recording_id != candidate.mp3.recording_id]
    return f"it belongs to recording {others[0]} at Recall" if others else None


def _is_gone(shown: AudioMixed | None) -> bool:
    return shown is None or shown.status.code == DELETED


async def _delete(
    client: RecallClient, archive: Archive, day: date, candidate: Candidate, reason: str, released: DeletionReport
) -> None:
    """Delete one MP3 unless it, its row or its file has changed since it was verified."""
    mp3 = candidate.mp3
    shown = await client.audio_mixed_by_id(mp3.audio_id)
    objection = candidate.objection(shown) if shown else "it is already gone at Recall"
    if objection := objection or _change(archive, day, candidate):
        released.kept.append(_line(candidate, objection))
        return
    note = _noted(candidate, reason)
    record_audit(archive, day, [note])
    await client.delete_audio_mixed(mp3.audio_id)
    _finish(archive, day, note)
    released.mp3s += 1
    released.bytes += mp3.source_bytes or 0


def _change(archive: Archive, day: date, candidate: Candidate) -> str | None:
    """Return what has changed in the archive since the file was verified; None when nothing has."""
    found = [one for one in candidates_on(archive, day) if one.mp3.audio_id == candidate.mp3.audio_id]
    if not any(one.is_ready for one in found):
        return "it is no longer ready"
    if candidate.mp3 not in [one.mp3 for one in found]:
        return "its row has changed since its file was verified"
    key = candidate.mp3.source_key or ""
    changed = mismatch(archive, key, candidate.mp3.source_bytes, None)
    return f"{key} {changed}" if changed else None


def _finish(archive: Archive, day: date, note: AuditRow) -> None:
    record_audit(archive, day, [dataclasses.replace(note, finished_at=utc_now())])


def _proven(
    archive: Archive,
    settings: Settings,
    candidates: Sequence[Candidate],
    day: date,
    released: DeletionReport,
    progress: StepProgress,
) -> list[Candidate]:
    """Read back every file of these recordings, and return those with nothing wrong."""
    recordings = frozenset(one.mp3.recording_id for one in candidates)
    problems = verify_days(archive, settings, [day], progress, recordings).problems if candidates else []
    of_the_day = [problem for problem in problems if problem.recording_id is None]
    wrong = {problem.recording_id: problem for problem in problems}
    proven = []
    for candidate in candidates:
        problem = of_the_day[0] if of_the_day else wrong.get(candidate.mp3.recording_id)
        if problem is None:
            proven.append(candidate)
        else:
            released.kept.append(_line(candidate, f"{problem.what} {problem.says}"))
    return proven


def _noted(candidate: Candidate, reason: str) -> AuditRow:
    if candidate.begun:
        return candidate.begun
    mp3 = candidate.mp3
    proof = {"key": mp3.source_key, "bytes": mp3.source_bytes, "sha256": mp3.source_sha256}
    return AuditRow(
        action=RELEASED,
        recording_id=mp3.recording_id,
        audio_id=mp3.audio_id,
        bot_id=candidate.bot_id,
        reason=reason,
        began_at=utc_now(),
        files=1,
        bytes=mp3.source_bytes or 0,
        removed=json.dumps([proof]),
    )


def _line(candidate: Candidate, why: str) -> str:
    return f"recording {candidate.mp3.recording_id}, MP3 {candidate.mp3.audio_id}: not released, {why}"
