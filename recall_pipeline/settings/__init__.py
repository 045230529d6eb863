"""What the user may set, as one frozen object (docs/design/interface.md, section 1).

Belongs here: each setting's name, type, default and meaning; the validation of values; the folders that relative
paths start from.
Does not belong here: what a setting does. The package that uses it knows.
Comes in: arguments of `Settings(...)`; for `Settings.from_environment()` the environment, and a `.env` beside
workspace.yaml. The environment wins.
Goes out: `Settings`, and errors of one line that name the variable, the value's fault and the fix.
"""

from recall_pipeline.settings.environment import environment_name
from recall_pipeline.settings.fields import REGIONS, Settings
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
