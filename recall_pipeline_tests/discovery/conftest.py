"""What the tests of discovery share."""

import pytest

from recall_pipeline.settings import Settings
from recall_pipeline_tests.discovery.meetings import Workplace
from recall_sandbox import Sandbox


@pytest.fixture
def work(sandbox: Sandbox, settings: Settings) -> Workplace:
    """A workplace without meetings."""
    return Workplace(sandbox, settings)
