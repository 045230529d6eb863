"""The transcripts of a day as they are on file: which are of the present bytes, and which have to go."""

from collections.abc import Sequence
from datetime import date

from recall_pipeline.downstream import Archive, ArchivedRecording, Outcome
from recall_transcripts.erasure import note_begun, note_finished
from recall_transcripts.rows import TRANSCRIPTS, TranscriptRow
from recall_transcripts.transcriber import Model


def is_kept(outcome: str) -> bool:
    """Say whether a transcript stays when its recording has come to this outcome."""
    return outcome != Outcome.FORGOTTEN


class DayTable:
    """The table of a day, published at every change: what is done is kept, however the run ends."""

    def __init__(self, archive: Archive, day: date, cataloged: Sequence[ArchivedRecording]) -> None:
        self._archive, self._day = archive, day
        self._order = [recording.row.key for recording in cataloged if is_kept(recording.row.outcome)]
        kept = set(self._order)
        stored = TRANSCRIPTS.read(archive, day)
        self._rows = {row.audio_id: row for row in stored or [] if row.audio_id in kept}
        if let_go := [row for row in stored or [] if row.audio_id not in kept]:
            note_begun(archive, day, let_go)
        if stored is None or len(stored) != len(self._rows):
            self._publish()
        note_finished(archive, day, self._rows)

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
