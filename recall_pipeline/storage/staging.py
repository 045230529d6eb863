"""Where partial files live, and that nobody else can put or read anything there."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from recall_pipeline.errors import StorageError
from recall_pipeline.settings import Settings
from recall_pipeline.storage.local_files import private_folder


def staging_folder_of(settings: Settings) -> Path:
    """Return the spool that the settings name; without one, a folder in a local archive, else in the temporary one."""
    if settings.spool_dir is not None:
        return settings.spool_dir
    if settings.storage_is_local:
        return Path(settings.storage_root) / "_spool"
    archive = hashlib.sha256(settings.storage_root.encode()).hexdigest()[:12]
    return _own_temporary_folder() / archive


def create_staging_folder(spool: Path) -> None:
    """Create the spool for this user only; raise StorageError where another one may have laid it out as a trap."""
    own = _own_temporary_folder()
    if spool.parent == own:
        private_folder(own)
        _check_own(own)
    private_folder(spool)


def _own_temporary_folder() -> Path:
    user = str(os.getuid()) if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"recall_pipeline-{user}"


def _check_own(folder: Path) -> None:
    """Anybody may create a name in the system's temporary folder, and links too."""
    found = folder.lstat()
    is_own = stat.S_ISDIR(found.st_mode) and (not hasattr(os, "getuid") or found.st_uid == os.getuid())
    if not is_own or stat.S_IMODE(found.st_mode) & 0o077:
        error = StorageError(
            f"cannot write {folder}: others may write or read it. Remove it, or set RECALL_SPOOL_DIR to another folder"
        )
        error.retry_can_help = False
        raise error
