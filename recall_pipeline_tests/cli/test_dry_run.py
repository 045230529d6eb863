"""`sync --dry-run` shows what a sync would fetch, and writes nothing."""

import json
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest

from recall_pipeline.days import start_of
from recall_pipeline.discovery import RECORDINGS, RecordingRow
from recall_pipeline.storage import Archive
from recall_pipeline_tests.cli.conftest import DAY_BEFORE, TALK_SECONDS, TODAY, YESTERDAY, Run
from recall_pipeline_tests.storages import stored
from recall_sandbox import Rule, Sandbox, demo_world
from recall_sandbox.effects import unavailable

BOTH_DAYS = ("--from", f"{DAY_BEFORE}", "--to", f"{YESTERDAY}")


def planned(run: Run, *arguments: str) -> dict[str, Any]:
    """The JSON of a dry run."""
    result = run("sync", *arguments, "--dry-run", "--json")
    assert (result.status, result.err) == (0, "")
    found: dict[str, Any] = json.loads(result.out)
    return found


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of everything below a folder, except the request budget."""
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if not path.name.startswith("recall_budget")
    }


def test_it_counts_what_the_next_sync_fetches_with_the_same_requests_and_then_nothing(
    sandboxed: Run, sandbox: Sandbox, tmp_path: Path
) -> None:
    found = planned(sandboxed, *BOTH_DAYS)
    synced = json.loads(sandboxed("sync", *BOTH_DAYS, "--json").out)
    assert found == {
        "days": synced["days"],
        "bots": synced["bots"],
        "recordings": synced["recordings"],
        "outcomes": {"unsupported_platform": 1},
        "mp3s": synced["downloaded"],
        "hours": 0.0,
        "estimated_bytes": round(2 * TALK_SECONDS * 15_000_000 / 3600),
        "unknown_lengths": 0,
        "expiring_soonest": [],
        "api_requests": synced["api_requests"],
        "bots_expired": synced["bots_expired"],
    }
    before = tree(tmp_path / "data")
    after_it = planned(sandboxed, *BOTH_DAYS)
    assert (after_it["mp3s"], after_it["outcomes"]) == (0, {"ready": 2, "unsupported_platform": 1})
    named = next(row for row in sandbox.world.recordings if row.shortcut_id)
    assert planned(sandboxed, "--recording", named.id)["mp3s"] == 1
    assert tree(tmp_path / "data") == before


def test_it_writes_no_file_and_no_folder(sandboxed: Run, tmp_path: Path, sandbox: Sandbox, archive: Archive) -> None:
    before = tree(tmp_path)
    planned(sandboxed, *BOTH_DAYS)
    planned(sandboxed)
    planned(sandboxed, "--recording", next(iter(sandbox.world.recordings)).id)
    assert tree(tmp_path) == before
    assert list(tmp_path.rglob("recall_budget*")) == []
    assert stored(archive.location.root) == {}
    assert sandbox.access_log.only(origin="media") == []


def test_the_text_names_counts_estimate_and_expiry(sandboxed: Run, sandbox: Sandbox) -> None:
    recording = next(row for row in sandbox.world.recordings if row.created_at.date() == YESTERDAY)
    sandbox.world.change_recording(recording.id, expires_at=recording.created_at.replace(year=2999))
    counts, estimate, expiry = sandboxed("sync", *BOTH_DAYS, "--dry-run").out.splitlines()
    span = f"{DAY_BEFORE} to {YESTERDAY}"
    assert counts == f"{span}: 3 recordings of 3 bots: 1 unsupported_platform, 2 MP3s to fetch."
    assert estimate.endswith("with 3 requests to the API. Nothing was written.")
    assert expiry.startswith(f"Recall removes recording {recording.id} at 2999-")


def test_the_soonest_to_expire_come_first(sandboxed: Run, sandbox: Sandbox) -> None:
    rows = [row for row in sandbox.world.recordings if row.shortcut_id]
    for years, row in enumerate(rows):
        sandbox.world.change_recording(row.id, expires_at=row.created_at.replace(year=2999 - years))
    soonest = planned(sandboxed, *BOTH_DAYS)["expiring_soonest"]
    assert [found["recording_id"] for found in soonest] == [row.id for row in reversed(rows)]


def test_a_day_past_its_retention_is_not_fetched(sandboxed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECALL_RETENTION_DAYS", "1")
    found = planned(sandboxed, "--from", f"{DAY_BEFORE}", "--to", f"{DAY_BEFORE}")
    assert (found["mp3s"], found["recordings"]) == (0, 1)


def test_it_refuses_what_a_sync_would_refuse(sandboxed: Run, archive: Archive, sandbox: Sandbox) -> None:
    lost = [RecordingRow(str(uuid5(NAMESPACE_OID, str(number))), start_of(YESTERDAY)) for number in range(10)]
    RECORDINGS.write(archive, YESTERDAY, lost, {})
    yesterday = ("--from", f"{YESTERDAY}", "--to", f"{YESTERDAY}")
    refused = sandboxed("sync", *yesterday, "--dry-run", "--json")
    assert (refused.status, json.loads(refused.out)["mp3s"]) == (1, 0)
    assert "10 known recordings" in refused.err
    assert planned(sandboxed, *yesterday, "--accept-vanished")["outcomes"] == {"deleted": 10, "unsupported_platform": 1}


def test_a_length_that_is_unknown_is_counted_by_itself(sandboxed: Run, sandbox: Sandbox) -> None:
    recording = next(row for row in sandbox.world.recordings if row.shortcut_id)
    sandbox.world.change_recording(recording.id, completed_at=None)
    assert planned(sandboxed, *BOTH_DAYS)["unknown_lengths"] == 1
    assert "and 1 of unknown length" in sandboxed("sync", *BOTH_DAYS, "--dry-run").out


def test_bots_whose_recordings_recall_removed_before_are_counted(sandboxed: Run, sandbox: Sandbox) -> None:
    sandbox.behaviour.all_media_expired = True
    assert planned(sandboxed, *BOTH_DAYS)["bots_expired"] == 3
    assert "before any sync: 3." in sandboxed("sync", *BOTH_DAYS, "--dry-run").out


@pytest.mark.on_disk
def test_a_day_that_cannot_be_read_is_one_line_and_the_others_are_planned(sandboxed: Run, archive: Archive) -> None:
    table = archive.local_path(f"mixed_audio/day={DAY_BEFORE}/mixed_audio.parquet")
    table.parent.mkdir(parents=True)
    table.write_text("not parquet")
    result = sandboxed("sync", *BOTH_DAYS, "--dry-run", "--json")
    assert result.status == 1
    assert json.loads(result.out)["mp3s"] == 1
    (line,) = result.err.splitlines()
    assert line.startswith(f"{DAY_BEFORE}: ")


def test_an_api_that_fails_is_one_line(sandboxed: Run, sandbox: Sandbox) -> None:
    sandbox.faults.add(Rule(unavailable(), origin="api"))
    result = sandboxed("sync", *BOTH_DAYS, "--dry-run")
    assert result.status == 1
    assert "HTTP 503" in result.error_line


def test_every_outcome_of_the_demo_is_counted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(demo_world(TODAY), list_per_minute=None, object_per_minute=None).running() as sandbox:
        monkeypatch.setenv("RECALL_API_URL", sandbox.api_url)
        monkeypatch.setenv("RECALL_API_KEY", sandbox.api_key)
        found = planned(run, "--from", f"{min(row.created_at for row in sandbox.world.recordings).date()}")
        expected = Counter(row.outcome for row in sandbox.world.expected_rows())
    fetched = ("ready", "silent", "corrupt")
    assert found["mp3s"] == sum(expected[outcome] for outcome in fetched)
    assert found["outcomes"] == {name: count for name, count in expected.items() if name not in fetched}
