"""The command line with a small workspace: two meetings of yesterday, one of the day before."""

import logging
import sys
from collections.abc import Callable, Iterator
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
class CommandResult:
    """Exit status and output of a command."""

    status: int
    out: str
    err: str

    @property
    def error_line(self) -> str:
        """The only line of output, which is on standard error."""
        assert self.out == ""
        (line,) = self.err.splitlines()
        return line


Run = Callable[..., CommandResult]


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
    """The folder of `DAGSTER_HOME`, without a dagster.yaml."""
    folder = tmp_path / "dagster_home"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def own_log_handlers() -> Iterator[None]:
    """Remove the log handlers that a command sets up in this process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def run(home: Path, storage_url: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the command line in this process, without an API; warnings are errors."""
    monkeypatch.setattr(sys, "warnoptions", ["error"])
    monkeypatch.setenv("RECALL_API_KEY", "")
    monkeypatch.setenv("RECALL_STORAGE_URL", storage_url)
    monkeypatch.setenv("RECALL_LIST_RPM", "100000")
    monkeypatch.setenv("RECALL_OBJECT_RPM", "100000")

    def run(*arguments: str) -> CommandResult:
        monkeypatch.setattr(sys, "argv", ["recall-pipeline", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as exited:
            main()
        out, err = capfd.readouterr()
        return CommandResult(int(str(exited.value.code)), out, err)

    return run


@pytest.fixture
def sandboxed(run: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line with the sandbox as its API."""
    monkeypatch.setenv("RECALL_API_URL", sandbox.api_url)
    monkeypatch.setenv("RECALL_API_KEY", sandbox.api_key)
    return run
