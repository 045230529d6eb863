"""The table `transcripts`: one row per transcribed recording."""

from dataclasses import dataclass
from datetime import datetime

from recall_pipeline.downstream import Table, column
from recall_transcripts.transcriber import SpokenSegment


@dataclass(frozen=True, slots=True)
class TranscriptRow:
    """The transcript of a recording, with the hashes of its audio and of the model."""

    recording_id: str = column("Recall's id of the recording")
    audio_id: str = column("Recall's id of the MP3; with the day, the row of audio_catalog")
    audio_sha256: str = column("SHA-256 of the normalized file that was transcribed, hex")
    audio_seconds: float = column("Duration of that file, seconds")
    language: str | None = column("Spoken language, ISO 639 code; null if no speech was recognized")
    text: str = column("The whole text, one line per segment")
    segments: list[SpokenSegment] = column(
        "The segments of the text with times, seconds from the start of the recording"
    )
    word_count: int = column("Number of words in the text")
    model: str = column("Name of the model")
    model_sha256: str = column("SHA-256 of the model's weights, hex")
    transcribing_seconds: float = column("Time that transcribing took, seconds")
    transcribed_at: datetime = column("Time of transcription, UTC")


TRANSCRIPTS = Table("transcripts", TranscriptRow)
