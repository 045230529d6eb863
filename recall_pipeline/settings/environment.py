"""The variables of the environment and of `.env`, by setting, and what is wrong with a value in one line."""

from collections.abc import Mapping
from typing import Any, cast

from dotenv import load_dotenv
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource

from recall_pipeline.errors import SettingsError
from recall_pipeline.settings import folders

_PREFIX = "RECALL_"


def environment_name(field: str) -> str:
    """Return the environment variable of a settings field."""
    return f"{_PREFIX}{field}".upper()


def read_variables(model: type[BaseModel]) -> dict[str, Any]:
    """Load `.env` into the environment and return the value of each field whose variable is set and not empty.

    The case of a variable's name does not matter. Raises SettingsError if `.env` cannot be read.
    """
    _load_dotenv()
    fields_of = cast("type[BaseSettings]", model)  # the source reads the fields only, which every model has
    return EnvSettingsSource(fields_of, case_sensitive=False, env_prefix=_PREFIX, env_ignore_empty=True)()


def first_fault(invalid: ValidationError, fields: Mapping[str, FieldInfo]) -> str:
    """Return the variable, the value's fault and the fix; our own validators name the latter two themselves."""
    error = invalid.errors(include_url=False, include_input=False, include_context=False)[0]
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return message
    field = str(error["loc"][0])
    if error["type"] == "value_error":
        return f"{environment_name(field)} {message}"
    default = fields[field].default
    fault = message.removeprefix("Input ")
    return f"{environment_name(field)} is wrong: {fault}; correct it or unset it (default: {default or 'none'})"


def _load_dotenv() -> None:
    dotenv = folders.project_folder() / ".env"
    try:
        load_dotenv(dotenv, override=False)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError(f"cannot read {dotenv} ({reason}): fix the file, or move it away") from None
