"""`demo` needs no key and no network and writes to one folder; `ui` shows it in Dagster."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from recall_pipeline.cli.demo_folder import DemoFolder
from recall_pipeline_tests.cli.conftest import DAY_BEFORE, TODAY, YESTERDAY, Run
from recall_sandbox import World

CHECKOUT = Path(__file__).parent.parent.parent
PATIENCE_SECONDS = 120
NETWORK_OF_A_COMPANY = {
    "HTTP_PROXY": "http://127.0.0.1:9",
    "https_proxy": "http://[broken",
    "All_Proxy": "socks5://proxy.example:1080",
    "NO_PROXY": "::1,fe80::/10",
    "SSL_CERT_FILE": "/nonexistent/root.pem",
}
PARTITIONS = """{ assetNodes { assetKey { path } assetPartitionStatuses {
    ... on TimePartitionStatuses { ranges { startKey endKey status } } } } }"""


@pytest.fixture
def demo(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A path for the demo, with a world of three meetings instead of forty."""
    monkeypatch.setattr("recall_pipeline.cli.demo.demo_world", lambda _: world)
    return tmp_path / "demo"


def test_it_shows_the_catalog_and_writes_to_its_folder_only(
    run: Run, demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECALL_AUDIO_FORMAT", "invalid setting of the user")
    for name, value in NETWORK_OF_A_COMPANY.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    result = run("demo", "--folder", str(demo))
    assert (result.status, result.err) == (0, "")
    assert result.out.startswith(f"Syncing {DAY_BEFORE} to {TODAY} ")
    assert len(re.findall(r"^20\d\d-\d\d-\d\d \d\d:\d\d  \w{8} ", result.out, re.MULTILINE)) == 3
    assert "\n2  ready " in result.out
    assert result.out.endswith(f"recall-pipeline ui --folder {demo}\n")
    assert {path.name for path in demo.iterdir()} == {"data", "dagster_home", "demo.json"}
    assert {path.name for path in tmp_path.iterdir()} == {"demo", "dagster_home"}
    assert dict(os.environ) == before


def test_a_demo_is_recreated_and_other_folders_are_kept(run: Run, tmp_path: Path) -> None:
    DemoFolder(tmp_path / "demo").create(YESTERDAY)
    (tmp_path / "demo" / "data").mkdir()
    DemoFolder(tmp_path / "demo").create(TODAY)
    assert DemoFolder(tmp_path / "demo").created_on == TODAY
    assert not (tmp_path / "demo" / "data").exists()

    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "only_copy.txt").write_text("years of work")
    result = run("demo", "--folder", str(tmp_path / "thesis"))
    assert result.status == 2
    assert "contains files that are not a demo" in result.error_line
    assert (tmp_path / "thesis" / "only_copy.txt").exists()


def test_a_folder_that_cannot_be_created_is_one_error_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("demo", "--folder", str(tmp_path / "file" / "demo"))
    assert result.status == 1
    assert "Not a directory" in result.error_line


def test_the_ui_shows_the_days_of_the_demo(run: Run, demo: Path, tmp_path: Path) -> None:
    assert run("demo", "--folder", str(demo)).status == 0
    port, page_port = free_ports()
    program = [
        sys.executable, "-m", "recall_pipeline", "ui",
        "--folder", str(demo), "--port", str(port), "--page-port", str(page_port),
    ]  # fmt: skip
    with (tmp_path / "output").open("w") as output:
        process = subprocess.Popen(  # noqa: S603  this interpreter
            program, stdout=output, stderr=output, env={**os.environ, "PYTHONPATH": str(CHECKOUT)}
        )
        try:
            shown = query_when_ready(f"http://127.0.0.1:{port}/graphql", process)
            page = httpx.get(f"http://127.0.0.1:{page_port}/days/{TODAY}", trust_env=False)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=PATIENCE_SECONDS)
    result = (tmp_path / "output").read_text()
    assert f"http://127.0.0.1:{port}" in result
    assert f"http://127.0.0.1:{page_port}" in result
    assert page.status_code == 200
    assert "Warning" not in result
    assert shown.keys() == {"bots", "recordings", "mixed_audio", "audio_catalog", "transcripts", "fixity"}
    shown.pop("transcripts")  # of the other code location, which does not run in the demo
    shown.pop("fixity")  # of the whole archive, without partitions
    for ranges in shown.values():  # the sensor may be syncing other days already
        assert {"startKey": f"{DAY_BEFORE}", "endKey": f"{TODAY}", "status": "MATERIALIZED"} in ranges


def free_ports() -> tuple[int, int]:
    """Two ports that are free."""
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


def query_when_ready(url: str, process: "subprocess.Popen[bytes]") -> dict[str, list[dict[str, str]]]:
    """The ranges of materialized partitions by asset, as soon as the server of the UI answers."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        assert process.poll() is None
        try:
            answer = httpx.post(url, json={"query": PARTITIONS}, timeout=30)
            nodes = json.loads(answer.text)["data"]["assetNodes"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            nodes = []
        if nodes:
            return {node["assetKey"]["path"][0]: node["assetPartitionStatuses"].get("ranges", []) for node in nodes}
        time.sleep(0.2)
    raise AssertionError("the UI did not answer")
