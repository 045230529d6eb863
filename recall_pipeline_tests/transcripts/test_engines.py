"""Engines: faster-whisper, a function of the user, a remote service."""

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
    """A recording with more than a minute of speech."""
    path = tmp_path / "meeting.flac"
    soundfile.write(path, speech(["greeting", "numbers", "question", "answer", "risk"] * 3), RATE_HZ)
    return path


def test_times_of_each_window_are_shifted_to_the_recording(meeting: Path) -> None:
    windows = list(segments(meeting))
    speech_result = recognize_windows(
        iter(windows), lambda _window, _language: RecognizedSpeech("en", [_segment(0.5, 1.5)])
    )
    assert [segment["start_seconds"] for segment in speech_result.segments] == [w.start_seconds + 0.5 for w in windows]
    assert [segment["end_seconds"] for segment in speech_result.segments] == [w.start_seconds + 1.5 for w in windows]
    assert len(windows) > 2


def test_the_first_recognized_language_is_used_for_the_rest(meeting: Path) -> None:
    languages: list[str | None] = []

    def recognize(window: Segment, language: str | None) -> RecognizedSpeech:
        languages.append(language)
        return RecognizedSpeech("de", [_segment(0, 1)] if len(languages) > 1 else [])  # no speech in the first window

    assert recognize_windows(segments(meeting), recognize).language == "de"
    assert languages[:3] == [None, None, "de"]


def test_a_given_language_is_used_from_the_first_window(meeting: Path) -> None:
    languages: list[str | None] = []

    def recognize(window: Segment, language: str | None) -> RecognizedSpeech:
        languages.append(language)
        return RecognizedSpeech()

    recognize_windows(segments(meeting), recognize, "fr")
    assert set(languages) == {"fr"}


def test_a_window_is_exported_as_wav_with_the_same_samples(meeting: Path, tmp_path: Path) -> None:
    window = next(segments(meeting))
    (tmp_path / "window.wav").write_bytes(wav_of(window))
    samples, rate_hz = soundfile.read(tmp_path / "window.wav", dtype="int16")
    assert rate_hz == RATE_HZ
    assert np.array_equal(samples, np.frombuffer(window.pcm, dtype="<i2"))


def test_a_custom_engine_is_opened_by_its_module_and_function(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("our_engine")
    module.open_engine = TestEngine  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "our_engine", module)
    monkeypatch.setenv("TRANSCRIPTS_ENGINE", "our_engine:open_engine")
    assert isinstance(open_transcriber(load_transcripts_settings()), TestEngine)


class Service(BaseHTTPRequestHandler):
    """Accepts a WAV file and responds with text, language and times; the text states the number of samples."""

    def do_POST(self) -> None:
        samples, rate_hz = soundfile.read(io.BytesIO(self.rfile.read(int(self.headers["Content-Length"]))))
        segment = {"start": 0.0, "end": len(samples) / rate_hz, "text": f" {len(samples)} samples"}
        body = json.dumps({"language": self.path.rpartition("=")[2] or "en", "segments": [segment]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Suppress the request log."""


@pytest.fixture
def service_url() -> Iterator[str]:
    """The URL of a running transcription service."""
    with HTTPServer(("127.0.0.1", 0), Service) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/transcriptions"
        server.shutdown()
        thread.join()


class ServiceEngine:
    """A minimal engine for a service: its URL and the parsing of its response."""

    model = Model("a service, model of March", "0" * 64)

    def __init__(self, url: str) -> None:
        self._url = url

    def transcribe(self, windows: Iterable[Segment]) -> RecognizedSpeech:
        return recognize_windows(windows, self._recognize)

    def _recognize(self, window: Segment, language: str | None) -> RecognizedSpeech:
        response = httpx.post(self._url, params={"language": language or ""}, content=wav_of(window)).json()
        return RecognizedSpeech(
            response["language"],
            [
                {"start_seconds": s["start"], "end_seconds": s["end"], "text": s["text"].strip()}
                for s in response["segments"]
            ],
        )


def test_a_remote_service_can_be_an_engine(meeting: Path, service_url: str) -> None:
    engine: Transcriber = ServiceEngine(service_url)
    speech_result = engine.transcribe(segments(meeting))
    windows = list(segments(meeting))
    assert speech_result.language == "en"
    assert [segment["text"] for segment in speech_result.segments] == [f"{len(w.pcm) // 2} samples" for w in windows]
    assert [segment["end_seconds"] for segment in speech_result.segments] == pytest.approx(
        [w.end_seconds for w in windows]
    )


@pytest.mark.parametrize("engine", ["no_such_module:open_engine", "recall_transcripts.engines:no_such_function"])
def test_an_engine_that_does_not_exist_is_named_in_the_error(engine: str) -> None:
    with pytest.raises(SettingsError, match=f"TRANSCRIPTS_ENGINE {engine} cannot be opened"):
        open_transcriber(TranscriptsSettings(engine=engine))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("DEVICE", "tpu", "TRANSCRIPTS_DEVICE is wrong: "),
        ("ENGINE", "whisper", "TRANSCRIPTS_ENGINE is wrong: "),
        ("LANGUAGE", "English", "TRANSCRIPTS_LANGUAGE is wrong: "),
        ("SAMPLE_ROWS", "-1", "TRANSCRIPTS_SAMPLE_ROWS is wrong: should be greater than or equal to 0"),
    ],
)
def test_an_invalid_setting_gives_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(f"TRANSCRIPTS_{name}", value)
    with pytest.raises(SettingsError) as wrong:
        load_transcripts_settings()
    assert str(wrong.value).startswith(message)
    assert "\n" not in str(wrong.value)


def test_without_faster_whisper_the_error_states_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(UsageError, match=r"pip install 'recall_pipeline\[transcription\]'"):
        open_transcriber(TranscriptsSettings())


def _segment(start_seconds: float, end_seconds: float) -> SpokenSegment:
    return {"start_seconds": start_seconds, "end_seconds": end_seconds, "text": "something"}
