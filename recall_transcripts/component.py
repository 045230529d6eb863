"""The component `recall_transcripts.RecallTranscriptsComponent`: transcripts of an archive of the same project."""

from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import Field, ValidationError

from recall_pipeline import RecallArchiveComponent
from recall_pipeline.downstream import AssetTranslation, DocumentedComponent, SettingsError, day_partitions
from recall_transcripts.asset import transcripts_asset
from recall_transcripts.automation import (
    catalog_changes_sensor,
    daily_transcripts_schedule,
    is_engine_installed,
    transcribe_day_job,
)
from recall_transcripts.names import TranscriptNames
from recall_transcripts.run_context import Transcription, transcription_resource
from recall_transcripts.settings import TranscriptsSettings

_FIELDS = {"model": "whisper_model"}  # `model` is a method of Dagster's base class; in defs.yaml it is `model`


def _setting(name: str) -> Any:
    """Return the field of an attribute with the default and the description of the setting."""
    info = TranscriptsSettings.model_fields[name]
    return Field(info.default, description=info.description)


class RecallTranscriptsComponent(DocumentedComponent):
    """Transcripts of all recordings of an archive that are ready: an asset with a check, a job, a schedule, a sensor.

    The archive is an instance of `recall_pipeline.RecallArchiveComponent` in the same project.
    """

    archive: str | None = Field(None, description="The `name` of the archive. Unset: the archive without a name.")
    engine: str = _setting("engine")
    whisper_model: Annotated[
        str, dg.Resolver(lambda _, value: value, model_field_name="model", model_field_type=str)
    ] = _setting("model")
    device: Literal["cpu", "cuda", "auto"] = _setting("device")
    compute_type: str = _setting("compute_type")
    download: bool = _setting("download")
    language: str | None = _setting("language")
    sample_rows: int = _setting("sample_rows")
    translation: AssetTranslation = Field(
        AssetTranslation(),
        description="Group, owners, tags and key prefix of the asset. The prefix goes before that of the archive.",
    )

    def translate(self, spec: dg.AssetSpec) -> dg.AssetSpec:
        """Return what Dagster shows of the asset. A subclass may override it; check, job and sensor follow the key."""
        return self.translation.translated(spec)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return the definitions. Raises SettingsError for a wrong value, or if the project has no such archive."""
        settings = self._settings()
        archive = RecallArchiveComponent.in_project(context, self.archive)
        of_archive = archive.settings(context.project_root)
        names = TranscriptNames(archive.name, archive.names.asset("audio_catalog"), self.translate)
        is_enabled = is_engine_installed(settings)
        resource = transcription_resource(lambda: Transcription(load=lambda: settings, load_archive=lambda: of_archive))
        return dg.Definitions(
            assets=[transcripts_asset(names, day_partitions(of_archive))],
            jobs=[transcribe_day_job(names)],
            schedules=[daily_transcripts_schedule(names, lambda: of_archive, is_enabled=is_enabled)],
            sensors=[catalog_changes_sensor(names, is_enabled=is_enabled)],
            resources={names.of("transcription"): resource},
        )

    def _settings(self) -> TranscriptsSettings:
        try:
            given = {name: getattr(self, _FIELDS.get(name, name)) for name in TranscriptsSettings.model_fields}
            return TranscriptsSettings(**given)
        except ValidationError as invalid:
            first = invalid.errors(include_url=False, include_input=False, include_context=False)[0]
            raise SettingsError(f"transcripts: {first['loc'][0]} is wrong: {first['msg']}; correct it") from None
