"""`forget` shows what it would erase, asks for confirmation, and erases permanently."""

import json
from collections.abc import Sequence
from datetime import date

import pytest

from recall_pipeline.audit import AUDIT
from recall_pipeline.storage import Archive
from recall_pipeline_tests.cli.conftest import Run
from recall_pipeline_tests.erasure.old_days import fill, outcomes, recording_id
from recall_pipeline_tests.workspace import an_id

WHY = ("--reason", "request 17")


@pytest.fixture
def days(archive: Archive) -> list[date]:
    return fill(archive, 3)


def test_a_recording_is_erased_with_its_bot(run: Run, archive: Archive, days: list[date]) -> None:
    result = run("forget", "--recording", recording_id(days[1]), *WHY, "--yes", "--json")
    assert (result.status, result.err) == (0, "")
    assert json.loads(result.out) == {
        "days": [days[1].isoformat()],
        "recordings": 1,
        "bots": 1,
        "files": 1,
        "bytes": 1,
        "dry_run": False,
    }
    assert outcomes(archive, days) == ["ready", "forgotten", "ready"]
    assert {row.reason for row in AUDIT.read(archive, days[1]) or []} == {"request 17"}


def test_a_dry_run_prints_the_counts_and_changes_nothing(run: Run, archive: Archive, days: list[date]) -> None:
    result = run("forget", "--bot", an_id(f"bot of {days[0]}"), *WHY, "--dry-run")
    assert result.status == 0
    assert result.out == f"Would forget 1 recordings and 1 bots of {days[0]}: 1 files, 1 byte.\n"
    assert outcomes(archive, days) == ["ready"] * 3
    assert archive.days("audit") == []


def test_a_second_run_erases_nothing_and_succeeds(run: Run, days: list[date]) -> None:
    before = ("--before", days[2].isoformat())
    first = run("forget", *before, *WHY, "--yes")
    assert first.out == f"Forgot 2 recordings and 2 bots of {days[0]} to {days[1]}: 2 files, 2 bytes.\n"
    again = run("forget", *before, *WHY, "--yes")
    assert (again.status, again.out) == (0, "Forgot nothing: no matching recordings are left.\n")


@pytest.mark.parametrize("tables", ["kept", "lost"])
@pytest.mark.parametrize("dry_run", [False, True])
def test_an_erased_recording_or_bot_is_already_erased(
    run: Run, archive: Archive, days: list[date], tables: str, dry_run: bool
) -> None:
    name, bot = recording_id(days[0]), an_id(f"bot of {days[0]}")
    assert run("forget", "--recording", name, *WHY, "--yes").status == 0
    for table in ("bots", "recordings", "mixed_audio", "audio_catalog") if tables == "lost" else ():
        archive.remove(f"{table}/day={days[0]}/{table}.parquet")
    verb = "Would forget" if dry_run else "Forgot"
    options = (*WHY, "--dry-run") if dry_run else WHY
    again = run("forget", "--recording", name, *options)
    assert (again.status, again.out) == (0, f"{verb} nothing: {name} is already erased.\n")
    again = run("forget", "--bot", bot, *options)
    assert (again.status, again.out) == (0, f"{verb} nothing: {bot} is already erased.\n")


def test_without_a_terminal_it_requires_yes(run: Run, archive: Archive, days: list[date]) -> None:
    result = run("forget", "--recording", recording_id(days[0]), *WHY)
    assert result.status == 2
    assert "not a terminal: review with --dry-run, then pass --yes" in result.error_line
    assert outcomes(archive, days) == ["ready"] * 3


@pytest.mark.parametrize(("answer", "status", "outcome"), [("y\n", 0, "forgotten"), ("n\n", 130, "ready")])
def test_on_a_terminal_it_asks_for_confirmation(
    run: Run,
    archive: Archive,
    days: list[date],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    status: int,
    outcome: str,
) -> None:
    monkeypatch.setattr("recall_pipeline.cli.confirmation.sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: answer.strip())
    result = run("forget", "--recording", recording_id(days[0]), *WHY)
    assert result.status == status
    assert outcomes(archive, days)[0] == outcome


def test_more_than_the_retention_limit_requires_yes(run: Run, archive: Archive, days: list[date]) -> None:
    result = run("forget", "--before", days[2].isoformat(), *WHY)
    assert result.status == 2
    assert "2 of 3 recordings would be erased by age, but the limit of one run is 0" in result.error_line
    assert outcomes(archive, days) == ["ready"] * 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "name what to forget: one of recording, bot and before"),
        (["--recording", an_id("a"), "--bot", an_id("b")], "name what to forget"),
        (["--recording", an_id("unknown")], "is not in the archive: check the id"),
        (["--bot", an_id("unknown")], "is not in the archive: check the id"),
        (["--before", "2999-01-01"], "before 2999-01-01 is in the future"),
    ],
)
def test_an_invalid_request_is_one_error_line(run: Run, days: list[date], options: Sequence[str], message: str) -> None:
    result = run("forget", *options, *WHY, "--yes")
    assert result.status == 2
    assert message in result.error_line


def test_a_reason_is_required(run: Run) -> None:
    result = run("forget", "--before", "2026-01-01")
    assert result.status == 2
    assert "--reason" in result.error_line


def test_an_unreadable_table_costs_its_own_day_and_the_status(run: Run, archive: Archive, days: list[date]) -> None:
    table = archive.local_path(f"recordings/day={days[0]}/recordings.parquet")
    intact = table.read_bytes()
    table.write_bytes(b"damaged")
    result = run("forget", "--before", days[2].isoformat(), *WHY, "--yes")
    assert result.status == 1
    assert result.err.startswith(f"{days[0]}: ")
    assert "is not a readable Parquet file" in result.err
    assert outcomes(archive, days) == ["ready", "forgotten", "ready"]
    one = run("forget", "--recording", recording_id(days[2]), *WHY, "--yes")
    assert (one.status, outcomes(archive, days)) == (1, ["ready", "forgotten", "forgotten"])
    table.write_bytes(intact)
    assert run("forget", "--recording", recording_id(days[2]), *WHY, "--yes").status == 0
