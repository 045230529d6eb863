import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest

from recall_sandbox import PortTaken, Sandbox, World
from recall_sandbox.effects import Stall
from recall_sandbox.faults import Rule


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_it_serves_two_origins_on_loopback() -> None:
    with Sandbox(World()).running() as sandbox:
        api, media = urlsplit(sandbox.api_url), urlsplit(sandbox.media_url)
        assert (api.scheme, api.hostname, api.path) == ("http", "127.0.0.1", "/api/v1")
        assert (media.scheme, media.hostname, media.path) == ("http", "127.0.0.1", "")
        assert api.port != media.port
        assert httpx.get(f"{sandbox.api_url}/bot/").status_code == 401
        assert httpx.get(f"{sandbox.media_url}/nothing").status_code == 403


def test_it_stops_listening_when_the_block_ends() -> None:
    with Sandbox(World()).running() as sandbox:
        url = f"{sandbox.api_url}/bot/"
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_it_stops_during_a_stalled_answer() -> None:
    with Sandbox(World()).running() as sandbox:
        sandbox.faults.add(Rule(Stall(after_bytes=0, seconds=3600)))
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{sandbox.api_url}/bot/", timeout=0.1)
    assert "sandbox" not in {thread.name for thread in threading.enumerate()}


def test_a_port_can_be_chosen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Sandbox(World(), api_port=port).running() as sandbox:
        assert urlsplit(sandbox.api_url).port == port


def test_a_port_in_use_gives_a_one_line_error(taken_port: int) -> None:
    with (
        pytest.raises(PortTaken, match=rf"127\.0\.0\.1:{taken_port} .* choose another --port"),
        Sandbox(World(), api_port=taken_port).running(),
    ):
        pass


def test_two_sandboxes_can_run_at_once() -> None:
    with (
        Sandbox(World(), api_key="one").running() as one,
        Sandbox(World(), api_key="two").running() as two,
    ):
        headers = {"Authorization": "one"}
        statuses = [httpx.get(f"{s.api_url}/bot/", headers=headers).status_code for s in (one, two)]
    assert statuses == [200, 401]


def test_new_bots_use_the_sandboxs_clock() -> None:
    moment = datetime(2026, 3, 10, tzinfo=UTC)
    with Sandbox(World(), clock=lambda: moment).running() as sandbox:
        headers = {"Authorization": sandbox.api_key}
        asked = {"meeting_url": "https://meet.google.com/abc"}
        made = httpx.post(f"{sandbox.api_url}/bot/", json=asked, headers=headers).json()
    assert made["status_changes"][0]["created_at"] == "2026-03-10T00:00:00Z"


def test_serve_forever_announces_the_urls_and_ends_with_an_interrupt() -> None:
    announced: list[str] = []

    def announce(sandbox: Sandbox) -> None:
        announced.append(sandbox.api_url)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Sandbox(World()).serve_forever(announce)
    with pytest.raises(httpx.ConnectError):
        httpx.get(announced[0])
