"""Speech recognition: the protocol of an engine, and helpers that engines share."""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypedDict

if TYPE_CHECKING:
    from recall_pipeline.audio import Segment


class SpokenSegment(TypedDict):
    """A piece of text with its start and end, in seconds."""

    start_seconds: float
    end_seconds: float
    text: str


@dataclass(frozen=True, slots=True)
class Model:
    """Identity of a model. A changed hash means a new model, which transcribes all audio again."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class RecognizedSpeech:
    """Recognized segments, and their language (ISO 639 code); None if no speech was recognized."""

    language: str | None = None
    segments: list[SpokenSegment] = field(default_factory=list)


class Transcriber(Protocol):
    """An engine: a model on this machine, or a remote service."""

    @property
    def model(self) -> Model:
        """The model in use, available before any transcription."""

    def transcribe(self, windows: "Iterable[Segment]") -> RecognizedSpeech:
        """Return the speech in a recording, given as consecutive windows that end in silences.

        Times are relative to the recording, not to the window. Raises AudioError if this recording cannot be
        transcribed; the others still are. Any other PipelineError ends the run.
        """


def recognize_windows(
    windows: "Iterable[Segment]",
    recognize: "Callable[[Segment, str | None], RecognizedSpeech]",
    language: str | None = None,
) -> RecognizedSpeech:
    """Recognize each window and shift its times. The first recognized language is used for the rest."""
    spoken: list[SpokenSegment] = []
    for window in windows:
        speech = recognize(window, language)
        spoken += [_shifted(segment, window.start_seconds) for segment in speech.segments]
        language = language or (speech.language if speech.segments else None)
    return RecognizedSpeech(language if spoken else None, spoken)


def wav_of(window: "Segment") -> bytes:
    """Return a window as a WAV file, the usual input of a service."""
    file = io.BytesIO()
    window.to_audio_segment().export(file, format="wav")
    return file.getvalue()


def _shifted(segment: SpokenSegment, offset_seconds: float) -> SpokenSegment:
    return {
        "start_seconds": segment["start_seconds"] + offset_seconds,
        "end_seconds": segment["end_seconds"] + offset_seconds,
        "text": segment["text"],
    }
