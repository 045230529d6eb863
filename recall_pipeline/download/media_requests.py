"""The client for the media host, and a request for the first byte of an MP3."""

from collections.abc import Awaitable, Callable

import httpx
from pydantic import SecretStr

from recall_pipeline.download.refusals import check_status
from recall_pipeline.download.transfer import FRESH_URLS, Transfer
from recall_pipeline.errors import LinkExpired, TransferError, TransferRefused
from recall_pipeline.http import async_client, connection_fault
from recall_pipeline.settings import Settings, is_loopback

MEDIA_URL = "https://recallai-production-bot-data.s3.amazonaws.com"  # docs/design/recall-api.md, section 6
_TIMEOUT = httpx.Timeout(connect=10, read=30, write=30, pool=None)


def media_client(settings: Settings) -> httpx.AsyncClient:
    """Return a client without the API key; raise SettingsError if the environment makes downloads impossible."""
    limits = httpx.Limits(max_connections=settings.concurrency, max_keepalive_connections=settings.concurrency)
    is_sandbox = is_loopback(httpx.URL(settings.base_url).host)
    return async_client(*([] if is_sandbox else [MEDIA_URL]), timeout=_TIMEOUT, limits=limits)


async def fetch_first_byte(settings: Settings, url: SecretStr, fresh_url: Callable[[], Awaitable[SecretStr]]) -> int:
    """Request one byte of an MP3 and return the status, 206 or 200; raise TransferError or SettingsError.

    A URL that the media host refuses is replaced by `fresh_url`, as often as in a download.
    """
    async with media_client(settings) as http:
        transfer = Transfer(http, settings)
        for _ in range(FRESH_URLS):
            try:
                return await _first_byte(transfer, url)
            except LinkExpired as error:
                if error.is_host_fault:  # a firewall refuses whatever the URL
                    raise
            url = await fresh_url()
        return await _first_byte(transfer, url)


async def _first_byte(transfer: Transfer, url: SecretStr) -> int:
    headers = {"Accept-Encoding": "identity", "Range": "bytes=0-0"}
    try:
        return await transfer.follow(url.get_secret_value(), headers, _receive_first_byte)
    except (httpx.InvalidURL, ValueError):
        raise TransferRefused("the download URL cannot be read") from None
    except httpx.HTTPError as error:
        reason, action = connection_fault(error, url.get_secret_value(), "check the network and its firewall")
        raise TransferError(f"the media host cannot be reached ({reason}): {action}") from None


async def _receive_first_byte(response: httpx.Response) -> int:
    await check_status(response)
    async for _ in response.aiter_raw():
        return response.status_code
    raise TransferError("the media host sends an empty file")
