"""`--env-file` reads another file in place of `.env`, before and behind the name of a command."""

import json
from pathlib import Path

import pytest

from recall_pipeline.settings import ENV_FILE, Settings
from recall_pipeline_tests.cli.conftest import Run


@pytest.fixture(autouse=True)
def own_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore what a command leaves in the environment of this process."""
    for name in (ENV_FILE, "RECALL_STORAGE_URL", "RECALL_START_DATE"):
        monkeypatch.setenv(name, "")


@pytest.fixture
def eu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with settings, in a folder without `.env`."""
    monkeypatch.chdir(tmp_path)
    for name in (ENV_FILE, "RECALL_STORAGE_URL", "RECALL_START_DATE"):
        monkeypatch.delenv(name)
    (tmp_path / "eu.env").write_text("RECALL_START_DATE=2026-02-01\nRECALL_STORAGE_URL=/archives/eu\n")
    return tmp_path / "eu.env"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--env-file", "eu.env", "catalog", "--format", "json"],
        ["catalog", "--env-file", "eu.env", "--format", "json"],
        ["catalog", "--format", "json", "--env-file=eu.env"],
    ],
)
def test_the_file_is_read_wherever_the_option_is(run: Run, eu: Path, arguments: list[str]) -> None:
    assert run(*arguments).status == 0
    assert Settings.from_environment().storage_root == "/archives/eu"


def test_the_environment_wins_over_the_file(run: Run, eu: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_STORAGE_URL", "/archives/us")
    assert json.loads(run("--env-file", "eu.env", "catalog", "--format", "json").out or "[]") == []
    assert Settings.from_environment().storage_root == "/archives/us"
    assert Settings.from_environment().start_date.isoformat() == "2026-02-01"


def test_a_missing_file_is_named_in_one_line(run: Run, eu: Path) -> None:
    result = run("catalog", "--env-file", "us.env")
    assert result.status == 2
    assert "us.env" in result.error_line


def test_the_option_without_a_file_is_wrong_usage(run: Run) -> None:
    assert run("catalog", "--env-file").status == 2
