"""The archive: a local folder or a prefix of an object store, behind one class.

A file is written in the staging folder, verified there, and published under its final name in one step: a rename on
disk, a completed upload elsewhere. No file is opened for writing under its final name, because s3fs would publish an
incomplete file after an exception (docs/design/adr/0006-verify-locally-then-publish.md).
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from recall_pipeline.coordination import Leases
from recall_pipeline.errors import StorageError
from recall_pipeline.storage.bucket_store import BucketStore
from recall_pipeline.storage.error_messages import translated_errors
from recall_pipeline.storage.folder_store import FolderStore
from recall_pipeline.storage.layout import Layout, TableName
from recall_pipeline.storage.locks import describe_process
from recall_pipeline.storage.staging import StagingFolder

if TYPE_CHECKING:
    from recall_pipeline.storage.location import ArchiveLocation

_CONCURRENT_REQUESTS = 16
_PART_BYTES = 8 * 2**20
A = TypeVar("A")
T = TypeVar("T")


class Archive:
    """Reads, publishes and removes files by their keys (see `Layout`). Its methods raise StorageError.

    Those that change files also raise LockLost if a lock that is held here was taken by another host, and
    CoordinationError if the server of RECALL_COORDINATION_URL does not answer.
    """

    def __init__(self, location: "ArchiveLocation", store: FolderStore | BucketStore) -> None:
        self._location = location
        self._leases = Leases(location.coordination_url, location.name_for_all_hosts, location.held_locks)
        self.staging_folder = location.staging_folder
        self._store = store
        self._staging = StagingFolder(location.staging_folder)

    @property
    def location(self) -> "ArchiveLocation":
        """How a worker opens this archive, with the locks that are held now."""
        return replace(self._location, held_locks=self._leases.held)

    @property
    def is_local(self) -> bool:
        """Whether the archive is a local folder, where reads are not network requests."""
        return isinstance(self._store, FolderStore)

    def uri(self, key: str) -> str:
        """Return the absolute URI of `key`. `fsspec.open` accepts it unless it contains `::`."""
        return self._store.uri(key)

    def local_path(self, key: str) -> Path:
        """Return the local path of `key`; raise StorageError if the archive is in a bucket."""
        if not isinstance(self._store, FolderStore):
            raise StorageError(f"{self.uri(key)} is in a bucket: it has no local path. Use local_copy")
        return self._store.path(key)

    def days(self, table: TableName) -> list[date]:
        """Return the days for which the archive has `table`, sorted."""
        return sorted(day for name in self.names(table) if (day := Layout.day_in(name)) is not None)

    def names(self, folder: str) -> list[str]:
        """Return the names of the direct children of a folder, sorted; an empty list if the folder does not exist."""
        with self._translating_errors("list", folder):
            try:
                return sorted(self._store.names(folder))
            except FileNotFoundError:
                return []

    def sizes_below(self, folder: str) -> dict[str, int]:
        """Return the size in bytes of every file below a folder, by key."""
        with self._translating_errors("list", folder):
            return dict(sorted(self._store.sizes_below(folder).items()))

    def versions_below(self, folder: str) -> dict[str, str]:
        """Return a text for every file below a folder, by key, that changes whenever the file is replaced."""
        with self._translating_errors("list", folder):
            return dict(sorted(self._store.versions_below(folder).items()))

    def version(self, key: str) -> str | None:
        """Return a text that changes whenever the file under `key` is replaced; None if there is none."""
        with self._translating_errors("check", key):
            try:
                return self._store.version(key)
            except FileNotFoundError:
                return None

    def exists(self, key: str) -> bool:
        """Return whether a file is stored under `key`."""
        with self._translating_errors("check", key):
            return self._store.exists(key)

    def size_bytes(self, key: str) -> int | None:
        """Return the size of the file under `key`; None if there is none."""
        with self._translating_errors("check", key):
            try:
                return self._store.size_bytes(key)
            except FileNotFoundError:
                return None

    def read(self, key: str) -> bytes | None:
        """Return the content of a small file; None if there is none."""
        with self._translating_errors("read", key):
            try:
                return self._store.read(key)
            except FileNotFoundError:
                return None

    def read_range(self, key: str, start: int, end: int) -> bytes | None:
        """Return the bytes of a file from `start` to `end`, excluded, by one request; None if there is no file."""
        with self._translating_errors("read", key):
            try:
                return self._store.read_range(key, start, end)
            except FileNotFoundError:
                return None

    def open_file(self, key: str) -> BinaryIO | None:
        """Open a file for random access; in a bucket only the ranges that are read are requested. None: no file."""
        with self._translating_errors("read", key):
            try:
                return self._store.open_file(key)
            except FileNotFoundError:
                return None

    def parts(self, key: str) -> Iterator[bytes]:
        """Yield the content of a file in parts of at most 8 MiB. Raises StorageError, also if there is no file."""
        with self._translating_errors("read", key), self._store.open_file(key) as file:
            while part := file.read(_PART_BYTES):
                yield part

    def read_small(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the contents of objects below 64 KiB in a bucket, one request each and many at once.

        Others are left out, and so is what cannot be read: reading it for itself gives the error.
        """
        if not isinstance(self._store, BucketStore) or not keys:
            return {}
        with self._translating_errors("read", keys[0]):
            return self._store.read_small(keys)

    def read_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the contents of small files by key; missing files are left out."""
        contents = zip(keys, self._each(self.read, keys), strict=True)
        return {key: content for key, content in contents if content is not None}

    @contextlib.contextmanager
    def local_copy(self, key: str) -> Iterator[Path]:
        """Yield a local path with the content of `key`: the file itself, or a temporary copy in the staging folder."""
        if isinstance(self._store, FolderStore):
            yield self._store.path(key)
            return
        with self.staged_file(suffix=Path(key).suffix) as copy:
            with self._translating_errors("read", key):
                self._store.download(key, copy)
            yield copy

    def publish(self, local: Path, key: str) -> None:
        """Give a finished local file its final name in one atomic step."""
        with self._changing("write", key):
            self._store.publish(local, key)

    def create(self, content: bytes, key: str) -> bool:
        """Write a small file in one atomic step unless it exists; return whether this call wrote it."""
        with self.staged_file(suffix=Path(key).suffix) as staged, self._changing("write", key):
            staged.write_bytes(content)
            return self._store.create(staged, key)

    def remove(self, key: str) -> None:
        """Remove the file under `key`, and its folder if that is empty then; a missing file is not an error."""
        with self._changing("remove", key), contextlib.suppress(FileNotFoundError):
            self._store.remove(key)

    def move_many(self, renamed: Mapping[str, str]) -> None:
        """Rename small files from old keys to new keys; missing files are left out."""
        self._each(lambda pair: self._move(*pair), list(renamed.items()))

    def _move(self, before: str, after: str) -> None:
        with self._changing("move", before), contextlib.suppress(FileNotFoundError):
            self._store.move(before, after)

    def remove_below(self, folder: str) -> None:
        """Remove a folder and its content; raise StorageError if a new listing still finds files."""
        with self._changing("remove", folder), contextlib.suppress(FileNotFoundError):
            self._store.remove_tree(folder)
        self._each(self.remove, list(self.sizes_below(folder)))
        if left := self.sizes_below(folder):
            raise StorageError(f"{len(left)} files are still in {self.uri(folder)} after their removal: try again")

    def try_multipart_upload(self, key: str) -> None:
        """Begin and abort the upload of a large file under `key`, where the store has such uploads."""
        if isinstance(self._store, BucketStore):
            with self._translating_errors("write", key):
                self._store.try_multipart_upload(key)

    @staticmethod
    def _each(act: Callable[[A], T], items: Sequence[A]) -> list[T]:
        """Call `act` for each item, a few at a time."""
        if not items:
            return []
        with ThreadPoolExecutor(min(_CONCURRENT_REQUESTS, len(items))) as threads:
            return list(threads.map(act, items))

    def staged_file(self, suffix: str = "") -> contextlib.AbstractContextManager[Path]:
        """Yield the path of an empty private file in the staging folder; remove it unless it was published."""
        return self._staging.file(suffix)

    def open_staging_folder(self) -> Path:
        """Create the staging folder, private to this user, and return it."""
        return self._staging.open()

    def leftover_files(self) -> dict[str, int]:
        """Return the size in bytes, by path, of staged files that killed processes left; the next lock removes them."""
        return self._staging.leftover_files()

    def remove_leftover_files(self) -> None:
        """Remove staged files that killed processes left, and the staging folder if it is empty then."""
        self._staging.remove_leftover_files()

    def close_staging_folder(self) -> None:
        """Remove the staging folder if it is empty."""
        self._staging.close()

    @contextlib.contextmanager
    def exclusive_lock(self, name: str) -> Iterator[None]:
        """Hold a lock among the processes that share this staging folder; with RECALL_COORDINATION_URL, of all hosts.

        It ends with its process, on other hosts at most LEASE_SECONDS later. A process that waits logs which one holds
        it. Leftovers of killed processes are removed before and after. Raises CoordinationError.
        """
        with self._staging.exclusive_lock(name), self._leases.hold(name, describe_process()):
            yield

    def lock_day(self, day: date) -> contextlib.AbstractContextManager[None]:
        """Hold the lock of `day`, as `exclusive_lock` does."""
        return self.exclusive_lock(f"day-{day.isoformat()}")

    def _changing(self, action: str, what: str) -> contextlib.AbstractContextManager[None]:
        """Confirm the locks that are held, then translate errors: nothing changes once a lock is lost."""
        self._leases.confirm()
        return self._translating_errors(action, what)

    def _translating_errors(self, action: str, what: str) -> contextlib.AbstractContextManager[None]:
        return translated_errors(action, what, self.location.root)
