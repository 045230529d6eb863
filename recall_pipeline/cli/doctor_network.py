"""The checks of `doctor` that concern the network: every HTTP client, and one byte of one MP3."""

import asyncio

import httpx
from pydantic import SecretStr

from recall_pipeline.days import utc_now
from recall_pipeline.download import MEDIA_URL, fetch_first_byte, media_client
from recall_pipeline.errors import LinkExpired, RecallError, SettingsError
from recall_pipeline.http import async_client, proxy_of, sync_client
from recall_pipeline.recall_api import AudioMixed, RecallClient, RetryPolicy, open_client
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
        async with open_client(settings, _ONCE) as client:
            artifact = await _some_mp3(client, settings)
            if artifact is None:
                return f"not tried, because there is no MP3 of the last {settings.lookback_days} days"
            return await _fetch_first_byte(client, settings, artifact)
    except (RecallError, SettingsError):
        return "not tried, because the check of the key failed"


async def _some_mp3(client: RecallClient, settings: Settings) -> AudioMixed | None:
    """Return a finished MP3 from the first page of the listing, one with a download URL if there is any."""
    now = utc_now()
    listed, _ = await client.page("audio_mixed", (now - settings.lookback, now), None)
    found = [item for item in listed if isinstance(item, AudioMixed) and item.is_mp3 and item.status.code == "done"]
    return next((item for item in found if item.download_url), found[0] if found else None)


async def _fetch_first_byte(client: RecallClient, settings: Settings, artifact: AudioMixed) -> str:
    async def fresh_url() -> SecretStr:
        found = await client.audio_mixed_by_id(artifact.id)
        if found is None or found.download_url is None:
            raise LinkExpired("Recall offers no download of a finished MP3")
        return found.download_url

    url = artifact.download_url or await fresh_url()
    status = await fetch_first_byte(settings, url, fresh_url)
    return f"fetched one byte of one MP3 from {httpx.URL(url.get_secret_value()).host} (HTTP {status})"
