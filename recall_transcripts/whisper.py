"""The default engine: Whisper on this machine, run by faster-whisper."""

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
_WHISPER_RATE_HZ = 16_000


class FasterWhisper:
    """A Whisper model in CTranslate2's format. Silence is removed first, since Whisper invents words for it."""

    def __init__(self, settings: TranscriptsSettings) -> None:
        """Find the model; raise UsageError if it or faster-whisper is not installed, SettingsError if it is unknown."""
        _require_faster_whisper()
        self._settings = settings
        self._folder = _folder_of(settings)

    @cached_property
    def model(self) -> Model:
        """The model's size or folder name, and the hash of its weights."""
        name = Path(self._settings.model).name
        with (self._folder / _WEIGHTS).open("rb") as weights:
            sha256 = hashlib.file_digest(weights, "sha256").hexdigest()
        return Model(name if "whisper" in name else f"whisper-{name}", sha256)

    def transcribe(self, windows: "Iterable[Segment]") -> RecognizedSpeech:
        """Return the speech in a recording. Raises AudioError if it fails, SettingsError if the model does not load."""
        return recognize_windows(windows, self._recognize, self._settings.language)

    def _recognize(self, window: "Segment", language: str | None) -> RecognizedSpeech:
        # Each window on its own: conditioned on previous text, Whisper tends to repeat itself.
        options = {"language": language, "vad_filter": True, "condition_on_previous_text": False}
        whisper = self._whisper
        try:
            segments, info = whisper.transcribe(_samples(window), **options)
            parts = list(segments)  # iterating does the work
        except (RuntimeError, ValueError) as error:
            raise AudioError(f"Whisper fails at {window.start_seconds:.0f} s: {error}") from None
        return RecognizedSpeech(
            info.language,
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
        except (RuntimeError, ValueError, OSError) as error:
            raise SettingsError(
                f"the model in {self._folder} does not load on TRANSCRIPTS_DEVICE={settings.device} with "
                f"TRANSCRIPTS_COMPUTE_TYPE={settings.compute_type}: {error}"
            ) from None


def _require_faster_whisper() -> None:
    try:
        import faster_whisper  # noqa: F401
    except ImportError:
        raise UsageError(
            "transcription needs faster-whisper: pip install 'recall_pipeline[transcription]', or in a checkout "
            "`make transcription`"
        ) from None


def _folder_of(settings: TranscriptsSettings) -> Path:
    folder = project_folder() / Path(settings.model).expanduser()
    if (folder / _WEIGHTS).is_file():
        return folder
    if len(Path(settings.model).parts) > 1:
        raise SettingsError(
            f"TRANSCRIPTS_MODEL {settings.model} has no {_WEIGHTS}: use a size or the folder of a model"
        )
    from faster_whisper.utils import available_models, download_model

    if settings.model not in available_models():
        raise SettingsError(
            f"TRANSCRIPTS_MODEL {settings.model} is not a model: use a folder or one of {', '.join(available_models())}"
        )
    try:
        return Path(download_model(settings.model, local_files_only=not settings.download))
    except Exception as error:  # from huggingface_hub or its HTTP client
        if settings.download:
            raise UsageError(f"the Whisper model {settings.model} cannot be downloaded: {error}") from None
        raise UsageError(
            f"the Whisper model {settings.model} is not on this machine: set TRANSCRIPTS_MODEL to its folder, or "
            "download it once with TRANSCRIPTS_DOWNLOAD=1"
        ) from None


def _samples(window: "Segment") -> "npt.NDArray[np.float32]":
    """Return a window as Whisper's input: one channel, 16 kHz, full scale at 1.0."""
    import numpy as np

    mono = window.to_audio_segment().set_channels(1).set_frame_rate(_WHISPER_RATE_HZ)
    return np.frombuffer(mono.raw_data, dtype="<i2").astype(np.float32) / np.float32(32768)
