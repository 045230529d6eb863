"""Fixtures of all tests: a clean environment, a sandbox over real HTTP, a storage for the archive.

The storage is a folder. A package that overrides `storage_url` with `params=FOLDER_AND_BUCKET` also runs its tests
on S3.
"""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import stamina

from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_archive
from recall_pipeline_tests.s3_server import CannotStart, S3Server, running_s3
from recall_pipeline_tests.workspace import settings_for
from recall_sandbox import Sandbox, World


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--storage s3`, which runs the whole suite on a bucket."""
    parser.addoption("--storage", choices=("folder", "s3"), default="folder", help="where tests have their archives")


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Restore SIGINT for the programs that tests start; a shell that starts the tests with `&` ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the developer's settings, cloud, proxy and Dagster home from the environment."""
    for name in os.environ:
        if name.startswith(("RECALL_", "TRANSCRIPTS_", "AWS_", "DAGSTER_", "SSL")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster_home"))


@pytest.fixture(autouse=True)
def retries_without_waiting() -> Iterator[None]:
    """Retry without waiting, at most five attempts."""
    with stamina.set_testing(True, attempts=5):
        yield


@pytest.fixture
def world() -> World:
    """An empty workspace; a module with other meetings overrides this fixture."""
    return World()


@pytest.fixture
def sandbox(world: World) -> Iterator[Sandbox]:
    """A sandbox without rate limits that serves `world`."""
    with Sandbox(world, list_per_minute=None, object_per_minute=None, create_per_minute=None).running() as running:
        yield running


@pytest.fixture
def folder_url(tmp_path: Path) -> str:
    """The path of a new folder, not created yet."""
    return str(tmp_path / "data")


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One S3 server per worker; its tests are in the xdist group `s3`, so only one worker starts it."""
    with contextlib.ExitStack() as running:
        try:
            server = running.enter_context(running_s3(tmp_path_factory.mktemp("s3")))
        except CannotStart as reason:
            pytest.skip(f"no S3 server: {reason}")
        yield server


@pytest.fixture(scope="session")
def bucket(s3_server: S3Server) -> str:
    """One bucket for all tests: creating one takes as long as a test."""
    return s3_server.new_bucket()


@pytest.fixture
def bucket_url(s3_server: S3Server, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new prefix in a bucket, with the environment for it and a staging folder below `tmp_path`."""
    for name, value in {**s3_server.environment, "RECALL_SPOOL_DIR": str(tmp_path / "spool")}.items():
        monkeypatch.setenv(name, value)
    return f"s3://{bucket}/{uuid4()}"


@pytest.fixture
def storage_url(request: pytest.FixtureRequest) -> str:
    """The URL of the archive: a folder, or a bucket with `--storage s3`; modules can override it."""
    in_bucket = request.config.getoption("storage") == "s3" and not request.node.get_closest_marker("on_disk")
    return str(request.getfixturevalue("bucket_url" if in_bucket else "folder_url"))


@pytest.fixture
def settings(sandbox: Sandbox, storage_url: str) -> Settings:
    """Settings for the sandbox and an archive at `storage_url`."""
    return settings_for(sandbox, storage_url)


@pytest.fixture
def archive(storage_url: str) -> Archive:
    """The empty archive of `settings`."""
    return open_archive(Settings(storage_url=storage_url))
