"""The page answers GET and HEAD for its own host names only, and no site may frame it or run scripts in it."""

import contextlib
import http.client
import re

import httpx
import pytest

from recall_pipeline.storage import Archive
from recall_pipeline_tests.browse.conftest import Serve

PATHS = ("/", "/search?q=x", "/days/2026-03-02", "/nothing", "/static/page.css", "/health")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("path", ["/", "/nothing"])
def test_other_methods_than_get_and_head_are_refused(client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost",
        "localhost.",
        "localhost:1",
        "127.0.0.1",
        "127.0.0.1:8300",
        "127.9.9.9",
        "[::1]",
        "[::1]:80",
        "[0:0:0:0:0:0:0:1]",
    ],
)
def test_it_answers_for_loopback_names(client: httpx.Client, host: str) -> None:
    assert client.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8300",
        "localhost.evil.example",
        "evil-localhost",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "[::2]",
        "[::ffff:10.0.0.1]",
        "",
        "localhost:x",
        "localhost, evil.example",
        "x@localhost",
        "localhost/",
        "[::1",
        "::1",
        "localhost..",
        "0.0.0.0:8300",
        "%6cocalhost",
        "http://localhost",
    ],
)
@pytest.mark.parametrize("path", ["/", "/static/page.css"])
def test_it_does_not_answer_for_other_names(client: httpx.Client, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code in (400, 421)
    assert "<html" not in answer.text


def test_two_host_headers_are_refused(client: httpx.Client) -> None:
    with contextlib.closing(http.client.HTTPConnection(client.base_url.host, client.base_url.port or 0)) as raw:
        raw.putrequest("GET", "/health", skip_host=True)
        for host in ("localhost", "evil.example"):
            raw.putheader("Host", host)
        raw.endheaders()
        assert raw.getresponse().status in (400, 421)


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_the_protecting_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["media-src"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY"


def test_a_refusal_and_an_error_have_them_too(serve: Serve, archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    client = serve(archive)
    monkeypatch.setattr(archive, "versions_below", _failing)
    for answer in (client.post("/"), client.get("/", headers={"Host": "evil.example"}), client.get("/")):
        assert answer.status_code in (405, 421, 500)
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "nothing of this" not in answer.text


def _failing(_: str) -> dict[str, str]:
    raise RuntimeError("nothing of this is shown")


def test_the_answers_are_not_stored_by_browsers(client: httpx.Client) -> None:
    assert client.get("/").headers["cache-control"] == "no-store"
    assert client.get("/static/page.css").headers["cache-control"].startswith("max-age=")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("archive.example.com", 200),
        ("ARCHIVE.example.com:443", 200),
        ("localhost", 200),
        ("10.1.2.3:8300", 200),
        ("[2001:db8::1]", 200),
        ("evil.example", 421),
        ("archive.example.com.evil.example", 421),
    ],
)
def test_behind_a_proxy_it_answers_for_the_name_in_the_settings_and_for_addresses(
    serve: Serve, archive: Archive, host: str, status: int
) -> None:
    client = serve(archive, page_url="https://archive.example.com/calls", is_behind_proxy=True)
    assert client.get("/health", headers={"Host": host}).status_code == status


def test_behind_a_proxy_every_link_is_below_the_path_of_the_page(serve: Serve, archive: Archive) -> None:
    text = serve(archive, page_url="https://archive.example.com/calls/", is_behind_proxy=True).get("/").text
    links = _attributes(text)
    assert links
    assert [link for link in links if not link.startswith(("/calls/", "#"))] == []


def _attributes(text: str) -> list[str]:
    return re.findall(r'(?:href|src|action)="([^"]*)"', text)


def test_nothing_comes_from_another_host(client: httpx.Client) -> None:
    assert [link for link in _attributes(client.get("/days/2026-03-02").text) if "//" in link] == []
