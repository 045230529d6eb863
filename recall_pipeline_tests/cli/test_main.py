"""Every error is one line on standard error and an exit status."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recall_pipeline.days import utc_now
from recall_pipeline.settings import Settings
from recall_pipeline.storage import open_archive
from recall_pipeline_tests.cli.conftest import Run
from recall_pipeline_tests.erasure.old_days import fill, recording_id

COMMANDS = [
    "demo",
    "ui",
    "sandbox",
    "doctor",
    "sync",
    "verify",
    "catalog",
    "browse",
    "export",
    "forget",
    "release",
    "migrate",
    "webhooks",
    "bot",
]
LOADED_BY_HELP = """
import sys
from recall_pipeline.cli import main
try:
    main()
except SystemExit:
    print([name for name in ("dagster", "pandas", "pyarrow") if name in sys.modules])
"""

SLOW_LIBRARIES = (
    "av",
    "dagster",
    "dask",
    "fsspec",
    "httpx",
    "pandas",
    "rich.progress",
    "sqlite3",
    "stamina",
    "tenacity",
)
LOADED_BY_LOOKUP = LOADED_BY_HELP.replace('("dagster", "pandas", "pyarrow")', str(SLOW_LIBRARIES))


def test_help_lists_every_command_in_the_order_of_use(run: Run) -> None:
    result = run("--help")
    assert result.status == 0
    listed = [line.split()[0] for line in result.out.partition("Commands:")[2].splitlines() if line.strip()]
    assert listed == COMMANDS


@pytest.mark.parametrize("command", [*([name] for name in COMMANDS), ["bot", "create"]], ids=" ".join)
def test_every_command_has_a_help_text(run: Run, command: list[str]) -> None:
    result = run(*command, "--help")
    assert result.status == 0
    assert "--help" in result.out
    assert "..." not in result.out.partition("Commands:")[2], "a help text is cut"


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["nosuch"], "nosuch"),
        (["sync", "--frm", "2026-03-02"], "--from"),
        (["sync", "--from", "2026-13-01"], "2026-13-01"),
        (["sync", "--recording", "xyz"], "xyz"),
        (["catalog", "--outcome", "lost"], "lost"),
        (["sandbox", "--port", "99999"], "99999"),
        (["bot", "create"], "MEETING_URL"),
        (["bot", "create", "https://zoom.us/j/1", "--join-at", "tomorrow"], "tomorrow"),
        (["bot", "create", "https://zoom.us/j/1", "--metadata", "team"], "team"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_usage_is_one_line_with_the_wrong_value_and_status_2(run: Run, arguments: list[str], names: str) -> None:
    result = run(*arguments)
    assert result.status == 2
    assert names in result.error_line
    assert "--help" in result.error_line


def test_without_arguments_the_help_is_shown(run: Run) -> None:
    assert "Commands:" in run().err


def test_help_imports_no_large_libraries() -> None:
    result = subprocess.run(  # noqa: S603  this interpreter
        [sys.executable, "-c", LOADED_BY_HELP, "--help"], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "[]"


def test_a_closed_output_gives_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as closed:  # noqa: PTH123  a descriptor
        program = [sys.executable, "-m", "recall_pipeline", "--help"]
        result = subprocess.run(program, stdout=closed, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603
    assert (result.returncode, result.stderr) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_under_the_output_is_one_error_line() -> None:
    with Path("/dev/full").open("w") as full:
        program = [sys.executable, "-m", "recall_pipeline", "--help"]
        result = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603
    assert result.returncode == 1
    assert result.stderr.startswith("recall-pipeline: standard output: No space left on device\n")


def test_a_wrong_key_is_not_printed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_API_KEY", "key with-spaces")
    result = run("doctor")
    assert result.status == 2
    assert "with-spaces" not in json.dumps([result.out, result.err])


def test_a_lookup_in_the_archive_imports_no_library_that_it_does_not_use(tmp_path: Path) -> None:
    fill(open_archive(Settings(storage_url=str(tmp_path / "data"))), 2)
    request = ("forget", "--recording", recording_id(utc_now().date()), "--reason", "request 17", "--dry-run")
    done = subprocess.run(  # noqa: S603  this interpreter
        [sys.executable, "-c", LOADED_BY_LOOKUP, *request],
        env={**os.environ, "RECALL_STORAGE_URL": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    found = f"Would forget 1 recordings and 1 bots of {utc_now().date()}: 1 files, 1 byte."
    assert (done.stderr, done.stdout.splitlines()) == ("", [found, "[]"])
