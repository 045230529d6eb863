"""Cataloged recordings made of the sandbox's clips, and a deterministic test engine."""

import hashlib
from collections.abc import Iterable
from datetime import date

import numpy as np
import soundfile

from recall_pipeline.audio import Segment
from recall_pipeline.catalog import CatalogRow
from recall_pipeline.errors import NotAudio
from recall_pipeline.storage import Archive, Layout
from recall_pipeline_tests.audio.sounds import Sound, speech
from recall_pipeline_tests.workspace import DAY, NINE, an_id
from recall_transcripts.transcriber import Model, RecognizedSpeech, recognize_windows

RATE_HZ = 16_000
SILENCE: Sound = np.zeros((5 * RATE_HZ, 1))


def publish_recording(
    archive: Archive, name: str, *clips: str, day: date = DAY, version: str | None = None
) -> CatalogRow:
    """Publish a recording of `clips`, or of silence, and return its row. `version` makes a second key for it."""
    key = Layout.normalized(day, an_id(name), an_id(f"{name} mp3"), "flac", version)
    sound = speech(clips) if clips else SILENCE
    with archive.staged_file(suffix=".flac") as file:
        soundfile.write(file, sound, RATE_HZ)
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        archive.publish(file, key)
    return CatalogRow(
        recording_id=an_id(name), audio_id=an_id(f"{name} mp3"), outcome="ready", created_at=NINE,
        audio_uri=archive.uri(key), audio_sha256=sha256, audio_format="flac",
        audio_samples=len(sound), audio_sample_rate_hz=RATE_HZ, audio_channels=1,
    )  # fmt: skip


class TestEngine:
    """Recognizes one word per window, the hash of its samples, and none in silence. Counts its calls."""

    __test__ = False

    def __init__(self, version: str = "1", fails_on: frozenset[str] = frozenset()) -> None:
        self.model = Model(f"test engine {version}", hashlib.sha256(version.encode()).hexdigest())
        self.calls = 0
        self._fails_on = fails_on

    def transcribe(self, windows: Iterable[Segment]) -> RecognizedSpeech:
        """Return the words of the windows; raise NotAudio if one is in `fails_on`."""
        self.calls += 1
        speech = recognize_windows(windows, _recognize)
        if self._fails_on & {segment["text"] for segment in speech.segments}:
            raise NotAudio("the test engine fails on this")
        return speech


def _recognize(window: Segment, language: str | None) -> RecognizedSpeech:
    if not np.frombuffer(window.pcm, dtype="<i2").any():
        return RecognizedSpeech()
    seconds = window.end_seconds - window.start_seconds
    return RecognizedSpeech(
        language or "tt", [{"start_seconds": 0.0, "end_seconds": seconds, "text": word_of(window.pcm)}]
    )


def word_of(pcm: bytes) -> str:
    """Return the word that the test engine recognizes in these samples."""
    return hashlib.sha256(pcm).hexdigest()[:12]
