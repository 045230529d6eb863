"""Transcribe a day: what is ready and not transcribed yet; what was forgotten goes first."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from recall_pipeline.downstream import CATALOG, Archive, ArchivedRecording, AudioError, Outcome, StorageError, utc_now
from recall_transcripts.rows import TranscriptRow
from recall_transcripts.table import DayTable
from recall_transcripts.transcriber import Transcriber

Told = Callable[[TranscriptRow], object]
"""Told of each transcript when it is published."""


@dataclass(frozen=True, slots=True)
class Transcribed:
    """A day's transcripts as they were published, those made just now, and why some could not be, by recording."""

    rows: Sequence[TranscriptRow]
    anew: Sequence[TranscriptRow]
    failures: Mapping[str, str]


def transcribe_recordings(
    archive: Archive,
    day: date,
    cataloged: Iterable[ArchivedRecording],
    open_transcriber: Callable[[], Transcriber],
    told: Told = lambda _: None,
) -> Transcribed:
    """Bring the day's transcripts up to date with the catalog; the engine is opened when something is ready.

    A recording that cannot be read or heard leaves the others alone and is tried again by the next run.
    Raises TableMissing for a day without a catalog, whose transcripts stay, and the PipelineError of an engine that
    cannot work at all.
    """
    with archive.exclusive_lock(f"transcripts-{day.isoformat()}"):
        CATALOG.require(archive, day)
        recordings = list(cataloged)
        table = DayTable(archive, day, recordings)
        ready = [recording for recording in recordings if recording.row.outcome == Outcome.READY]
        anew, failures = _transcribe(table, ready, open_transcriber(), told) if ready else ([], {})
        return Transcribed(table.rows, anew, failures)


def _transcribe(
    table: DayTable, ready: Iterable[ArchivedRecording], transcriber: Transcriber, told: Told
) -> tuple[list[TranscriptRow], dict[str, str]]:
    anew: list[TranscriptRow] = []
    failures: dict[str, str] = {}
    for recording in ready:
        if table.is_settled(recording, transcriber.model):
            continue
        same = table.known(recording.row.audio_sha256, transcriber.model)
        if same is not None:
            table.put(replace(same, recording_id=recording.row.recording_id, audio_id=recording.row.key))
            continue
        try:
            anew.append(_transcript_row(recording, transcriber))
        except (AudioError, StorageError) as fault:
            failures[recording.row.recording_id] = str(fault)
        else:
            table.put(anew[-1])
            told(anew[-1])
    return anew, failures


def _transcript_row(recording: ArchivedRecording, transcriber: Transcriber) -> TranscriptRow:
    from recall_pipeline.audio import segments

    row = recording.row
    begun = time.perf_counter()
    with recording.local_path() as path:
        heard = transcriber.transcribe(segments(path))
    text = "\n".join(segment["text"] for segment in heard.segments)
    return TranscriptRow(
        recording_id=row.recording_id,
        audio_id=row.key,
        audio_sha256=row.audio_sha256 or "",
        audio_seconds=recording.audio_seconds,
        language=heard.language,
        text=text,
        segments=heard.segments,
        word_count=len(text.split()),
        model=transcriber.model.name,
        model_sha256=transcriber.model.sha256,
        transcribing_seconds=time.perf_counter() - begun,
        transcribed_at=utc_now(),
    )
