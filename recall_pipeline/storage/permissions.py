"""Private permissions for local files and folders."""

import contextlib
import errno
import os
import stat
from pathlib import Path

PRIVATE_FILE = 0o600
GROUP_FILE = 0o640
_PRIVATE_FOLDER = 0o700
_GROUP_FOLDER = 0o750


def private_folder(folder: Path) -> None:
    """Create `folder` and its missing parents with access for this user only.

    Safe while other processes create and remove the same folders. Raises NotADirectoryError if a file has the name.
    """
    while not folder.is_dir():
        private_folder(folder.parent)
        try:
            folder.mkdir(mode=_PRIVATE_FOLDER)
        except FileExistsError:
            _check_is_folder(folder)
        except FileNotFoundError:  # the parent was removed just now
            continue


def grant_group_read(folder: Path, top: Path) -> None:
    """Let the group read the private folders from `top` down to `folder`."""
    for each in (folder, *folder.parents):
        if each.is_relative_to(top) and stat.S_IMODE(each.stat().st_mode) == _PRIVATE_FOLDER:
            each.chmod(_GROUP_FOLDER)


def _check_is_folder(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):  # another process created it, and removed it again
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
