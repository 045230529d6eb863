"""Settings of transcripts: environment variables, or `.env` beside workspace.yaml."""

from typing import Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource

from recall_pipeline.downstream import SettingsError, load_settings, without_quotes

WHISPER = "faster-whisper"
_PREFIX = "TRANSCRIPTS_"


class TranscriptsSettings(BaseModel):
    """All settings, typed and frozen, of its arguments. `load_transcripts_settings` reads the environment."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    engine: str = Field(
        WHISPER,
        pattern=rf"^({WHISPER}|[\w.]+:\w+)$",
        description=f"`{WHISPER}`, or `package.module:function` that returns your own `Transcriber`.",
    )
    model: str = Field(
        "base", description="A Whisper model: its size (`base`, `small`, `large-v3`, ...) or its folder."
    )
    device: Literal["cpu", "cuda", "auto"] = Field("cpu", description="Device of the model: `cpu`, `cuda` or `auto`.")
    compute_type: str = Field(
        "int8", description="Number format of the model: `int8`, `float16` (on a GPU), `float32`, ..."
    )
    download: bool = Field(False, description="Whether a model that is not on this machine may be downloaded.")
    language: str | None = Field(
        None, pattern=r"^[a-z]{2,3}$", description="Spoken language, such as `en`. Unset: detected in each recording."
    )
    sample_rows: int = Field(
        3,
        ge=0,
        le=20,
        description="Number of transcripts whose first words are shown in Dagster. Dagster keeps these words even if "
        "the recording is erased later; 0 shows none.",
    )

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, value: object) -> object:
        return without_quotes(value)


def load_transcripts_settings() -> TranscriptsSettings:
    """Return the settings. Raises SettingsError with one line about the first invalid value."""
    load_settings()  # reads `.env` into the environment
    try:
        fields_of = cast("type[BaseSettings]", TranscriptsSettings)  # the source reads the fields only
        values = EnvSettingsSource(fields_of, case_sensitive=False, env_prefix=_PREFIX, env_ignore_empty=True)()
        return TranscriptsSettings(**values)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False, include_context=False)[0]
        message = first["msg"].removeprefix("Input ").removeprefix("Value error, ")
        name = f"{_PREFIX}{first['loc'][0]}".upper()
        raise SettingsError(f"{name} is wrong: {message}; correct it or unset it") from None
