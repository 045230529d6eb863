"""Requests to the API: each within the request budget, limited in size and time; reads are retried."""

import asyncio
import hashlib
from typing import Any
from urllib.parse import urlsplit

import httpx

from recall_pipeline.errors import RecallProtocolError, RecallUnreachable
from recall_pipeline.http import connection_fault
from recall_pipeline.recall_api.rate_limit import Budget
from recall_pipeline.recall_api.responses import RetryableError, json_from_response
from recall_pipeline.recall_api.retry import RetryPolicy, WaitReporter, send_with_retries
from recall_pipeline.settings import Settings

_RESPONSE_TIMEOUT_SECONDS = 300.0  # the read time-out alone would not stop a body that trickles in
_MAX_RESPONSE_BYTES = 16 * 1024 * 1024  # 160 kB per row of a page of 100; parsed, it takes 20 times as much memory


class ApiRequests:
    """Sends requests of one workspace. `count`: the requests sent. `endpoint` names a request in budget and errors."""

    def __init__(
        self, http: httpx.AsyncClient, settings: Settings, budget: Budget, retry_policy: RetryPolicy | None
    ) -> None:
        self._http = http
        self._settings = settings
        self._budget = budget
        self._retry_policy = retry_policy or RetryPolicy()
        self._waits = WaitReporter()
        self.base_url = settings.base_url
        self.workspace = _workspace(settings)
        self.count = 0

    async def get(self, url: str, endpoint: str) -> Any:
        """Return the JSON of a URL. Raises RecallError."""
        return await self._json("GET", url, endpoint)

    async def delete(self, url: str, endpoint: str) -> None:
        """Delete what is at a URL. Raises RecallError."""
        await self._json("DELETE", url, endpoint)

    async def send(self, method: str, url: str, endpoint: str, **extra: Any) -> httpx.Response:
        """Send one request and return its response, whatever it is. A GET never has a body.

        Raises RetryableError without a response, RecallProtocolError if it is too large.
        """
        settings = self._settings
        per_minute = settings.list_rpm if endpoint.startswith(("list", "create")) else settings.object_rpm
        await self._budget.take(f"{self.workspace} {endpoint}", per_minute)
        self.count += 1
        try:
            async with asyncio.timeout(_RESPONSE_TIMEOUT_SECONDS), self._http.stream(method, url, **extra) as response:
                return await _read_bounded(response, endpoint)
        except (httpx.HTTPError, TimeoutError) as error:
            host = urlsplit(url).netloc
            reason, action = connection_fault(error, url, "check the network and RECALL_API_URL")
            raise RetryableError(RecallUnreachable(f"{endpoint}: cannot reach {host} ({reason}): {action}")) from None

    async def _json(self, method: str, url: str, endpoint: str) -> Any:
        async def attempt() -> Any:
            return json_from_response(await self.send(method, url, endpoint), endpoint)

        return await send_with_retries(attempt, self._retry_policy, self._waits)


async def _read_bounded(response: httpx.Response, endpoint: str) -> httpx.Response:
    """Return a copy of `response` with its decoded body; raise RecallProtocolError if the body is too large."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MAX_RESPONSE_BYTES:
            raise RecallProtocolError(
                f"{endpoint}: a response of over {_MAX_RESPONSE_BYTES // 2**20} MiB: check RECALL_API_URL"
            )
    headers = [(k, v) for k, v in response.headers.items() if k not in ("content-encoding", "content-length")]
    return httpx.Response(response.status_code, headers=headers, content=bytes(body), request=response.request)


def _workspace(settings: Settings) -> str:
    """Return the name of a workspace in the request budget: the API's host, and a digest of the key."""
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    return f"{urlsplit(settings.base_url).netloc}/{hashlib.sha256(key.encode()).hexdigest()[:16]}"
