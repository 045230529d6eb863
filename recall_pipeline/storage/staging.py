"""The staging folder: where it is, its temporary files and its locks."""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import TypeVar

from recall_pipeline.settings import Settings
from recall_pipeline.storage.error_messages import is_write_error, storage_error, translated_errors
from recall_pipeline.storage.local_files import sizes_below
from recall_pipeline.storage.locks import exclusive_file_lock
from recall_pipeline.storage.object_store import endpoint_of
from recall_pipeline.storage.permissions import (
    PRIVATE_FILE,
    own_temporary_folder,
    private_folder,
    private_temporary_folder,
)
from recall_pipeline.storage.temp_files import LOCK_NAME, leftovers, locked_temp_folder, remove_leftovers

_TEMP_PREFIX = "scratch-"
T = TypeVar("T")


def staging_folder_of(settings: Settings) -> Path:
    """Return the staging folder: RECALL_SPOOL_DIR, else `_spool` in a local archive, else a temporary folder."""
    if settings.spool_dir is not None:
        return settings.spool_dir
    if settings.storage_is_local:
        return Path(settings.storage_root) / "_spool"
    endpoint = endpoint_of(settings.storage_options) if settings.storage_root.startswith("s3://") else ""
    archive = hashlib.sha256(f"{settings.storage_root}{endpoint}".encode()).hexdigest()[:12]
    return own_temporary_folder() / archive


class StagingFolder:
    """The staging folder of an archive: its private temporary files, and the locks of this host.

    Its methods raise StorageError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> Path:
        """Create the folder with access for this user only, and return it."""
        with self._translating_errors("write"):
            if self.path.parent == own_temporary_folder():
                private_temporary_folder()
            private_folder(self.path)
        return self.path

    def close(self) -> None:
        """Remove the folder if it is empty."""
        with contextlib.suppress(OSError):
            self.path.rmdir()

    @contextlib.contextmanager
    def file(self, suffix: str = "") -> Iterator[Path]:
        """Yield the path of an empty private file; remove it unless it was moved away."""
        with contextlib.ExitStack() as stack:
            with self._translating_errors("write"):
                path = self._enter(stack, lambda folder: locked_temp_folder(folder, _TEMP_PREFIX)) / f"file{suffix}"
                path.touch(mode=PRIVATE_FILE)
            try:
                yield path
            except OSError as error:
                if not is_write_error(error):
                    raise
                raise storage_error("write", str(self.path), error) from None

    @contextlib.contextmanager
    def exclusive_lock(self, name: str) -> Iterator[None]:
        """Hold a lock among the processes that share this folder. Leftovers are removed before and after."""
        with contextlib.ExitStack() as stack:
            stack.callback(self.close)
            with self._translating_errors("lock"):
                self._enter(stack, lambda folder: exclusive_file_lock(folder / f"{name}.lock"))
                with contextlib.suppress(FileNotFoundError):  # without locks on it, another process may remove it
                    remove_leftovers(self.path, _TEMP_PREFIX)
            try:
                yield
            finally:
                with contextlib.suppress(OSError):
                    remove_leftovers(self.path, _TEMP_PREFIX)  # of workers that were killed meanwhile

    def leftover_files(self) -> dict[str, int]:
        """Return the size in bytes, by path, of files that killed processes left; the next lock removes them."""
        with self._translating_errors("read"):
            found = chain.from_iterable(map(sizes_below, leftovers(self.path, _TEMP_PREFIX)))
            return {path: size for path, size in found if Path(path).name != LOCK_NAME}

    def remove_leftover_files(self) -> None:
        """Remove files that killed processes left, and the folder if it is empty then."""
        with self._translating_errors("remove"), contextlib.suppress(FileNotFoundError):
            remove_leftovers(self.open(), _TEMP_PREFIX)
        self.close()

    def _enter(self, stack: contextlib.ExitStack, make: Callable[[Path], contextlib.AbstractContextManager[T]]) -> T:
        """Enter the context that `make` returns for the folder."""
        while True:
            try:
                return stack.enter_context(make(self.open()))
            except FileNotFoundError:  # another process removed the empty folder just now
                continue

    def _translating_errors(self, action: str) -> contextlib.AbstractContextManager[None]:
        return translated_errors(action, str(self.path), str(self.path))
