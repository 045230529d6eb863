"""A command line with a small workspace behind it: two meetings of yesterday, one of the day before."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path

import pytest

from recall_pipeline.cli import main
from recall_pipeline.days import utc_now
from recall_sandbox import Sandbox, World
from recall_sandbox.meetings import ArtifactSpec, RecordingSpec, SampleMeeting, rows_of
from recall_sandbox.speech import Speech

TODAY = utc_now().date()
YESTERDAY, DAY_BEFORE = TODAY - timedelta(days=1), TODAY - timedelta(days=2)
TALK_SECONDS = 4


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    status: int
    out: str
    err: str

    @property
    def fault(self) -> str:
        """The only line it printed, on standard error."""
        assert self.out == ""
        (line,) = self.err.splitlines()
        return line


Run = Callable[..., Said]


def _talk(title: str) -> RecordingSpec:
    return RecordingSpec(TALK_SECONDS, (ArtifactSpec(Speech(TALK_SECONDS, title=title)),))


@pytest.fixture
def world() -> World:
    world = World()
    for meeting in (
        SampleMeeting("standup", "an MP3", 2, time(9), ("ready",), (_talk("standup"),)),
        SampleMeeting("review", "an MP3", 1, time(9), ("ready",), (_talk("review"),)),
        SampleMeeting(
            "webex", "no MP3", 1, time(10), ("unsupported_platform",), (RecordingSpec(60),), platform="webex"
        ),
    ):
        world.add(*rows_of(meeting, TODAY))
    return world


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The Dagster home that `DAGSTER_HOME` names, without a dagster.yaml."""
    folder = tmp_path / "dagster_home"
    folder.mkdir()
    return folder


@pytest.fixture
def run(home: Path, storage_url: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process, on no server; warnings stay errors."""
    monkeypatch.setattr(sys, "warnoptions", ["error"])
    monkeypatch.setenv("RECALL_API_KEY", "")
    monkeypatch.setenv("RECALL_STORAGE_URL", storage_url)
    monkeypatch.setenv("RECALL_LIST_RPM", "100000")
    monkeypatch.setenv("RECALL_OBJECT_RPM", "100000")

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["recall-pipeline", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return Said(int(str(ended.value.code)), out, err)

    return run


@pytest.fixture
def sandboxed(run: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command line against the sandbox."""
    monkeypatch.setenv("RECALL_API_URL", sandbox.api_url)
    monkeypatch.setenv("RECALL_API_KEY", sandbox.api_key)
    return run
