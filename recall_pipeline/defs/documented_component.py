"""A base of components whose schema describes every attribute."""

from functools import cache

import dagster as dg
from pydantic import BaseModel


class DocumentedComponent(dg.Component, dg.Resolvable, dg.Model):
    """A component with typed fields. Dagster leaves their descriptions out of the schema unless they have resolvers."""

    @classmethod
    def model(cls) -> type[BaseModel]:
        """Return the model of the attributes, with the descriptions and examples of the fields."""
        return _with_descriptions(cls, super().model())


@cache
def _with_descriptions(component: type[DocumentedComponent], derived: type[BaseModel]) -> type[BaseModel]:
    fields = list(component.model_fields.values())
    for field, attribute in zip(fields, derived.model_fields.values(), strict=True):  # in the same order
        attribute.description, attribute.examples = field.description, field.examples
    derived.model_rebuild(force=True)
    return derived
