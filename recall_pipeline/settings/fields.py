"""All settings with type, default and description. docs/configuration.md is generated from here."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from recall_pipeline.audio_formats import AudioFormat, sample_rates_hz
from recall_pipeline.errors import SettingsError
from recall_pipeline.settings import environment, folders, values
from recall_pipeline.settings.cores import available_cores

Region = Literal["us-east-1", "us-west-2", "eu-central-1", "ap-northeast-1"]
REGIONS: tuple[Region, ...] = get_args(Region)
_MIB = 1024 * 1024
_FIXITY_DAYS = 90  # of an archive on a folder
_PLACES = ("storage_url", "spool_dir")


class Settings(BaseModel):
    """All settings, typed and frozen.


    The constructor reads its arguments only, and raises pydantic's ValidationError for a wrong one.
    `from_environment` reads the `RECALL_*` variables and `.env`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    api_key: Annotated[SecretStr, AfterValidator(values.plain_key)] | None = Field(
        None,
        description="API key of the workspace. It is sent to the API's host only, and never printed, logged or stored.",
    )
    region: Region = Field(
        "us-east-1",
        description="Selects `https://{region}.recall.ai/api/v1`. A key belongs to one region.",
    )
    api_url: Annotated[str, AfterValidator(values.base_url)] | None = Field(
        None,
        description="Overrides the base URL, for a sandbox or a proxy. Plain http is allowed on loopback only.",
    )
    storage_url: Annotated[str, AfterValidator(values.storage_url)] = Field(
        "./data",
        description="Root of the archive: a path (relative to the folder of workspace.yaml) or an fsspec URL such as "
        "`s3://bucket/prefix`. S3 uses the standard AWS variables, including `AWS_ENDPOINT_URL`.",
    )
    s3_encryption: Annotated[str, AfterValidator(values.s3_encryption)] | None = Field(
        None,
        description="Server-side encryption of S3 uploads: `AES256`, `aws:kms`, or `aws:kms:KEY` with a key's id or "
        "ARN. Unset: the bucket's default.",
    )
    group_may_read: bool = Field(
        False,
        description="Whether the group may read the files of a local archive. Unset: only the owner may.",
    )
    spool_dir: Annotated[Path, AfterValidator(folders.absolute)] | None = Field(
        None,
        description="Staging folder for partial and temporary files (relative paths as above). Unset: "
        "`<storage>/_spool` for a local archive, else a private folder in the system's temporary folder.",
    )
    start_date: Annotated[date, BeforeValidator(values.day), AfterValidator(values.start_date)] = Field(
        date(2025, 1, 1), description="First day partition."
    )
    lookback_days: int = Field(
        7, ge=1, le=3660, description="Number of days that `daily_sync` and a bare `sync` look back."
    )
    audio_format: AudioFormat = Field(
        "flac", description="Format of the normalized file: `flac`, `mp3`, `opus` or `wav`."
    )
    audio_sample_rate_hz: int = Field(16000, description="Sample rate of the normalized file.")
    audio_channels: int = Field(1, ge=1, le=2, description="Number of channels of the normalized file.")
    target_lufs: FiniteFloat = Field(-16.0, ge=-40, le=-5, description="Target integrated loudness (EBU R128), LUFS.")
    true_peak_dbtp: FiniteFloat = Field(-1.5, ge=-20, le=0, description="Maximum true peak, dBTP.")
    limiter_max_db: FiniteFloat = Field(
        12.0,
        ge=0,
        le=40,
        description="Maximum gain reduction of the limiter, dB. Files that would need more end up below the target.",
    )
    list_rpm: int = Field(
        50,
        ge=1,
        description="Maximum requests per minute to each list endpoint and to bot creation, shared by all processes of "
        "this host and Dagster home; with RECALL_COORDINATION_URL, by all hosts.",
    )
    object_rpm: int = Field(
        250, ge=1, description="Maximum requests per minute to each single-object endpoint, shared likewise."
    )
    coordination_url: Annotated[SecretStr, AfterValidator(values.coordination_url)] | None = Field(
        None,
        description="Redis or PostgreSQL server on which all hosts share request budget and locks: `redis://`, "
        "`rediss://` or `postgresql://`. Unset: the processes of one host and Dagster home share them.",
    )
    concurrency: int = Field(8, ge=1, le=256, description="Maximum number of concurrent downloads.")
    workers: Annotated[str, AfterValidator(values.workers)] = Field(
        "local",
        description="Workers that decode and normalize: `local` (one process per core that may be used), a number of "
        "processes, or the address of a Dask scheduler for normalization.",
    )
    max_file_mb: int = Field(
        4096, ge=1, description="Maximum size of a download, MiB. Larger files are refused and reported."
    )
    allowed_networks: Annotated[str, AfterValidator(values.allowed_networks)] | None = Field(
        None,
        description="Private networks that media may be downloaded from, for VPC endpoints: addresses or CIDR ranges, "
        "separated by commas.",
    )
    sensor_interval_seconds: int = Field(300, ge=30, description="Polling interval of the sensor `finished_bots`.")
    webhook_secret: Annotated[SecretStr, AfterValidator(values.webhook_secret)] | None = Field(
        None,
        description="Signing secret `whsec_...`, or two separated by a comma during rotation. Required by `webhooks`.",
    )
    retention_days: Annotated[Annotated[int, Field(ge=1)] | None, BeforeValidator(values.off_is_none)] = Field(
        None,
        description="Age in days after which recordings are erased, checked daily. Unset or `off`: never.",
    )
    retention_limit: int | None = Field(
        None,
        ge=0,
        description="Maximum number of recordings that one retention run may erase. Unset: a tenth of the archive, at "
        "most 1,000, or one whole day for each night since the last erasure.",
    )
    fixity_days: Annotated[Annotated[int, Field(ge=1)] | Literal["off"] | None, BeforeValidator(values.days_or_off)] = (
        Field(
            None,
            description="Every stored file is read back and checked at least once in so many days; `off`: never by "
            "itself. Unset: 90 on a folder, `off` in a bucket, where reading costs money.",
        )
    )
    alert_url: Annotated[SecretStr, AfterValidator(values.alert_url)] | None = Field(
        None, description="URL to which alerts are posted, as JSON in Slack's format."
    )
    page_url: Annotated[str, AfterValidator(values.page_url)] | None = Field(
        None,
        description="Address of the archive page, as readers reach it. The page answers for its host name, and the "
        "metadata in Dagster links to it.",
    )
    _storage_options: Mapping[str, Any] = PrivateAttr(default_factory=dict)
    _fault: str | None = PrivateAttr(default=None)

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
    def _without_quotes(cls, value: object, info: ValidationInfo) -> object:
        plain = values.without_quotes(value)
        return values.plain_place(value) if info.field_name in _PLACES else plain

    @model_validator(mode="after")
    def _encryption_fits_storage(self) -> Self:
        if self.s3_encryption and not self.storage_url.startswith("s3://"):
            raise ValueError("RECALL_S3_ENCRYPTION applies to s3:// only: unset it, or check RECALL_STORAGE_URL")
        return self

    @model_validator(mode="after")
    def _rate_fits_format(self) -> Self:
        allowed = sample_rates_hz(self.audio_format)
        if self.audio_sample_rate_hz not in allowed:
            choices = ", ".join(map(str, allowed))
            raise ValueError(f"RECALL_AUDIO_SAMPLE_RATE_HZ is not valid for {self.audio_format}: use one of {choices}")
        return self

    def with_storage_options(self, options: Mapping[str, Any]) -> Self:
        """Return a copy that opens its object store with these options of fsspec. They are in no text of it."""
        copied = self.model_copy()
        copied._storage_options = dict(options)
        return copied

    def unusable(self, fault: str) -> Self:
        """Return a copy for definitions that load although a value is missing.

        What needs the API or the archive raises SettingsError with `fault`.
        """
        copied = self.model_copy()
        copied._fault = fault
        return copied

    @property
    def fault(self) -> str | None:
        """Why these settings are unusable; None if they are not."""
        return self._fault

    @property
    def storage_options(self) -> Mapping[str, Any]:
        """Options of fsspec for the object store, beside those of its own environment variables."""
        return self._storage_options

    @property
    def base_url(self) -> str:
        """The API's base URL, without a trailing slash (docs/design/recall-api.md, section 1)."""
        self._check()
        return self.api_url or f"https://{self.region}.recall.ai/api/v1"

    @cached_property
    def storage_root(self) -> str:
        """The archive's root: an absolute path, or an fsspec URL without a trailing slash."""
        self._check()
        scheme, separator, rest = self.storage_url.partition("://")
        if separator and scheme != "file":
            return self.storage_url.rstrip("/")
        return str(folders.absolute(rest if separator else self.storage_url))

    @property
    def storage_is_local(self) -> bool:
        """Whether the archive is a local folder."""
        return "://" not in self.storage_root

    @property
    def max_file_bytes(self) -> int:
        """Maximum size of a download, bytes."""
        return self.max_file_mb * _MIB

    @property
    def media_networks(self) -> list[values.Network]:
        """The private networks that media may be downloaded from."""
        return values.networks(self.allowed_networks or "")

    @property
    def processes(self) -> int:
        """The number of local worker processes: the number in `workers`, else one per core that may be used."""
        return int(self.workers) if self.workers.isdecimal() else available_cores()

    @property
    def uses_dask(self) -> bool:
        """Whether `workers` is the address of a Dask scheduler, so that normalization runs there."""
        return "://" in self.workers

    @property
    def lookback(self) -> timedelta:
        """`lookback_days` as a timedelta."""
        return timedelta(days=self.lookback_days)

    @property
    def fixity_cycle_days(self) -> int | None:
        """In how many days every stored file is read back; None: never by itself."""
        if self.fixity_days is None:
            return _FIXITY_DAYS if self.storage_is_local else None
        return None if self.fixity_days == "off" else self.fixity_days

    def is_past_retention(self, day: date, today: date) -> bool:
        """Return whether recordings of `day` are older than RECALL_RETENTION_DAYS, so that they are erased."""
        return self.retention_days is not None and day < today - timedelta(days=self.retention_days)

    def required_api_key(self) -> SecretStr:
        """Return the API key; raise SettingsError if it is not set."""
        self._check()
        if self.api_key is None:
            raise SettingsError(
                "RECALL_API_KEY is not set: set the workspace's key in the environment or in "
                f"{folders.project_folder() / '.env'} (or try `recall-pipeline demo`, which needs none)"
            )
        return self.api_key

    def required_webhook_secrets(self) -> list[str]:
        """Return the secrets for webhook signatures; raise SettingsError if none is set."""
        if self.webhook_secret is None:
            raise SettingsError(
                "RECALL_WEBHOOK_SECRET is not set: "
                "copy the endpoint's signing secret, whsec_..., from Recall's dashboard"
            )
        return values.webhook_secrets(self.webhook_secret)

    def _check(self) -> None:
        if self._fault is not None:
            raise SettingsError(self._fault)
