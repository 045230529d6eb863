"""The attribute `translation` of components: what Dagster shows of their assets."""

from typing import Annotated, Any

import dagster as dg
from pydantic import Field


def _as_written(context: dg.ResolutionContext, value: Any) -> Any:
    """Return a value with its templates filled in. Dagster would read a text such as "1" as a number."""
    if isinstance(value, dict):
        return {name: _as_written(context, each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_written(context, each) for each in value]
    return str(context.resolve_value(value)) if isinstance(value, str) and "{{" in value else value


class AssetTranslation(dg.Resolvable, dg.Model):
    """What Dagster shows of the assets of a component, where the defaults do not fit."""

    group_name: Annotated[str | None, dg.Resolver(_as_written, model_field_type=str | None)] = Field(
        None, description="Group of the assets. Unset: `recall` or `transcripts`.", examples=["meetings"]
    )
    owners: Annotated[list[str] | None, dg.Resolver(_as_written, model_field_type=list[str] | None)] = Field(
        None,
        description="Owners of the assets: e-mail addresses, or teams as `team:name`. "
        "Unset: `team:meeting-audio` or `team:speech`.",
        examples=[["team:data"]],
    )
    tags: Annotated[dict[str, str], dg.Resolver(_as_written, model_field_type=dict[str, str])] = Field(
        {}, description="Tags of the assets, beside `source` and `privacy`."
    )
    key_prefix: Annotated[str | list[str] | None, dg.Resolver(_as_written, model_field_type=str | list[str] | None)] = (
        Field(None, description="First part or parts of the asset keys, before `name`.", examples=["raw"])
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
