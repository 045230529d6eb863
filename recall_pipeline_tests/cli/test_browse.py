"""`browse` serves until Ctrl-C, keeps no secret, and listens on loopback only unless a proxy is in front."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from recall_pipeline.cli.browse import settings_without_secrets
from recall_pipeline.settings import Settings
from recall_pipeline_tests.cli.conftest import Run

PATIENCE_SECONDS = 60
KEY = "canary-key-of-the-workspace"


def test_it_serves_until_ctrl_c(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "RECALL_API_KEY": KEY,
        "RECALL_STORAGE_URL": str(tmp_path / "data"),
        "TMPDIR": str(tmp_path),
    }
    program = [sys.executable, "-u", "-m", "recall_pipeline", "browse", "--port", "0"]
    with subprocess.Popen(  # noqa: S603
        program, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        with httpx.Client(base_url=found[0], trust_env=False, timeout=60) as client:
            answers = [client.get("/").status_code, client.post("/").status_code]
            refused = client.get("/", headers={"Host": "evil.example"}).status_code
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (answers, refused, process.returncode) == ([200, 405], 421, 0)
    assert err == ""
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "[::]", "10.0.0.1", "example.com", "", "127.1", "::ffff:0.0.0.0"])  # noqa: S104
def test_on_other_addresses_it_refuses_in_one_line(run: Run, host: str) -> None:
    result = run("browse", "--host", host, "--port", "0")
    assert result.status == 2
    assert "asks for no password" in result.error_line
    assert "--behind-proxy" in result.error_line


@pytest.mark.parametrize(
    "arguments",
    [("--host", "localhost"), ("--host", "[::1]"), ("--host", "0.0.0.0", "--behind-proxy")],  # noqa: S104
)
def test_it_listens_on_loopback_and_behind_a_proxy_everywhere(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    monkeypatch.setattr("recall_pipeline.cli.browse.page_server", lambda _: type("Ended", (), {"run": lambda *_: None}))
    result = run("browse", *arguments, "--port", "0")
    assert result.status == 0
    assert f"http://{arguments[1]}:" in result.out


def test_a_port_in_use_is_one_error_line(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run("browse", "--port", str(taken.getsockname()[1]))
    assert result.status == 2
    assert "choose another --host or --port" in result.error_line


def test_no_secret_stays_in_the_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    env_file = tmp_path / "env"
    env_file.write_text(f"RECALL_API_KEY={KEY}\nrecall_webhook_secret=whsec_{'YWJj' * 8}\n")
    monkeypatch.setenv("RECALL_ENV_FILE", str(env_file))
    monkeypatch.setenv("RECALL_ALERT_URL", "https://hooks.example.com/secret-part")
    for name in ("RECALL_API_KEY", "recall_webhook_secret"):  # python-dotenv sets them behind monkeypatch's back
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    settings = settings_without_secrets()
    assert [name for name in Settings.model_fields if isinstance(getattr(settings, name), SecretStr)] == []
    values = " ".join(os.environ.values())
    assert not any(secret in values for secret in (KEY, "whsec_", "secret-part"))


@pytest.mark.parametrize(
    "url", ["archive.example.com", "ftp://x", "https://user:pass@x", "https://x?y=1", "https://x/#y", "https://", "//x"]
)
def test_a_wrong_address_of_the_page_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("RECALL_PAGE_URL", url)
    result = run("browse", "--port", "0")
    assert result.status == 2
    assert "RECALL_PAGE_URL is not the address of a page" in result.error_line
