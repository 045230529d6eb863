"""The standard AWS variables, checked before botocore reads them: it ends with its own error, or a traceback."""

import os
import re
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from recall_pipeline.errors import SettingsError
from recall_pipeline.redaction import redact

_CHECKSUMS = ("when_supported", "when_required")


def check_aws_environment() -> None:
    """Raise SettingsError if a variable of the environment has a value that S3 clients cannot use."""
    for name, (is_valid, fault) in _VARIABLES.items():
        if (value := os.environ.get(name)) and not is_valid(value):
            raise SettingsError(f"{name} {redact(value)} {fault}")


def _is_endpoint(value: str) -> bool:
    try:
        parts = urlsplit(value)
        has_port = parts.port != 0  # reading `port` validates it
    except ValueError:
        return False
    is_host = re.fullmatch(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:.]+", parts.hostname or "") is not None
    is_plain = not re.search(r"[\s\"'<>\\]", value) and not parts.query and not parts.fragment
    return parts.scheme in ("http", "https") and is_host and has_port and is_plain and "@" not in parts.netloc


def _is_count(value: str) -> bool:
    return re.fullmatch(r"0*[1-9]\d{0,8}", value, re.ASCII) is not None


def _has_certificates(value: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=value)
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        return False
    return True


def _one_of(*choices: str) -> tuple[Callable[[str], bool], str]:
    return lambda value: value.lower() in choices, f"is not valid: use {' or '.join(choices)}, or unset it"


_ENDPOINT = (_is_endpoint, "is not a URL: use the form https://host or http://host:port")
_COUNT = (_is_count, "is not a number of at least 1: correct it or unset it")
_VARIABLES: dict[str, tuple[Callable[[str], bool], str]] = {
    "AWS_ENDPOINT_URL_S3": _ENDPOINT,
    "AWS_ENDPOINT_URL": _ENDPOINT,
    "AWS_CA_BUNDLE": (_has_certificates, "contains no certificates: name a readable file in PEM format, or unset it"),
    "AWS_MAX_ATTEMPTS": _COUNT,
    "AWS_METADATA_SERVICE_TIMEOUT": _COUNT,
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS": _COUNT,
    "AWS_RETRY_MODE": _one_of("legacy", "standard", "adaptive"),
    "AWS_REQUEST_CHECKSUM_CALCULATION": _one_of(*_CHECKSUMS),
    "AWS_RESPONSE_CHECKSUM_VALIDATION": _one_of(*_CHECKSUMS),
}
