"""An object store that takes a request and falls silent: every call ends, as an error about its file."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import s3fs

from recall_pipeline.errors import StorageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, bucket_store, open_archive

KEY = "mixed_audio/day=2026-03-02/recording/audio.mp3"
_LONG = 8 * 2**20  # more than the buffers of a loopback connection hold


@dataclass
class SilentServer:
    """A TCP server that reads up to `reads` bytes of a connection, sends `answer`, and never closes it."""

    reads: int
    answer: bytes = b""
    port: int = 0
    _open: list[socket.socket] = field(default_factory=list)

    @contextlib.contextmanager
    def running(self) -> Iterator["SilentServer"]:
        """Serve until the block ends."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            thread = threading.Thread(target=self._accept, args=(listener,))
            thread.start()
            yield self
            listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in self._open:
            connection.close()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self._open.append(connection)
                if self.reads:
                    connection.recv(self.reads)
                connection.sendall(self.answer)


@pytest.fixture(autouse=True)
def short_limits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Limits of parts of a second, and a store at the environment's address."""
    monkeypatch.setattr(bucket_store, "_ANSWER_SECONDS", 0.4)
    monkeypatch.setattr(bucket_store, "_LISTING_SECONDS", 0.5)
    monkeypatch.setattr(bucket_store, "_SLOWEST_BYTES_PER_SECOND", 50 * 2**20)
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("RECALL_SPOOL_DIR", str(tmp_path / "spool")),
    ):
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    yield
    s3fs.S3FileSystem.clear_instance_cache()


def upload(archive: Archive) -> None:
    local = archive.open_staging_folder() / "audio.part"
    local.write_bytes(bytes(_LONG))
    try:
        archive.publish(local, KEY)
    finally:
        assert local.stat().st_size == _LONG  # the next sync uploads it without a download


def download(archive: Archive) -> None:
    with archive.local_copy(KEY):
        raise AssertionError("the copy is not complete")


_HALF = b'HTTP/1.1 200 OK\r\nContent-Length: 300000\r\nETag: "1"\r\n\r\n' + bytes(150_000)
CALLS: dict[str, Callable[[Archive], Any]] = {
    "upload": upload,
    "download": download,
    "read": lambda archive: archive.read(KEY),
    "size": lambda archive: archive.size_bytes(KEY),
    "exists": lambda archive: archive.exists(KEY),
    "names": lambda archive: archive.names("bots"),
    "sizes": lambda archive: archive.sizes_below("bots"),
    "remove": lambda archive: archive.remove(KEY),
    "move": lambda archive: archive.move_many({KEY: "elsewhere"}),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    "server",
    [SilentServer(0), SilentServer(20_000), SilentServer(20_000, _HALF)],
    ids=["at connect", "after the request", "in the middle of the answer"],
)
def test_every_call_ends_as_an_error_that_can_be_retried(
    server: SilentServer, call: Callable[[Archive], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with server.running():
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.port}")
        archive = open_archive(Settings(storage_url="s3://bucket/prefix", spool_dir=tmp_path / "spool"))
        with pytest.raises(StorageError, match="did not finish the request within") as raised:
            call(archive)
    assert raised.value.is_timeout
    assert raised.value.retry_can_help
    assert "\n" not in str(raised.value)


def test_received_bytes_extend_the_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bucket_store, "_ANSWER_SECONDS", 1.5)
    monkeypatch.setattr(bucket_store, "_SLOWEST_BYTES_PER_SECOND", 100_000)
    with SilentServer(20_000, _HALF).running() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.port}")
        archive = open_archive(Settings(storage_url="s3://bucket/prefix", spool_dir=tmp_path / "spool"))
        with pytest.raises(StorageError, match=r"within [3-9] s") as raised:
            download(archive)
    assert raised.value.is_timeout
