"""The closed vocabulary of a report: names of headers, media types and the like that are public knowledge.

A service can put anything into a name: a metadata key is a customer's word, and so may a field or a header be. So only
names of Recall's published description (v1.10 and v1.11) and of common standards are written; others are counted.
"""

from collections.abc import Mapping
from typing import Any


def _vocabulary(text: str) -> frozenset[str]:
    return frozenset(text.split())


PAGE = frozenset(("count", "next", "previous", "results", "data", "items", "has_more", "cursor"))
ERROR_KEYS = frozenset(("detail", "code", "message", "error", "errors", "path", "non_field_errors"))
QUERY = frozenset(("cursor", "page", "offset", "limit", "page_size", "use_cursor"))
HEADERS = _vocabulary(
    "accept-ranges access-control-allow-origin access-control-expose-headers age allow alt-svc cache-control"
    " cf-cache-status cf-ray connection content-disposition content-encoding content-language content-length"
    " content-range content-security-policy content-type cross-origin-opener-policy"
    " cross-origin-resource-policy date etag expires keep-alive last-modified link location nel"
    " permissions-policy pragma ratelimit-limit ratelimit-policy ratelimit-remaining ratelimit-reset"
    " referrer-policy report-to retry-after server server-timing set-cookie strict-transport-security"
    " traceparent transfer-encoding vary via www-authenticate x-amz-cf-id x-amz-cf-pop x-amz-expiration"
    " x-amz-id-2 x-amz-request-id x-amz-server-side-encryption x-amz-server-side-encryption-aws-kms-key-id"
    " x-amz-server-side-encryption-bucket-key-enabled x-amz-storage-class x-amz-version-id x-amzn-trace-id"
    " x-cache x-content-type-options x-correlation-id x-envoy-upstream-service-time x-frame-options"
    " x-powered-by x-ratelimit-limit x-ratelimit-remaining x-ratelimit-reset x-request-id x-trace-id"
    " x-xss-protection"
)
MEDIA_TYPES = _vocabulary(
    "application/json application/octet-stream application/problem+json application/xml audio/mp3"
    " audio/mpeg audio/mpeg3 audio/x-mpeg binary/octet-stream text/html text/plain text/xml"
)
LINK_QUERY = _vocabulary(
    "AWSAccessKeyId Expires Signature X-Amz-Algorithm X-Amz-Credential X-Amz-Date X-Amz-Expires"
    " X-Amz-Security-Token X-Amz-Signature X-Amz-SignedHeaders response-content-disposition"
    " response-content-type versionId x-amz-security-token x-id"
)
STORAGE_ERRORS = _vocabulary(
    "AccessDenied ExpiredToken InvalidToken NoSuchKey SignatureDoesNotMatch RequestTimeTooSkewed"
)
EXTENSIONS = frozenset(("mp3", "mp4", "wav", "raw", "bin", "flac", "m4a", "aac"))
MEDIA_HOSTS: Mapping[str, str] = {
    "recallai-production-bot-data.s3.amazonaws.com": "Recall's bucket",
    "us-west-2-recallai-production-bot-data.s3.amazonaws.com": "Recall's bucket",
    "eu-central-1-recallai-production-bot-data.s3.amazonaws.com": "Recall's bucket",
    "ap-northeast-1-recallai-production-bot-data.s3.amazonaws.com": "Recall's bucket",
}


def media_type_word(header: str | None) -> str:
    """Return a Content-Type without parameters if it is in the vocabulary, else `other` or `none`."""
    if not header:
        return "none"
    name = header.partition(";")[0].strip().lower()
    return name if name in MEDIA_TYPES else "other"


def split_names(names: Mapping[str, Any] | list[str], known: frozenset[str]) -> tuple[list[str], int]:
    """Return the names that are in the vocabulary, sorted, and the number of the others."""
    found = {name for name in names if name in known}
    return sorted(found), len(set(names) - found)
