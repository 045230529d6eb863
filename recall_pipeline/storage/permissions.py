"""Private permissions for local files and folders."""

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path

from recall_pipeline.errors import StorageError
from recall_pipeline.storage.file_system import set_mode

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
            set_mode(each, _GROUP_FOLDER)


def own_temporary_folder() -> Path:
    """Return this user's folder in the system's temporary one."""
    user = str(os.getuid()) if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"recall_pipeline-{user}"


def private_temporary_folder() -> Path:
    """Create this user's temporary folder; raise StorageError if another user controls it."""
    own = own_temporary_folder()
    private_folder(own)
    _check_is_own(own)
    return own


def _check_is_own(folder: Path) -> None:
    """Any user may create files and links in the system's temporary folder."""
    found = folder.lstat()
    is_own = stat.S_ISDIR(found.st_mode) and (not hasattr(os, "getuid") or found.st_uid == os.getuid())
    if not is_own or stat.S_IMODE(found.st_mode) & 0o077:
        error = StorageError(
            f"cannot write {folder}: other users can read or write it. Remove it, or set RECALL_SPOOL_DIR"
        )
        error.retry_can_help = False
        raise error


def _check_is_folder(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):  # another process created it, and removed it again
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
