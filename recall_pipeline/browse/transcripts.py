"""The columns of `transcripts` that the page reads. Another package writes the table (docs/downstream.md)."""

from dataclasses import dataclass
from typing import TypedDict

from recall_pipeline.storage import Table, column


class TranscriptLine(TypedDict):
    """A segment of a transcript, with its times in seconds from the start of the recording."""

    start_seconds: float
    end_seconds: float
    text: str


@dataclass(frozen=True, slots=True)
class TranscriptText:
    """The transcript of one normalized file."""

    recording_id: str = column("Recall's id of the recording")
    audio_id: str | None = column("Recall's id of the MP3; for a recording without, that of the recording")
    audio_sha256: str | None = column("SHA-256 of the normalized file that was transcribed, hex")
    language: str | None = column("Spoken language, ISO 639 code")
    model: str | None = column("Name of the model")
    segments: list[TranscriptLine] | None = column("The segments of the text with times")


TRANSCRIPT_TEXTS = Table("transcripts", TranscriptText)
