"""Release a day's MP3s: hold them against a fresh listing, prove them, write them down, delete them at Recall."""

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
    """What was deleted at Recall, and a line for each MP3 that was not."""

    mp3s: int = 0
    bytes: int = 0
    kept: list[str] = field(default_factory=list)


async def delete_day(
    client: RecallClient, archive: Archive, settings: Settings, day: date, reason: str, progress: StepProgress
) -> DeletionReport:
    """Delete at Recall what of `day` is ready and proven; a sync of the day waits meanwhile.

    Raises RecallError, and StorageError; the same again goes on where that stopped.
    """
    released = DeletionReport()
    with archive.lock_day(day):
        candidates = candidates_on(archive, day)
        if not candidates:
            return released
        agreed, ended = _agreed(await _listed(client, day, len(candidates)), candidates, released)
        proven = _proven(archive, settings, agreed, day, released, progress)
        notes = {one.mp3.audio_id: _noted(one, reason) for one in proven}
        record_audit(archive, day, notes.values())
        await lookup_many(client.delete_audio_mixed, list(notes))
        record_audit(
            archive, day, (dataclasses.replace(row, finished_at=utc_now()) for row in (*notes.values(), *ended))
        )
    released.mp3s += len(proven)
    released.bytes += sum(one.mp3.source_bytes or 0 for one in proven)
    return released


async def _listed(client: RecallClient, day: date, candidates: int) -> Upstream:
    listing = await list_days(client, day, day)
    if not listing.recordings and not listing.audio_mixed:
        raise RecallProtocolError(
            f"Recall lists nothing for {day}, of which {candidates} MP3s are archived: nothing is released; "
            "check RECALL_API_KEY and RECALL_REGION, or sync the day"
        )
    return Upstream(client, listing)


def _agreed(
    upstream: Upstream, candidates: Sequence[Candidate], released: DeletionReport
) -> tuple[list[Candidate], list[AuditRow]]:
    """Return those of which Recall shows the version that is archived, and the notes of those deleted before."""
    shown = {
        audio_id: audio for group in upstream.artifacts_by_recording().values() for audio_id, audio in group.items()
    }
    agreed, ended = [], []
    for candidate in candidates:
        audio = shown.get(candidate.mp3.audio_id)
        if candidate.begun and (audio is None or audio.status.code == DELETED):
            ended.append(candidate.begun)
        elif objection := candidate.objection(audio):
            released.kept.append(_line(candidate, objection))
        else:
            agreed.append(candidate)
    return agreed, ended


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
