"""An object store that falls silent during one upload: that recording fails, the others are archived."""

from collections.abc import Iterator

import pytest
import s3fs

from recall_pipeline.storage import bucket_store
from recall_pipeline_tests.s3_proxy import S3Proxy
from recall_pipeline_tests.s3_server import S3Server
from recall_pipeline_tests.workspace import Workspace, talk
from recall_sandbox import Rule
from recall_sandbox.effects import Delay

pytestmark = pytest.mark.xdist_group("s3")


@pytest.fixture
def storage_url(bucket_url: str) -> str:
    """A bucket."""
    return bucket_url


@pytest.fixture(autouse=True)
def proxy(s3_server: S3Server, storage_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Proxy]:
    """A proxy before the store at `storage_url`, and a limit of seconds."""
    assert storage_url
    monkeypatch.setattr(bucket_store, "_ANSWER_SECONDS", 3.0)
    with S3Proxy(s3_server.url).running() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        s3fs.S3FileSystem.clear_instance_cache()
        yield running
    s3fs.S3FileSystem.clear_instance_cache()


def test_an_upload_that_hangs_costs_its_own_recording(workspace: Workspace, proxy: S3Proxy) -> None:
    [hanging] = workspace.meet("one", talk())
    [other] = workspace.meet("other", talk(1))
    proxy.faults.add(Rule(Delay(600), method="PUT", path=f"{hanging.id}.mp3"))
    rows = {row.audio_id: row for row in workspace.capture().rows}
    assert (rows[other.id].state, rows[hanging.id].state) == ("archived", None)
    assert "the store did not finish the request" in (rows[hanging.id].fetch_failure or "")
    proxy.faults.clear()
    again = workspace.capture()
    assert (again.downloaded, again.bytes_downloaded) == (1, 0)
