"""What the user may set: one frozen object, read once from the environment (contract.md section 1).

A `.env` beside workspace.yaml is read too; the real environment wins. The table in the README is generated
from the fields below.
"""

import os
import re
from datetime import date, timedelta
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self, get_args
from urllib.parse import SplitResult, urlsplit

from dotenv import load_dotenv
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    FiniteFloat,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from recall_pipeline.days import utc_now
from recall_pipeline.errors import SettingsError

Region = Literal["us-east-1", "us-west-2", "eu-central-1", "ap-northeast-1"]
REGIONS: tuple[Region, ...] = get_args(Region)
_MIB = 1024 * 1024
_RATES_HZ = (8000, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_OPUS_RATES_HZ = (8000, 12000, 16000, 24000, 48000)
_EARLIEST_START = date(2000, 1, 1)  # a slip in the year would make Dagster draw half a million partitions
_STORAGE_SCHEMES = ("file", "s3", "gs", "gcs", "az", "abfs", "abfss")


def project_folder() -> Path:
    """Return the folder of workspace.yaml: the checkout, else the nearest one above the working folder."""
    checkout = Path(__file__).resolve().parent.parent
    working = Path.cwd()
    for folder in (checkout, working, *working.parents):
        if (folder / "workspace.yaml").is_file():
            return folder
    return working


def dagster_home() -> Path:
    """Return the folder where this host keeps its state: DAGSTER_HOME, else `.dagster` beside workspace.yaml."""
    home = os.environ.get("DAGSTER_HOME")
    return Path(home).expanduser() if home else project_folder() / ".dagster"


def is_loopback(host: str | None) -> bool:
    """Say whether `host` is this machine, by name or by address."""
    if host is None:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _plain_key(key: SecretStr) -> SecretStr:
    text = re.sub(r"^Token(\s+|$)", "", key.get_secret_value().strip())
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("is not a key: paste it as Recall's dashboard shows it, without spaces")
    return SecretStr(text)


def _http_parts(url: str) -> SplitResult | None:
    """Split an http(s) URL; None when it is not one."""
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0  # reading the port checks it
    except ValueError:
        return None
    return parts if is_whole and parts.scheme in ("http", "https") and not re.search(r"\s", url) else None


def _base_url(url: str) -> str:
    parts = _http_parts(url)
    if parts is None or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("is not a base URL: write it like https://host/api/v1")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("would send the key in the clear: use https (http is for loopback only)")
    return url.rstrip("/")


def _storage_url(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if separator and scheme not in _STORAGE_SCHEMES:
        raise ValueError(f"has an unknown scheme {scheme!r}: use a path or one of {', '.join(_STORAGE_SCHEMES)}")
    if not separator or scheme == "file":
        _absolute(rest if separator else url)
        return url
    bucket = rest.partition("/")[0]
    if not bucket:
        raise ValueError("names no bucket: write it like s3://bucket/prefix")
    if re.search(r":.*@", bucket):
        raise ValueError("holds credentials: set them as AWS variables, or as those of your cloud")
    return url


def _absolute(path: str | Path) -> Path:
    """Return `path` from the folder of workspace.yaml on, symbolic links kept."""
    try:
        return Path(os.path.abspath(project_folder() / Path(path).expanduser()))  # noqa: PTH100 -- keep symbolic links
    except RuntimeError:
        raise ValueError("starts in the home of an unknown user: write the whole path") from None


def _workers(value: str) -> str:
    is_count = value.isdecimal() and int(value) > 0
    if value == "local" or is_count or re.match(r"(tcp|tls|ucx|ws|wss)://\S+$", value):
        return value
    raise ValueError("is neither `local`, a number of processes, nor a Dask scheduler such as tcp://host:8786")


def _webhook_secret(secret: SecretStr) -> SecretStr:
    keys = [key.strip() for key in secret.get_secret_value().split(",")]
    if not 1 <= len(keys) <= 2 or not all(re.fullmatch(r"whsec_[A-Za-z0-9+/=_-]{16,}", key) for key in keys):
        raise ValueError("is not a webhook secret: paste whsec_... (two, separated by a comma, while rotating)")
    return secret


def _alert_url(url: SecretStr) -> SecretStr:
    parts = _http_parts(url.get_secret_value())
    if parts is None:
        raise ValueError("is not a URL that can be posted to: write it like https://hooks.example.com/...")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must be https (http is for loopback only)")
    return url


def _day(value: object) -> object:
    try:
        return date.fromisoformat(value.strip()) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("is not a day: write it like 2025-01-01") from None


def _start_date(day: date) -> date:
    if day > utc_now().date():
        raise ValueError("lies in the future: name the first day to archive")
    if day < _EARLIEST_START:
        raise ValueError("lies before 2000: name the first day to archive")
    return day


def _off_is_none(value: object) -> object:
    return None if isinstance(value, str) and value.strip().lower() == "off" else value


class Settings(BaseSettings):
    """Every setting, typed and frozen. Read it with `load_settings`, which words the faults for a person."""

    model_config = SettingsConfigDict(
        env_prefix="RECALL_",
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    api_key: Annotated[SecretStr, AfterValidator(_plain_key)] | None = Field(
        None,
        description="The workspace's key. Never printed, logged, stored or sent to any host but the API's.",
    )
    region: Region = Field(
        "us-east-1",
        description="Picks `https://{region}.recall.ai/api/v1`; a key lives in one region.",
    )
    api_url: Annotated[str, AfterValidator(_base_url)] | None = Field(
        None,
        description="Overrides the base URL, for a sandbox or a proxy; plain http on loopback only.",
    )
    storage_url: Annotated[str, AfterValidator(_storage_url)] = Field(
        "./data",
        description="Root of everything stored: a path (relative to the folder of workspace.yaml) or an fsspec URL "
        "such as `s3://bucket/prefix` (standard AWS variables, `AWS_ENDPOINT_URL` included).",
    )
    spool_dir: Annotated[Path, AfterValidator(_absolute)] | None = Field(
        None,
        description="Where partial files live (a relative path as above). Unset: `<storage>/_spool` if that is local, "
        "else a private folder in the system's temporary one.",
    )
    start_date: Annotated[date, BeforeValidator(_day), AfterValidator(_start_date)] = Field(
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
    workers: Annotated[str, AfterValidator(_workers)] = Field(
        "local",
        description="Normalization pool: `local` (a process a core), a number of processes, or a Dask "
        "scheduler's address.",
    )
    max_file_mb: int = Field(4096, ge=1, description="Larger downloads are refused and say so (MiB).")
    sensor_interval_seconds: int = Field(300, ge=30, description="Of the sensor `finished_bots`.")
    webhook_secret: Annotated[SecretStr, AfterValidator(_webhook_secret)] | None = Field(
        None,
        description="`whsec_...`, or two separated by a comma while rotating; needed by `webhooks`.",
    )
    retention_days: Annotated[Annotated[int, Field(ge=1)] | None, BeforeValidator(_off_is_none)] = Field(
        None,
        description="Recordings older than this are forgotten daily; unset or `off`: never.",
    )
    alert_url: Annotated[SecretStr, AfterValidator(_alert_url)] | None = Field(
        None, description="Where alerts are posted (Slack-shaped JSON)."
    )

    @model_validator(mode="after")
    def _rate_fits_format(self) -> Self:
        allowed = _OPUS_RATES_HZ if self.audio_format == "opus" else _RATES_HZ
        if self.audio_sample_rate_hz not in allowed:
            choices = ", ".join(map(str, allowed))
            raise ValueError(f"RECALL_AUDIO_SAMPLE_RATE_HZ is no rate of {self.audio_format}: use one of {choices}")
        return self

    @property
    def base_url(self) -> str:
        """The API's base URL, without a trailing slash (recall_api.md section 1)."""
        return self.api_url or f"https://{self.region}.recall.ai/api/v1"

    @cached_property
    def storage_root(self) -> str:
        """The archive's root: an absolute path, or an fsspec URL without a trailing slash."""
        scheme, separator, rest = self.storage_url.partition("://")
        if separator and scheme != "file":
            return self.storage_url.rstrip("/")
        return str(_absolute(rest if separator else self.storage_url))

    @property
    def storage_is_local(self) -> bool:
        """Whether the archive is a folder of this machine."""
        return "://" not in self.storage_root

    @property
    def max_file_bytes(self) -> int:
        """Largest download accepted, in bytes."""
        return self.max_file_mb * _MIB

    @property
    def lookback(self) -> timedelta:
        """`lookback_days` as a span."""
        return timedelta(days=self.lookback_days)

    def required_api_key(self) -> SecretStr:
        """Return the key, or raise SettingsError: nothing can be asked of Recall.ai without one."""
        if self.api_key is None:
            raise SettingsError(
                "RECALL_API_KEY is not set: put the workspace's key into the environment or into "
                f"{project_folder() / '.env'} (or try `recall-pipeline demo`, which needs none)"
            )
        return self.api_key


def environment_name(field: str) -> str:
    """Return the environment variable of a settings field."""
    return f"{Settings.model_config['env_prefix']}{field}".upper()


def load_settings() -> Settings:
    """Read `.env` and the environment; raise SettingsError with one line about the first wrong value."""
    dotenv = project_folder() / ".env"
    try:
        load_dotenv(dotenv, override=False)
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError(f"cannot read {dotenv} ({reason}): mend the file, or move it away") from None
    try:
        return Settings()
    except ValidationError as invalid:
        raise SettingsError(_one_line(invalid)) from None


def _one_line(invalid: ValidationError) -> str:
    """Say which variable is wrong, how, and what to do; our own validators say the latter two themselves."""
    fault = invalid.errors(include_url=False, include_input=False, include_context=False)[0]
    said = fault["msg"].removeprefix("Value error, ")
    if not fault["loc"]:
        return said
    field = str(fault["loc"][0])
    if fault["type"] == "value_error":
        return f"{environment_name(field)} {said}"
    verdict = said.removeprefix("Input ")
    default = Settings.model_fields[field].default
    return f"{environment_name(field)} is wrong: {verdict}; correct it or unset it (default: {default or 'none'})"
