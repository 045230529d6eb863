"""Which addresses a download may come from: a URL is data, and data may lie."""

import asyncio
import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from recall_pipeline.errors import TransferError, TransferRefused


async def check_address(url: str, *, loopback_allowed: bool) -> None:
    """Raise TransferRefused unless `url` is http(s) to a public host (any host while the API is on loopback itself)."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise TransferRefused("the download URL is not http(s); it was not opened")
    if loopback_allowed:
        return
    for address in await _resolve(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)):
        if not ip_address(address).is_global:
            raise TransferRefused(f"the download URL points at {parts.hostname}, a private address; it was not opened")


async def _resolve(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as fault:
        raise TransferError(f"the media host {host} cannot be found ({fault.strerror}): check the network") from None
    return [str(address[4][0]).partition("%")[0] for address in found]
