"""Which candidates may be deleted now: listed in the archived version, and verified again."""

from collections.abc import Mapping, Sequence
from datetime import date

from recall_pipeline.progress import StepProgress
from recall_pipeline.recall_api import DELETED, AudioMixed, Upstream
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive
from recall_pipeline.upstream_deletion.audit_rows import finish_audit_row
from recall_pipeline.upstream_deletion.candidates import Candidate
from recall_pipeline.upstream_deletion.report import DeletionReport
from recall_pipeline.verification import verify_days


async def unchanged_upstream(
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
            finish_audit_row(archive, day, candidate.unfinished)
        elif reason := candidate.reason_to_keep(audio) or _other_recording(groups, candidate):
            report.keep(candidate, reason)
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


def without_problems(
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
            report.keep(candidate, f"{problem.subject} {problem.message}")
    return verified
