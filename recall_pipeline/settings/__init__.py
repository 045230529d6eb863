"""What the user may set: one frozen object, read once from the environment (docs/design/interface.md, section 1).

Belongs here: each setting's name, type, default and meaning; what a value must be like; the folders that relative
paths start from. Does not: what a setting does, which the room that obeys it knows.

In: the environment, and a `.env` beside workspace.yaml; the real environment wins. Out: `load_settings`, and errors
of one line that name the variable, the value's fault and the fix.
"""

from recall_pipeline.settings.fields import REGIONS, Settings, environment_name
from recall_pipeline.settings.folders import dagster_home, project_folder
from recall_pipeline.settings.loading import load_settings
from recall_pipeline.settings.values import is_loopback, without_quotes

__all__ = [
    "REGIONS",
    "Settings",
    "dagster_home",
    "environment_name",
    "is_loopback",
    "load_settings",
    "project_folder",
    "without_quotes",
]
