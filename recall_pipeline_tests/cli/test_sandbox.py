"""`sandbox` serves the mock API until Ctrl-C, and prints how to use it."""

import re
import signal
import socket
import subprocess
import sys

import httpx

from recall_pipeline_tests.cli.conftest import Run

PATIENCE_SECONDS = 60


def test_it_prints_its_settings_and_exits_with_0_at_ctrl_c() -> None:
    program = [sys.executable, "-u", "-m", "recall_pipeline", "sandbox", "--port", "0"]
    program += ["--webhooks", "http://127.0.0.1:9/"]  # a closed port
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        printed = ""
        while "Stop with Ctrl-C" not in printed:
            line = process.stdout.readline()
            assert line, "it ended by itself"
            printed += line
        exports = dict(re.findall(r"export (RECALL_\w+)=(\S+)", printed))
        authorization = {"Authorization": exports["RECALL_API_KEY"]}
        listed = httpx.get(f"{exports['RECALL_API_URL']}/recording/", headers=authorization)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert exports["RECALL_WEBHOOK_SECRET"].startswith("whsec_")
    assert listed.status_code == 200
    assert listed.json()["results"]
    assert (process.returncode, err) == (0, "")


def test_a_port_in_use_is_one_error_line(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = run("sandbox", "--port", str(taken.getsockname()[1]))
    assert result.status == 2
    assert "choose another --port" in result.error_line
