"""`load_settings`, the name under which the packages read the settings."""

from recall_pipeline.settings.fields import Settings


def load_settings() -> Settings:
    """Return `Settings.from_environment()`."""
    return Settings.from_environment()
