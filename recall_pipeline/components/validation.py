"""Attributes to settings. A wrong value of a variable is a fault of its instance; another stops all."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from recall_pipeline.components.templates import RenderedAttributes
from recall_pipeline.errors import SettingsError
from recall_pipeline.settings import Settings, first_fault

M = TypeVar("M", bound=BaseModel)


def valid_attributes(model: type[M], rendered: RenderedAttributes) -> M:
    """Return a model of the values. A wrong one from a variable becomes a fault, and has its default.

    Raises SettingsError with one line for a wrong value that is written in defs.yaml.
    """
    values = dict(rendered.values)
    while True:
        try:
            return model(**values)
        except ValidationError as invalid:
            text, name = _in_lower_case(first_fault(invalid, model.model_fields)), _first_name(invalid)
            if name not in rendered.templated or name not in values:
                raise SettingsError(text) from None
            rendered.faults[name] = text
            del values[name]


def settings_of(rendered: RenderedAttributes, storage_options: Mapping[str, Any], project_root: Path) -> Settings:
    """Return the settings of attributes; relative paths start at `project_root`. Raises SettingsError as above."""
    given = {name: value for name, value in rendered.values.items() if value is not None}
    if "spool_dir" in given:
        given["spool_dir"] = _below(project_root, str(given["spool_dir"]))
    if isinstance(given.get("workers"), int):
        given["workers"] = str(given["workers"])
    settings = valid_attributes(Settings, RenderedAttributes(given, rendered.templated, rendered.faults))
    if "://" not in settings.storage_url:
        settings = settings.model_copy(update={"storage_url": _below(project_root, settings.storage_url)})
    return settings.with_storage_options(storage_options)


def _below(root: Path, path: str) -> str:
    return path if path.startswith("~") else str(root.absolute() / path)


def _first_name(invalid: ValidationError) -> str | None:
    location = invalid.errors(include_url=False, include_input=False, include_context=False)[0]["loc"]
    return str(location[0]) if location else None


def _in_lower_case(text: str) -> str:
    """Return a fault with the names of attributes in place of those of variables."""
    return re.sub(r"\bRECALL_([A-Z0-9_]+)\b", lambda found: found[1].lower(), text)
