"""What turns sound into text: the protocol that every engine fits, and the way through a recording that they share."""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypedDict

if TYPE_CHECKING:
    from recall_pipeline.audio import Segment


class SpokenSegment(TypedDict):
    """Something said, and when, in seconds."""

    start_seconds: float
    end_seconds: float
    text: str


@dataclass(frozen=True, slots=True)
class Model:
    """What transcribes. Another hash is another model: what it has not heard yet is transcribed anew."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class RecognizedSpeech:
    """What was understood, and in which language (ISO 639 code); None when nothing was."""

    language: str | None = None
    segments: list[SpokenSegment] = field(default_factory=list)


class Transcriber(Protocol):
    """An engine: a model on this machine, or a service elsewhere."""

    @property
    def model(self) -> Model:
        """What it transcribes with, known before it is asked to."""

    def transcribe(self, windows: "Iterable[Segment]") -> RecognizedSpeech:
        """Return what is said in a recording, whose windows follow one another and end in silences.

        Times are of the recording, not of the window. Raises AudioError for a recording that cannot be transcribed,
        which leaves the others alone; any other PipelineError ends the run.
        """


def recognize_windows(
    windows: "Iterable[Segment]",
    recognize: "Callable[[Segment, str | None], RecognizedSpeech]",
    language: str | None = None,
) -> RecognizedSpeech:
    """Recognize window by window, each with times of its own; the language heard first is that of the whole."""
    spoken: list[SpokenSegment] = []
    for window in windows:
        heard = recognize(window, language)
        spoken += [_moved(segment, window.start_seconds) for segment in heard.segments]
        language = language or (heard.language if heard.segments else None)
    return RecognizedSpeech(language if spoken else None, spoken)


def wav_of(window: "Segment") -> bytes:
    """Return a window as a WAV file, which is what services take."""
    file = io.BytesIO()
    window.to_audio_segment().export(file, format="wav")
    return file.getvalue()


def _moved(segment: SpokenSegment, seconds: float) -> SpokenSegment:
    return {
        "start_seconds": segment["start_seconds"] + seconds,
        "end_seconds": segment["end_seconds"] + seconds,
        "text": segment["text"],
    }
