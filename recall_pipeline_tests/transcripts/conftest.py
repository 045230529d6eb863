"""An archive, and the environment in which a run of the second code location finds it."""

import pytest

from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive


@pytest.fixture
def settings(storage_url: str) -> Settings:
    """An archive, and no key."""
    return Settings(storage_url=storage_url)


@pytest.fixture
def stored(archive: Archive, storage_url: str, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """The archive that the environment names."""
    monkeypatch.setenv("RECALL_STORAGE_URL", storage_url)
    return archive
