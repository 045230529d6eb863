"""The archive: a folder of this machine, or a prefix of an object store, behind one small class.

A file is written in the spool, proven there, and then published under its final name in one step: a rename on disk,
a completed upload elsewhere. Nothing is ever opened for writing under its final name; s3fs would publish what an
exception leaves half written (docs/design/adr/0006-verify-locally-then-publish.md).
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from recall_pipeline.errors import StorageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage.error_messages import is_write_error, storage_error, translated_errors
from recall_pipeline.storage.layout import Layout, TableName
from recall_pipeline.storage.local_files import (
    PRIVATE_FILE,
    abandoned,
    exclusive_file_lock,
    locked_temp_folder,
    private_folder,
    publish_file,
    sizes_below,
    sweep,
)
from recall_pipeline.storage.object_store import (
    cure_of_missing_package,
    filesystem_options,
    reading_options,
    upload_options,
)
from recall_pipeline.storage.staging import create_staging_folder, staging_folder_of

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_SCRATCH = "scratch-"
_AT_ONCE = 16
A = TypeVar("A")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Address:
    """Where an archive is, without a secret: small enough to send to a worker, which opens it for itself."""

    root: str
    spool: Path
    encryption: str | None = None
    group_may_read: bool = False

    @property
    def scheme(self) -> str:
        """`file` for a folder of this machine, else that of the URL."""
        scheme, separator, _ = self.root.partition("://")
        return scheme if separator else "file"

    @classmethod
    def of(cls, settings: Settings) -> "Address":
        """Return the address that the settings name."""
        return cls(settings.storage_root, staging_folder_of(settings), settings.s3_encryption, settings.group_may_read)

    def open(self) -> "Archive":
        """Open the archive; nothing is read or written yet. Raises StorageError without the package it takes."""
        import fsspec

        options = filesystem_options(self.scheme, self.encryption)
        try:
            # Not `url_to_fs`: it takes `::` in a path for a chain of file systems.
            kind = fsspec.get_filesystem_class(self.scheme)
            in_url = kind._get_kwargs_from_urls(self.root)
            filesystem = kind(use_listings_cache=False, **in_url, **options)
        except ImportError as missing:
            cure = cure_of_missing_package(self.scheme)
            raise StorageError(f"RECALL_STORAGE_URL {self.root}: {missing}; {cure}") from None
        return Archive(self, filesystem, self.root if self.scheme == "file" else kind._strip_protocol(self.root))


class Archive:
    """Reads, publishes and removes files by their keys (see `Layout`)."""

    def __init__(self, address: Address, filesystem: "AbstractFileSystem", path: str) -> None:
        self.address = address
        self.spool = address.spool
        self._filesystem = filesystem
        self._path = path.rstrip("/")
        self._is_local = address.scheme == "file"
        self._prefix = f"{address.scheme}://"

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine, where looking at a file costs nothing."""
        return self._is_local

    def uri(self, key: str) -> str:
        """Return the absolute fsspec URI of `key`; `fsspec.open` accepts it, but for `::` in it."""
        return f"{self._prefix}{self._full(key)}"

    def local_path(self, key: str) -> Path:
        """Return the path of `key` on this machine; raise StorageError where the archive is in a bucket."""
        if not self._is_local:
            raise StorageError(f"{self.uri(key)} is in a bucket: it has no path on this machine; use local_copy")
        return Path(self._full(key))

    def _full(self, key: str) -> str:
        """Return `key` as this archive's file system spells it; taken as it is, never as a pattern."""
        return f"{self._path}/{key}"

    def days(self, table: TableName) -> list[date]:
        """Return the days for which a table lies in the archive, in order."""
        return sorted(day for name in self.names(table) if (day := Layout.day_in(name)) is not None)

    def names(self, folder: str) -> list[str]:
        """Return the names of what lies directly in a folder, in order; nothing of one that does not exist."""
        with self._translating_errors("list", folder):
            try:
                # Not `ls` on disk: it shows a file where a folder should be as if that were in it.
                path = self._full(folder)
                found = [*map(str, Path(path).iterdir())] if self._is_local else self._filesystem.ls(path, detail=False)
            except FileNotFoundError:
                return []
        return sorted(path.rstrip("/").rpartition("/")[2] for path in found)

    def sizes_below(self, folder: str) -> dict[str, int]:
        """Return the size of every file in a folder and the folders in it, by key, in bytes."""
        path = self._full(folder)
        with self._translating_errors("list", folder):
            if self._is_local:  # where `find` takes a folder that may not be read for an empty one
                found = sizes_below(Path(path))
            else:
                listed = self._filesystem.find(path, detail=True).items()  # some stores show an emptied folder itself
                found = {name: facts["size"] for name, facts in listed if name.startswith(f"{path}/")}
        return {name.removeprefix(f"{self._path}/"): int(size) for name, size in sorted(found.items())}

    def exists(self, key: str) -> bool:
        """Say whether `key` is published."""
        with self._translating_errors("look at", key):
            return bool(self._filesystem.exists(self._full(key)))

    def size_bytes(self, key: str) -> int | None:
        """Return the size of what is published under `key`; None when nothing is."""
        with self._translating_errors("look at", key):
            try:
                return int(self._filesystem.size(self._full(key)))
            except FileNotFoundError:
                return None

    def read(self, key: str) -> bytes | None:
        """Return the content of a small file; None when there is none."""
        with self._translating_errors("read", key):
            try:
                return bytes(self._filesystem.cat_file(self._full(key), **reading_options(self.address.scheme)))
            except FileNotFoundError:
                return None

    def read_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the content of small files by key, leaving out what is no more."""
        contents = zip(keys, self._each(self.read, keys), strict=True)
        return {key: content for key, content in contents if content is not None}

    @contextlib.contextmanager
    def local_copy(self, key: str) -> Iterator[Path]:
        """Give a local path with the content of `key`: the file itself, or a copy in the spool for the while."""
        if self._is_local:
            yield Path(self._full(key))
            return
        with self.scratch(suffix=Path(key).suffix) as copy:
            with self._translating_errors("read", key):
                self._filesystem.get_file(self._full(key), str(copy))
            yield copy

    @contextlib.contextmanager
    def scratch(self, suffix: str = "") -> Iterator[Path]:
        """Give the path of an empty private file in the spool, removed at the end unless it was published."""
        with contextlib.ExitStack() as held:
            with self._translating_errors("write", str(self.spool)):
                path = self._entered(held, lambda spool: locked_temp_folder(spool, _SCRATCH)) / f"file{suffix}"
                path.touch(mode=PRIVATE_FILE)
            try:
                yield path
            except OSError as fault:
                if not is_write_error(fault):
                    raise
                raise storage_error("write", str(self.spool), fault) from None

    def _entered(self, held: contextlib.ExitStack, hold: Callable[[Path], contextlib.AbstractContextManager[T]]) -> T:
        while True:
            try:
                return held.enter_context(hold(self.open_spool()))
            except FileNotFoundError:  # whoever ended just now has taken the empty spool away
                continue

    def publish(self, local: Path, key: str) -> None:
        """Move a finished local file to its final name, where it appears in one step."""
        with self._translating_errors("write", key):
            if self._is_local:
                publish_file(local, Path(self._full(key)), Path(self._path) if self.address.group_may_read else None)
            else:
                options = upload_options(self.address.scheme, local.stat().st_size)
                self._filesystem.put_file(str(local), self._full(key), **options)
                local.unlink()

    def remove(self, key: str) -> None:
        """Remove what is published under `key`, and the folder that it leaves empty."""
        with self._translating_errors("remove", key):
            with contextlib.suppress(FileNotFoundError):
                self._filesystem.rm_file(self._full(key))
            if self._is_local:
                with contextlib.suppress(OSError):
                    Path(self._full(key)).parent.rmdir()

    def move_many(self, renamed: Mapping[str, str]) -> None:
        """Give small files other names, old ones to new ones; what is no more is left out."""
        self._each(lambda names: self._move(*names), list(renamed.items()))

    def _move(self, before: str, after: str) -> None:
        with self._translating_errors("move", before), contextlib.suppress(FileNotFoundError):
            if self._is_local:
                private_folder(Path(self._full(after)).parent)
                Path(self._full(before)).replace(self._full(after))
            else:
                self._filesystem.cp_file(self._full(before), self._full(after))
                self._filesystem.rm_file(self._full(before))

    def remove_below(self, folder: str) -> None:
        """Remove a folder with all that is in it; raise StorageError unless a second look finds nothing left."""
        with self._translating_errors("remove", folder), contextlib.suppress(FileNotFoundError):
            if self._is_local:
                shutil.rmtree(self._full(folder))
        self._each(self.remove, list(self.sizes_below(folder)))
        if left := self.sizes_below(folder):
            raise StorageError(f"{len(left)} files are still in {self.uri(folder)} after their removal: try again")

    @staticmethod
    def _each(act: Callable[[A], T], items: Sequence[A]) -> list[T]:
        """Act on items one by one, a few at a time.

        A list of keys is never handed to fsspec: it would take `[`, `]`, `*` and `?` in them for a pattern.
        """
        if not items:
            return []
        with ThreadPoolExecutor(min(_AT_ONCE, len(items))) as threads:
            return list(threads.map(act, items))

    def open_spool(self) -> Path:
        """Create the spool, private to this user, and return it."""
        with self._translating_errors("write", str(self.spool)):
            create_staging_folder(self.spool)
        return self.spool

    def abandoned(self) -> dict[str, int]:
        """Return what processes that were killed left in the spool, sizes in bytes by path; the next lock sweeps it."""
        with self._translating_errors("read", str(self.spool)):
            left = [sizes_below(path) for path in abandoned(self.spool, _SCRATCH)]
        return {path: size for sizes in left for path, size in sizes.items()}

    def sweep(self) -> None:
        """Remove what processes that were killed left in the spool."""
        with self.exclusive_lock("sweep"):
            pass

    def close_spool(self) -> None:
        """Remove the spool if nothing is left in it."""
        with contextlib.suppress(OSError):
            self.spool.rmdir()

    @contextlib.contextmanager
    def exclusive_lock(self, name: str) -> Iterator[None]:
        """Hold a lock among the processes that share this spool; it ends with the process that holds it."""
        with contextlib.ExitStack() as held:
            held.callback(self.close_spool)
            with self._translating_errors("lock", str(self.spool)):
                self._entered(held, lambda spool: exclusive_file_lock(spool / f"{name}.lock"))
                sweep(self.spool, _SCRATCH)
            try:
                yield
            finally:
                with contextlib.suppress(OSError):
                    sweep(self.spool, _SCRATCH)  # of workers that were killed meanwhile

    def lock_day(self, day: date) -> contextlib.AbstractContextManager[None]:
        """Keep other runs of `day` on this host away."""
        return self.exclusive_lock(f"day-{day.isoformat()}")

    def _translating_errors(self, doing: str, what: str) -> contextlib.AbstractContextManager[None]:
        return translated_errors(doing, what, self.address.root)


def open_archive(settings: Settings) -> Archive:
    """Open the archive that the settings name."""
    return Address.of(settings).open()
