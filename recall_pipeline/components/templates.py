"""Templates in the attributes of defs.yaml: `{{ env.NAME }}`, and whatever else Dagster offers.

Dagster reads the result of a template as a Python literal, so that a key of digits would become a number, and renders
a variable that is not set as the text `None`. Here a variable stays text, and one that is not set is a fault.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

_VARIABLE = re.compile(
    r"""\{\{-?\s*env (?: \.(\w+) | \(\s*["'](\w+)["']\s* (?:,\s*["']([^"']*)["']\s*)? \) )\s*-?\}\}""", re.VERBOSE
)


class VariableMissing(Exception):
    """A variable of a template is not set, or is empty."""


@dataclass
class RenderedAttributes:
    """The values of attributes; `templated` are those that had a template, `faults` why some have no value."""

    values: dict[str, Any] = field(default_factory=dict)
    templated: set[str] = field(default_factory=set)
    faults: dict[str, str] = field(default_factory=dict)


def render_attributes(attributes: Mapping[str, Any], context: dg.ResolutionContext) -> RenderedAttributes:
    """Return the attributes without templates. One whose variable is not set has a fault and no value."""
    rendered = RenderedAttributes()
    for name, value in attributes.items():
        if _has_template(value):
            rendered.templated.add(name)
        try:
            rendered.values[name] = _render(value, context)
        except VariableMissing as missing:
            rendered.faults[name] = (
                f"{missing} is not set: the attribute {name} needs this variable; set it in the environment of Dagster "
                "or in the .env of the project"
            )
    return rendered


def _has_template(value: object) -> bool:
    return "{{" in str(value) or "{%" in str(value)


def _render(value: Any, context: dg.ResolutionContext) -> Any:
    if isinstance(value, Mapping):
        return {name: _render(each, context) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_render(each, context) for each in value]
    if not isinstance(value, str):
        return value
    if not _has_template(_VARIABLE.sub("", value)):
        return _VARIABLE.sub(_value_of_variable, value)
    if (resolved := context.resolve_value(value)) is None:
        raise VariableMissing(f"a variable of {value}")
    return resolved


def _value_of_variable(found: re.Match[str]) -> str:
    name = found[1] or found[2]
    value = os.environ.get(name) or found[3]
    if not value:
        raise VariableMissing(name)
    return value
