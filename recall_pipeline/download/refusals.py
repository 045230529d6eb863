"""The statuses of the media host that carry no audio, each as an error."""

import httpx

from recall_pipeline.download.partials import Partial
from recall_pipeline.errors import LinkExpired, TransferError
from recall_pipeline.http import is_web_page, proxy_of

_FIRST_BYTES = 512  # enough to recognize a web page
_LINK_IS_GOOD = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS)


async def check_status(response: httpx.Response, partial: Partial | None = None) -> None:
    """Return for 200 and 206; raise LinkExpired where a fresh URL may help, else TransferError."""
    status = response.status_code
    if status in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        return
    if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and partial and partial.size_bytes:
        partial.discard()
        raise TransferError("the partial file is longer than what is served; starting again")
    proxy = proxy_of(response.request.url)
    if status == httpx.codes.PROXY_AUTHENTICATION_REQUIRED and proxy is not None:
        raise TransferError(
            f"the proxy of {proxy.variable} requires a login (407): write user and password into its URL",
            is_host_fault=True,
        )
    if not response.is_client_error or status in (*_LINK_IS_GOOD, httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE):
        raise TransferError(f"the media host answers {status}", is_host_fault=_is_of_host(response))
    if status == httpx.codes.FORBIDDEN and await _is_web_page(response):
        raise LinkExpired(
            "the media host answers 403 with a web page: a firewall refuses the IP address that this machine sends "
            "from (its cloud network, NAT, VPN or proxy): allow the host there, or send from another network",
            is_host_fault=True,
        )
    raise LinkExpired(f"the media host answers {status}, even to a fresh URL")


def check_destination(response: httpx.Response, redirects: int) -> None:
    """Raise LinkExpired if `redirects` led to a web page: object stores redirect to other object stores only."""
    if redirects and response.is_success and "html" in response.headers.get("content-type", "").lower():
        raise LinkExpired(
            "the media host redirects to a web page, such as the sign-in page of your network or its proxy: sign in, "
            "or allow the media host there",
            is_host_fault=True,
        )


def _is_of_host(response: httpx.Response) -> bool:
    return response.is_server_error or response.status_code in _LINK_IS_GOOD


async def _is_web_page(response: httpx.Response) -> bool:
    body = b""
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) >= _FIRST_BYTES:
            break
    return is_web_page(response.headers.get("content-type", ""), body)
