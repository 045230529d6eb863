"""Resources of a run: settings, archive and engine, each opened on first use."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import dagster as dg

from recall_pipeline.downstream import Archive, Settings, load_settings, open_archive
from recall_transcripts.engines import open_transcriber
from recall_transcripts.settings import TranscriptsSettings, load_transcripts_settings
from recall_transcripts.transcriber import Transcriber


@dataclass
class Transcription:
    """Resource of one run. `engine` is the function that opens a transcriber, the others give settings.

    By default they are those of the environment.
    """

    engine: Callable[[TranscriptsSettings], Transcriber] = field(default=open_transcriber)
    load: Callable[[], TranscriptsSettings] = field(default=load_transcripts_settings)
    load_archive: Callable[[], Settings] = field(default=load_settings)

    @cached_property
    def settings(self) -> TranscriptsSettings:
        """The settings of transcripts. Raises SettingsError."""
        return self.load()

    @cached_property
    def archive(self) -> Archive:
        """The archive of the settings. Raises SettingsError or StorageError."""
        return open_archive(self.load_archive())

    @cached_property
    def transcriber(self) -> Transcriber:
        """The engine that the settings name. Raises SettingsError or UsageError."""
        return self.engine(self.settings)


def transcription_resource(make: Callable[[], Transcription]) -> dg.ResourceDefinition:
    """Return the resource of a run, a context that opens each thing on first use."""

    def transcription(_: dg.InitResourceContext) -> Transcription:
        return make()

    return dg.ResourceDefinition(transcription, description="Settings, archive and engine of the transcripts.")
