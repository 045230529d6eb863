"""S3 as it is in bad weather: nothing torn is ever visible, and what was asked for besides bytes arrives."""

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import s3fs

from recall_pipeline.errors import StorageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage import Archive, ArchiveLocation, bucket_store, object_store, open_archive
from recall_pipeline_tests.forward_proxy import ForwardProxy
from recall_pipeline_tests.s3_proxy import CutUpload, LoseReply, S3Proxy
from recall_pipeline_tests.s3_server import S3Server
from recall_pipeline_tests.storages import stored
from recall_sandbox import Rule
from recall_sandbox.effects import Delay, Effect, Reply

pytestmark = pytest.mark.xdist_group("s3")

KEY = "mixed_audio/day=2026-03-02/recording/audio.mp3"
_MIB = 2**20
INTERNAL_ERROR = Reply(500, b"<Error><Code>InternalError</Code><Message>again</Message></Error>")


@pytest.fixture(autouse=True)
def connections_of_its_own() -> Iterator[None]:
    """Let each test find its own endpoint: fsspec keeps file systems by their arguments, whatever the environment."""
    s3fs.S3FileSystem.clear_instance_cache()
    yield
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def proxy(s3_server: S3Server, bucket_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Proxy]:
    """A proxy that the environment leads to; two attempts at everything, so that nothing waits long."""
    with S3Proxy(s3_server.url).running() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
        monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
        yield running


@pytest.fixture
def archive(proxy: S3Proxy, bucket_url: str) -> Archive:
    """An archive behind the proxy."""
    return open_archive(Settings(storage_url=bucket_url))


def publish(archive: Archive, content: bytes, key: str = KEY) -> None:
    with archive.staged_file() as written:
        written.write_bytes(content)
        archive.publish(written, key)


def strike(proxy: S3Proxy, effect: Effect, times: int | None, method: str = "PUT") -> None:
    proxy.faults.add(Rule(effect, method=method, times=times))


def unfinished_uploads(server: S3Server, bucket: str) -> int:
    client = server.client()
    try:
        return len(client.list_multipart_uploads(Bucket=bucket).get("Uploads", []))
    finally:
        client.close()


@pytest.mark.parametrize("effect", [INTERNAL_ERROR, LoseReply(), CutUpload()], ids=["500", "lost reply", "cut"])
class TestFailedUploads:
    def test_an_upload_survives_a_single_error(self, archive: Archive, proxy: S3Proxy, effect: Effect) -> None:
        strike(proxy, effect, times=1)
        publish(archive, b"sound")
        assert archive.read(KEY) == b"sound"

    def test_a_failed_upload_publishes_nothing_and_keeps_the_local_file(
        self, archive: Archive, proxy: S3Proxy, effect: Effect
    ) -> None:
        publish(archive, b"before", "other")
        strike(proxy, effect, times=None)
        content = os.urandom(3 * _MIB)
        received = archive.open_staging_folder() / "audio.part"
        received.write_bytes(content)
        with pytest.raises(StorageError, match=f"cannot write {KEY} below s3://") as raised:
            archive.publish(received, KEY)
        assert raised.value.retry_can_help
        assert received.read_bytes() == content
        proxy.faults.clear()
        assert archive.read(KEY) in (None, content)  # whole, where only the reply was lost
        archive.publish(received, KEY)
        assert archive.read(KEY) == content


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_endpoint_on_loopback_is_not_reached_through_the_proxy_of_the_environment(
    variable: str, host: str, s3_server: S3Server, bucket_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.url.replace("127.0.0.1", host))
    with ForwardProxy({}, refusal="502 Bad Gateway").running() as company:
        monkeypatch.setenv(variable, company.url)
        archive = open_archive(Settings(storage_url=bucket_url))
        publish(archive, b"content")
        assert archive.read(KEY) == b"content"
    assert company.seen == []


def test_another_endpoint_is_reached_through_the_proxy_of_the_environment(
    bucket_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://store.invalid")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    with ForwardProxy({}, refusal="403 Forbidden").running() as company:
        monkeypatch.setenv("HTTP_PROXY", company.url)
        with pytest.raises(StorageError):
            open_archive(Settings(storage_url=bucket_url)).read(KEY)
    assert "http://store.invalid/" in company.seen[0]


class TestLargeFiles:
    @pytest.fixture(autouse=True)
    def small_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Five MiB, the least that S3 takes."""
        monkeypatch.setattr(object_store, "_PART_BYTES", 5 * _MIB)

    def test_they_are_uploaded_in_parts_and_read_back_unchanged(self, archive: Archive, proxy: S3Proxy) -> None:
        content = os.urandom(13 * _MIB)
        publish(archive, content)
        assert len([part for part in proxy.uploads() if "partNumber=" in part.query]) == 3
        assert archive.size_bytes(KEY) == len(content)
        with archive.local_copy(KEY) as copy:
            assert hashlib.sha256(copy.read_bytes()).digest() == hashlib.sha256(content).digest()

    def test_an_interrupted_upload_publishes_nothing_and_leaves_no_parts(
        self, archive: Archive, proxy: S3Proxy, s3_server: S3Server, bucket: str
    ) -> None:
        before = unfinished_uploads(s3_server, bucket)  # of killed processes in other tests
        proxy.faults.add(Rule(INTERNAL_ERROR, method="PUT", skip=1))
        with pytest.raises(StorageError):
            publish(archive, os.urandom(13 * _MIB))
        proxy.faults.clear()
        assert not archive.exists(KEY)
        assert unfinished_uploads(s3_server, bucket) == before

    def test_an_upload_to_a_store_that_falls_silent_leaves_no_parts(
        self, archive: Archive, proxy: S3Proxy, s3_server: S3Server, bucket: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = unfinished_uploads(s3_server, bucket)
        monkeypatch.setattr(bucket_store, "_SLOWEST_BYTES_PER_SECOND", 2**40)
        monkeypatch.setattr(bucket_store, "_ANSWER_SECONDS", 1.5)
        proxy.faults.add(Rule(Delay(3), method="PUT", skip=1, times=2))
        with pytest.raises(StorageError, match="did not finish the request"):
            publish(archive, os.urandom(11 * _MIB))
        assert unfinished_uploads(s3_server, bucket) == before

    def test_no_file_has_more_parts_than_s3_allows(self) -> None:
        size_bytes = 5 * 2**40
        part_bytes = object_store.upload_options("s3", size_bytes)["chunksize"]
        assert size_bytes / part_bytes <= 10_000


class TestEncryption:
    @pytest.mark.parametrize(
        ("setting", "algorithm", "key_id"),
        [
            (None, None, None),
            ("AES256", "AES256", None),
            ("aws:kms", "aws:kms", None),
            ("aws:kms:arn:aws:kms:eu-central-1:1:key/2", "aws:kms", "arn:aws:kms:eu-central-1:1:key/2"),
        ],
    )
    def test_every_upload_requests_the_encryption_of_the_setting(
        self, proxy: S3Proxy, bucket_url: str, setting: str | None, algorithm: str | None, key_id: str | None
    ) -> None:
        proxy.faults.add(Rule(Reply(200, b"", {"ETag": '"0"'}), method="PUT"))
        archive = open_archive(Settings(storage_url=bucket_url, s3_encryption=setting))
        publish(archive, b"sound")
        [upload] = proxy.uploads()
        assert upload.headers.get("x-amz-server-side-encryption") == algorithm
        assert upload.headers.get("x-amz-server-side-encryption-aws-kms-key-id") == key_id


def test_a_bucket_without_a_prefix_is_an_archive_too(s3_server: S3Server, bucket_url: str) -> None:
    archive = open_archive(Settings(storage_url=f"s3://{s3_server.new_bucket()}"))
    publish(archive, b"sound")
    assert archive.uri(KEY) == f"{archive.location.root}/{KEY}"
    assert stored(archive.location.root) == {KEY: b"sound"}


def test_wrong_credentials_are_one_clear_line_and_not_retried(bucket_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-key-that-was-rotated")
    with pytest.raises(StorageError, match="Check RECALL_STORAGE_URL") as raised:
        publish(open_archive(Settings(storage_url=bucket_url)), b"sound")
    assert not raised.value.retry_can_help
    assert "a-key-that-was-rotated" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_no_credentials_are_one_clear_line_too(bucket_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(StorageError, match=r"Unable to locate credentials\. Set AWS_ACCESS_KEY_ID") as raised:
        publish(open_archive(Settings(storage_url=bucket_url)), b"sound")
    assert not raised.value.retry_can_help


@pytest.mark.usefixtures("bucket_url")
def test_a_bucket_that_does_not_exist_is_named() -> None:
    archive = open_archive(Settings(storage_url="s3://no-such-bucket-of-nobody"))
    with pytest.raises(StorageError, match=r"s3://no-such-bucket-of-nobody: .*bucket.*Check RECALL_STORAGE_URL"):
        publish(archive, b"sound")


@pytest.mark.parametrize(
    ("url", "package", "extra"), [("gs://bucket/a", "gcsfs", "gcs"), ("abfs://container/a", "adlfs", "azure")]
)
class TestOtherClouds:
    """Opened only: no server of theirs comes in a wheel."""

    def test_a_missing_package_is_named_with_its_extra(
        self, url: str, package: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(StorageError, match=rf"pip install 'recall_pipeline\[{extra}\]'"):
            ArchiveLocation(url, tmp_path).open()

    def test_with_its_package_it_opens(
        self, url: str, package: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytest.importorskip(package, reason=f"the extra {extra} is not installed")
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "nobody")
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "nobody")
        monkeypatch.setenv("AZURE_STORAGE_ANON", "true")
        archive = ArchiveLocation(url, tmp_path).open()
        assert archive.uri(KEY) == f"{url}/{KEY}"
