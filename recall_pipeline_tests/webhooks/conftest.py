"""An inbox in a folder and on S3, and a receiver before it."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr

from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive
from recall_pipeline.webhooks import EventStore
from recall_pipeline.webhooks.receiver import webhook_app
from recall_pipeline.webhooks.server import webhook_server
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET
from recall_pipeline_tests.webhooks.signing import OTHER_SECRET, SECRET


@pytest.fixture(params=FOLDER_AND_BUCKET)
def storage_url(request: pytest.FixtureRequest) -> str:
    """Both kinds of storage."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def inbox(archive: Archive) -> EventStore:
    """The inbox of `archive`."""
    return EventStore(archive)


@contextlib.contextmanager
def receiving(settings: Settings) -> Iterator[httpx.Client]:
    """Serve a receiver on loopback, and give a client of it."""
    server = webhook_server(webhook_app(settings))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=60) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def receiver(storage_url: str) -> Iterator[httpx.Client]:
    """A client of a receiver that knows two secrets."""
    secrets = SecretStr(f"{SECRET}, {OTHER_SECRET}")
    with receiving(Settings(storage_url=storage_url, webhook_secret=secrets)) as client:
        yield client
