"""An archive, and the environment variable that points a run of the second code location to it."""

import pytest

from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive


@pytest.fixture
def settings(storage_url: str) -> Settings:
    """Settings with an archive and without an API key."""
    return Settings(storage_url=storage_url)


@pytest.fixture
def stored(archive: Archive, storage_url: str, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """The archive that RECALL_STORAGE_URL points to."""
    monkeypatch.setenv("RECALL_STORAGE_URL", storage_url)
    return archive
