"""What a run works with: settings, archive and engine, each opened when it is first asked for."""

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
    """One run's; the settings are read when it starts. `engine` opens a transcriber."""

    engine: Callable[[TranscriptsSettings], Transcriber] = field(default=open_transcriber)

    @cached_property
    def settings(self) -> TranscriptsSettings:
        """What the user has set about transcripts."""
        return load_transcripts_settings()

    @cached_property
    def archive(self) -> Archive:
        """The archive that RECALL_STORAGE_URL names."""
        return open_archive(load_settings())

    @cached_property
    def transcriber(self) -> Transcriber:
        """The engine that the settings name."""
        return self.engine(self.settings)


@dg.resource(description="Settings, archive and engine of the transcripts.")
def transcription_resource(_: dg.InitResourceContext) -> Transcription:
    """Open nothing yet."""
    return Transcription()
