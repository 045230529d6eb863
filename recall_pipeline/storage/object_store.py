"""Options of object stores: server-side encryption, and the part size of uploads."""

import math
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from recall_pipeline.settings import is_loopback

_MAX_CONNECTIONS = 64  # with the default of 10, a few requests that hang would block all others
_PART_BYTES = 16 * 2**20
_PARTS_AT_ONCE = 2
_MAX_PARTS = 10_000  # per upload (Amazon S3 user guide, multipart upload limits)
_EXTRAS = {"gs": "gcs", "gcs": "gcs", "az": "azure", "abfs": "azure", "abfss": "azure"}
_KMS = "aws:kms"


def filesystem_options(scheme: str, encryption: str | None, endpoint: str = "") -> dict[str, Any]:
    """Return the constructor options of the file system; `encryption` is the value of RECALL_S3_ENCRYPTION.

    An `endpoint` on loopback is reached directly: botocore would send its requests to the proxy of HTTP_PROXY.
    """
    if scheme != "s3":
        return {}
    connections: dict[str, Any] = {"config_kwargs": {"max_pool_connections": _MAX_CONNECTIONS}}
    if is_loopback(urlsplit(endpoint).hostname):
        connections["config_kwargs"]["proxies"] = {}
    if encryption is None:
        return connections
    algorithm = _KMS if encryption.startswith(_KMS) else encryption
    key_id = encryption.removeprefix(algorithm).removeprefix(":")
    headers = {"ServerSideEncryption": algorithm} | ({"SSEKMSKeyId": key_id} if key_id else {})
    return {"s3_additional_kwargs": headers, **connections}


def merged_options(ours: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return our options overridden by those that the user gave; nested mappings are merged key by key."""
    merged = {**ours, **given}
    for name in ours.keys() & given.keys():
        if isinstance(ours[name], Mapping) and isinstance(given[name], Mapping):
            merged[name] = {**ours[name], **given[name]}
    return merged


def endpoint_of(options: Mapping[str, Any]) -> str:
    """Return the S3 endpoint that the options of fsspec name, else the environment; empty for Amazon's."""
    named = options.get("endpoint_url") or (options.get("client_kwargs") or {}).get("endpoint_url")
    return str(named or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or "")


def upload_options(scheme: str, size_bytes: int) -> dict[str, Any]:
    """Return the options for the upload of a file of `size_bytes`.

    s3fs keeps a file smaller than two parts in memory, and of a larger file the parts in flight. Its defaults allow
    100 MiB and 500 MiB per upload, and several uploads run at once.
    """
    if scheme != "s3":
        return {}
    part_bytes = max(_PART_BYTES, math.ceil(size_bytes / _MAX_PARTS))
    return {"chunksize": part_bytes, "max_concurrency": _PARTS_AT_ONCE}


def reading_options(scheme: str) -> dict[str, Any]:
    """Return the options to read a small file with one request.

    By default, s3fs requests the size first, and lists the bucket if the file does not exist.
    """
    return {"max_concurrency": 1} if scheme == "s3" else {}


def install_hint(scheme: str) -> str:
    """Return how to install the package that `scheme` requires."""
    extra = _EXTRAS.get(scheme)
    return f"install it with the extra: pip install 'recall_pipeline[{extra}]'" if extra else "install its package"
