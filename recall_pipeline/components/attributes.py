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


class ArchiveTranslation(dg.Resolvable, dg.Model):
    """What Dagster shows of the four assets, where the defaults do not fit."""

    group_name: str | None = Field(None, description="Group of the assets. Unset: `recall`.", examples=["meetings"])
    owners: list[str] | None = Field(
        None,
        description="Owners of the assets: e-mail addresses, or teams as `team:name`. Unset: `team:meeting-audio`.",
        examples=[["team:data"]],
    )
    tags: dict[str, str] = Field({}, description="Tags of the assets, beside `source` and `privacy`.")
    key_prefix: str | list[str] | None = Field(
        None, description="First part or parts of the asset keys, before `name`.", examples=["raw"]
    )

    def translated(self, spec: dg.AssetSpec) -> dg.AssetSpec:
        """Return the spec with what is set here."""
        prefix = [self.key_prefix] if isinstance(self.key_prefix, str) else self.key_prefix or []
        changed: dict[str, Any] = {"tags": {**spec.tags, **self.tags}, "key": dg.AssetKey([*prefix, *spec.key.path])}
        if self.group_name is not None:
            changed["group_name"] = self.group_name
        if self.owners is not None:
            changed["owners"] = self.owners
        return spec.replace_attributes(**changed)


def setting(name: str, description: str | None = None, examples: Sequence[Any] | None = None) -> Any:
    """Return the field of an attribute with the default and the description of the setting."""
    info = Settings.model_fields[name]
    return Field(
        info.default,
        description=description or info.description,
        examples=list(examples) if examples else None,
    )
