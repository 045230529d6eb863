"""The archive page over real HTTP."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from recall_pipeline.browse import ArchivePage, page_server
from recall_pipeline.catalog import CatalogRow
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, open_archive
from recall_pipeline_tests.browse.meetings import fill

Serve = Callable[..., httpx.Client]


@contextlib.contextmanager
def served(archive: Archive, **options: Any) -> Iterator[tuple[ArchivePage, httpx.Client]]:
    """Serve the page of an archive, its index up to date, and give a client of it."""
    page = ArchivePage(archive, **options)
    listener = socket.create_server(("127.0.0.1", 0))
    server = page_server(page)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        page.pages.indexer.update()
        with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
            yield page, client
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
        page.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, dict[str, CatalogRow], Archive]]:
    """One page for the tests that only read: a day with a recording of each kind."""
    archive = open_archive(Settings(storage_url=str(tmp_path_factory.mktemp("archive"))))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tempfile.tempdir", str(tmp_path_factory.mktemp("temporary")))
        rows = fill(archive)
        with served(archive) as (_, client):
            yield client, rows, archive


@pytest.fixture
def client(shared: tuple[httpx.Client, dict[str, CatalogRow], Archive]) -> httpx.Client:
    """A client of the shared page."""
    return shared[0]


@pytest.fixture
def rows(shared: tuple[httpx.Client, dict[str, CatalogRow], Archive]) -> dict[str, CatalogRow]:
    """The rows of the shared page, by kind."""
    return shared[1]


@pytest.fixture
def shared_archive(shared: tuple[httpx.Client, dict[str, CatalogRow], Archive]) -> Archive:
    """The archive of the shared page."""
    return shared[2]


@pytest.fixture
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the system's temporary one."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def serve(own_temporary_folder: Path) -> Iterator[Serve]:
    """Return a function that serves the page of an archive until the test ends."""
    with contextlib.ExitStack() as stack:
        yield lambda archive, **options: stack.enter_context(served(archive, **options))[1]
