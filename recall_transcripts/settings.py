"""What the user may set about transcripts: environment variables, or `.env` beside workspace.yaml."""

from typing import Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from recall_pipeline.downstream import SettingsError, load_settings, without_quotes

WHISPER = "faster-whisper"
_PREFIX = "TRANSCRIPTS_"


class TranscriptsSettings(BaseSettings):
    """Every setting, typed and frozen. Read it with `load_transcripts_settings`, which words a fault for a person."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    engine: str = Field(
        WHISPER,
        pattern=rf"^({WHISPER}|[\w.]+:\w+)$",
        description=f"`{WHISPER}`, or `package.module:function` that returns a `Transcriber` of yours.",
    )
    model: str = Field(
        "base", description="A Whisper model: its size (`base`, `small`, `large-v3`, ...) or the folder that holds it."
    )
    device: Literal["cpu", "cuda", "auto"] = Field("cpu", description="Where it runs: `cpu`, `cuda` or `auto`.")
    compute_type: str = Field("int8", description="Its arithmetic: `int8`, `float16` (on a GPU), `float32`, ...")
    download: bool = Field(False, description="Whether a model that is not on this machine may be downloaded.")
    language: str | None = Field(
        None, pattern=r"^[a-z]{2,3}$", description="What is spoken, such as `en`; unset: heard in each recording."
    )
    sample_rows: int = Field(
        3,
        ge=0,
        le=20,
        description="Transcripts shown in Dagster, by their first words. Dagster keeps them, whatever is forgotten "
        "later; 0 shows none.",
    )

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, value: object) -> object:
        return without_quotes(value)


def load_transcripts_settings() -> TranscriptsSettings:
    """Read the settings; raise SettingsError with one line about the first wrong value."""
    load_settings()  # brings in `.env`
    try:
        return TranscriptsSettings()
    except ValidationError as invalid:
        fault = invalid.errors(include_url=False, include_input=False, include_context=False)[0]
        said = fault["msg"].removeprefix("Input ").removeprefix("Value error, ")
        name = f"{_PREFIX}{fault['loc'][0]}".upper()
        raise SettingsError(f"{name} is wrong: {said}; correct it or unset it") from None
