"""Translate errors of the storage into StorageError: what failed, where, why, and what to do."""

import contextlib
import errno
import os
from collections.abc import Iterator

from recall_pipeline.errors import StorageError
from recall_pipeline.redaction import redact

_PERMANENT = (errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.EROFS, errno.ENAMETOOLONG)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_OUT_OF_SPACE = (*_FULL, errno.EFBIG)
_WRITE_ERRORS = (*_OUT_OF_SPACE, errno.EROFS)
_WITHOUT_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError")
_OBJECT_STORE_PACKAGES = ("botocore", "aiobotocore", "aiohttp", "gcsfs", "google", "azure")


@contextlib.contextmanager
def translated_errors(action: str, what: str, root: str) -> Iterator[None]:
    """Raise any storage error as StorageError; `action` is a verb such as "read", `what` a key or an absolute path."""
    try:
        yield
    except StorageError:
        raise
    except Exception as error:
        if not isinstance(error, OSError) and not type(error).__module__.startswith(_OBJECT_STORE_PACKAGES):
            raise
        where = f"{what} below {root}" if not what.startswith("/") else what
        raise storage_error(action, where, error) from None


def storage_error(action: str, where: str, cause: Exception) -> StorageError:
    """Return a StorageError whose one line states what failed, where, why, and what to do."""
    error = StorageError(redact(f"cannot {action} {where}: {_reason(cause).rstrip('.')}. {_next_step(action, cause)}"))
    error.retry_can_help = not _is_permanent(cause)
    error.is_out_of_space = isinstance(cause, OSError) and cause.errno in _OUT_OF_SPACE
    return error


def is_write_error(error: OSError) -> bool:
    """Return whether a file could not grow: the disk is full or read-only, or the file reached its size limit."""
    return error.errno in _WRITE_ERRORS


def _is_permanent(cause: Exception) -> bool:
    if isinstance(cause, PermissionError) or type(cause).__name__ in _WITHOUT_CREDENTIALS:  # S3 gives no errno
        return True
    return isinstance(cause, OSError) and cause.errno in _PERMANENT


def _reason(cause: Exception) -> str:
    if not isinstance(cause, OSError):
        return str(cause) or type(cause).__name__
    if is_write_error(cause):  # libraries replace the system's text with their own
        return os.strerror(cause.errno or 0)
    return cause.strerror or str(cause) or type(cause).__name__


def _next_step(action: str, cause: Exception) -> str:
    code = cause.errno if isinstance(cause, OSError) else None
    if code in _FULL:
        return "Free some space; the next sync continues"
    if code == errno.EFBIG:
        return "Raise the limit on file size (`ulimit -f`), or that of the file system"
    if code == errno.EROFS:
        return "Mount it for writing, or set RECALL_STORAGE_URL or RECALL_SPOOL_DIR to a writable place"
    if type(cause).__name__ in _WITHOUT_CREDENTIALS:
        return "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give this machine a role"
    if isinstance(cause, FileNotFoundError) and action != "write":
        return "The file existed before: run `recall-pipeline verify`"
    return "Check RECALL_STORAGE_URL, RECALL_SPOOL_DIR and their permissions"
