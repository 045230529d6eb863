"""The clients: no redirects, no other variables of the environment than those of this package, no cookies kept."""

import contextlib
from typing import Any

import httpx

from recall_pipeline.http.certificates import tls_context
from recall_pipeline.http.proxies import EnvironmentProxy, proxy_of
from recall_pipeline.redaction import redact_http_logs

_DEFAULT_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)


def async_client(*destinations: str, limits: httpx.Limits = _DEFAULT_LIMITS, **options: Any) -> httpx.AsyncClient:
    """Return a client; `options` are those of httpx, `limits` apply to each proxy and to direct connections.

    Raises SettingsError if the environment makes requests to one of the URLs in `destinations` impossible. For other
    URLs, the request raises it.
    """
    redact_http_logs()
    routes = _Routes(limits)
    for url in destinations:
        routes.transport(httpx.URL(url))
    return httpx.AsyncClient(transport=routes, trust_env=False, follow_redirects=False, **options)


def sync_client(destination: str, **options: Any) -> httpx.Client:
    """Return a client for the URL `destination` only; raises SettingsError as `async_client` does.

    Raises httpx.InvalidURL for a URL that cannot be parsed.
    """
    redact_http_logs()
    url = httpx.URL(destination)
    transport = httpx.HTTPTransport(trust_env=False, **_route(url, proxy_of(url)))
    return httpx.Client(transport=transport, trust_env=False, follow_redirects=False, **options)


class _Routes(httpx.AsyncBaseTransport):
    """One connection pool for each proxy, and one for direct connections; made when first used."""

    def __init__(self, limits: httpx.Limits) -> None:
        self._limits = limits
        self._pools: dict[tuple[EnvironmentProxy | None, bool], httpx.AsyncHTTPTransport] = {}

    def transport(self, url: httpx.URL) -> httpx.AsyncHTTPTransport:
        """Return the connection pool for requests to `url`; raise SettingsError if there cannot be one."""
        proxy = proxy_of(url)
        key = proxy, _needs_tls(url, proxy)
        if key not in self._pools:
            self._pools[key] = httpx.AsyncHTTPTransport(trust_env=False, limits=self._limits, **_route(url, proxy))
        return self._pools[key]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request on its route."""
        transport = self.transport(request.url)
        if target := request.extensions.get("target"):
            request = _with_target(request, target)
        return await transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        async with contextlib.AsyncExitStack() as closing:
            for pool in self._pools.values():
                closing.push_async_callback(pool.aclose)


class _ExactURL(httpx.URL):
    """A URL whose path and query are sent as `target`, not as httpx encodes them."""

    def __init__(self, url: httpx.URL, target: bytes) -> None:
        super().__init__(url)
        self._target = target

    @property
    def raw_path(self) -> bytes:
        """The path and query, for the request line."""
        return self._target


def _with_target(request: httpx.Request, target: bytes) -> httpx.Request:
    """Return the request with this target in its own request line only.

    As an extension it would be the target of `CONNECT` too: a proxy could not open the tunnel, and would see a link.
    """
    others = {name: value for name, value in request.extensions.items() if name != "target"}
    if _is_forwarded(request.url):
        absolute = str(request.url.copy_with(path="/", query=None, fragment=None)).rstrip("/").encode("ascii")
        others["target"] = absolute + target
    sent = httpx.Request(request.method, request.url, headers=request.headers, stream=request.stream, extensions=others)
    sent.url = _ExactURL(request.url, target)
    return sent


def _needs_tls(url: httpx.URL, proxy: EnvironmentProxy | None) -> bool:
    return url.scheme == "https" or (proxy is not None and proxy.url.startswith("https:"))


def _is_forwarded(url: httpx.URL) -> bool:
    """Whether a proxy reads the request line, which then names the host; it only tunnels TLS and SOCKS."""
    proxy = proxy_of(url)
    return proxy is not None and url.scheme == "http" and proxy.url.startswith("http")


def _route(url: httpx.URL, proxy: EnvironmentProxy | None) -> dict[str, Any]:
    """Return the options of a transport to `url`. Certificates are loaded only where TLS is used."""
    context = tls_context() if _needs_tls(url, proxy) else None
    options: dict[str, Any] = {"verify": context or False}
    if proxy is not None:
        to_proxy = context if proxy.url.startswith("https:") else None
        options["proxy"] = httpx.Proxy(proxy.url, ssl_context=to_proxy)
    return options
