"""Validators of settings: each takes the user's value, and returns it or raises ValueError with problem and fix."""

import re
from base64 import b64decode
from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from recall_pipeline.days import utc_now
from recall_pipeline.settings.folders import absolute

_EARLIEST_START = date(2000, 1, 1)  # a typo in the year would create half a million partitions
_MIN_SECRET_BYTES = 12
_QUOTES = tuple("\"'`\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb")
_COORDINATION_SCHEMES = ("redis", "rediss", "postgresql")
_STORAGE_SCHEMES = ("file", "s3", "gs", "gcs", "az", "abfs", "abfss")

Network = IPv4Network | IPv6Network


def is_loopback(host: str | None) -> bool:
    """Return whether `host` is `localhost` or a loopback address."""
    if host is None:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def without_quotes(value: object) -> object:
    """Return a value without surrounding spaces; raise ValueError if it has quotes around it."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if re.search("[\ud800-\udfff]", text):  # bytes that the locale does not decode
        raise ValueError("is not text in this locale: set PYTHONUTF8=1 or LC_ALL=C.UTF-8")
    begins, ends = text[:1] in _QUOTES, text[-1:] in _QUOTES
    if begins and ends and len(text) > 1:
        raise ValueError("has quotes around it, which count as part of the value: remove them")
    if begins or ends:
        place = "begins" if begins else "ends"
        raise ValueError(f"{place} with a quote, which counts as part of the value: remove it")
    return text


def plain_place(value: object) -> object:
    """Return a path or URL; raise ValueError for spaces around it, which a folder's name may have."""
    if isinstance(value, str) and value.strip() and value != value.strip():
        where = "begins" if value != value.lstrip() else "ends"
        raise ValueError(f"{where} with a space or a line break, which counts as part of the path: remove it")
    return value


def plain_key(key: SecretStr) -> SecretStr:
    """Return the API key without surrounding spaces and without a leading `Token`."""
    text = re.sub(r"^Token(\s+|$)", "", key.get_secret_value().strip())
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("is not a key: paste it as Recall's dashboard shows it, without spaces")
    return SecretStr(text)


def _http_parts(url: str) -> SplitResult | None:
    """Split an http(s) URL; None for anything else."""
    try:
        parts = urlsplit(url)
        is_complete = bool(parts.hostname) and parts.port != 0  # reading `port` validates it
    except ValueError:
        return None
    return parts if is_complete and parts.scheme in ("http", "https") and not re.search(r"\s", url) else None


def base_url(url: str) -> str:
    """Return the base URL without a trailing slash; plain http is allowed on loopback only."""
    parts = _http_parts(url)
    if parts is None or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("is not a base URL: use the form https://host/api/v1")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("would send the key unencrypted: use https (http is for loopback only)")
    return url.rstrip("/")


def storage_url(url: str) -> str:
    """Return a path, or an fsspec URL with a supported scheme and without credentials."""
    if re.search(r"[\x00-\x1f\x7f]", url):
        raise ValueError("contains a line break or another control character: remove it")
    if re.match(r"\$\w|\$\{", url):
        raise ValueError("begins with a variable, which only a shell replaces: write its value")
    schemes = "|".join(_STORAGE_SCHEMES)
    if typo := re.match(rf"({schemes})//|({schemes}|[A-Za-z]):(?!//)|\w[\w+.-]*:/(?!/)", url):
        raise ValueError(f"begins with {typo[0]} and is not a URL: use scheme://... or a path that begins with /")
    if "?versionId=" in url:
        raise ValueError("contains ?versionId=, which S3 clients read as a version: use another prefix")
    scheme, separator, rest = url.partition("://")
    if separator and scheme not in _STORAGE_SCHEMES:
        raise ValueError(f"has an unknown scheme {scheme!r}: use a path or one of {', '.join(_STORAGE_SCHEMES)}")
    if scheme == "file" and separator and not rest.startswith("/"):
        raise ValueError("has a host or a relative path: use file:///path/to/archive, or a plain path")
    if not separator or scheme == "file":
        absolute(rest if separator else url)
        return url
    bucket = rest.partition("/")[0]
    if not bucket:
        raise ValueError("has no bucket: use the form s3://bucket/prefix")
    if re.search(r":.*@", bucket):
        raise ValueError("contains credentials: set them as AWS variables, or as those of your cloud")
    return url


def s3_encryption(value: str) -> str:
    """Return a valid value of RECALL_S3_ENCRYPTION."""
    if not re.fullmatch(r"AES256|aws:kms(:[!-~]+)?", value):
        raise ValueError("is not valid: use AES256, aws:kms, or aws:kms:KEY with a key's id or ARN")
    return value


def workers(value: str) -> str:
    """Return `local`, a number of processes, or a Dask scheduler's address."""
    is_count = value.isdecimal() and int(value) > 0
    if value == "local" or is_count or re.match(r"(tcp|tls|ucx|ws|wss)://\S+$", value):
        return value
    raise ValueError("is not valid: use `local`, a number of processes, or a Dask scheduler such as tcp://host:8786")


def allowed_networks(text: str) -> str:
    """Return addresses and CIDR ranges, separated by commas, as written."""
    try:
        networks(text)
    except ValueError:
        raise ValueError(
            "is not a list of networks: use CIDR ranges such as 10.20.0.0/16, separated by commas"
        ) from None
    return text


def networks(text: str) -> list[Network]:
    """Return the networks of a comma-separated list; raise ValueError for an entry that is not one."""
    return [ip_network(entry.strip()) for entry in text.split(",") if entry.strip()]


def webhook_secret(secret: SecretStr) -> SecretStr:
    """Return one secret, or two separated by a comma, as written (docs/design/recall-api.md, section 8)."""
    keys = webhook_secrets(secret)
    if not 1 <= len(keys) <= 2 or not all(map(_is_webhook_secret, keys)):
        raise ValueError("is not a webhook secret: paste whsec_... (two, separated by a comma, while rotating)")
    return secret


def webhook_secrets(secret: SecretStr) -> list[str]:
    """Return the comma-separated secrets as a list."""
    return [key.strip() for key in secret.get_secret_value().split(",")]


def _is_webhook_secret(key: str) -> bool:
    encoded = key.removeprefix("whsec_").rstrip("=")
    try:
        decoded = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        return False
    return key.startswith("whsec_") and len(decoded) >= _MIN_SECRET_BYTES


def alert_url(url: SecretStr) -> SecretStr:
    """Return a URL for POST requests; plain http is allowed on loopback only."""
    parts = _http_parts(url.get_secret_value())
    if parts is None:
        raise ValueError("is not a valid URL: use the form https://hooks.example.com/...")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("is not encrypted: use https (http is for loopback only)")
    return url


def coordination_url(url: SecretStr) -> SecretStr:
    """Return the URL of a Redis or PostgreSQL server. A message never has the value, which may have a password."""
    text = url.get_secret_value()
    scheme, separator, _ = text.partition("://")
    if not separator or scheme not in _COORDINATION_SCHEMES:
        raise ValueError(f"has an unknown scheme: use {', '.join(f'{name}://' for name in _COORDINATION_SCHEMES)}")
    try:
        parts = urlsplit(text)
        is_complete = parts.port != 0 and not re.search(r"\s", text)  # reading `port` validates it
    except ValueError:
        is_complete = False
    if not is_complete or (scheme != "postgresql" and not parts.hostname):
        raise ValueError(f"is not a valid URL: use {scheme}://user:password@host:port/database, with %XX in passwords")
    if scheme != "postgresql" and not re.fullmatch(r"/?\d*", parts.path):
        raise ValueError("has a database that is not a number: use the form redis://host:6379/0")
    return url


def page_url(url: str) -> str:
    """Return the address of the archive page without a trailing slash."""
    parts = _http_parts(url)
    if parts is None or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("is not the address of a page: use the form https://archive.example.com")
    return url.rstrip("/")


def day(value: object) -> object:
    """Return a text in the form YYYY-MM-DD as a date, and any other type unchanged."""
    try:
        return date.fromisoformat(value.strip()) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("is not a date: use YYYY-MM-DD") from None


def start_date(day: date) -> date:
    """Return a valid first day partition."""
    if day > utc_now().date():
        raise ValueError("is in the future: use the first day to archive")
    if day < _EARLIEST_START:
        raise ValueError("is before 2000: use the first day to archive")
    return day


def off_is_none(value: object) -> object:
    """Return None for `off`."""
    return None if days_or_off(value) == "off" else value


def days_or_off(value: object) -> object:
    """Return `off` in lower case, also for False, as which YAML reads it without quotes; other values unchanged."""
    is_off = value is False or (isinstance(value, str) and value.strip().lower() == "off")
    return "off" if is_off else value
