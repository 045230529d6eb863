"""Whisper on this machine, run by faster-whisper: the engine that is used unless another is named."""

import hashlib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recall_pipeline.downstream import AudioError, SettingsError, UsageError, project_folder
from recall_transcripts.settings import TranscriptsSettings
from recall_transcripts.transcriber import Model, RecognizedSpeech, recognize_windows

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from recall_pipeline.audio import Segment

_WEIGHTS = "model.bin"
_RATE_HZ = 16_000  # what Whisper hears


class FasterWhisper:
    """A Whisper model in CTranslate2's format; silence is cut out before it, since it makes words up for it."""

    def __init__(self, settings: TranscriptsSettings) -> None:
        """Find the model; raise UsageError when it or faster-whisper is not here, SettingsError for an unknown one."""
        _installed()
        self._settings = settings
        self._folder = _folder_of(settings)

    @cached_property
    def model(self) -> Model:
        """Its size or the name of its folder, and the hash of its weights."""
        name = Path(self._settings.model).name
        with (self._folder / _WEIGHTS).open("rb") as weights:
            sha256 = hashlib.file_digest(weights, "sha256").hexdigest()
        return Model(name if "whisper" in name else f"whisper-{name}", sha256)

    def transcribe(self, windows: "Iterable[Segment]") -> RecognizedSpeech:
        """Return what is said, and when."""
        return recognize_windows(windows, self._recognize, self._settings.language)

    def _recognize(self, window: "Segment", language: str | None) -> RecognizedSpeech:
        # Each window by itself: a text that Whisper continues from the last one makes it repeat itself.
        options = {"language": language, "vad_filter": True, "condition_on_previous_text": False}
        whisper = self._whisper
        try:
            spoken, facts = whisper.transcribe(_samples(window), **options)
            parts = list(spoken)  # transcribed while they are asked for
        except (RuntimeError, ValueError) as fault:
            raise AudioError(f"Whisper fails at {window.start_seconds:.0f} s: {fault}") from None
        return RecognizedSpeech(
            facts.language,
            [{"start_seconds": part.start, "end_seconds": part.end, "text": part.text.strip()} for part in parts],
        )

    @cached_property
    def _whisper(self) -> Any:
        from faster_whisper import WhisperModel

        settings = self._settings
        try:
            return WhisperModel(
                str(self._folder), device=settings.device, compute_type=settings.compute_type, local_files_only=True
            )
        except (RuntimeError, ValueError, OSError) as fault:
            raise SettingsError(
                f"the model in {self._folder} does not load on TRANSCRIPTS_DEVICE={settings.device} with "
                f"TRANSCRIPTS_COMPUTE_TYPE={settings.compute_type}: {fault}"
            ) from None


def _installed() -> None:
    try:
        import faster_whisper  # noqa: F401
    except ImportError:
        raise UsageError(
            "transcribing takes faster-whisper: pip install 'recall_pipeline[transcription]', in a checkout "
            "`make transcription`"
        ) from None


def _folder_of(settings: TranscriptsSettings) -> Path:
    named = project_folder() / Path(settings.model).expanduser()
    if (named / _WEIGHTS).is_file():
        return named
    if len(Path(settings.model).parts) > 1:
        raise SettingsError(f"TRANSCRIPTS_MODEL {settings.model} holds no {_WEIGHTS}: name a size, or a model's folder")
    from faster_whisper.utils import available_models, download_model

    if settings.model not in available_models():
        raise SettingsError(
            f"TRANSCRIPTS_MODEL {settings.model} is no folder and none of {', '.join(available_models())}"
        )
    try:
        return Path(download_model(settings.model, local_files_only=not settings.download))
    except Exception as fault:  # of huggingface_hub, of its HTTP client
        if settings.download:
            raise UsageError(f"the Whisper model {settings.model} cannot be downloaded: {fault}") from None
        raise UsageError(
            f"the Whisper model {settings.model} is not on this machine: name its folder in TRANSCRIPTS_MODEL, or let "
            "it be downloaded once with TRANSCRIPTS_DOWNLOAD=1"
        ) from None


def _samples(window: "Segment") -> "npt.NDArray[np.float32]":
    """Return a window as Whisper hears it: one channel, 16 kHz, full scale at 1.0."""
    import numpy as np

    heard = window.to_audio_segment().set_channels(1).set_frame_rate(_RATE_HZ)
    return np.frombuffer(heard.raw_data, dtype="<i2").astype(np.float32) / np.float32(32768)
