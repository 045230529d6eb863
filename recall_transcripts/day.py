"""Transcribe a day: what is ready and not transcribed yet; what was forgotten goes first."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from recall_pipeline.catalog import ArchivedRecording
from recall_pipeline.days import utc_now
from recall_pipeline.errors import AudioError, StorageError
from recall_pipeline.storage import Archive
from recall_transcripts.rows import TRANSCRIPTS, TranscriptRow
from recall_transcripts.transcriber import Model, Transcriber

Read = Callable[[date], Iterable[ArchivedRecording]]
"""Gives the recordings of a day, whatever their outcome."""


@dataclass(frozen=True, slots=True)
class Transcribed:
    """A day's transcripts as they were published, those made just now, and why some could not be, by recording."""

    rows: Sequence[TranscriptRow]
    anew: Sequence[TranscriptRow]
    failures: Mapping[str, str]


class _Day:
    """The table of a day, published at every change: what is done is kept, however the run ends."""

    def __init__(self, archive: Archive, day: date, cataloged: Sequence[ArchivedRecording]) -> None:
        self._archive, self._day = archive, day
        self._order = [recording.row.key for recording in cataloged if is_kept(recording.row.outcome)]
        stored = TRANSCRIPTS.read(archive, day)
        self._rows = {row.audio_id: row for row in stored or [] if row.audio_id in self._order}
        if stored is None or len(stored) != len(self._rows):
            self._publish()

    @property
    def rows(self) -> list[TranscriptRow]:
        """The rows, in the catalog's order."""
        return [self._rows[key] for key in self._order if key in self._rows]

    def known(self, audio_sha256: str | None, model: Model) -> TranscriptRow | None:
        """Return what this model made of the same bytes, under whatever name."""
        heard = (row for row in self._rows.values() if row.model_sha256 == model.sha256)
        return next((row for row in heard if row.audio_sha256 == audio_sha256), None)

    def put(self, row: TranscriptRow) -> None:
        """Publish a row in place of the one of its name."""
        self._rows[row.audio_id] = row
        self._publish()

    def is_settled(self, recording: ArchivedRecording, model: Model) -> bool:
        """Say whether the recording's transcript is of its present bytes and this model."""
        row = self._rows.get(recording.row.key)
        return row is not None and (row.audio_sha256, row.model_sha256) == (recording.row.audio_sha256, model.sha256)

    def _publish(self) -> None:
        TRANSCRIPTS.write(self._archive, self._day, self.rows)


def is_kept(outcome: str) -> bool:
    """Say whether a transcript stays when its recording has come to this outcome."""
    return outcome != "forgotten"


def transcribe_day(
    archive: Archive, day: date, cataloged: Iterable[ArchivedRecording], open_transcriber: Callable[[], Transcriber]
) -> Transcribed:
    """Bring the day's transcripts up to date with the catalog; the engine is opened when something is ready.

    A recording that cannot be read or heard leaves the others alone and is tried again by the next run.
    Raises the PipelineError of an engine that cannot work at all.
    """
    recordings = list(cataloged)
    with archive.one_at_a_time(f"transcripts-{day.isoformat()}"):
        table = _Day(archive, day, recordings)
        ready = [recording for recording in recordings if recording.row.outcome == "ready"]
        anew, failures = _transcribe(table, ready, open_transcriber()) if ready else ([], {})
        return Transcribed(table.rows, anew, failures)


def _transcribe(
    table: _Day, ready: Iterable[ArchivedRecording], transcriber: Transcriber
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
            anew.append(_row(recording, transcriber))
        except (AudioError, StorageError) as fault:
            failures[recording.row.recording_id] = str(fault)
        else:
            table.put(anew[-1])
    return anew, failures


def _row(recording: ArchivedRecording, transcriber: Transcriber) -> TranscriptRow:
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
        audio_seconds=(row.audio_samples or 0) / (row.audio_sample_rate_hz or 1),
        language=heard.language,
        text=text,
        segments=heard.segments,
        word_count=len(text.split()),
        model=transcriber.model.name,
        model_sha256=transcriber.model.sha256,
        transcribing_seconds=round(time.perf_counter() - begun, 3),
        transcribed_at=utc_now(),
    )
