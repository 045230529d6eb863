"""SSRF guard: download URLs must be http(s) and resolve to public addresses."""

import asyncio
import socket
from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from recall_pipeline.errors import TransferError, TransferRefused


async def check_url(url: str, *, loopback_allowed: bool) -> None:
    """Raise TransferRefused unless `url` is http(s) to a public host (any host while the API is on loopback itself)."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise TransferRefused("the download URL is not http(s); it was not opened")
    if loopback_allowed:
        return
    for address in await _resolve(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)):
        if not ip_address(address).is_global:
            raise TransferRefused(f"the download URL points at {parts.hostname}, a private address; it was not opened")


def check_peer(answer: httpx.Response, *, loopback_allowed: bool) -> None:
    """Raise TransferRefused when a private address answered: DNS may answer differently after the check.

    A proxy of the environment is one that the user trusts, wherever it is.
    """
    stream = answer.extensions.get("network_stream")
    peer = stream.get_extra_info("server_addr") if stream else None
    if loopback_allowed or peer is None or _goes_through_a_proxy(answer.url):
        return
    if not ip_address(str(peer[0]).partition("%")[0]).is_global:
        raise TransferRefused(f"{answer.url.host} answers from a private address; nothing of it was read")


def _goes_through_a_proxy(url: httpx.URL) -> bool:
    return bool({url.scheme, "all"} & getproxies().keys()) and not proxy_bypass(url.host)


async def _resolve(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise TransferError(f"the media host {host} cannot be found ({error.strerror}): check the network") from None
    return [str(address[4][0]).partition("%")[0] for address in found]
