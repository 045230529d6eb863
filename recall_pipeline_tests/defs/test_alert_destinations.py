"""Alerts reach the log and the webhook, and the webhook's URL stays secret."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pydantic import SecretStr

from recall_pipeline.defs import alert_destinations
from recall_pipeline.defs.alert_destinations import LogDestination, WebhookDestination, destinations_of
from recall_pipeline.defs.alert_state import MOST_AT_ONCE
from recall_pipeline.settings import Settings

LOG = logging.getLogger("recall_pipeline_tests.alerts")


class Hook(BaseHTTPRequestHandler):
    """Keeps what is posted, and answers with its server's status."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.bodies.append(json.loads(body))  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, ARG002 -- http.server's signature
        return


@pytest.fixture
def hook() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        server.bodies, server.status = [], 200  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _url(server: HTTPServer) -> SecretStr:
    return SecretStr(f"http://127.0.0.1:{server.server_port}/services/T0/secret-path")


def test_a_webhook_gets_slack_shaped_json(hook: HTTPServer) -> None:
    assert WebhookDestination(_url(hook), LOG).send("Failed: something")
    assert hook.bodies == [{"text": "recall_pipeline: Failed: something"}]  # type: ignore[attr-defined]


def test_an_alert_that_the_webhook_rejects_is_sent_again_later_and_its_url_is_not_logged(
    hook: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hook.status = 500  # type: ignore[attr-defined]
    assert not WebhookDestination(_url(hook), LOG).send("Failed: something")
    assert "answers 500" in caplog.text
    assert "secret-path" not in "".join(record.getMessage() for record in caplog.records if record.name == LOG.name)


def test_an_alert_whose_webhook_is_unreachable_is_sent_again_later(caplog: pytest.LogCaptureFixture) -> None:
    sink = WebhookDestination(SecretStr("http://127.0.0.1:9/services/secret-path"), LOG)
    assert not sink.send("Failed: something")
    assert "secret-path" not in caplog.text


@pytest.mark.parametrize(
    ("variable", "value"), [("SSL_CERT_FILE", "/nonexistent/root.pem"), ("HTTPS_PROXY", "socks5://proxy.example:1080")]
)
def test_a_webhook_that_the_environment_makes_impossible_is_logged_with_the_variable(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert not WebhookDestination(SecretStr("https://hooks.example/services/secret-path"), LOG).send("Failed: x")
    assert f"RECALL_ALERT_URL cannot be reached: {variable}" in caplog.text
    assert "secret-path" not in caplog.text


def test_a_webhook_on_loopback_takes_no_proxy(hook: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert WebhookDestination(_url(hook), LOG).send("Failed: something")


def test_a_webhook_that_hangs_at_every_message_leaves_a_tick_within_dagsters_minute() -> None:
    assert MOST_AT_ONCE * alert_destinations._TIMEOUT_SECONDS <= 45


def test_failures_are_logged_as_errors_and_recoveries_are_not(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    sink = LogDestination(LOG)
    assert sink.send("Failed: x")
    assert sink.send("Recovered: x")
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]


def test_the_settings_name_the_webhook(hook: HTTPServer) -> None:
    assert [type(sink) for sink in destinations_of(Settings(), LOG)] == [LogDestination]
    assert [type(sink) for sink in destinations_of(Settings(alert_url=_url(hook)), LOG)] == [
        LogDestination,
        WebhookDestination,
    ]
