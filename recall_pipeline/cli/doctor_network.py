"""The checks of `doctor` that concern the network: every HTTP client, and one byte of one MP3."""

import asyncio

import httpx

from recall_pipeline.days import utc_now
from recall_pipeline.download import MEDIA_URL, fetch_first_byte, media_client
from recall_pipeline.errors import RecallError, SettingsError
from recall_pipeline.http import async_client, proxy_of, sync_client
from recall_pipeline.recall_api import AudioMixed, RetryPolicy, open_client
from recall_pipeline.settings import Settings, is_loopback

_ONCE = RetryPolicy(attempts=1, deadline_seconds=20)


def check_clients(settings: Settings) -> str:
    """Build the clients for the API, media and alerts; return how each connects. Raises SettingsError."""
    asyncio.run(_build_async_clients(settings))
    is_sandbox = is_loopback(httpx.URL(settings.base_url).host)
    destinations = {"API": settings.base_url, "media": settings.base_url if is_sandbox else MEDIA_URL}
    if settings.alert_url is not None:
        destinations["alerts"] = settings.alert_url.get_secret_value()
        sync_client(destinations["alerts"]).close()
    return ", ".join(f"{name} {_route_of(url)}" for name, url in destinations.items())


async def _build_async_clients(settings: Settings) -> None:
    async with async_client(settings.base_url), media_client(settings):
        pass


def _route_of(url: str) -> str:
    proxy = proxy_of(httpx.URL(url))
    return f"through the proxy of {proxy.variable}" if proxy else "direct"


def check_media(settings: Settings) -> str:
    """Fetch one byte of the MP3 that one listing page shows; raise TransferError if that fails."""
    return asyncio.run(_fetch_one_byte(settings))


async def _fetch_one_byte(settings: Settings) -> str:
    try:
        artifact = await _some_mp3(settings)
    except (RecallError, SettingsError):
        return "not tried, because the check of the key failed"
    if artifact is None or artifact.download_url is None:
        return f"not tried, because there is no MP3 of the last {settings.lookback_days} days"
    status = await fetch_first_byte(settings, artifact.download_url)
    host = httpx.URL(artifact.download_url.get_secret_value()).host
    return f"fetched one byte of one MP3 from {host} (HTTP {status})"


async def _some_mp3(settings: Settings) -> AudioMixed | None:
    """Return an MP3 with a download URL from the first page of the listing, None if it shows none."""
    now = utc_now()
    async with open_client(settings, _ONCE) as client:
        listed, _ = await client.page("audio_mixed", (now - settings.lookback, now), None)
    audio = (item for item in listed if isinstance(item, AudioMixed))
    return next((item for item in audio if item.is_mp3 and item.download_url), None)
