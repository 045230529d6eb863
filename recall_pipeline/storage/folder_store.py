"""The files of an archive in a local folder, by key."""

import contextlib
import shutil
from pathlib import Path
from typing import BinaryIO

from recall_pipeline.storage.local_files import publish_file, publish_new_file, sizes_below
from recall_pipeline.storage.permissions import private_folder


class FolderStore:
    """A local folder. Its methods raise OSError; FileNotFoundError if there is no such file or folder."""

    def __init__(self, root: str, *, group_may_read: bool) -> None:
        self._root = root.rstrip("/")
        self._group_below = Path(root) if group_may_read else None

    def path(self, key: str) -> Path:
        """Return the path of `key`."""
        return Path(f"{self._root}/{key}")

    def uri(self, key: str) -> str:
        """Return the absolute URI of `key`."""
        return f"file://{self._root}/{key}"

    def names(self, folder: str) -> list[str]:
        """Return the names of the direct children of a folder."""
        return [path.name for path in self.path(folder).iterdir()]

    def sizes_below(self, folder: str) -> dict[str, int]:
        """Return the size in bytes of every file below a folder, by key."""
        return {name.removeprefix(f"{self._root}/"): size for name, size in sizes_below(self.path(folder))}

    def versions_below(self, folder: str) -> dict[str, str]:
        """Return the version of every file below a folder, by key."""
        found: dict[str, str] = {}
        for name, _ in sizes_below(self.path(folder)):
            with contextlib.suppress(FileNotFoundError):  # replaced or removed since the listing
                key = name.removeprefix(f"{self._root}/")
                found[key] = self.version(key)
        return found

    def version(self, key: str) -> str:
        """Return size, time of the last change, and inode."""
        found = self.path(key).stat()
        return f"{found.st_size}-{found.st_mtime_ns}-{found.st_ino}"

    def exists(self, key: str) -> bool:
        """Return whether a file is stored under `key`."""
        return self.path(key).exists()

    def size_bytes(self, key: str) -> int:
        """Return the size of the file under `key`."""
        return self.path(key).stat().st_size

    def read(self, key: str) -> bytes:
        """Return the content of a small file."""
        return self.path(key).read_bytes()

    def read_range(self, key: str, start: int, end: int) -> bytes:
        """Return the bytes of a file from `start` to `end`, excluded."""
        with self.path(key).open("rb", buffering=0) as file:
            file.seek(start)
            return file.read(end - start)

    def open_file(self, key: str) -> BinaryIO:
        """Open a file for random access."""
        return self.path(key).open("rb")

    def publish(self, local: Path, key: str) -> None:
        """Give a finished local file its final name in one atomic step."""
        publish_file(local, self.path(key), self._group_below)

    def create(self, local: Path, key: str) -> bool:
        """Give a finished local file its final name unless that is taken; return whether it was."""
        return publish_new_file(local, self.path(key), self._group_below)

    def remove(self, key: str) -> None:
        """Remove the file under `key`, and its folder if that is empty then."""
        path = self.path(key)
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            path.parent.rmdir()

    def move(self, before: str, after: str) -> None:
        """Rename a file."""
        target = self.path(after)
        private_folder(target.parent)
        self.path(before).replace(target)

    def remove_tree(self, folder: str) -> None:
        """Remove a folder with its content, where one call does that."""
        shutil.rmtree(self.path(folder))
