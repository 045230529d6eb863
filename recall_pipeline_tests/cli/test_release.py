"""`release` deletes verified MP3s at Recall.ai, after confirmation."""

from datetime import timedelta

import pytest

from recall_pipeline.days import utc_now
from recall_pipeline.storage import Archive
from recall_pipeline_tests.cli.conftest import DAY_BEFORE, Run
from recall_pipeline_tests.erasure.old_days import fill
from recall_sandbox import Rule, Sandbox
from recall_sandbox.effects import unavailable


def deletions(sandbox: Sandbox) -> int:
    return len(sandbox.access_log.only(method="DELETE"))


def test_a_synced_mp3_is_deleted_upstream_once(sandboxed: Run, sandbox: Sandbox, archive: Archive) -> None:
    assert sandboxed("sync", "--from", f"{DAY_BEFORE}", "--to", f"{DAY_BEFORE}").status == 0
    dry = sandboxed("release", "--older-than-days", "1", "--dry-run")
    assert dry.out.startswith("Would delete at most 1 MP3s (")
    unconfirmed = sandboxed("release", "--older-than-days", "1")
    assert (unconfirmed.status, deletions(sandbox)) == (2, 0)
    assert "not a terminal: review with --dry-run, then pass --yes" in unconfirmed.error_line
    result = sandboxed("release", "--older-than-days", "1", "--yes")
    assert result.status == 0
    assert result.out.startswith("Released 1 MP3s (")
    assert result.out.endswith("; 0 kept.\n")
    again = sandboxed("release", "--older-than-days", "1", "--yes")
    assert again.out == "Would delete at most 0 MP3s (0 bytes).\n"
    assert deletions(sandbox) == 1


def test_an_unreadable_table_costs_its_own_day_and_the_status(
    sandboxed: Run, sandbox: Sandbox, archive: Archive
) -> None:
    day, *_ = fill(archive, 3)
    archive.local_path(f"audio_catalog/day={day}/audio_catalog.parquet").write_bytes(b"damaged")
    result = sandboxed("release", "--older-than-days", "1", "--yes")
    assert result.status == 1
    assert result.err.startswith(f"{day}: ")
    assert "is not a readable Parquet file" in result.err
    assert deletions(sandbox) == 0


def test_what_was_released_before_an_error_is_reported(sandboxed: Run, sandbox: Sandbox) -> None:
    assert sandboxed("sync", "--from", f"{DAY_BEFORE}", "--to", f"{DAY_BEFORE}").status == 0
    sandbox.faults.add(Rule(unavailable(403), origin="api", method="DELETE"))
    result = sandboxed("release", "--older-than-days", "1", "--yes")
    assert result.status == 1
    assert result.out == "Released 0 MP3s (0 bytes); 0 kept.\n"


@pytest.mark.parametrize("years", [10, -10])
def test_a_wrong_clock_stops_it(sandboxed: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, years: int) -> None:
    assert sandboxed("sync", "--from", f"{DAY_BEFORE}", "--to", f"{DAY_BEFORE}").status == 0
    jumped = utc_now() + timedelta(days=365 * years)
    for module in ("erasure.safety_checks", "cli.release"):
        monkeypatch.setattr(f"recall_pipeline.{module}.utc_now", lambda: jumped)
    result = sandboxed("release", "--older-than-days", "1", "--yes")
    assert result.status == 2
    assert f"the clock says {jumped:%Y-%m-%d}" in result.error_line
    assert deletions(sandbox) == 0


def test_an_empty_archive_stops_it(sandboxed: Run) -> None:
    result = sandboxed("release", "--older-than-days", "1", "--yes")
    assert result.status == 2
    assert "no recordings in the archive" in result.error_line


@pytest.mark.parametrize("arguments", [[], ["--older-than-days", "0"]])
def test_an_age_is_required(run: Run, arguments: list[str]) -> None:
    assert run("release", *arguments).status == 2
