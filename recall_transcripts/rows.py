"""The table `transcripts`: one row for each recording that was transcribed."""

from dataclasses import dataclass
from datetime import datetime

from recall_pipeline.downstream import Table, column
from recall_transcripts.transcriber import SpokenSegment


@dataclass(frozen=True, slots=True)
class TranscriptRow:
    """What is said in a recording, and by which bytes and which model one knows."""

    recording_id: str = column("Recall's id of the recording")
    audio_id: str = column("Recall's id of the MP3; with the day, the row of audio_catalog")
    audio_sha256: str = column("SHA-256 of the normalized file that was transcribed, hex")
    audio_seconds: float = column("Its length, seconds")
    language: str | None = column("What is spoken, ISO 639 code; null when nothing was understood")
    text: str = column("All that is said, a line for each segment")
    segments: list[SpokenSegment] = column("The same with times, seconds from the start of the recording")
    word_count: int = column("Words in the text")
    model: str = column("What transcribed it")
    model_sha256: str = column("SHA-256 of its weights, hex")
    transcribing_seconds: float = column("How long that took, seconds")
    transcribed_at: datetime = column("When it was transcribed, UTC")


TRANSCRIPTS = Table("transcripts", TranscriptRow)
