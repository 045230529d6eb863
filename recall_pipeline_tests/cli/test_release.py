"""`release` deletes at Recall what is proven here, when it is told to."""

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


def test_what_was_synced_is_released_once_asked_for(sandboxed: Run, sandbox: Sandbox, archive: Archive) -> None:
    assert sandboxed("sync", "--from", f"{DAY_BEFORE}", "--to", f"{DAY_BEFORE}").status == 0
    dry = sandboxed("release", "--older-than-days", "1", "--dry-run")
    assert dry.out.startswith("Would release at most 1 MP3s (")
    unasked = sandboxed("release", "--older-than-days", "1")
    assert (unasked.status, deletions(sandbox)) == (2, 0)
    assert "add --yes" in unasked.fault
    said = sandboxed("release", "--older-than-days", "1", "--yes")
    assert said.status == 0
    assert said.out.startswith("Released 1 MP3s (")
    again = sandboxed("release", "--older-than-days", "1", "--yes")
    assert again.out == "Would release at most 0 MP3s (0 bytes).\n"
    assert deletions(sandbox) == 1


def test_a_table_that_cannot_be_read_stops_it(sandboxed: Run, sandbox: Sandbox, archive: Archive) -> None:
    day, *_ = fill(archive, 3)
    archive.local_path(f"audio_catalog/day={day}/audio_catalog.parquet").write_bytes(b"damaged")
    said = sandboxed("release", "--older-than-days", "1", "--yes")
    assert said.status == 1
    assert "is no readable parquet" in said.fault
    assert deletions(sandbox) == 0


def test_what_was_released_before_an_error_is_reported(sandboxed: Run, sandbox: Sandbox) -> None:
    assert sandboxed("sync", "--from", f"{DAY_BEFORE}", "--to", f"{DAY_BEFORE}").status == 0
    sandbox.faults.add(Rule(unavailable(403), origin="api", method="DELETE"))
    said = sandboxed("release", "--older-than-days", "1", "--yes")
    assert said.status == 1
    assert said.out == "Released 0 MP3s (0 bytes); 0 had to stay.\n"


@pytest.mark.parametrize("years", [10, -10])
def test_a_clock_that_jumped_stops_it(
    sandboxed: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, years: int
) -> None:
    assert sandboxed("sync", "--from", f"{DAY_BEFORE}", "--to", f"{DAY_BEFORE}").status == 0
    jumped = utc_now() + timedelta(days=365 * years)
    for module in ("erasure.safety_checks", "cli.release"):
        monkeypatch.setattr(f"recall_pipeline.{module}.utc_now", lambda: jumped)
    said = sandboxed("release", "--older-than-days", "1", "--yes")
    assert said.status == 2
    assert f"the clock says {jumped:%Y-%m-%d}" in said.fault
    assert deletions(sandbox) == 0


def test_an_empty_archive_stops_it(sandboxed: Run) -> None:
    said = sandboxed("release", "--older-than-days", "1", "--yes")
    assert said.status == 2
    assert "there is no recording on file" in said.fault


@pytest.mark.parametrize("arguments", [[], ["--older-than-days", "0"]])
def test_an_age_is_wanted(run: Run, arguments: list[str]) -> None:
    assert run("release", *arguments).status == 2
