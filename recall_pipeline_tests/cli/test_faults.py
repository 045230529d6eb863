"""Wrong settings, keys, servers, storage and Dagster homes: each gives one error line."""

import contextlib
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from recall_pipeline_tests.cli.conftest import YESTERDAY, Run

ONE_DAY = ("--from", f"{YESTERDAY}", "--to", f"{YESTERDAY}")


def closed_url() -> str:
    """A base URL on loopback that refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/api/v1"


@pytest.mark.parametrize("command", ["sync", "doctor", "catalog"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RECALL_REGION", "mars"),
        ("RECALL_CONCURRENCY", "many"),
        ("RECALL_AUDIO_FORMAT", "aac"),
        ("RECALL_START_DATE", "soon"),
        ("RECALL_API_URL", "http://example.com/api/v1"),
        ("RECALL_STORAGE_URL", "ftp://host/path"),
    ],
)
def test_a_wrong_setting_stops_every_command(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: str, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    result = run(command)
    assert result.status == 2
    assert result.error_line.startswith(f"recall-pipeline: {name} ")


@pytest.mark.parametrize("arguments", [["sync"], ["sync", "--json"], ["bot", "create", "https://zoom.us/j/1"]])
def test_without_a_key_commands_that_need_the_api_stop(run: Run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.status == 2
    assert result.error_line.startswith("recall-pipeline: RECALL_API_KEY is not set: ")


def test_a_refused_key_is_reported_for_the_day(sandboxed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_API_KEY", "another-key")
    result = sandboxed("sync", *ONE_DAY)
    assert result.status == 1
    (line,) = result.err.splitlines()
    assert line.startswith(f"{YESTERDAY}: ")
    assert "RECALL_API_KEY" in line
    assert "another-key" not in result.out + result.err


def test_an_unreachable_server_is_reported_for_the_day(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_API_URL", closed_url())
    monkeypatch.setenv("RECALL_API_KEY", "some-key")
    result = run("sync", *ONE_DAY)
    assert result.status == 1
    (line,) = result.err.splitlines()
    assert line.startswith(f"{YESTERDAY}: ")
    assert "cannot reach 127.0.0.1" in line
    assert result.out == ""


@pytest.mark.parametrize("command", ["sync", "catalog"])
def test_a_storage_below_a_file_is_reported(
    sandboxed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RECALL_STORAGE_URL", str(tmp_path / "file" / "data"))
    result = sandboxed(command)
    assert result.status == 1
    assert str(tmp_path / "file" / "data") in result.error_line
    assert "RECALL_STORAGE_URL" in result.error_line


def test_a_storage_below_a_file_stops_a_sync_before_its_first_day(
    sandboxed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RECALL_STORAGE_URL", str(tmp_path / "file" / "data"))
    result = sandboxed("sync", *ONE_DAY)
    assert result.status == 1
    (line,) = result.err.splitlines()
    assert line.startswith("recall-pipeline: cannot read archive.json below ")
    assert str(tmp_path / "file" / "data") in line


@contextlib.contextmanager
def files_no_larger_than(size_bytes: int) -> Iterator[None]:
    """Limit the size of written files, which fails writes like a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size_bytes", [60_000, 200_000])
def test_a_disk_too_full_for_dagster_is_reported_for_the_day(sandboxed: Run, home: Path, size_bytes: int) -> None:
    assert sandboxed("sync", *ONE_DAY).status == 0
    with files_no_larger_than(size_bytes):
        result = sandboxed("sync", *ONE_DAY)
    assert result.status == 1
    (line,) = result.err.splitlines()
    assert line.startswith(f"{YESTERDAY}: Dagster cannot write its records to {home} (")
    assert sandboxed("sync", *ONE_DAY).status == 0


@pytest.mark.parametrize("value", ["relative/home", "/nonexistent/home", __file__])
def test_a_wrong_dagster_home_is_reported(sandboxed: Run, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("DAGSTER_HOME", value)
    result = sandboxed("sync", *ONE_DAY)
    assert result.status == 2
    assert result.error_line.startswith(f"recall-pipeline: DAGSTER_HOME {value} ")


def test_invalid_settings_of_dagster_are_one_error_line(sandboxed: Run, home: Path) -> None:
    (home / "dagster.yaml").write_text("nonsense: {a: 1}\n")
    result = sandboxed("sync", *ONE_DAY)
    assert result.status == 2
    assert str(home / "dagster.yaml") in result.error_line
    assert "nonsense" in result.error_line
