"""`demo` needs nothing and touches one folder; `ui` then shows it in Dagster, with the sandbox behind it."""

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
PARTITIONS = """{ assetNodes { assetKey { path } assetPartitionStatuses {
    ... on TimePartitionStatuses { ranges { startKey endKey status } } } } }"""


@pytest.fixture
def demo(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder to be, and a demo of two meetings instead of forty."""
    monkeypatch.setattr("recall_pipeline.cli.demo.demo_world", lambda _: world)
    return tmp_path / "demo"


def test_it_shows_the_catalog_and_leaves_everything_in_its_folder(
    run: Run, demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECALL_AUDIO_FORMAT", "nonsense of the user's own")
    before = dict(os.environ)
    said = run("demo", "--folder", str(demo))
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith(f"Syncing {DAY_BEFORE} to {TODAY} ")
    assert len(re.findall(r"^20\d\d-\d\d-\d\d \d\d:\d\d  \w{8} ", said.out, re.MULTILINE)) == 3
    assert "\n2  ready " in said.out
    assert said.out.endswith(f"recall-pipeline ui --folder {demo}\n")
    assert {path.name for path in demo.iterdir()} == {"data", "dagster_home", "demo.json"}
    assert {path.name for path in tmp_path.iterdir()} == {"demo", "dagster_home"}
    assert dict(os.environ) == before


def test_a_demo_is_begun_anew_and_nothing_else_is_removed(run: Run, tmp_path: Path) -> None:
    DemoFolder(tmp_path / "demo").begin(YESTERDAY)
    (tmp_path / "demo" / "data").mkdir()
    DemoFolder(tmp_path / "demo").begin(TODAY)
    assert DemoFolder(tmp_path / "demo").made_on == TODAY
    assert not (tmp_path / "demo" / "data").exists()

    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "only_copy.txt").write_text("years of work")
    said = run("demo", "--folder", str(tmp_path / "thesis"))
    assert said.status == 2
    assert "holds something that is no demo" in said.fault
    assert (tmp_path / "thesis" / "only_copy.txt").exists()


def test_a_folder_that_cannot_be_made_is_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = run("demo", "--folder", str(tmp_path / "file" / "demo"))
    assert said.status == 1
    assert "Not a directory" in said.fault


def test_the_ui_shows_the_demos_days(run: Run, demo: Path, tmp_path: Path) -> None:
    assert run("demo", "--folder", str(demo)).status == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = [sys.executable, "-m", "recall_pipeline", "ui", "--folder", str(demo), "--port", str(port)]
    with (tmp_path / "output").open("w") as output:
        process = subprocess.Popen(  # noqa: S603  this interpreter
            program, stdout=output, stderr=output, env={**os.environ, "PYTHONPATH": str(CHECKOUT)}
        )
        try:
            shown = ask_when_ready(f"http://127.0.0.1:{port}/graphql", process)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=PATIENCE_SECONDS)
    said = (tmp_path / "output").read_text()
    assert f"http://127.0.0.1:{port}" in said
    assert "Warning" not in said
    assert shown.keys() == {"bots", "recordings", "mixed_audio", "audio_catalog", "transcripts"}
    shown.pop("transcripts")  # of the other code location; nothing transcribes the demo unasked
    for ranges in shown.values():  # the sensor may be bringing other days home already
        assert {"startKey": f"{DAY_BEFORE}", "endKey": f"{TODAY}", "status": "MATERIALIZED"} in ranges


def ask_when_ready(url: str, process: "subprocess.Popen[bytes]") -> dict[str, list[dict[str, str]]]:
    """The ranges of materialized partitions by asset, as soon as the UI's server answers."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up_at:
        assert process.poll() is None
        try:
            answer = httpx.post(url, json={"query": PARTITIONS}, timeout=30)
            nodes = json.loads(answer.text)["data"]["assetNodes"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            nodes = []
        if nodes:
            return {node["assetKey"]["path"][0]: node["assetPartitionStatuses"]["ranges"] for node in nodes}
        time.sleep(0.2)
    raise AssertionError("the UI did not answer")
