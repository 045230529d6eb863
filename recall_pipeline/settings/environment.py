"""The variables of the environment and of `.env`, by setting, and what is wrong with a value in one line."""

import difflib
import logging
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from dotenv import load_dotenv
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource

from recall_pipeline.errors import SettingsError
from recall_pipeline.settings import folders

_log = logging.getLogger("recall_pipeline.waits")  # the command line shows these messages
_PREFIX = "RECALL_"
ENV_FILE = "RECALL_ENV_FILE"
"""Names the file that is read in place of `.env`. The option `--env-file` sets it, for child processes too."""


def environment_name(field: str) -> str:
    """Return the environment variable of a settings field."""
    return f"{_PREFIX}{field}".upper()


def read_variables(model: type[BaseModel]) -> dict[str, Any]:
    """Load `.env`, or the file in its place; return the value of each field whose variable is set and not empty.

    The case of a variable's name does not matter. Raises SettingsError if `.env` cannot be read.
    """
    _load_dotenv()
    for name in sorted(name for name in os.environ if name.upper().startswith(_PREFIX)):
        if name != ENV_FILE:
            _report_unknown(name, tuple(map(environment_name, model.model_fields)))
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


@cache
def _report_unknown(name: str, known: tuple[str, ...]) -> None:
    """Log once that a variable is not a setting, with the setting that it resembles most."""
    if name.upper() in known:
        return
    similar = difflib.get_close_matches(name.upper(), known, n=1)
    cure = f"did you mean {similar[0]}?" if similar else "it has no effect"
    _log.warning("%s is not a setting: %s", name, cure)


def _load_dotenv() -> None:
    named = os.environ.get(ENV_FILE)
    dotenv = Path(named) if named else folders.project_folder() / ".env"
    try:
        if named:
            dotenv.open("rb").close()  # python-dotenv ignores a missing file
        load_dotenv(dotenv, override=False)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError(f"cannot read {dotenv} ({reason}): fix the file, or move it away") from None
