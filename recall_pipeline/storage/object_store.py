"""What an object store is told besides bytes: how to encrypt, and in which parts a large file goes up."""

import math
from typing import Any

_PART_BYTES = 16 * 2**20
_PARTS_AT_ONCE = 2
_MOST_PARTS = 10_000  # of one upload (Amazon S3 user guide, multipart upload limits)
_EXTRAS = {"gs": "gcs", "gcs": "gcs", "az": "azure", "abfs": "azure", "abfss": "azure"}
_KMS = "aws:kms"


def filesystem_options(scheme: str, encryption: str | None) -> dict[str, Any]:
    """Return what the file system is opened with; `encryption` as RECALL_S3_ENCRYPTION says it, None: the bucket's."""
    if scheme != "s3" or encryption is None:
        return {}
    algorithm = _KMS if encryption.startswith(_KMS) else encryption
    key_id = encryption.removeprefix(algorithm).removeprefix(":")
    headers = {"ServerSideEncryption": algorithm} | ({"SSEKMSKeyId": key_id} if key_id else {})
    return {"s3_additional_kwargs": headers}


def upload_options(scheme: str, size_bytes: int) -> dict[str, Any]:
    """Return how a file of this size is uploaded.

    s3fs holds a file of less than two parts in memory, and of a larger one the parts that are on their way: by default
    100 MiB and 500 MiB, for each of the uploads that run at the same time.
    """
    if scheme != "s3":
        return {}
    part_bytes = max(_PART_BYTES, math.ceil(size_bytes / _MOST_PARTS))
    return {"chunksize": part_bytes, "max_concurrency": _PARTS_AT_ONCE}


def reading_options(scheme: str) -> dict[str, Any]:
    """Return how a small file is read: by one request.

    s3fs asks for its size first, to read a large one in pieces, and lists the bucket where there is none.
    """
    return {"max_concurrency": 1} if scheme == "s3" else {}


def cure_of_missing_package(scheme: str) -> str:
    """Say how to install what a scheme takes."""
    extra = _EXTRAS.get(scheme)
    return f"install it with the extra: pip install 'recall_pipeline[{extra}]'" if extra else "install its package"
