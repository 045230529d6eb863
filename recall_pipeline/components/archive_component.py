"""The component `recall_pipeline.RecallArchiveComponent` (docs/design/interface.md, section 2)."""

import logging
from pathlib import Path
from typing import Any, Literal, Self

import dagster as dg
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from recall_pipeline.audio_formats import AudioFormat
from recall_pipeline.components.attributes import Day, Secret, setting
from recall_pipeline.components.distinct import Instance, check_distinct, instances_in
from recall_pipeline.components.scaffolder import ArchiveScaffolder
from recall_pipeline.components.templates import RenderedAttributes, render_attributes
from recall_pipeline.components.validation import settings_of, valid_attributes
from recall_pipeline.defs import AssetTranslation, DocumentedComponent, Names, build_definitions, valid_instance
from recall_pipeline.downstream import RecallCatalog
from recall_pipeline.errors import SettingsError
from recall_pipeline.settings import Region, Settings

_log = logging.getLogger("recall_pipeline.components")
_OF_STORAGE = {"storage_url", "storage_options", "spool_dir"}


@dg.scaffold_with(ArchiveScaffolder)
class RecallArchiveComponent(DocumentedComponent):
    """An archive of Recall.ai meeting audio: four daily assets with checks, jobs, schedules and sensors.

    A project can have any number of instances, each with a `name` and a storage of its own. An instance whose
    environment variable is missing loads, and its runs fail with one line that names the variable.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    name: str | None = Field(
        None,
        description="Name of this instance: letters, digits and underscores. Asset keys are `[name, bots]` etc., and "
        "the names of jobs, schedules and sensors begin with `name_`. Only one instance of a project can have none.",
        examples=["eu"],
    )
    api_key: Secret = setting("api_key", examples=["{{ env.EU_RECALL_API_KEY }}"])
    region: Region = setting("region")
    api_url: str | None = setting("api_url")
    storage_url: str = setting(
        "storage_url",
        "Root of the archive: a path (relative to the root of the Dagster project) or an fsspec URL such as "
        "`s3://bucket/prefix`. No two instances can share one.",
        examples=["s3://bucket/eu"],
    )
    storage_options: dict[str, Any] = Field(
        {},
        repr=False,
        description="Options of fsspec for the storage, where the credentials of the process are not meant.",
        examples=[{"key": "{{ env.EU_AWS_KEY }}", "secret": "{{ env.EU_AWS_SECRET }}"}],
    )
    s3_encryption: str | None = setting("s3_encryption")
    group_may_read: bool = setting("group_may_read")
    spool_dir: str | None = setting(
        "spool_dir",
        "Staging folder for partial and temporary files (a relative path starts at the root of the Dagster project). "
        "Unset: `<storage>/_spool` for a local archive, else a private folder in the system's temporary folder.",
    )
    start_date: Day = setting("start_date")
    lookback_days: int = setting("lookback_days")
    audio_format: AudioFormat = setting("audio_format")
    audio_sample_rate_hz: int = setting("audio_sample_rate_hz")
    audio_channels: int = setting("audio_channels")
    target_lufs: float = setting("target_lufs")
    true_peak_dbtp: float = setting("true_peak_dbtp")
    limiter_max_db: float = setting("limiter_max_db")
    list_rpm: int = setting("list_rpm")
    object_rpm: int = setting("object_rpm")
    coordination_url: Secret = setting("coordination_url", examples=["{{ env.EU_COORDINATION_URL }}"])
    concurrency: int = setting("concurrency")
    workers: int | str = setting("workers")
    max_file_mb: int = setting("max_file_mb")
    allowed_networks: str | None = setting("allowed_networks")
    sensor_interval_seconds: int = setting("sensor_interval_seconds")
    webhook_secret: Secret = setting("webhook_secret")
    retention_days: int | Literal["off"] | None = setting("retention_days")
    retention_limit: int | None = setting("retention_limit")
    fixity_days: int | Literal["off"] | None = setting("fixity_days")
    page_url: str | None = setting("page_url")
    alert_url: Secret = setting("alert_url")
    translation: AssetTranslation = Field(
        AssetTranslation(), description="Group, owners, tags and key prefix of the assets."
    )
    _templated: set[str] = PrivateAttr(default_factory=set)
    _faults: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """Return what the list of components shows."""
        return dg.ComponentTypeSpec(
            description="An archive of Recall.ai meeting audio: list, download, verify, normalize, catalog.",
            tags=["recall.ai", "audio"],
        )

    @classmethod
    def resolve_from_model(cls, context: dg.ResolutionContext, model: BaseModel) -> Self:
        """Return the instance of attributes as defs.yaml has them. Raises SettingsError for a wrong value."""
        given = model.model_dump(exclude_unset=True)
        own = {name: given.pop(name) for name in given.keys() & RecallArchiveComponent.model_fields.keys()}
        rendered = render_attributes(own, context)
        if given:  # fields of a subclass, with resolvers of their own
            of_subclass = type(model).model_construct(set(given), **{name: getattr(model, name) for name in given})
            resolved = super().resolve_from_model(context, of_subclass)
            rendered.values |= {name: getattr(resolved, name) for name in given}
        try:
            component = valid_attributes(cls, rendered)
        except SettingsError as error:
            raise SettingsError(_label(rendered.values.get("name")) + str(error)) from None
        component._templated, component._faults = rendered.templated, rendered.faults
        return component

    @classmethod
    def in_project(cls, context: dg.ComponentLoadContext, name: str | None) -> "RecallArchiveComponent":
        """Return the archive with this name in the project of `context`. Raises SettingsError if there is none."""
        for archive in instances_in(context, RecallArchiveComponent):
            if archive.name == name:
                return archive
        named = f"the name {name}" if name else "no name"
        raise SettingsError(f"this project has no archive with {named}: correct the attribute `archive`")

    @property
    def names(self) -> Names:
        """The names of this instance in Dagster. Raises SettingsError for a name that is not valid."""
        return Names(valid_instance(self.name) if self.name is not None else None, self.translate)

    def settings(self, project_root: Path) -> Settings:
        """Return the settings of this instance; relative paths start at `project_root`.

        They are marked as unusable if a value from a variable is missing or wrong. Raises SettingsError for a wrong
        value that is written in defs.yaml.
        """
        settings, faults = self._checked(project_root)
        if not faults and settings.api_key is None:
            faults["api_key"] = 'api_key is not set: give the archive the attribute api_key: "{{ env.RECALL_API_KEY }}"'
        return settings.unusable(_label(self.name) + next(iter(faults.values()))) if faults else settings

    def translate(self, spec: dg.AssetSpec) -> dg.AssetSpec:
        """Return what Dagster shows of an asset. A subclass may override it; dependencies and checks follow the key."""
        return self.translation.translated(spec)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return the definitions. Raises SettingsError if another instance has the same name, storage or spool_dir."""
        root = context.project_root
        settings = self.settings(root)
        check_distinct([each._identity(root) for each in instances_in(context, RecallArchiveComponent)])
        if settings.fault is not None:
            _log.warning("%s", settings.fault)
        catalog = {self.names.of("recall_catalog"): RecallCatalog(settings)}
        return dg.Definitions.merge(
            build_definitions(settings, self.name, self.translate), dg.Definitions(resources=catalog)
        )

    def _checked(self, project_root: Path) -> tuple[Settings, dict[str, str]]:
        """Return the settings with defaults in place of faulty values, and the faults."""
        given = {name: getattr(self, name) for name in self.model_fields_set & Settings.model_fields.keys()}
        rendered = RenderedAttributes(given, self._templated, dict(self._faults))
        try:
            return settings_of(rendered, self.storage_options, project_root), rendered.faults
        except SettingsError as error:
            raise SettingsError(_label(self.name) + str(error)) from None

    def _identity(self, project_root: Path) -> Instance:
        settings, faults = self._checked(project_root)
        return Instance(self.name, None if faults.keys() & _OF_STORAGE else settings)


def _label(name: object) -> str:
    return f"archive {name}: " if name else ""
