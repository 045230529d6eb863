"""Cataloged recordings in which the sandbox's clips are spoken, and an engine that hears the same in the same bytes."""

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


def said(archive: Archive, name: str, *clips: str, day: date = DAY, version: str | None = None) -> CatalogRow:
    """Publish a recording in which `clips` are spoken, or nothing, and return its row; `version` names other bytes."""
    key = Layout.normalized(day, an_id(name), an_id(f"{name} mp3"), "flac", version)
    sound = speech(clips) if clips else SILENCE
    with archive.staged_file(suffix=".flac") as written:
        soundfile.write(written, sound, RATE_HZ)
        sha256 = hashlib.sha256(written.read_bytes()).hexdigest()
        archive.publish(written, key)
    return CatalogRow(
        recording_id=an_id(name), audio_id=an_id(f"{name} mp3"), outcome="ready", created_at=NINE,
        audio_uri=archive.uri(key), audio_sha256=sha256, audio_format="flac",
        audio_samples=len(sound), audio_sample_rate_hz=RATE_HZ, audio_channels=1,
    )  # fmt: skip


class TestEngine:
    """Hears one word a window: its bytes' hash; nothing where they are silent. Counts the recordings it is given."""

    __test__ = False

    def __init__(self, version: str = "1", deaf_to: frozenset[str] = frozenset()) -> None:
        self.model = Model(f"test engine {version}", hashlib.sha256(version.encode()).hexdigest())
        self.calls = 0
        self._deaf_to = deaf_to

    def transcribe(self, windows: Iterable[Segment]) -> RecognizedSpeech:
        """Return what it hears; raise NotAudio where it is deaf to it."""
        self.calls += 1
        heard = recognize_windows(windows, _recognize)
        if self._deaf_to & {segment["text"] for segment in heard.segments}:
            raise NotAudio("the test engine is deaf to this")
        return heard


def _recognize(window: Segment, language: str | None) -> RecognizedSpeech:
    if not np.frombuffer(window.pcm, dtype="<i2").any():
        return RecognizedSpeech()
    seconds = window.end_seconds - window.start_seconds
    return RecognizedSpeech(
        language or "tt", [{"start_seconds": 0.0, "end_seconds": seconds, "text": word_of(window.pcm)}]
    )


def word_of(pcm: bytes) -> str:
    """What the test engine hears in a window."""
    return hashlib.sha256(pcm).hexdigest()[:12]
