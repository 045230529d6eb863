"""`sync` runs days on the Dagster instance, and reports them as text, as JSON and by its exit status."""

import json
import re
from datetime import timedelta
from importlib import import_module

import dagster as dg
import pytest

from recall_pipeline.catalog import CATALOG
from recall_pipeline.storage import Archive
from recall_pipeline_tests.cli.conftest import DAY_BEFORE, TODAY, YESTERDAY, Run
from recall_sandbox import Rule, Sandbox
from recall_sandbox.effects import throttling, unavailable

BOTH_DAYS = ("--from", f"{DAY_BEFORE}", "--to", f"{YESTERDAY}")
MEDIA_FAILS = Rule(unavailable(), origin="media")
API_FAILS = Rule(unavailable(), origin="api")


def runs() -> list[dg.DagsterRun]:
    """The runs of the instance, oldest first."""
    with dg.DagsterInstance.get() as instance:
        return list(reversed(instance.get_runs()))


def test_json_is_one_object_on_one_line(sandboxed: Run) -> None:
    result = sandboxed("sync", *BOTH_DAYS, "--json")
    assert (result.status, result.err) == (0, "")
    (line,) = result.out.splitlines()
    summary = json.loads(line)
    assert summary.pop("bytes_downloaded") > 0
    assert summary == {
        "days": [f"{DAY_BEFORE}", f"{YESTERDAY}"],
        "bots": 3,
        "recordings": 3,
        "downloaded": 2,
        "reused": 0,
        "normalized": 2,
        "outcomes": {"ready": 2, "unsupported_platform": 1},
        "api_requests": 3,
        "bots_expired": 0,
    }


def test_a_second_sync_downloads_no_audio_and_each_day_is_a_run_in_the_ui(sandboxed: Run) -> None:
    sandboxed("sync", "--to", f"{YESTERDAY}")
    summary = json.loads(sandboxed("sync", "--to", f"{YESTERDAY}", "--json").out)
    done = {name: summary[name] for name in ("downloaded", "reused", "bytes_downloaded", "normalized")}
    assert done == {"downloaded": 0, "reused": 1, "bytes_downloaded": 0, "normalized": 0}
    shown = ("sync_day", f"{YESTERDAY}", dg.DagsterRunStatus.SUCCESS)
    assert [(run.job_name, run.tags["dagster/partition"], run.status) for run in runs()] == [shown, shown]


def test_the_text_has_one_line_about_the_archive_and_one_about_the_sync(sandboxed: Run) -> None:
    result = sandboxed("sync", *BOTH_DAYS)
    archived, done = result.out.splitlines()
    assert archived == f"{DAY_BEFORE} to {YESTERDAY}: 3 recordings of 3 bots: 2 ready, 1 unsupported_platform."
    assert done.startswith("Downloaded 2 (")
    assert done.endswith("already archived 0, normalized 2, 3 requests to the API.")


def test_without_options_it_syncs_the_days_of_the_schedule(sandboxed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_LOOKBACK_DAYS", "2")
    assert json.loads(sandboxed("sync", "--json").out)["days"] == [f"{DAY_BEFORE}", f"{YESTERDAY}"]
    assert json.loads(sandboxed("sync", "--json").out)["days"] == [f"{YESTERDAY}"]


def test_from_without_to_ends_today(sandboxed: Run) -> None:
    summary = json.loads(sandboxed("sync", "--from", f"{YESTERDAY}", "--json").out)
    assert summary["days"] == [f"{YESTERDAY}", f"{TODAY}"]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--from", "2024-12-31"], "RECALL_START_DATE is 2025-01-01"),
        (["--to", "2999-01-01"], f"the last day partition is today, {TODAY} UTC"),
        (["--from", f"{YESTERDAY}", "--to", f"{DAY_BEFORE}"], "swap them"),
    ],
)
def test_days_outside_the_partitions_are_wrong_usage(sandboxed: Run, arguments: list[str], names: str) -> None:
    result = sandboxed("sync", *arguments)
    assert result.status == 2
    assert names in result.error_line
    assert runs() == []


def test_a_long_wait_is_reported_when_it_begins(sandboxed: Run, sandbox: Sandbox) -> None:
    sandbox.faults.add(Rule(throttling("30"), origin="api", times=1))
    result = sandboxed("sync", "--to", f"{YESTERDAY}")
    assert result.status == 0
    (line,) = result.err.splitlines()
    assert re.match(r"recall-pipeline: waiting 3\d s, as Recall.ai requests: list \w+: HTTP 429 ", line)


def test_a_failed_download_is_listed_with_status_1(sandboxed: Run, sandbox: Sandbox) -> None:
    sandbox.faults.add(MEDIA_FAILS)
    result = sandboxed("sync", *BOTH_DAYS, "--json")
    assert result.status == 1
    assert json.loads(result.out)["outcomes"] == {"download_failed": 2, "unsupported_platform": 1}
    first, second = result.err.splitlines()
    lost = [row for row in sandbox.world.expected_rows() if row.outcome == "ready"]
    assert first.startswith(f"recording {lost[0].recording_id} of {DAY_BEFORE}: ")
    assert second.startswith(f"recording {lost[1].recording_id} of {YESTERDAY}: ")
    assert "503" in first

    sandbox.faults.clear()
    assert sandboxed("sync", *BOTH_DAYS).status == 0


@pytest.mark.on_disk
def test_a_failed_day_does_not_stop_the_next(sandboxed: Run, sandbox: Sandbox, archive: Archive) -> None:
    table = archive.local_path(f"mixed_audio/day={DAY_BEFORE}/mixed_audio.parquet")
    table.parent.mkdir(parents=True)
    table.write_text("not parquet")
    result = sandboxed("sync", *BOTH_DAYS, "--json")
    assert result.status == 1
    assert json.loads(result.out)["outcomes"] == {"ready": 1, "unsupported_platform": 1}
    (line,) = result.err.splitlines()
    assert line.startswith(f"{DAY_BEFORE}: ")
    assert "mixed_audio.parquet is not a readable Parquet file" in line


@pytest.mark.on_disk
def test_days_with_unreadable_tables_do_not_stop_the_rest(sandboxed: Run, archive: Archive) -> None:
    damaged = [YESTERDAY - timedelta(days=number) for number in (5, 4, 3)]
    for day in damaged:
        table = archive.local_path(f"audio_catalog/day={day}/audio_catalog.parquet")
        table.parent.mkdir(parents=True)
        table.write_text("not parquet")
    result = sandboxed("sync", "--json")
    assert [line.partition(":")[0] for line in result.err.splitlines()] == [f"{day}" for day in damaged]
    assert json.loads(result.out)["outcomes"] == {"ready": 2, "unsupported_platform": 1}
    recording_id = next(iter(CATALOG.read(archive, YESTERDAY) or [])).recording_id
    assert sandboxed("sync", "--recording", recording_id).status == 0


def test_three_failed_days_in_a_row_stop_the_rest(sandboxed: Run, sandbox: Sandbox) -> None:
    sandbox.faults.add(API_FAILS)
    result = sandboxed("sync", "--from", f"{TODAY.replace(year=TODAY.year - 1)}", "--to", f"{YESTERDAY}")
    assert result.status == 1
    *failed, untried = result.err.splitlines()
    assert len(failed) == len(runs()) == 3
    assert f"to {YESTERDAY}: not tried, since 3 days in a row failed" in untried


def test_an_unexpected_error_refers_to_its_run_in_dagster(sandboxed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    module = import_module("recall_pipeline.defs.audio_catalog_asset")  # the package exports the asset under this name
    monkeypatch.setattr(module, "sync_catalog", broken)
    result = sandboxed("sync", "--to", f"{YESTERDAY}")
    (run,) = runs()
    assert result.status == 1
    assert result.err == (
        f"{YESTERDAY}: step audio_catalog ended with ZeroDivisionError: its log is in Dagster under run {run.run_id}\n"
    )


def test_a_recording_is_downloaded_again_whatever_its_outcome(sandboxed: Run, sandbox: Sandbox) -> None:
    recording_id = next(row.recording_id for row in sandbox.world.expected_rows() if row.day == DAY_BEFORE)
    first = json.loads(sandboxed("sync", "--recording", recording_id, "--json").out)
    again = json.loads(sandboxed("sync", "--recording", recording_id, "--json").out)
    assert first["days"] == again["days"] == [f"{DAY_BEFORE}"]
    assert first["downloaded"] == again["downloaded"] == 1


def test_an_unknown_recording_is_wrong_usage(sandboxed: Run) -> None:
    result = sandboxed("sync", "--recording", "c1a5c4be-0d4a-4b55-8f6e-1a2b3c4d5e6f")
    assert result.status == 2
    assert "is neither in the catalog nor at Recall.ai" in result.error_line


def test_a_recording_outside_the_given_days_is_wrong_usage(sandboxed: Run, sandbox: Sandbox) -> None:
    sandboxed("sync", *BOTH_DAYS)
    recording_id = next(row.recording_id for row in sandbox.world.expected_rows() if row.day == DAY_BEFORE)
    result = sandboxed("sync", "--recording", recording_id, "--to", f"{YESTERDAY}")
    assert result.status == 2
    assert f"recording {recording_id} is of {DAY_BEFORE}" in result.error_line


def test_a_coordination_url_that_cannot_be_used_is_one_line_and_starts_no_run(
    sandboxed: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECALL_COORDINATION_URL", "redis://user:canary@localhost/0?no_such_option=1")
    result = sandboxed("sync", *BOTH_DAYS)
    assert (result.status, result.out, runs()) == (2, "", [])
    assert result.err == (
        "recall-pipeline: RECALL_COORDINATION_URL has options that are not valid: correct what follows the ?\n"
    )
