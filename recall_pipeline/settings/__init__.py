"""Settings as one frozen object (docs/design/interface.md, section 1).

Belongs here: name, type, default, meaning and validation of each setting; the base folders of relative paths.
Does not belong here: the effect of a setting, which is up to the package that uses it.
Comes in: arguments of `Settings(...)`; for `Settings.from_environment()` the environment, and a `.env` beside
workspace.yaml. The environment wins. Goes out: `Settings`, or a SettingsError in one line with the variable, the
problem and the fix.
"""

from recall_pipeline.settings.environment import ENV_FILE, environment_name, first_fault
from recall_pipeline.settings.fields import REGIONS, Region, Settings
from recall_pipeline.settings.folders import dagster_home, project_folder
from recall_pipeline.settings.loading import load_settings
from recall_pipeline.settings.values import is_loopback, without_quotes

__all__ = [
    "ENV_FILE",
    "REGIONS",
    "Region",
    "Settings",
    "dagster_home",
    "environment_name",
    "first_fault",
    "is_loopback",
    "load_settings",
    "project_folder",
    "without_quotes",
]
