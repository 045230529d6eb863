"""The proxy of a request by HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in any case of letters.

As in curl, the name in lower case wins. An empty variable counts as unset.
"""

import contextlib
import os
import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

import httpx

from recall_pipeline.errors import SettingsError
from recall_pipeline.settings import is_loopback, without_quotes

_PORTS = {"http": 80, "https": 443}
_SOCKS = ("socks5", "socks5h")
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class EnvironmentProxy:
    """A proxy, and the environment variable that names it. The URL may contain a password."""

    variable: str
    url: str = field(repr=False)


def proxy_of(url: httpx.URL) -> EnvironmentProxy | None:
    """Return the proxy for a request to `url`, None for a direct request; loopback is always direct.

    Raises SettingsError if the variable that applies is not a usable proxy URL.
    """
    host = url.host.rstrip(".").lower()
    if is_loopback(host) or _is_excepted(host, url.port or _PORTS.get(url.scheme)):
        return None
    for name in (f"{url.scheme}_proxy", "all_proxy"):
        if (found := _variable(name)) is not None:
            return EnvironmentProxy(found[0], _checked_proxy(*found))
    return None


def _variable(name: str) -> tuple[str, str] | None:
    """Return the name as the environment spells it and the value; None if it is unset or empty."""
    spelled = name if name in os.environ else min((n for n in os.environ if n.lower() == name), default=name)
    value = os.environ.get(spelled, "").strip()
    return (spelled, value) if value else None


def _checked_proxy(variable: str, value: str) -> str:
    """Return the URL of a proxy, with a scheme."""
    try:
        without_quotes(value)
    except ValueError as quotes:
        raise SettingsError(f"{variable} {quotes}") from None
    scheme, separator, rest = value.partition("://")
    scheme = scheme.lower() if separator else "http"
    text = f"{scheme}://{rest if separator else value}"
    if scheme in _SOCKS and find_spec("socksio") is None:
        raise SettingsError(
            f"{variable} names a SOCKS proxy, which needs a package: pip install 'httpx[socks]', "
            "or use a proxy of the form http://host:port"
        )
    if scheme not in (*_PORTS, *_SOCKS):
        raise SettingsError(f"{variable} has a scheme that is not supported: use http://host:port, or unset it")
    if not _is_complete(text):
        raise SettingsError(
            f"{variable} is not a proxy URL: use http://host:port, with special characters of a password "
            "percent-encoded, or unset it"
        )
    return text


def _is_complete(text: str) -> bool:
    try:
        url = httpx.URL(text)
        urlsplit(text)  # raises ValueError for brackets that httpx takes as a name
    except (httpx.InvalidURL, ValueError):
        return False
    port = 1 if url.port is None else url.port
    return bool(url.host) and 0 < port <= _LAST_PORT and not re.search(r"[\s#?\\]", text) and "%" not in url.host


def _is_excepted(host: str, port: int | None) -> bool:
    """Whether NO_PROXY names the host: `*`, a domain with its subdomains, an address or a network, `host:port`."""
    _, value = _variable("no_proxy") or ("", "")
    return any(_entry_names(entry, host, port) for entry in re.split(r"[\s,;\"']+", value.lower()) if entry)


def _entry_names(entry: str, host: str, port: int | None) -> bool:
    entry = entry.partition("://")[2].partition("/")[0] if "://" in entry else entry
    with contextlib.suppress(ValueError):
        return _is_in_network(host, entry.strip("[]"))
    if matched := re.fullmatch(r"\[?(.*?)\]?:(\d+)", entry):
        return port == int(matched[2]) and _entry_names(matched[1], host, port)
    domain = entry.removeprefix("*").strip(".")
    return entry == "*" or (bool(domain) and (host == domain or host.endswith(f".{domain}")))


def _is_in_network(host: str, entry: str) -> bool:
    """Whether `host` is an address in `entry`; raises ValueError if `entry` is not an address or a network."""
    network = ip_network(entry, strict=False)
    with contextlib.suppress(ValueError):
        return ip_address(host) in network
    return False
