"""Engines: the one of this machine, one of the user's own, and one that is a service elsewhere."""

import io
import json
import sys
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType

import httpx
import numpy as np
import pytest
import soundfile

from recall_pipeline.audio import Segment, segments
from recall_pipeline.errors import SettingsError, UsageError
from recall_pipeline_tests.audio.sounds import speech
from recall_pipeline_tests.transcripts.meetings import RATE_HZ, TestEngine
from recall_transcripts.engines import open_transcriber
from recall_transcripts.settings import TranscriptsSettings, load_transcripts_settings
from recall_transcripts.transcriber import (
    Model,
    RecognizedSpeech,
    SpokenSegment,
    Transcriber,
    recognize_windows,
    wav_of,
)


@pytest.fixture
def meeting(tmp_path: Path) -> Path:
    """More than a minute of speech."""
    path = tmp_path / "meeting.flac"
    soundfile.write(path, speech(["greeting", "numbers", "question", "answer", "risk"] * 3), RATE_HZ)
    return path


def test_windows_are_heard_one_by_one_and_their_times_are_of_the_recording(meeting: Path) -> None:
    windows = list(segments(meeting))
    heard = recognize_windows(iter(windows), lambda _window, _language: RecognizedSpeech("en", [_said(0.5, 1.5)]))
    assert [segment["start_seconds"] for segment in heard.segments] == [w.start_seconds + 0.5 for w in windows]
    assert [segment["end_seconds"] for segment in heard.segments] == [w.start_seconds + 1.5 for w in windows]
    assert len(windows) > 2


def test_the_language_heard_first_is_that_of_the_whole(meeting: Path) -> None:
    asked: list[str | None] = []

    def recognize(window: Segment, language: str | None) -> RecognizedSpeech:
        asked.append(language)
        return RecognizedSpeech("de", [_said(0, 1)] if len(asked) > 1 else [])  # nothing is said in the first window

    assert recognize_windows(segments(meeting), recognize).language == "de"
    assert asked[:3] == [None, None, "de"]


def test_a_language_that_was_set_is_asked_for_from_the_start(meeting: Path) -> None:
    asked: list[str | None] = []

    def recognize(window: Segment, language: str | None) -> RecognizedSpeech:
        asked.append(language)
        return RecognizedSpeech()

    recognize_windows(segments(meeting), recognize, "fr")
    assert set(asked) == {"fr"}


def test_a_window_becomes_a_wav_file_of_the_same_samples(meeting: Path, tmp_path: Path) -> None:
    window = next(segments(meeting))
    (tmp_path / "window.wav").write_bytes(wav_of(window))
    samples, rate_hz = soundfile.read(tmp_path / "window.wav", dtype="int16")
    assert rate_hz == RATE_HZ
    assert np.array_equal(samples, np.frombuffer(window.pcm, dtype="<i2"))


def test_an_engine_of_ones_own_is_named_by_its_module_and_function(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("our_engine")
    module.open_engine = TestEngine  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "our_engine", module)
    monkeypatch.setenv("TRANSCRIPTS_ENGINE", "our_engine:open_engine")
    assert isinstance(open_transcriber(load_transcripts_settings()), TestEngine)


class Service(BaseHTTPRequestHandler):
    """Takes a WAV file and answers with how long it is, as services of this kind do: text, language, times."""

    def do_POST(self) -> None:
        samples, rate_hz = soundfile.read(io.BytesIO(self.rfile.read(int(self.headers["Content-Length"]))))
        said = {"start": 0.0, "end": len(samples) / rate_hz, "text": f" {len(samples)} samples"}
        body = json.dumps({"language": self.path.rpartition("=")[2] or "en", "segments": [said]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def service_url() -> Iterator[str]:
    """A service elsewhere."""
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/transcriptions"
        server.shutdown()
        thread.join()


class ServiceEngine:
    """All that it takes to use a service: where it is, and how its answer is read."""

    model = Model("a service, model of March", "0" * 64)

    def __init__(self, url: str) -> None:
        self._url = url

    def transcribe(self, windows: Iterable[Segment]) -> RecognizedSpeech:
        return recognize_windows(windows, self._recognize)

    def _recognize(self, window: Segment, language: str | None) -> RecognizedSpeech:
        answer = httpx.post(self._url, params={"language": language or ""}, content=wav_of(window)).json()
        return RecognizedSpeech(
            answer["language"],
            [
                {"start_seconds": s["start"], "end_seconds": s["end"], "text": s["text"].strip()}
                for s in answer["segments"]
            ],
        )


def test_a_service_elsewhere_is_an_engine(meeting: Path, service_url: str) -> None:
    engine: Transcriber = ServiceEngine(service_url)
    heard = engine.transcribe(segments(meeting))
    windows = list(segments(meeting))
    assert heard.language == "en"
    assert [segment["text"] for segment in heard.segments] == [f"{len(w.pcm) // 2} samples" for w in windows]
    assert [segment["end_seconds"] for segment in heard.segments] == pytest.approx([w.end_seconds for w in windows])


@pytest.mark.parametrize("engine", ["no_such_module:open_engine", "recall_transcripts.engines:no_such_function"])
def test_an_engine_that_does_not_exist_is_named(engine: str) -> None:
    with pytest.raises(SettingsError, match=f"TRANSCRIPTS_ENGINE {engine} cannot be opened"):
        open_transcriber(TranscriptsSettings(engine=engine))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DEVICE", "tpu", "TRANSCRIPTS_DEVICE is wrong: "),
        ("ENGINE", "whisper", "TRANSCRIPTS_ENGINE is wrong: "),
        ("LANGUAGE", "English", "TRANSCRIPTS_LANGUAGE is wrong: "),
        ("SAMPLE_ROWS", "-1", "TRANSCRIPTS_SAMPLE_ROWS is wrong: should be greater than or equal to 0"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"TRANSCRIPTS_{name}", value)
    with pytest.raises(SettingsError) as wrong:
        load_transcripts_settings()
    assert str(wrong.value).startswith(said)
    assert "\n" not in str(wrong.value)


def test_without_faster_whisper_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(UsageError, match=r"pip install 'recall_pipeline\[transcription\]'"):
        open_transcriber(TranscriptsSettings())


def _said(start_seconds: float, end_seconds: float) -> SpokenSegment:
    return {"start_seconds": start_seconds, "end_seconds": end_seconds, "text": "something"}
