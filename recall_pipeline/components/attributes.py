"""The attributes of defs.yaml: every setting by its name in lower case, without RECALL_ (interface.md, section 1)."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import dagster as dg
from pydantic import Field, SecretStr

from recall_pipeline.settings import Settings

Secret = Annotated[SecretStr | None, dg.Resolver(lambda _, value: value, model_field_type=str | None)]
"""A value that no text of the component shows."""

Day = Annotated[date | str, dg.Resolver(lambda _, value: value, model_field_type=date | str)]
"""A day, in quotes or without."""


def setting(name: str, description: str | None = None, examples: Sequence[Any] | None = None) -> Any:
    """Return the field of an attribute with the default and the description of the setting."""
    info = Settings.model_fields[name]
    return Field(
        info.default,
        description=description or info.description,
        examples=list(examples) if examples else None,
    )
