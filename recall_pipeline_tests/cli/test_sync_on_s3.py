"""A sync with its archive in a bucket: killed during an upload, and on two hosts at the same time."""

import hashlib
import io
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote

import pyarrow.parquet as pq
import pytest
import s3fs

from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Layout, open_archive
from recall_pipeline_tests.cli.conftest import DAY_BEFORE, YESTERDAY, Run
from recall_pipeline_tests.s3_proxy import ProxiedRequest, S3Proxy
from recall_pipeline_tests.s3_server import S3Server
from recall_pipeline_tests.storages import stored
from recall_sandbox import Rule
from recall_sandbox.effects import Call

pytestmark = pytest.mark.xdist_group("s3")

PATIENCE_SECONDS = 600
SYNC = [sys.executable, "-m", "recall_pipeline", "sync", "--from", f"{DAY_BEFORE}", "--to", f"{YESTERDAY}"]


@dataclass(frozen=True)
class SwallowUpload:
    """Read the whole request, set `received`, and reset the connection without forwarding the request."""

    received: threading.Event = field(default_factory=threading.Event)

    async def apply(self, call: Call) -> None:
        """Simulate a network that fails during the upload."""
        self.received.set()
        while (await call.receive()).get("more_body"):
            pass
        call.connection.reset()


@pytest.fixture(autouse=True)
def fresh_connections() -> Iterator[None]:
    """Clear the cache of fsspec, which ignores the endpoint in the environment."""
    s3fs.S3FileSystem.clear_instance_cache()
    yield
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def synced(sandboxed: Run, bucket_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line against the sandbox, with its archive in a bucket."""
    monkeypatch.setenv("RECALL_STORAGE_URL", bucket_url)
    return sandboxed


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[S3Proxy]:
    """A proxy in front of the bucket."""
    with S3Proxy(s3_server.url).running() as running:
        yield running


def rows(bucket_url: str) -> list[CatalogRow]:
    archive = open_archive(Settings(storage_url=bucket_url))
    return [row for day in (DAY_BEFORE, YESTERDAY) for row in CATALOG.read(archive, day) or []]


def assert_whole(bucket_url: str) -> None:
    """Assert that all tables are readable, and that the stored audio is exactly what the catalog references."""
    files = stored(bucket_url)
    for key, content in files.items():
        if key.endswith(".parquet"):
            pq.read_table(io.BytesIO(content), use_threads=False)
    cataloged = rows(bucket_url)
    sums = {Layout.key_in(row.audio_uri): row.audio_sha256 for row in cataloged if row.audio_uri}
    sums |= {row.source_uri.removeprefix(f"{bucket_url}/"): row.source_sha256 for row in cataloged if row.source_uri}
    audio = {
        key: hashlib.sha256(content).hexdigest()
        for key, content in files.items()
        if Path(key).suffix in (".mp3", ".flac")
    }
    assert audio == sums


def test_a_sync_killed_during_an_upload_leaves_no_partial_object_and_the_next_completes(
    synced: Run, bucket_url: str, proxy: S3Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swallow = SwallowUpload()
    proxy.faults.add(Rule(swallow, method="PUT", path=r"mixed_audio/.*\.mp3$", skip=1))
    with monkeypatch.context() as patched:
        patched.setenv("AWS_ENDPOINT_URL", proxy.url)
        with subprocess.Popen(SYNC, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603
            assert swallow.received.wait(PATIENCE_SECONDS)
            process.kill()
    mp3s = [key for key in stored(bucket_url) if key.endswith(".mp3")]
    assert len(mp3s) == 1
    assert list((tmp_path / "spool").iterdir())
    assert synced(*SYNC[3:]).status == 0
    assert sorted(row.outcome for row in rows(bucket_url)) == ["ready", "ready", "unsupported_platform"]
    assert_whole(bucket_url)
    assert not (tmp_path / "spool").exists()
    assert_verified_and_repaired(synced, bucket_url)


def assert_verified_and_repaired(synced: Run, bucket_url: str) -> None:
    """Assert that the archive verifies, and that a lost MP3 is reported and repaired."""
    assert synced("verify").status == 0
    archive = open_archive(Settings(storage_url=bucket_url))
    archive.remove(next(key for key in stored(bucket_url) if key.endswith(".mp3")))
    assert synced("verify").status == 1
    assert synced("verify", "--repair").status == 0
    assert synced("verify").status == 0
    assert_whole(bucket_url)


def test_a_sync_without_changes_lists_no_day_and_requests_only_tables_and_the_identity(
    synced: Run, proxy: S3Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert synced(*SYNC[3:]).status == 0
    s3fs.S3FileSystem.clear_instance_cache()
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    assert synced(*SYNC[3:]).status == 0
    listed = ("audit/_hosts", "_normalized")
    seen = [(request, unquote(f"{request.path}?{request.query}")) for request in proxy.seen]
    others = [request for request, target in seen if not any(folder in target for folder in listed)]
    assert {(request.method, Path(request.path).suffix) for request in others} == {
        ("GET", ".json"),
        ("GET", ".parquet"),
        ("PUT", ".parquet"),
    }


def test_two_hosts_can_sync_the_same_days_at_the_same_time(
    synced: Run, bucket_url: str, proxy: S3Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    hosts = []
    for name in ("one", "other"):
        monkeypatch.setenv("RECALL_SPOOL_DIR", str(tmp_path / name / "spool"))
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / name))
        (tmp_path / name).mkdir()
        hosts.append(subprocess.Popen(SYNC, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))  # noqa: S603
    try:
        errors = [host.communicate(timeout=PATIENCE_SECONDS)[1] for host in hosts]
    finally:
        for host in hosts:
            host.kill()
    assert [host.returncode for host in hosts] == [0, 0], errors
    assert [request for request in proxy.seen if not is_permitted(request, bucket_url)] == []
    assert sorted(row.outcome for row in rows(bucket_url)) == ["ready", "ready", "unsupported_platform"]
    assert_whole(bucket_url)


def is_permitted(request: ProxiedRequest, bucket_url: str) -> bool:
    """Whether the policy in docs/scaling.md allows the request: objects below the prefix, and listings of it."""
    bucket, _, prefix = bucket_url.removeprefix("s3://").partition("/")
    query = parse_qs(request.query)
    if request.path.strip("/") == bucket:
        return request.method == "GET" and query["prefix"][0].startswith(f"{prefix}/")
    return request.path.startswith(f"/{bucket}/{prefix}/") and not query.keys() & {"acl", "tagging", "policy"}
