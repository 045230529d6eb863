"""An archive of two days."""

import pytest

from recall_pipeline.days import ONE_DAY
from recall_pipeline.storage import Archive
from recall_pipeline_tests.fixity.stored_days import DAY, store


@pytest.fixture
def storage_url(request: pytest.FixtureRequest) -> str:
    """A folder, or what a test asks for."""
    return str(request.getfixturevalue(getattr(request, "param", "folder_url")))


@pytest.fixture
def stored(archive: Archive) -> Archive:
    """The archive with two days."""
    store(archive, DAY)
    store(archive, DAY + ONE_DAY)
    return archive
