"""Read the settings, and word what is wrong with them for a person."""

from dotenv import load_dotenv
from pydantic import ValidationError

from recall_pipeline.errors import SettingsError
from recall_pipeline.settings import folders
from recall_pipeline.settings.fields import Settings, environment_name


def load_settings() -> Settings:
    """Read `.env` and the environment; raise SettingsError with one line about the first wrong value."""
    dotenv = folders.project_folder() / ".env"
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
