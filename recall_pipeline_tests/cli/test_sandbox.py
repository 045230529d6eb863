"""`sandbox` serves a Recall API until it is told to stop, and says how to reach it."""

import re
import signal
import socket
import subprocess
import sys

import httpx

from recall_pipeline_tests.cli.conftest import Run

PATIENCE_SECONDS = 60


def test_it_says_how_to_reach_it_and_ends_well_at_ctrl_c() -> None:
    program = [sys.executable, "-u", "-m", "recall_pipeline", "sandbox", "--port", "0"]
    program += ["--webhooks", "http://127.0.0.1:9/"]  # where nobody listens
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        said = ""
        while "Stop with Ctrl-C" not in said:
            line = process.stdout.readline()
            assert line, "it ended by itself"
            said += line
        told = dict(re.findall(r"export (RECALL_\w+)=(\S+)", said))
        listed = httpx.get(f"{told['RECALL_API_URL']}/recording/", headers={"Authorization": told["RECALL_API_KEY"]})
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert told["RECALL_WEBHOOK_SECRET"].startswith("whsec_")
    assert listed.status_code == 200
    assert listed.json()["results"]
    assert (process.returncode, err) == (0, "")


def test_a_port_that_is_taken_is_one_line(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = run("sandbox", "--port", str(taken.getsockname()[1]))
    assert said.status == 2
    assert "choose another --port" in said.fault
