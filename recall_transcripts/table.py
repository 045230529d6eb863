"""The stored transcripts of a day: finds those that are current, erases those of erased recordings."""

import time
from collections.abc import Sequence
from datetime import date

from recall_pipeline.downstream import Archive, ArchivedRecording, Outcome
from recall_transcripts.erasure import record_erasures_begun, record_erasures_finished
from recall_transcripts.rows import TRANSCRIPTS, TranscriptRow
from recall_transcripts.transcriber import Model

CHECKPOINT_SECONDS = 30


def is_kept(outcome: str) -> bool:
    """Return whether a recording with this outcome keeps its transcript."""
    return outcome != Outcome.FORGOTTEN


class DayTable:
    """The transcripts table of a day. Erasures are published at once, new rows twice a minute and by `flush`.

    A table per row would write a long day many times over; a run that is killed loses half a minute of new rows.
    """

    def __init__(self, archive: Archive, day: date, cataloged: Sequence[ArchivedRecording]) -> None:
        self._archive, self._day = archive, day
        self._order = [recording.row.key for recording in cataloged if is_kept(recording.row.outcome)]
        kept = set(self._order)
        stored = TRANSCRIPTS.read(archive, day)
        self._rows = {row.audio_id: row for row in stored or [] if row.audio_id in kept}
        if erased := [row for row in stored or [] if row.audio_id not in kept]:
            record_erasures_begun(archive, day, erased)
        if stored is None or len(stored) != len(self._rows):
            self._publish()
        self._published_at, self._is_changed = time.monotonic(), False
        record_erasures_finished(archive, day, self._rows)

    @property
    def rows(self) -> list[TranscriptRow]:
        """All rows, in the order of the catalog."""
        return [self._rows[key] for key in self._order if key in self._rows]

    def find(self, audio_sha256: str | None, model: Model) -> TranscriptRow | None:
        """Return a transcript of the same audio by the same model, of any recording of the day, or None."""
        same_model = (row for row in self._rows.values() if row.model_sha256 == model.sha256)
        return next((row for row in same_model if row.audio_sha256 == audio_sha256), None)

    def put(self, row: TranscriptRow) -> None:
        """Add or replace the row of its MP3; publish the table twice a minute. Raises StorageError."""
        self._rows[row.audio_id] = row
        self._is_changed = True
        if time.monotonic() - self._published_at >= CHECKPOINT_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Publish rows that are not published yet. Raises StorageError."""
        if self._is_changed:
            self._publish()
            self._published_at, self._is_changed = time.monotonic(), False

    def is_current(self, recording: ArchivedRecording, model: Model) -> bool:
        """Return whether the recording has a transcript of its current audio by this model."""
        row = self._rows.get(recording.row.key)
        return row is not None and (row.audio_sha256, row.model_sha256) == (recording.row.audio_sha256, model.sha256)

    def _publish(self) -> None:
        TRANSCRIPTS.write(self._archive, self._day, self.rows)
