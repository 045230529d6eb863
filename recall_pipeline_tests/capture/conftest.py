"""A workspace whose day is captured."""

import pytest

from recall_pipeline.sandbox import Sandbox
from recall_pipeline.settings import Settings
from recall_pipeline_tests.workspace import Workspace


@pytest.fixture
def workspace(sandbox: Sandbox, settings: Settings) -> Workspace:
    """A workspace without meetings yet."""
    return Workspace(sandbox, settings)
