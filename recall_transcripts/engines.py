"""Open the engine that the settings name."""

from importlib import import_module

from recall_pipeline.downstream import SettingsError
from recall_transcripts.settings import WHISPER, TranscriptsSettings
from recall_transcripts.transcriber import Transcriber
from recall_transcripts.whisper import FasterWhisper


def open_transcriber(settings: TranscriptsSettings) -> Transcriber:
    """Return faster-whisper, or the result of the function that the settings name.

    Raises SettingsError if the function or model does not exist, UsageError if faster-whisper or the model is not
    installed.
    """
    if settings.engine == WHISPER:
        return FasterWhisper(settings)
    module, _, name = settings.engine.partition(":")
    try:
        opened: Transcriber = getattr(import_module(module), name)()
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"TRANSCRIPTS_ENGINE {settings.engine} cannot be opened: {error}") from None
    return opened
