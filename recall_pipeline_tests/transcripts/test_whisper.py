"""The default engine with a real model: it recognizes the sandbox's speech, and no speech in silence."""

import hashlib
import re
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from recall_pipeline.audio import Segment
from recall_pipeline.catalog import CATALOG, read_recordings
from recall_pipeline.errors import SettingsError, UsageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive
from recall_pipeline_tests.transcripts.meetings import publish_recording
from recall_pipeline_tests.transcripts.weights import MISSING, join
from recall_pipeline_tests.workspace import DAY
from recall_sandbox.speech import clip_transcripts as spoken
from recall_transcripts.day_transcription import Transcribed, transcribe_recordings
from recall_transcripts.engines import open_transcriber
from recall_transcripts.settings import TranscriptsSettings
from recall_transcripts.transcriber import Model, Transcriber

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} not installed: make transcription"),
    pytest.mark.xdist_group("whisper"),  # one process loads the model
]
CLEAR_CLIPS = ("greeting", "question", "decision", "farewell")
"""Clips in voices that Whisper-base understands well."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of Whisper-base."""
    return join(tmp_path_factory.mktemp("weights") / "whisper-base")


@pytest.fixture(scope="module")
def whisper(folder: Path) -> Transcriber:
    """The engine, with its model loaded once."""
    return open_transcriber(TranscriptsSettings(model=str(folder)))


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def test_known_sentences_are_recognized_silence_is_empty_and_unchanged_audio_is_skipped(
    archive: Archive, settings: Settings, whisper: Transcriber
) -> None:
    def transcribe() -> Transcribed:
        return transcribe_recordings(archive, DAY, read_recordings(settings=settings), lambda: whisper)

    quiet = publish_recording(archive, "quiet")
    CATALOG.write(archive, DAY, [publish_recording(archive, "talk", *CLEAR_CLIPS), quiet])
    talk, nothing = transcribe().rows
    sentences = words(" ".join(spoken()[clip] for clip in CLEAR_CLIPS))
    assert SequenceMatcher(a=sentences, b=words(talk.text)).ratio() > 0.9
    assert talk.language == "en"
    times = [(segment["start_seconds"], segment["end_seconds"]) for segment in talk.segments]
    assert times == sorted(times)
    assert 0 <= times[0][0] < times[-1][1] <= talk.audio_seconds
    assert (nothing.text, nothing.segments, nothing.language) == ("", [], None)

    assert transcribe().new_rows == []
    CATALOG.write(archive, DAY, [publish_recording(archive, "talk", "question", version="newbytes"), quiet])
    (changed,) = transcribe().new_rows
    assert SequenceMatcher(a=words(spoken()["question"]), b=words(changed.text)).ratio() > 0.9


def test_a_model_is_identified_by_the_hash_of_its_weights(folder: Path, whisper: Transcriber) -> None:
    with (folder / "model.bin").open("rb") as weights:
        assert whisper.model == Model("whisper-base", hashlib.file_digest(weights, "sha256").hexdigest())


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        ("large-v1", UsageError, "is not on this machine: .*TRANSCRIPTS_DOWNLOAD=1"),
        ("huge", SettingsError, "TRANSCRIPTS_MODEL huge is not a model: use a folder or one of tiny.en, "),
        ("./nothing/here", SettingsError, "TRANSCRIPTS_MODEL ./nothing/here has no model.bin"),
    ],
)
def test_a_missing_model_is_named_in_the_error_and_not_downloaded(
    model: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        open_transcriber(TranscriptsSettings(model=model))


def test_weights_that_do_not_load_are_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"no weights")
    engine = open_transcriber(TranscriptsSettings(model=str(tmp_path)))
    with pytest.raises(SettingsError, match=f"the model in {tmp_path} does not load"):
        engine.transcribe(iter([Segment(0.0, 1.0, 16_000, 1, bytes(32_000))]))
