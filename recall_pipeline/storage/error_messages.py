"""What the system says of a fault of the storage, reworded for the person who has to mend it."""

import contextlib
import errno
import os
from collections.abc import Iterator

from recall_pipeline.errors import StorageError
from recall_pipeline.redaction import redact

_FOR_A_PERSON = (errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.EROFS, errno.ENAMETOOLONG)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_ROOM = (*_FULL, errno.EFBIG)
_WRITING = (*_NO_ROOM, errno.EROFS)
_WITHOUT_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError")
_OF_OBJECT_STORES = ("botocore", "aiobotocore", "aiohttp", "gcsfs", "google", "azure")


@contextlib.contextmanager
def translated_errors(doing: str, what: str, root: str) -> Iterator[None]:
    """Raise any fault of the storage as StorageError: what could not be done below `root`, why, and what to do."""
    try:
        yield
    except StorageError:
        raise
    except Exception as fault:
        if not isinstance(fault, OSError) and not type(fault).__module__.startswith(_OF_OBJECT_STORES):
            raise
        where = f"{what} below {root}" if not what.startswith("/") else what
        raise storage_error(doing, where, fault) from None


def storage_error(doing: str, where: str, fault: Exception) -> StorageError:
    """Return the one line that says what could not be done, where, why, and what to do."""
    error = StorageError(redact(f"cannot {doing} {where}: {_cause(fault).rstrip('.')}. {_cure(doing, fault)}"))
    error.retry_can_help = not _is_for_a_person(fault)
    error.is_lack_of_room = isinstance(fault, OSError) and fault.errno in _NO_ROOM
    return error


def _is_for_a_person(fault: Exception) -> bool:
    if isinstance(fault, PermissionError) or type(fault).__name__ in _WITHOUT_CREDENTIALS:  # S3 gives no errno
        return True
    return isinstance(fault, OSError) and fault.errno in _FOR_A_PERSON


def is_write_error(fault: OSError) -> bool:
    """Whether a file could not grow, whoever wrote it: the disk is full, read-only, or takes no larger file."""
    return fault.errno in _WRITING


def _cause(fault: Exception) -> str:
    if not isinstance(fault, OSError):
        return str(fault) or type(fault).__name__
    if is_write_error(fault):  # libraries wrap it in words of their own
        return os.strerror(fault.errno or 0)
    return fault.strerror or str(fault) or type(fault).__name__


def _cure(doing: str, fault: Exception) -> str:
    code = fault.errno if isinstance(fault, OSError) else None
    if code in _FULL:
        return "Free some space; the next sync goes on where this one stopped"
    if code == errno.EFBIG:
        return "Raise the limit on the size of a file (`ulimit -f`), or that of the file system"
    if code == errno.EROFS:
        return "Mount it for writing, or set RECALL_STORAGE_URL or RECALL_SPOOL_DIR to a place that can be written"
    if type(fault).__name__ in _WITHOUT_CREDENTIALS:
        return "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give this machine a role"
    if isinstance(fault, FileNotFoundError) and doing != "write":
        return "It was there before: run `recall-pipeline verify`"
    return "Check RECALL_STORAGE_URL, RECALL_SPOOL_DIR and the rights on them"
