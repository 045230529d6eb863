"""A pre-signed URL reaches the server byte for byte as it was given."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from recall_pipeline.http import async_client, exact_target
from recall_pipeline_tests.forward_proxy import ForwardProxy, company_certificates, tls_host


class RawPath(BaseHTTPRequestHandler):
    """Keeps the request target of each request as it came."""

    def do_GET(self) -> None:
        self.server.targets.append(self.requestline.split(" ")[1])  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002 -- http.server's signature
        return


def request(url: str) -> None:
    """Request `url` exactly as it is given."""

    async def get() -> None:
        async with async_client() as http, http.stream("GET", url, extensions=exact_target(url)):
            pass

    asyncio.run(get())


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), RawPath) as running:
        running.targets = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_through_the_tunnel_of_a_proxy_only_the_server_gets_path_and_query(
    server: ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, tls = company_certificates(tmp_path, "media.invalid")
    given = "/a%3Ab/%2F%2f/c%20d+e.mp3?X-Amz-Signature=0f%2b%2B&a=1"
    monkeypatch.setenv("SSL_CERT_FILE", str(root))
    behind = f"http://127.0.0.1:{server.server_port}"
    with tls_host(behind, tls) as port, ForwardProxy({"media.invalid": port}).running() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        request(f"https://media.invalid{given}")
    assert proxy.seen == ["CONNECT media.invalid:443 HTTP/1.1"]
    assert server.targets[-1] == given  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("/a%3Ab/c.mp3?X-Amz-Credential=A%2F2026%2Fs3&X-Amz-Signature=0f%2b%2B+/=", None),
        ("/a%3ab/%2F%2f//c%20d+e.mp3", None),
        ("/a:b/(c)[d]{e}|^`~!$&'*,;=@\\\"<>", None),
        ("/a/../b/./c/", None),
        ("/a%zz%?q=%", None),
        ("/a?q='[]{}|^`\\\"<>&&=&?/+", None),
        ("/?", None),
        ("?q=1", "/?q=1"),
        ("", "/"),
        ("/a#fragment?x", "/a"),
        ("/a b/\u00e4?q=\u00e4 b", "/a%20b/%C3%A4?q=%C3%A4%20b"),
    ],
)
def test_path_and_query_are_sent_exactly_as_given(server: ThreadingHTTPServer, given: str, sent: str | None) -> None:
    request(f"http://127.0.0.1:{server.server_port}{given}")
    assert server.targets[-1] == (given if sent is None else sent)  # type: ignore[attr-defined]
