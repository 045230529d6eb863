"""The files of an archive in an object store, by key. Every call has a time limit."""

import asyncio
import contextlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from recall_pipeline.storage.error_messages import StoreIsSilent
from recall_pipeline.storage.object_store import reading_options, upload_options
from recall_pipeline.storage.ranged_file import TAIL_BYTES, RangedFile

if TYPE_CHECKING:
    from fsspec.asyn import AsyncFileSystem

_ANSWER_SECONDS = 60.0  # for a call besides its bytes; retries included
_LISTING_SECONDS = 300.0  # for all pages of a listing
_REQUESTS_IN_FLIGHT = 64  # of small reads, which one thread sends
_SLOWEST_BYTES_PER_SECOND = 64 * 1024  # of each upload and download


class BucketStore:
    """A prefix of an object store. Its methods raise OSError, or an error of the store's library.

    fsspec never gets a list of keys, because it would read `[`, `]`, `*` and `?` in them as a pattern.
    """

    def __init__(self, filesystem: "AsyncFileSystem", scheme: str, prefix: str) -> None:
        self._filesystem = filesystem
        self._scheme = scheme
        self._prefix = prefix.rstrip("/")

    def uri(self, key: str) -> str:
        """Return the absolute URI of `key`."""
        return f"{self._scheme}://{self._full(key)}"

    def names(self, folder: str) -> list[str]:
        """Return the names of the direct children of a folder."""
        found = self._call("ls", self._full(folder), seconds=_LISTING_SECONDS, detail=False)
        return [path.rstrip("/").rpartition("/")[2] for path in map(str, found)]

    def sizes_below(self, folder: str) -> dict[str, int]:
        """Return the size in bytes of every object below a folder, by key."""
        path = self._full(folder)
        listed = self._call("find", path, seconds=_LISTING_SECONDS, detail=True).items()
        # Some stores list an emptied folder itself.
        found = {name: int(info["size"]) for name, info in listed if name.startswith(f"{path}/")}
        return {name.removeprefix(f"{self._prefix}/"): size for name, size in found.items()}

    def versions_below(self, folder: str) -> dict[str, str]:
        """Return the version of every object below a folder, by key."""
        path = self._full(folder)
        listed = self._call("find", path, seconds=_LISTING_SECONDS, detail=True).items()
        found = {name: _version(info) for name, info in listed if name.startswith(f"{path}/")}
        return {name.removeprefix(f"{self._prefix}/"): version for name, version in found.items()}

    def version(self, key: str) -> str:
        """Return size, ETag and time of the last change, as far as the store names them."""
        return _version(self._call("info", self._full(key)))

    def exists(self, key: str) -> bool:
        """Return whether an object is stored under `key`."""
        return bool(self._call("exists", self._full(key)))

    def size_bytes(self, key: str) -> int:
        """Return the size of the object under `key`."""
        return int(self._call("info", self._full(key))["size"])

    def read(self, key: str) -> bytes:
        """Return the content of a small object."""
        return bytes(self._call("cat_file", self._full(key), **reading_options(self._scheme)))

    def read_range(self, key: str, start: int, end: int) -> bytes:
        """Return the bytes of an object from `start` to `end`, excluded."""
        return bytes(self._call("cat_file", self._full(key), start=start, end=end))

    def open_file(self, key: str) -> BinaryIO:
        """Open an object for random access; only the ranges that are read are requested."""
        path = self._full(key)
        try:
            ranged = RangedFile(
                lambda start, end: bytes(self._call("cat_file", path, start=start, end=end)),
                lambda: self.size_bytes(key),
            )
        except (FileNotFoundError, StoreIsSilent):
            raise
        except Exception:  # an empty object has no range, and some stores know none that counts from the end
            return io.BytesIO(self.read(key))
        return cast("BinaryIO", ranged)

    def read_small(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the contents of objects below 64 KiB, one request each; others and errors are left out."""
        starts, ends = [-TAIL_BYTES] * len(keys), [None] * len(keys)
        paths = [self._full(key) for key in keys]  # literal: `cat_ranges` expands no patterns
        options: dict[str, Any] = {"on_error": "return", "batch_size": _REQUESTS_IN_FLIGHT}
        found = self._call("cat_ranges", paths, starts, ends, seconds=_LISTING_SECONDS, **options)
        read = {key: bytes(content) for key, content in zip(keys, found, strict=True) if isinstance(content, bytes)}
        return {key: content for key, content in read.items() if 0 < len(content) < TAIL_BYTES}

    def download(self, key: str, local: Path) -> None:
        """Copy an object to a local file."""
        options = reading_options(self._scheme)
        self._call("get_file", self._full(key), str(local), reports_progress=True, **options)

    def publish(self, local: Path, key: str) -> None:
        """Upload a finished local file in one atomic step, and remove it."""
        size_bytes = local.stat().st_size
        seconds = _ANSWER_SECONDS + size_bytes / _SLOWEST_BYTES_PER_SECOND
        options = upload_options(self._scheme, size_bytes)
        try:
            self._call("put_file", str(local), self._full(key), seconds=seconds, **options)
        except StoreIsSilent:  # s3fs aborts after every other error
            self._abort_uploads(key)
            raise
        local.unlink()

    def create(self, local: Path, key: str) -> bool:
        """Upload a small local file unless the object exists, by a conditional request where the store supports it."""
        if self.exists(key):
            return False
        content = local.read_bytes()
        try:
            self._call("pipe_file", self._full(key), content, mode="create")
        except FileExistsError:
            return False
        except (NotImplementedError, TypeError, OSError):  # the store has no conditional write
            self._call("pipe_file", self._full(key), content)
        return True

    def remove(self, key: str) -> None:
        """Remove the object under `key`."""
        self._call("rm_file", self._full(key))

    def move(self, before: str, after: str) -> None:
        """Copy a small object to another key, and remove the first."""
        self._call("cp_file", self._full(before), self._full(after))
        self.remove(before)

    def try_multipart_upload(self, key: str) -> None:
        """Begin an upload in parts, send one, and abort it; do nothing on other stores than S3."""
        if self._scheme != "s3":
            return
        bucket, _, name = self._full(key).partition("/")
        place: dict[str, Any] = {"Bucket": bucket, "Key": name}
        upload: dict[str, Any] = {"UploadId": self._call("call_s3", "create_multipart_upload", **place)["UploadId"]}
        try:
            self._call("call_s3", "upload_part", **place, **upload, PartNumber=1, Body=b"part")
        finally:
            self._call("call_s3", "abort_multipart_upload", **place, **upload)

    def _abort_uploads(self, key: str) -> None:
        """Abort unfinished uploads of `key`, whose parts would be stored and billed; a store may still be silent."""
        if self._scheme != "s3":
            return
        bucket, _, name = self._full(key).partition("/")
        with contextlib.suppress(Exception):
            listed = self._call("call_s3", "list_multipart_uploads", Bucket=bucket, Prefix=name)
            for upload in listed.get("Uploads", []):
                if upload["Key"] == name:
                    place = {"Bucket": bucket, "Key": name, "UploadId": upload["UploadId"]}
                    self._call("call_s3", "abort_multipart_upload", **place)

    def remove_tree(self, folder: str) -> None:
        """Do nothing: object stores remove one key at a time."""

    def _full(self, key: str) -> str:
        """Return the path of `key` for the file system. It is literal, never a pattern."""
        return f"{self._prefix}/{key}"

    def _call(
        self, method: str, *arguments: Any, seconds: float | None = None, reports_progress: bool = False, **options: Any
    ) -> Any:
        """Call a method of the file system; raise StoreIsSilent if it takes longer than `seconds`.

        With `reports_progress`, received bytes extend the limit.
        """
        from fsspec.asyn import sync

        limit_seconds = _ANSWER_SECONDS if seconds is None else seconds

        async def limited() -> Any:
            began_at = asyncio.get_running_loop().time()
            limit = asyncio.timeout(limit_seconds)
            progress = {"callback": _extending(limit)} if reports_progress else {}
            try:
                async with limit:
                    return await self._asynchronous(method)(*arguments, **progress, **options)
            except TimeoutError:
                if not limit.expired():
                    raise
                raise StoreIsSilent(asyncio.get_running_loop().time() - began_at) from None

        return sync(self._filesystem.loop, limited)

    def _asynchronous(self, method: str) -> Any:
        if found := getattr(self._filesystem, f"_{method}", None):
            return found

        async def in_thread(*arguments: Any, **options: Any) -> Any:
            return await asyncio.to_thread(getattr(self._filesystem, method), *arguments, **options)

        return in_thread


def _version(info: Mapping[str, Any]) -> str:
    """Return what changes whenever an object is replaced; a second replacement in a second may have the same time."""
    parts = (info.get(name) for name in ("size", "ETag", "etag", "generation", "LastModified", "last_modified"))
    return " ".join(str(part) for part in parts if part is not None)


def _extending(limit: asyncio.Timeout) -> Any:
    """Return a callback that extends `limit` by the time that the received bytes may take."""
    from fsspec.callbacks import Callback

    class Extending(Callback):  # type: ignore[misc]  # fsspec has no types
        def relative_update(self, inc: int = 1) -> None:
            if (until := limit.when()) is not None and not limit.expired():
                limit.reschedule(until + inc / _SLOWEST_BYTES_PER_SECOND)

    return Extending()
