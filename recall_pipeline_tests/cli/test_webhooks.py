"""`webhooks` serves until Ctrl-C, and does not start without a secret."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from recall_pipeline_tests.cli.conftest import Run
from recall_pipeline_tests.webhooks.signing import SECRET, headers, payload

PATIENCE_SECONDS = 60


def test_it_receives_webhooks_over_http_until_ctrl_c(tmp_path: Path) -> None:
    environment = {**os.environ, "RECALL_WEBHOOK_SECRET": SECRET, "RECALL_STORAGE_URL": str(tmp_path / "data")}
    program = [sys.executable, "-u", "-m", "recall_pipeline", "webhooks", "--port", "0"]
    with subprocess.Popen(  # noqa: S603
        program, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        body = payload()
        with httpx.Client(base_url=found[0], trust_env=False, timeout=60) as client:
            answers = [
                client.get("/health"),
                client.post("/", content=body, headers=headers(body, spelling="svix")),
                client.post("/", content=body, headers=headers(body, timestamp="1")),
                client.post("/", content=iter([b" " * 600_000] * 2), headers=headers(body)),
            ]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert [answer.status_code for answer in answers] == [200, 204, 401, 413]
    assert process.returncode == 0
    assert "0 events wait" in line
    assert "event msg_1 audio_mixed.done stored" in err
    assert "Message timestamp too old" in err
    assert "Traceback" not in err
    assert [path.name for path in (tmp_path / "data" / "_events").iterdir()] == ["msg_1.json"]


def test_without_a_secret_it_does_not_start(run: Run) -> None:
    result = run("webhooks")
    assert result.status == 2
    assert result.error_line.startswith("recall-pipeline: RECALL_WEBHOOK_SECRET is not set: ")


def test_an_ipv6_address_is_in_brackets(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_WEBHOOK_SECRET", SECRET)
    monkeypatch.setattr("recall_pipeline.cli.webhooks.webhook_server", lambda _: type("Ended", (), {"run": print}))
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    result = run("webhooks", "--host", "::1", "--port", "0")
    assert "on http://[::1]:" in result.out


@pytest.mark.parametrize("host", ["", " ", "[]", "http://127.0.0.1", "a b", "127.0.0.1/24"])
def test_what_is_not_a_host_is_refused(host: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_WEBHOOK_SECRET", SECRET)
    result = run("webhooks", "--host", host, "--port", "0")
    assert result.status == 2
    assert "is not a host: use an address such as 127.0.0.1" in result.error_line


def test_a_name_that_dns_cannot_have_is_one_error_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_WEBHOOK_SECRET", SECRET)
    result = run("webhooks", "--host", "a" * 70, "--port", "0")
    assert (result.status, "choose another --host or --port" in result.error_line) == (2, True)


def test_a_port_in_use_is_one_error_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_WEBHOOK_SECRET", SECRET)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run("webhooks", "--port", str(taken.getsockname()[1]))
    assert result.status == 2
    assert "choose another --host or --port" in result.error_line
