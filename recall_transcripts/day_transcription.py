"""Transcribe the recordings of a day that are ready and not transcribed yet; erase those of erased recordings first."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from recall_pipeline.downstream import CATALOG, Archive, ArchivedRecording, AudioError, Outcome, StorageError, utc_now
from recall_transcripts.rows import TranscriptRow
from recall_transcripts.table import DayTable
from recall_transcripts.transcriber import Transcriber

TranscriptCallback = Callable[[TranscriptRow], object]
"""Called with each new transcript."""


@dataclass(frozen=True, slots=True)
class Transcribed:
    """A day's published transcripts, the new ones among them, and the reasons for failures by recording id."""

    rows: Sequence[TranscriptRow]
    new_rows: Sequence[TranscriptRow]
    failures: Mapping[str, str]


def transcribe_recordings(
    archive: Archive,
    day: date,
    cataloged: Iterable[ArchivedRecording],
    open_transcriber: Callable[[], Transcriber],
    on_transcript: TranscriptCallback = lambda _: None,
) -> Transcribed:
    """Update the day's transcripts to match the catalog. The engine is opened only if a recording is ready.

    A recording that cannot be read or transcribed is in `failures`; the next run retries it. Raises TableMissing for a
    day without a catalog, whose transcripts stay; UsageError or SettingsError if the engine cannot be opened;
    StorageError if the table cannot be read or written.
    """
    with archive.exclusive_lock(f"transcripts-{day.isoformat()}"):
        if not archive.exists(CATALOG.key(day)):
            raise CATALOG.missing(archive, day)
        recordings = list(cataloged)
        table = DayTable(archive, day, recordings)
        ready = [recording for recording in recordings if recording.row.outcome == Outcome.READY]
        try:
            new_rows, failures = _transcribe(table, ready, open_transcriber(), on_transcript) if ready else ([], {})
        finally:
            table.flush()
        return Transcribed(table.rows, new_rows, failures)


def _transcribe(
    table: DayTable, ready: Iterable[ArchivedRecording], transcriber: Transcriber, on_transcript: TranscriptCallback
) -> tuple[list[TranscriptRow], dict[str, str]]:
    new_rows: list[TranscriptRow] = []
    failures: dict[str, str] = {}
    for recording in ready:
        if table.is_current(recording, transcriber.model):
            continue
        same = table.find(recording.row.audio_sha256, transcriber.model)
        if same is not None:
            table.put(replace(same, recording_id=recording.row.recording_id, audio_id=recording.row.key))
            continue
        try:
            new_rows.append(_transcript_row(recording, transcriber))
        except (AudioError, StorageError) as error:
            failures[recording.row.recording_id] = str(error)
        else:
            table.put(new_rows[-1])
            on_transcript(new_rows[-1])
    return new_rows, failures


def _transcript_row(recording: ArchivedRecording, transcriber: Transcriber) -> TranscriptRow:
    from recall_pipeline.audio import segments

    row = recording.row
    start = time.perf_counter()
    with recording.local_path() as path:
        speech = transcriber.transcribe(segments(path))
    text = "\n".join(segment["text"] for segment in speech.segments)
    return TranscriptRow(
        recording_id=row.recording_id,
        audio_id=row.key,
        audio_sha256=row.audio_sha256 or "",
        audio_seconds=recording.audio_seconds,
        language=speech.language,
        text=text,
        segments=speech.segments,
        word_count=len(text.split()),
        model=transcriber.model.name,
        model_sha256=transcriber.model.sha256,
        transcribing_seconds=time.perf_counter() - start,
        transcribed_at=utc_now(),
    )
