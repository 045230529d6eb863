"""A workspace whose day is captured and cataloged."""

import pytest

from recall_pipeline.settings import Settings
from recall_pipeline_tests.workspace import Workspace
from recall_sandbox import Sandbox


@pytest.fixture
def workspace(sandbox: Sandbox, settings: Settings) -> Workspace:
    """A workspace without meetings yet; one worker normalizes."""
    return Workspace(sandbox, settings.model_copy(update={"workers": "1"}))
