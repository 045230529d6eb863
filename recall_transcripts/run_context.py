"""Resources of a run: settings, archive and engine, each opened on first use."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import dagster as dg

from recall_pipeline.downstream import Archive, load_settings, open_archive
from recall_transcripts.engines import open_transcriber
from recall_transcripts.settings import TranscriptsSettings, load_transcripts_settings
from recall_transcripts.transcriber import Transcriber


@dataclass
class Transcription:
    """Resource of one run. `engine` is the function that opens a transcriber."""

    engine: Callable[[TranscriptsSettings], Transcriber] = field(default=open_transcriber)

    @cached_property
    def settings(self) -> TranscriptsSettings:
        """The settings of transcripts. Raises SettingsError."""
        return load_transcripts_settings()

    @cached_property
    def archive(self) -> Archive:
        """The archive at RECALL_STORAGE_URL. Raises SettingsError or StorageError."""
        return open_archive(load_settings())

    @cached_property
    def transcriber(self) -> Transcriber:
        """The engine that the settings name. Raises SettingsError or UsageError."""
        return self.engine(self.settings)


@dg.resource(description="Settings, archive and engine of the transcripts.")
def transcription_resource(_: dg.InitResourceContext) -> Transcription:
    """Return a context that opens each resource on first use."""
    return Transcription()
