"""The staging folder: where it is, and who may access it."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from recall_pipeline.errors import StorageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage.permissions import private_folder


def staging_folder_of(settings: Settings) -> Path:
    """Return the staging folder: RECALL_SPOOL_DIR, else `_spool` in a local archive, else a temporary folder."""
    if settings.spool_dir is not None:
        return settings.spool_dir
    if settings.storage_is_local:
        return Path(settings.storage_root) / "_spool"
    archive = hashlib.sha256(settings.storage_root.encode()).hexdigest()[:12]
    return _own_temporary_folder() / archive


def create_staging_folder(folder: Path) -> None:
    """Create `folder` with access for this user only; raise StorageError if another user controls its parent."""
    own = _own_temporary_folder()
    if folder.parent == own:
        private_folder(own)
        _check_is_own(own)
    private_folder(folder)


def _own_temporary_folder() -> Path:
    user = str(os.getuid()) if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"recall_pipeline-{user}"


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
