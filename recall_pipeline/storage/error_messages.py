"""Translate errors of the storage into StorageError: what failed, where, why, and what to do."""

import contextlib
import errno
import os
import re
from collections.abc import Iterator, Mapping

from recall_pipeline.errors import MORE_HANDLES, StorageError, is_out_of_handles
from recall_pipeline.redaction import redact

_UPLOADS = ("write", "move")
_PERMANENT = (errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EROFS, errno.ENAMETOOLONG)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_OUT_OF_SPACE = (*_FULL, errno.EFBIG)
_WRITE_ERRORS = (*_OUT_OF_SPACE, errno.EROFS)
_WITHOUT_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError")
_SILENCE = ("ReadTimeoutError", "ServerTimeoutError", "FSTimeoutError")
_CHECKSUM_SETTING = "AWS_REQUEST_CHECKSUM_CALCULATION"
_REFUSED_STATUSES = (400, 411, 501)
_NOT_ABOUT_CHECKSUMS = ("ExpiredToken", "TokenRefreshRequired", "InvalidToken", "InvalidBucketName", "RequestTimeout")
_OBJECT_STORE_PACKAGES = ("botocore", "aiobotocore", "aiohttp", "gcsfs", "google", "azure")


class StoreIsSilent(OSError):
    """An object store took a request, and has not finished it within the time limit."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the store did not finish the request within {seconds:.0f} s")


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
    error.is_timeout = isinstance(cause, StoreIsSilent) or type(cause).__name__ in _SILENCE
    return error


def is_write_error(error: OSError) -> bool:
    """Return whether a file could not grow: the disk is full or read-only, or the file reached its size limit."""
    return error.errno in _WRITE_ERRORS


def _is_permanent(cause: Exception) -> bool:
    if _needs_other_checksums(cause):
        return True
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
    if is_out_of_handles(cause):
        return MORE_HANDLES[0].upper() + MORE_HANDLES[1:]
    if isinstance(cause, StoreIsSilent) or type(cause).__name__ in _SILENCE:
        return "Check the store and the network; the next sync continues"
    if action in _UPLOADS and _needs_other_checksums(cause):
        return (
            f"A store that is not Amazon's may not know its checksums: set {_CHECKSUM_SETTING}=when_required "
            "and AWS_RESPONSE_CHECKSUM_VALIDATION=when_required"
        )
    if code in _FULL:
        return "Free some space; the next sync continues"
    if code == errno.EFBIG:
        return "Raise the limit on file size (`ulimit -f`), or that of the file system"
    if code == errno.EROFS:
        return "Mount it for writing, or set RECALL_STORAGE_URL or RECALL_SPOOL_DIR to a writable place"
    if type(cause).__name__ in _WITHOUT_CREDENTIALS:
        return "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give this machine a role"
    if action == "read" and code in (errno.EISDIR, errno.ELOOP):
        return "Restore the file from a backup, or move what is there away and sync"
    if isinstance(cause, FileNotFoundError) and action != "write":
        return "It may have been removed: run `recall-pipeline verify`"
    return "Check RECALL_STORAGE_URL, RECALL_SPOOL_DIR and their permissions"


def _needs_other_checksums(cause: Exception) -> bool:
    """Return whether S3 refused a request in a way in which stores without CRC checksums refuse it."""
    response = getattr(cause.__cause__ or cause, "response", None)
    if os.environ.get(_CHECKSUM_SETTING, "").lower() == "when_required" or not isinstance(response, Mapping):
        return False
    error, status = response.get("Error", {}), response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if re.search("checksum|crc|digest|content-?md5|sha256|trailer|aws-chunked", str(error), re.IGNORECASE):
        return True
    return status in _REFUSED_STATUSES and error.get("Code") not in _NOT_ABOUT_CHECKSUMS
