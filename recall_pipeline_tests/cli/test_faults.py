"""Settings, key, server, storage, Dagster home: each fault is told in one line, before or instead of work."""

import contextlib
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from recall_pipeline_tests.cli.conftest import YESTERDAY, Run

ONE_DAY = ("--from", f"{YESTERDAY}", "--to", f"{YESTERDAY}")


def nobody_listens() -> str:
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
def test_a_wrong_setting_stops_every_command_at_once(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: str, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    said = run(command)
    assert said.status == 2
    assert said.fault.startswith(f"recall-pipeline: {name} ")


@pytest.mark.parametrize("arguments", [["sync"], ["sync", "--json"], ["bot", "create", "https://zoom.us/j/1"]])
def test_without_a_key_what_needs_the_service_says_so(run: Run, arguments: list[str]) -> None:
    said = run(*arguments)
    assert said.status == 2
    assert said.fault.startswith("recall-pipeline: RECALL_API_KEY is not set: ")


def test_a_key_that_is_refused_is_named_for_the_day(sandboxed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_API_KEY", "another-key")
    said = sandboxed("sync", *ONE_DAY)
    assert said.status == 1
    (line,) = said.err.splitlines()
    assert line.startswith(f"{YESTERDAY}: ")
    assert "RECALL_API_KEY" in line
    assert "another-key" not in said.out + said.err


def test_a_server_that_cannot_be_reached_is_named_for_the_day(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_API_URL", nobody_listens())
    monkeypatch.setenv("RECALL_API_KEY", "some-key")
    said = run("sync", *ONE_DAY)
    assert said.status == 1
    (line,) = said.err.splitlines()
    assert line.startswith(f"{YESTERDAY}: ")
    assert "cannot reach 127.0.0.1" in line
    assert said.out == ""


@pytest.mark.parametrize("command", ["sync", "catalog"])
def test_a_storage_below_a_file_is_named(
    sandboxed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RECALL_STORAGE_URL", str(tmp_path / "file" / "data"))
    said = sandboxed(command)
    assert said.status == 1
    assert str(tmp_path / "file" / "data") in said.fault
    assert "RECALL_STORAGE_URL" in said.fault


def test_a_storage_below_a_file_is_named_for_the_day(
    sandboxed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("RECALL_STORAGE_URL", str(tmp_path / "file" / "data"))
    said = sandboxed("sync", *ONE_DAY)
    assert said.status == 1
    (line,) = said.err.splitlines()
    assert line.startswith(f"{YESTERDAY}: cannot ")
    assert str(tmp_path / "file" / "data") in line


@contextlib.contextmanager
def files_no_larger_than(size_bytes: int) -> Iterator[None]:
    """Do to whoever writes what a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size_bytes", [60_000, 200_000])
def test_a_disk_too_full_for_dagsters_records_is_named_for_the_day(sandboxed: Run, home: Path, size_bytes: int) -> None:
    assert sandboxed("sync", *ONE_DAY).status == 0
    with files_no_larger_than(size_bytes):
        said = sandboxed("sync", *ONE_DAY)
    assert said.status == 1
    (line,) = said.err.splitlines()
    assert line.startswith(f"{YESTERDAY}: Dagster cannot keep its records in {home} (")
    assert sandboxed("sync", *ONE_DAY).status == 0


@pytest.mark.parametrize("named", ["relative/home", "/nonexistent/home", __file__])
def test_a_dagster_home_that_is_none_is_named(sandboxed: Run, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv("DAGSTER_HOME", named)
    said = sandboxed("sync", *ONE_DAY)
    assert said.status == 2
    assert said.fault.startswith(f"recall-pipeline: DAGSTER_HOME {named} ")


def test_settings_that_dagster_refuses_are_one_line(sandboxed: Run, home: Path) -> None:
    (home / "dagster.yaml").write_text("nonsense: {a: 1}\n")
    said = sandboxed("sync", *ONE_DAY)
    assert said.status == 2
    assert str(home / "dagster.yaml") in said.fault
    assert "nonsense" in said.fault
