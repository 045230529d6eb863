"""A workspace on a sandbox; retries do not wait."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from recall_pipeline.sandbox import Sandbox, World
from recall_pipeline_tests.workspace import Workspace, settings_for


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    stamina.set_testing(True, attempts=6)
    yield
    stamina.set_testing(False)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    with Sandbox(World()).running() as sandbox:
        yield Workspace(sandbox, settings_for(sandbox, tmp_path / "archive"))
