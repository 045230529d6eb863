"""Load the settings, and report a wrong one in one readable line."""

from dotenv import load_dotenv
from pydantic import ValidationError

from recall_pipeline.errors import SettingsError
from recall_pipeline.settings import folders
from recall_pipeline.settings.fields import Settings, environment_name


def load_settings() -> Settings:
    """Read `.env` and the environment; raise SettingsError about the first wrong value."""
    dotenv = folders.project_folder() / ".env"
    try:
        load_dotenv(dotenv, override=False)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError(f"cannot read {dotenv} ({reason}): correct the file, or move it away") from None
    try:
        return Settings()
    except ValidationError as invalid:
        raise SettingsError(_one_line(invalid)) from None


def _one_line(invalid: ValidationError) -> str:
    """Return the variable, its problem and the fix. Messages of the project's own validators contain the fix."""
    first = invalid.errors(include_url=False, include_input=False, include_context=False)[0]
    message = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return message
    field = str(first["loc"][0])
    if first["type"] == "value_error":
        return f"{environment_name(field)} {message}"
    problem = message.removeprefix("Input ")
    default = Settings.model_fields[field].default
    return f"{environment_name(field)} is wrong: {problem}; correct it or unset it (default: {default or 'none'})"
