"""The engine of this machine, with a real model: it hears what is said in the sandbox's meetings, and no more."""

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
from recall_pipeline_tests.transcripts.meetings import said
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
CLEAR = ("greeting", "question", "decision", "farewell")
"""Clips in voices that Whisper-base understands well."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whisper-base."""
    return join(tmp_path_factory.mktemp("weights") / "whisper-base")


@pytest.fixture(scope="module")
def whisper(folder: Path) -> Transcriber:
    """The engine, with its model loaded once."""
    return open_transcriber(TranscriptsSettings(model=str(folder)))


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def test_known_sentences_come_out_silence_gives_nothing_and_nothing_is_heard_twice(
    archive: Archive, settings: Settings, whisper: Transcriber
) -> None:
    def transcribe() -> Transcribed:
        return transcribe_recordings(archive, DAY, read_recordings(settings=settings), lambda: whisper)

    quiet = said(archive, "quiet")
    CATALOG.write(archive, DAY, [said(archive, "talk", *CLEAR), quiet])
    talk, nothing = transcribe().rows
    sentences = words(" ".join(spoken()[clip] for clip in CLEAR))
    assert SequenceMatcher(a=sentences, b=words(talk.text)).ratio() > 0.9
    assert talk.language == "en"
    times = [(segment["start_seconds"], segment["end_seconds"]) for segment in talk.segments]
    assert times == sorted(times)
    assert 0 <= times[0][0] < times[-1][1] <= talk.audio_seconds
    assert (nothing.text, nothing.segments, nothing.language) == ("", [], None)

    assert transcribe().anew == []
    CATALOG.write(archive, DAY, [said(archive, "talk", "question", version="newbytes"), quiet])
    (changed,) = transcribe().anew
    assert SequenceMatcher(a=words(spoken()["question"]), b=words(changed.text)).ratio() > 0.9


def test_a_model_is_told_by_the_hash_of_its_weights(folder: Path, whisper: Transcriber) -> None:
    with (folder / "model.bin").open("rb") as weights:
        assert whisper.model == Model("whisper-base", hashlib.file_digest(weights, "sha256").hexdigest())


@pytest.mark.parametrize(
    ("model", "fault", "said"),
    [
        ("large-v1", UsageError, "is not on this machine: .*TRANSCRIPTS_DOWNLOAD=1"),
        ("huge", SettingsError, "TRANSCRIPTS_MODEL huge is no folder and none of tiny.en, "),
        ("./nothing/here", SettingsError, "TRANSCRIPTS_MODEL ./nothing/here holds no model.bin"),
    ],
)
def test_a_model_that_is_not_here_is_not_fetched_but_named(model: str, fault: type[Exception], said: str) -> None:
    with pytest.raises(fault, match=said):
        open_transcriber(TranscriptsSettings(model=model))


def test_weights_that_do_not_load_are_named(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"no weights")
    engine = open_transcriber(TranscriptsSettings(model=str(tmp_path)))
    with pytest.raises(SettingsError, match=f"the model in {tmp_path} does not load"):
        engine.transcribe(iter([Segment(0.0, 1.0, 16_000, 1, bytes(32_000))]))
