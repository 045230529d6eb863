"""Every setting, with its type, its default and what it means. The table in the README is generated from here."""

import os
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from recall_pipeline.errors import SettingsError
from recall_pipeline.settings import environment, folders, values

Region = Literal["us-east-1", "us-west-2", "eu-central-1", "ap-northeast-1"]
REGIONS: tuple[Region, ...] = get_args(Region)
_MIB = 1024 * 1024
_RATES_HZ = (8000, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_OPUS_RATES_HZ = (8000, 12000, 16000, 24000, 48000)


class Settings(BaseModel):
    """Every setting, typed and frozen.

    The constructor reads its arguments only, and raises pydantic's ValidationError for a wrong one.
    `from_environment` reads the `RECALL_*` variables and `.env`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    api_key: Annotated[SecretStr, AfterValidator(values.plain_key)] | None = Field(
        None,
        description="The workspace's key. Never printed, logged, stored or sent to any host but the API's.",
    )
    region: Region = Field(
        "us-east-1",
        description="Picks `https://{region}.recall.ai/api/v1`; a key lives in one region.",
    )
    api_url: Annotated[str, AfterValidator(values.base_url)] | None = Field(
        None,
        description="Overrides the base URL, for a sandbox or a proxy; plain http on loopback only.",
    )
    storage_url: Annotated[str, AfterValidator(values.storage_url)] = Field(
        "./data",
        description="Root of everything stored: a path (relative to the folder of workspace.yaml) or an fsspec URL "
        "such as `s3://bucket/prefix` (standard AWS variables, `AWS_ENDPOINT_URL` included).",
    )
    s3_encryption: Annotated[str, AfterValidator(values.s3_encryption)] | None = Field(
        None,
        description="Server-side encryption to ask S3 for at every upload: `AES256`, `aws:kms`, or `aws:kms:KEY` with "
        "a key's id or ARN. Unset: as the bucket does by default.",
    )
    group_may_read: bool = Field(
        False,
        description="Whether the group of a local archive's folder may read what is published in it. Unset: files are "
        "their owner's alone.",
    )
    spool_dir: Annotated[Path, AfterValidator(folders.absolute)] | None = Field(
        None,
        description="Where partial files live (a relative path as above). Unset: `<storage>/_spool` if that is local, "
        "else a private folder in the system's temporary one.",
    )
    start_date: Annotated[date, BeforeValidator(values.day), AfterValidator(values.start_date)] = Field(
        date(2025, 1, 1), description="First day partition."
    )
    lookback_days: int = Field(7, ge=1, le=3660, description="How far `daily_sync` and a bare `sync` go back.")
    audio_format: Literal["flac", "mp3", "opus", "wav"] = Field("flac", description="`flac` `mp3` `opus` `wav`")
    audio_sample_rate_hz: int = Field(16000, description="Sample rate of the normalized file.")
    audio_channels: int = Field(1, ge=1, le=2, description="Channels of the normalized file.")
    target_lufs: FiniteFloat = Field(-16.0, ge=-40, le=-5, description="Integrated loudness to reach, EBU R128.")
    true_peak_dbtp: FiniteFloat = Field(-1.5, ge=-20, le=0, description="Ceiling of the true peak.")
    limiter_max_db: FiniteFloat = Field(
        12.0, ge=0, le=40, description="Deepest limiting; beyond it a file stays quieter."
    )
    list_rpm: int = Field(
        50,
        ge=1,
        description="Requests a minute to each list endpoint, shared by all processes of this host and "
        "Dagster home; on several hosts set each one's share.",
    )
    object_rpm: int = Field(250, ge=1, description="The same for each single-object endpoint.")
    concurrency: int = Field(8, ge=1, le=256, description="Simultaneous downloads.")
    workers: Annotated[str, AfterValidator(values.workers)] = Field(
        "local",
        description="Normalization pool: `local` (a process a core), a number of processes, or a Dask "
        "scheduler's address.",
    )
    max_file_mb: int = Field(4096, ge=1, description="Larger downloads are refused and say so (MiB).")
    sensor_interval_seconds: int = Field(300, ge=30, description="Of the sensor `finished_bots`.")
    webhook_secret: Annotated[SecretStr, AfterValidator(values.webhook_secret)] | None = Field(
        None,
        description="`whsec_...`, or two separated by a comma while rotating; needed by `webhooks`.",
    )
    retention_days: Annotated[Annotated[int, Field(ge=1)] | None, BeforeValidator(values.off_is_none)] = Field(
        None,
        description="Recordings older than this are forgotten daily; unset or `off`: never.",
    )
    retention_limit: int | None = Field(
        None,
        ge=0,
        description="Most recordings that are forgotten by age at once. Unset: a tenth of the archive, at most 1,000.",
    )
    alert_url: Annotated[SecretStr, AfterValidator(values.alert_url)] | None = Field(
        None, description="Where alerts are posted (Slack-shaped JSON)."
    )

    @classmethod
    def from_environment(cls) -> Self:
        """Return the settings of `.env` and the environment, which wins.

        Raises SettingsError with one line about the first wrong value, or if `.env` cannot be read.
        """
        try:
            return cls(**environment.read_variables(cls))
        except ValidationError as invalid:
            raise SettingsError(environment.first_fault(invalid, cls.model_fields)) from None

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, value: object) -> object:
        return values.without_quotes(value)

    @model_validator(mode="after")
    def _encryption_fits_storage(self) -> Self:
        if self.s3_encryption and not self.storage_url.startswith("s3://"):
            raise ValueError("RECALL_S3_ENCRYPTION is for s3:// alone: unset it, or check RECALL_STORAGE_URL")
        return self

    @model_validator(mode="after")
    def _rate_fits_format(self) -> Self:
        allowed = _OPUS_RATES_HZ if self.audio_format == "opus" else _RATES_HZ
        if self.audio_sample_rate_hz not in allowed:
            choices = ", ".join(map(str, allowed))
            raise ValueError(f"RECALL_AUDIO_SAMPLE_RATE_HZ is no rate of {self.audio_format}: use one of {choices}")
        return self

    @property
    def base_url(self) -> str:
        """The API's base URL, without a trailing slash (docs/design/recall-api.md, section 1)."""
        return self.api_url or f"https://{self.region}.recall.ai/api/v1"

    @cached_property
    def storage_root(self) -> str:
        """The archive's root: an absolute path, or an fsspec URL without a trailing slash."""
        scheme, separator, rest = self.storage_url.partition("://")
        if separator and scheme != "file":
            return self.storage_url.rstrip("/")
        return str(folders.absolute(rest if separator else self.storage_url))

    @property
    def storage_is_local(self) -> bool:
        """Whether the archive is a folder of this machine."""
        return "://" not in self.storage_root

    @property
    def max_file_bytes(self) -> int:
        """Largest download accepted, in bytes."""
        return self.max_file_mb * _MIB

    @property
    def processes(self) -> int:
        """How many processes of this machine `workers` stands for: its number, else one a core."""
        return int(self.workers) if self.workers.isdecimal() else os.cpu_count() or 1

    @property
    def lookback(self) -> timedelta:
        """`lookback_days` as a span."""
        return timedelta(days=self.lookback_days)

    def required_api_key(self) -> SecretStr:
        """Return the key, or raise SettingsError: nothing can be asked of Recall.ai without one."""
        if self.api_key is None:
            raise SettingsError(
                "RECALL_API_KEY is not set: put the workspace's key into the environment or into "
                f"{folders.project_folder() / '.env'} (or try `recall-pipeline demo`, which needs none)"
            )
        return self.api_key

    def required_webhook_secrets(self) -> list[str]:
        """Return the secrets that webhooks may be signed with, or raise SettingsError: none is taken on trust."""
        if self.webhook_secret is None:
            raise SettingsError(
                "RECALL_WEBHOOK_SECRET is not set: "
                "copy the endpoint's signing secret, whsec_..., from Recall's dashboard"
            )
        return values.webhook_secrets(self.webhook_secret)
