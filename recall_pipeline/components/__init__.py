"""The archive as a component, for Dagster projects of other teams (docs/component.md).

Belongs here: the attributes of defs.yaml, how they become settings, the refusal of two instances that are one, and the
scaffolder of `dg scaffold defs`.
Does not belong here: the definitions themselves, which `defs` makes, and the meaning of a setting.
Comes in: the attributes of one instance, and the other instances of the project. Goes out: its definitions, or a
SettingsError in one line.
"""

from recall_pipeline.components.archive_component import RecallArchiveComponent
from recall_pipeline.components.attributes import Secret
from recall_pipeline.components.templates import RenderedAttributes, render_attributes

__all__ = ["RecallArchiveComponent", "RenderedAttributes", "Secret", "render_attributes"]
