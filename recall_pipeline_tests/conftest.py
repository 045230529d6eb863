"""What tests of every room share: an environment of their own, a sandbox over real HTTP, an archive in a folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
from pydantic import SecretStr

from recall_pipeline.sandbox import Sandbox, World
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_archive


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the developer's settings, cloud, proxy and Dagster home out of it."""
    for name in os.environ:
        if name.startswith(("RECALL_", "AWS_", "DAGSTER_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster_home"))


@pytest.fixture(autouse=True)
def retries_without_waiting() -> Iterator[None]:
    """Let whatever is retried be retried at once."""
    with stamina.set_testing(True, attempts=5):
        yield


@pytest.fixture
def world() -> World:
    """An empty workspace; a module that wants other meetings has a fixture of this name."""
    return World()


@pytest.fixture
def sandbox(world: World) -> Iterator[Sandbox]:
    """A Recall.ai without request limits that tells of `world`."""
    with Sandbox(world, list_per_minute=None, object_per_minute=None, create_per_minute=None).running() as running:
        yield running


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path) -> Settings:
    """Settings of the sandbox's workspace and of an archive below `tmp_path`."""
    return Settings(
        api_key=SecretStr(sandbox.api_key),
        api_url=sandbox.api_url,
        storage_url=str(tmp_path / "data"),
        list_rpm=100_000,
        object_rpm=100_000,
    )


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An archive that is a folder below `tmp_path`, the one that `settings` name."""
    return open_archive(Settings(storage_url=str(tmp_path / "data")))
