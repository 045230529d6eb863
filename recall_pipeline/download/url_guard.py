"""SSRF guard: download URLs must be http(s) and resolve to public addresses, or to networks that are allowed.

Behind a proxy the proxy resolves names, often the only one that can: then only addresses in the URL itself are checked.
"""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import httpx

from recall_pipeline.errors import TransferError, TransferRefused
from recall_pipeline.http import proxy_of
from recall_pipeline.settings import Settings, is_loopback

_PORTS = {"http": 80, "https": 443}
# Credentials of cloud hosts: link-local addresses, and those of AWS and Google in IPv6, Alibaba, and Azure (public).
_METADATA_SERVICES = tuple(
    map(ip_network, ("169.254.0.0/16", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16"))
)
_NAT64 = ip_network("64:ff9b::/96")  # IPv4 addresses in IPv6 form
_IPV4_BITS = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class UrlGuard:
    """Decides which addresses a download may come from; any while the API itself is on loopback."""

    allowed_networks: Sequence[IPv4Network | IPv6Network] = ()
    any_address: bool = False

    @classmethod
    def of(cls, settings: Settings) -> "UrlGuard":
        """Return the guard for these settings."""
        return cls(settings.media_networks, is_loopback(httpx.URL(settings.base_url).host))

    async def check_url(self, url: str) -> None:
        """Raise TransferRefused unless `url` is http(s) to an allowed host.

        Raises TransferError if the host cannot be resolved, and ValueError or httpx.InvalidURL if it is not a URL.
        """
        parsed = httpx.URL(url)
        urlsplit(url)  # raises ValueError for brackets that httpx takes as a name
        if parsed.scheme not in _PORTS or not parsed.host:
            raise TransferRefused("the download URL is not http(s); it was not opened")
        if self.any_address:
            return
        for address in await _addresses_of(parsed):
            if not self._allows(address):
                raise TransferRefused(
                    f"the download URL points at {parsed.host}, a private address; it was not opened: "
                    "if it is your VPC endpoint, add its network to RECALL_ALLOWED_NETWORKS"
                )

    def check_peer(self, answer: httpx.Response) -> None:
        """Raise TransferRefused when a private address answered: DNS may answer differently after the check.

        A proxy of the environment is one that the user trusts, wherever it is.
        """
        stream = answer.extensions.get("network_stream")
        peer = stream.get_extra_info("server_addr") if stream else None
        if self.any_address or peer is None or proxy_of(answer.request.url) is not None:
            return
        if not self._allows(str(peer[0])):
            raise TransferRefused(f"{answer.request.url.host} answers from a private address; nothing of it was read")

    def _allows(self, text: str) -> bool:
        address = _address(text)
        if any(address in service for service in _METADATA_SERVICES):
            return False
        return address.is_global or any(address in network for network in self.allowed_networks)


def _address(text: str) -> IPv4Address | IPv6Address:
    """Return the address that a packet goes to; raise ValueError if `text` is not an address."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return IPv4Address(int(address) & _IPV4_BITS)
        return address.ipv4_mapped or address
    return address


async def _addresses_of(url: httpx.URL) -> list[str]:
    """Return the addresses of the host; behind a proxy only one that the URL itself contains."""
    if proxy_of(url) is None:
        return await _resolve(url.host, url.port or _PORTS[url.scheme])
    try:
        return [str(_address(url.host))]
    except ValueError:
        return []


async def _resolve(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not a host name"
        raise TransferError(
            f"the media host {host} cannot be found ({reason}): check the network, and HTTPS_PROXY if you need a proxy",
            is_host_fault=True,
        ) from None
    return [str(address[4][0]) for address in found]
