"""The archive: a local folder or a prefix of an object store, behind one class.

A file is written in the staging folder, verified there, and published under its final name in one step: a rename on
disk, a completed upload elsewhere. No file is opened for writing under its final name, because s3fs would publish an
incomplete file after an exception (docs/design/adr/0006-verify-locally-then-publish.md).
"""

import contextlib
import io
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from recall_pipeline.errors import StorageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage.error_messages import is_write_error, storage_error, translated_errors
from recall_pipeline.storage.layout import Layout, TableName
from recall_pipeline.storage.local_files import publish_file, sizes_below
from recall_pipeline.storage.locks import exclusive_file_lock
from recall_pipeline.storage.object_store import (
    filesystem_options,
    install_hint,
    reading_options,
    upload_options,
)
from recall_pipeline.storage.permissions import PRIVATE_FILE, private_folder
from recall_pipeline.storage.ranged_file import TAIL_BYTES, RangedFile
from recall_pipeline.storage.staging import create_staging_folder, staging_folder_of
from recall_pipeline.storage.temp_files import leftovers, locked_temp_folder, remove_leftovers

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_TEMP_PREFIX = "scratch-"
_CONCURRENT_REQUESTS = 16
_REQUESTS_IN_FLIGHT = 64  # of small reads, which one thread sends
A = TypeVar("A")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ArchiveLocation:
    """Where an archive is stored. Picklable and free of secrets, so that a worker process can open the archive.

    `root` is an absolute path or an fsspec URL; `encryption` is the value of RECALL_S3_ENCRYPTION.
    """

    root: str
    staging_folder: Path
    encryption: str | None = None
    group_may_read: bool = False

    @property
    def scheme(self) -> str:
        """`file` for a local folder, else the scheme of the URL."""
        scheme, separator, _ = self.root.partition("://")
        return scheme if separator else "file"

    @classmethod
    def from_settings(cls, settings: Settings) -> "ArchiveLocation":
        """Return the location that the settings define."""
        return cls(settings.storage_root, staging_folder_of(settings), settings.s3_encryption, settings.group_may_read)

    def open(self) -> "Archive":
        """Open the archive without any request. Raises StorageError if the scheme's package is not installed."""
        import fsspec

        options = filesystem_options(self.scheme, self.encryption)
        try:
            # Not `url_to_fs`: it reads `::` in a path as a chain of file systems.
            filesystem_type = fsspec.get_filesystem_class(self.scheme)
            url_options = filesystem_type._get_kwargs_from_urls(self.root)
            filesystem = filesystem_type(use_listings_cache=False, **url_options, **options)
        except ImportError as missing:
            raise StorageError(f"RECALL_STORAGE_URL {self.root}: {missing}; {install_hint(self.scheme)}") from None
        path = self.root if self.scheme == "file" else filesystem_type._strip_protocol(self.root)
        return Archive(self, filesystem, path)


class Archive:
    """Reads, publishes and removes files by their keys (see `Layout`). Its methods raise StorageError."""

    def __init__(self, location: ArchiveLocation, filesystem: "AbstractFileSystem", path: str) -> None:
        self.location = location
        self.staging_folder = location.staging_folder
        self._filesystem = filesystem
        self._path = path.rstrip("/")
        self._is_local = location.scheme == "file"
        self._prefix = f"{location.scheme}://"

    @property
    def is_local(self) -> bool:
        """Whether the archive is a local folder, where reads are not network requests."""
        return self._is_local

    def uri(self, key: str) -> str:
        """Return the absolute URI of `key`. `fsspec.open` accepts it unless it contains `::`."""
        return f"{self._prefix}{self._full(key)}"

    def local_path(self, key: str) -> Path:
        """Return the local path of `key`; raise StorageError if the archive is in a bucket."""
        if not self._is_local:
            raise StorageError(f"{self.uri(key)} is in a bucket: it has no local path. Use local_copy")
        return Path(self._full(key))

    def _full(self, key: str) -> str:
        """Return the path of `key` for the file system. It is literal, never a pattern."""
        return f"{self._path}/{key}"

    def days(self, table: TableName) -> list[date]:
        """Return the days for which the archive has `table`, sorted."""
        return sorted(day for name in self.names(table) if (day := Layout.day_in(name)) is not None)

    def names(self, folder: str) -> list[str]:
        """Return the names of the direct children of a folder, sorted; an empty list if the folder does not exist."""
        with self._translating_errors("list", folder):
            try:
                # Not `ls` on disk: for a file it returns the file itself, as if it were its own child.
                path = self._full(folder)
                found = [*map(str, Path(path).iterdir())] if self._is_local else self._filesystem.ls(path, detail=False)
            except FileNotFoundError:
                return []
        return sorted(path.rstrip("/").rpartition("/")[2] for path in found)

    def sizes_below(self, folder: str) -> dict[str, int]:
        """Return the size in bytes of every file below a folder, by key."""
        path = self._full(folder)
        with self._translating_errors("list", folder):
            if self._is_local:  # `find` would treat an unreadable folder as an empty one
                found = sizes_below(Path(path))
            else:
                listed = self._filesystem.find(path, detail=True).items()  # some stores list an emptied folder itself
                found = {name: info["size"] for name, info in listed if name.startswith(f"{path}/")}
        return {name.removeprefix(f"{self._path}/"): int(size) for name, size in sorted(found.items())}

    def exists(self, key: str) -> bool:
        """Return whether a file is stored under `key`."""
        with self._translating_errors("look at", key):
            return bool(self._filesystem.exists(self._full(key)))

    def size_bytes(self, key: str) -> int | None:
        """Return the size of the file under `key`; None if there is none."""
        with self._translating_errors("look at", key):
            try:
                return int(self._filesystem.size(self._full(key)))
            except FileNotFoundError:
                return None

    def read(self, key: str) -> bytes | None:
        """Return the content of a small file; None if there is none."""
        with self._translating_errors("read", key):
            try:
                return bytes(self._filesystem.cat_file(self._full(key), **reading_options(self.location.scheme)))
            except FileNotFoundError:
                return None

    def open_file(self, key: str) -> BinaryIO | None:
        """Open a file for random access; in a bucket only the ranges that are read are requested. None: no file."""
        with self._translating_errors("read", key):
            try:
                return Path(self._full(key)).open("rb") if self._is_local else self._ranged_file(key)
            except FileNotFoundError:
                return None

    def _ranged_file(self, key: str) -> BinaryIO:
        path = self._full(key)
        try:
            ranged = RangedFile(
                lambda start, end: bytes(self._filesystem.cat_file(path, start=start, end=end)),
                lambda: int(self._filesystem.size(path)),
            )
        except FileNotFoundError:
            raise
        except Exception:  # an empty object has no range, and some stores know none that counts from the end
            return io.BytesIO(bytes(self._filesystem.cat_file(path, **reading_options(self.location.scheme))))
        return cast("BinaryIO", ranged)

    def read_small(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the contents of objects below 64 KiB in a bucket, one request each and many at once; the rest is not.

        An object that cannot be read is left out: reading it for itself gives the error.
        """
        if self._is_local or not keys:
            return {}
        starts, ends = [-TAIL_BYTES] * len(keys), [None] * len(keys)
        with self._translating_errors("read", keys[0]):
            found = self._filesystem.cat_ranges(
                [self._full(key) for key in keys], starts, ends, on_error="return", batch_size=_REQUESTS_IN_FLIGHT
            )
        return {
            key: content
            for key, content in zip(keys, found, strict=True)
            if isinstance(content, bytes) and 0 < len(content) < TAIL_BYTES
        }

    def read_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the contents of small files by key; missing files are left out."""
        contents = zip(keys, self._each(self.read, keys), strict=True)
        return {key: content for key, content in contents if content is not None}

    @contextlib.contextmanager
    def local_copy(self, key: str) -> Iterator[Path]:
        """Yield a local path with the content of `key`: the file itself, or a temporary copy in the staging folder."""
        if self._is_local:
            yield Path(self._full(key))
            return
        with self.staged_file(suffix=Path(key).suffix) as copy:
            with self._translating_errors("read", key):
                self._filesystem.get_file(self._full(key), str(copy))
            yield copy

    @contextlib.contextmanager
    def staged_file(self, suffix: str = "") -> Iterator[Path]:
        """Yield the path of an empty private file in the staging folder; remove it unless it was published."""
        with contextlib.ExitStack() as stack:
            with self._translating_errors("write", str(self.staging_folder)):
                path = self._enter(stack, lambda folder: locked_temp_folder(folder, _TEMP_PREFIX)) / f"file{suffix}"
                path.touch(mode=PRIVATE_FILE)
            try:
                yield path
            except OSError as error:
                if not is_write_error(error):
                    raise
                raise storage_error("write", str(self.staging_folder), error) from None

    def _enter(self, stack: contextlib.ExitStack, make: Callable[[Path], contextlib.AbstractContextManager[T]]) -> T:
        """Enter the context that `make` returns for the staging folder."""
        while True:
            try:
                return stack.enter_context(make(self.open_staging_folder()))
            except FileNotFoundError:  # another process removed the empty staging folder just now
                continue

    def publish(self, local: Path, key: str) -> None:
        """Give a finished local file its final name in one atomic step."""
        with self._translating_errors("write", key):
            if self._is_local:
                publish_file(local, Path(self._full(key)), Path(self._path) if self.location.group_may_read else None)
            else:
                options = upload_options(self.location.scheme, local.stat().st_size)
                self._filesystem.put_file(str(local), self._full(key), **options)
                local.unlink()

    def remove(self, key: str) -> None:
        """Remove the file under `key`, and its folder if that is empty then; a missing file is not an error."""
        with self._translating_errors("remove", key):
            with contextlib.suppress(FileNotFoundError):
                self._filesystem.rm_file(self._full(key))
            if self._is_local:
                with contextlib.suppress(OSError):
                    Path(self._full(key)).parent.rmdir()

    def move_many(self, renamed: Mapping[str, str]) -> None:
        """Rename small files from old keys to new keys; missing files are left out."""
        self._each(lambda pair: self._move(*pair), list(renamed.items()))

    def _move(self, before: str, after: str) -> None:
        with self._translating_errors("move", before), contextlib.suppress(FileNotFoundError):
            if self._is_local:
                private_folder(Path(self._full(after)).parent)
                Path(self._full(before)).replace(self._full(after))
            else:
                self._filesystem.cp_file(self._full(before), self._full(after))
                self._filesystem.rm_file(self._full(before))

    def remove_below(self, folder: str) -> None:
        """Remove a folder and its content; raise StorageError if a new listing still finds files."""
        with self._translating_errors("remove", folder), contextlib.suppress(FileNotFoundError):
            if self._is_local:
                shutil.rmtree(self._full(folder))
        self._each(self.remove, list(self.sizes_below(folder)))
        if left := self.sizes_below(folder):
            raise StorageError(f"{len(left)} files are still in {self.uri(folder)} after their removal: try again")

    @staticmethod
    def _each(act: Callable[[A], T], items: Sequence[A]) -> list[T]:
        """Call `act` for each item, a few at a time.

        fsspec never gets a list of keys, because it would read `[`, `]`, `*` and `?` in them as a pattern.
        """
        if not items:
            return []
        with ThreadPoolExecutor(min(_CONCURRENT_REQUESTS, len(items))) as threads:
            return list(threads.map(act, items))

    def open_staging_folder(self) -> Path:
        """Create the staging folder, private to this user, and return it."""
        with self._translating_errors("write", str(self.staging_folder)):
            create_staging_folder(self.staging_folder)
        return self.staging_folder

    def leftover_files(self) -> dict[str, int]:
        """Return the size in bytes, by path, of staged files that killed processes left; the next lock removes them."""
        with self._translating_errors("read", str(self.staging_folder)):
            found = [sizes_below(path) for path in leftovers(self.staging_folder, _TEMP_PREFIX)]
        return {path: size for sizes in found for path, size in sizes.items()}

    def remove_leftover_files(self) -> None:
        """Remove staged files that killed processes left, and the staging folder if it is empty then."""
        with self._translating_errors("remove", str(self.staging_folder)), contextlib.suppress(FileNotFoundError):
            remove_leftovers(self.open_staging_folder(), _TEMP_PREFIX)
        self.close_staging_folder()

    def close_staging_folder(self) -> None:
        """Remove the staging folder if it is empty."""
        with contextlib.suppress(OSError):
            self.staging_folder.rmdir()

    @contextlib.contextmanager
    def exclusive_lock(self, name: str) -> Iterator[None]:
        """Hold a lock among the processes that share this staging folder. It ends with its process.

        Leftovers of killed processes are removed before and after.
        """
        with contextlib.ExitStack() as stack:
            stack.callback(self.close_staging_folder)
            with self._translating_errors("lock", str(self.staging_folder)):
                self._enter(stack, lambda folder: exclusive_file_lock(folder / f"{name}.lock"))
                remove_leftovers(self.staging_folder, _TEMP_PREFIX)
            try:
                yield
            finally:
                with contextlib.suppress(OSError):
                    remove_leftovers(self.staging_folder, _TEMP_PREFIX)  # of workers that were killed meanwhile

    def lock_day(self, day: date) -> contextlib.AbstractContextManager[None]:
        """Hold the lock of `day` among the processes that share this staging folder."""
        return self.exclusive_lock(f"day-{day.isoformat()}")

    def _translating_errors(self, action: str, what: str) -> contextlib.AbstractContextManager[None]:
        return translated_errors(action, what, self.location.root)


def open_archive(settings: Settings) -> Archive:
    """Open the archive of `settings`. Raises StorageError if the package for its URL is not installed."""
    return ArchiveLocation.from_settings(settings).open()
