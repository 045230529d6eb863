"""`doctor` tries every request to an object store, and names the cure of what a store refuses."""

from collections.abc import Iterator

import pytest
import s3fs

from recall_pipeline.cli.storage_check import check_storage
from recall_pipeline.errors import StorageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import open_archive
from recall_pipeline_tests.s3_proxy import S3Proxy
from recall_pipeline_tests.s3_server import S3Server
from recall_sandbox import Rule
from recall_sandbox.effects import Reply

pytestmark = pytest.mark.xdist_group("s3")


def refusal(status: int, code: str, message: str = "no") -> Reply:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Reply(status, body.encode(), {"Content-Type": "application/xml"})


@pytest.fixture
def proxy(s3_server: S3Server, bucket_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Proxy]:
    """A proxy before the store at `bucket_url`; one attempt at everything."""
    assert bucket_url
    with S3Proxy(s3_server.url).running() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
        s3fs.S3FileSystem.clear_instance_cache()
        yield running
    s3fs.S3FileSystem.clear_instance_cache()


def test_a_working_store_is_left_as_it_was(proxy: S3Proxy, bucket_url: str) -> None:
    assert check_storage(Settings(storage_url=bucket_url)).startswith("wrote, read back, listed, moved and deleted")
    assert {seen.method for seen in proxy.seen} == {"GET", "HEAD", "PUT", "POST", "DELETE"}
    assert open_archive(Settings(storage_url=bucket_url)).sizes_below("") == {}


@pytest.mark.parametrize(
    ("method", "what"), [("GET", "list"), ("PUT", "write"), ("POST", "write"), ("DELETE", "write|remove|move")]
)
def test_a_right_that_is_missing_fails_the_check(proxy: S3Proxy, bucket_url: str, method: str, what: str) -> None:
    proxy.faults.add(Rule(refusal(403, "AccessDenied"), method=method))
    with pytest.raises(StorageError, match=f"cannot ({what})"):
        check_storage(Settings(storage_url=bucket_url))


@pytest.mark.parametrize(
    "answer",
    [
        refusal(501, "NotImplemented", "A header you provided implies functionality that is not implemented"),
        refusal(400, "InvalidArgument", "Unsupported header x-amz-checksum-crc32"),
        refusal(411, "MissingContentLength"),
        refusal(400, "BadDigest", "The checksum did not match"),
        refusal(400, "XAmzContentSHA256Mismatch"),
        refusal(400, "SomethingOfItsOwn", "aws-chunked is not supported"),
    ],
    ids=lambda answer: answer.body.decode()[13:30],
)
def test_a_store_without_crc_checksums_is_reported_with_the_setting_that_it_needs(
    proxy: S3Proxy, bucket_url: str, answer: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.faults.add(Rule(answer, method="PUT"))
    with pytest.raises(StorageError, match="set AWS_REQUEST_CHECKSUM_CALCULATION=when_required") as raised:
        check_storage(Settings(storage_url=bucket_url))
    assert not raised.value.retry_can_help
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    with pytest.raises(StorageError) as raised:
        check_storage(Settings(storage_url=bucket_url))
    assert "AWS_REQUEST_CHECKSUM" not in str(raised.value)
