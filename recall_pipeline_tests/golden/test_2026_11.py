"""The archive that commit 08e558e wrote is read, verified and synced, wherever it is copied to."""

import csv
import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.parquet as pq
import pytest

from recall_pipeline.catalog import read_catalog, read_recordings
from recall_pipeline.downstream import RecallCatalog
from recall_pipeline_tests.cli.conftest import Run
from recall_pipeline_tests.golden import world
from recall_pipeline_tests.golden.conftest import EXPECTED, ROWS, STORED, media_asked
from recall_pipeline_tests.transcripts.meetings import TestEngine
from recall_sandbox import Sandbox
from recall_transcripts.definitions import transcripts
from recall_transcripts.run_context import Transcription

DAYS = ("--from", world.FIRST.isoformat(), "--to", world.LAST.isoformat())
WRITTEN_AT = datetime(2026, 11, 30, 6, 39, tzinfo=UTC)
OUTCOMES = {
    "ready", "silent", "corrupt", "download_failed", "failed_upstream", "expired", "deleted", "processing",
    "unsupported_platform", "not_requested", "forgotten",
}  # fmt: skip
READY = [row for row in ROWS if row["outcome"] == "ready"]
HAS_AUDIO = [row for row in ROWS if row["audio_sha256"]]
WRONG = ("missing", "changed", "undecodable", "orphaned", "unreadable")


def hashes(root: Path, *folders: str) -> dict[str, str]:
    """The SHA-256 of each file that is not a table, by its key; of all files where no folder is named."""
    paths = [path for path in root.rglob("*") if path.is_file()]
    keys = {path.relative_to(root).as_posix(): path for path in paths}
    wanted = {key for key in keys if not folders or (key.startswith(folders) and not key.endswith(".parquet"))}
    return {key: hashlib.sha256(keys[key].read_bytes()).hexdigest() for key in sorted(wanted)}


def outcomes(rows: Iterable[dict[str, Any]]) -> dict[str, str]:
    return {row["recording_id"]: row["outcome"] for row in rows}


def cataloged() -> list[dict[str, Any]]:
    """The catalog of the copy, in the order of the expectations."""
    rows: list[dict[str, Any]] = read_catalog().to_dict("records")  # type: ignore[assignment]
    return sorted(rows, key=lambda row: [expected["recording_id"] for expected in ROWS].index(row["recording_id"]))


@pytest.fixture
def failing(sandbox: Sandbox) -> Sandbox:
    """The service as it was: one download fails."""
    sandbox.faults.add(world.download_fails())
    return sandbox


def test_the_archive_in_the_repository_is_as_it_was_written() -> None:
    assert hashes(STORED) == EXPECTED["files"]


def test_it_holds_every_outcome_and_each_meeting_has_its_own() -> None:
    assert {row["outcome"] for row in ROWS} == OUTCOMES
    assert outcomes(ROWS) == world.outcomes(WRITTEN_AT)


def test_a_copy_is_read_row_by_row(run: Run) -> None:
    columns = ["recording_id", "audio_id", "outcome", "source_sha256", "audio_sha256", "cataloged_at"]
    found = [
        {**{name: row[name] if isinstance(row[name], str) else None for name in columns[:-1]},
         "cataloged_at": row["cataloged_at"].isoformat()}
        for row in cataloged()
    ]  # fmt: skip
    assert found == [{name: row[name] for name in columns} for row in ROWS]


def test_names_in_many_scripts_are_read_as_they_were(run: Run) -> None:
    (unicode,) = (meeting for meeting in world.MEETINGS if meeting.key == "unicode")
    (row,) = (row for row in cataloged() if row["recording_id"] in world.recording_ids("unicode"))
    assert (row["bot_name"], json.loads(row["metadata"])) == (unicode.bot_name, unicode.metadata)


def test_the_forgotten_recording_has_no_name_and_no_file(run: Run, root: Path) -> None:
    (recording_id,) = world.recording_ids("let-go")
    (row,) = (row for row in cataloged() if row["recording_id"] == recording_id)
    assert not isinstance(row["bot_name"], str)
    assert list(root.rglob(f"*{recording_id}*")) == []
    audit = pq.ParquetFile(root / f"audit/day={world.FIRST}/audit.parquet").read().to_pylist()
    assert {note["reason"] for note in audit} == {"request 17"}


def test_the_audio_of_a_copy_opens_where_the_copy_is(run: Run) -> None:
    found = list(read_recordings(outcomes=("ready", "silent")))
    assert [len(recording.samples()) for recording in found] == [row["audio_samples"] for row in HAS_AUDIO]


def test_verify_finds_every_file_of_a_copy(run: Run) -> None:
    report = json.loads(run("verify", "--json").out)
    assert {kind: report[kind] for kind in WRONG} == dict.fromkeys(WRONG, 0)
    assert report["proven"] == report["files"] == len(hashes(STORED, "mixed_audio", "normalized_audio"))
    assert (report["superseded"], report["corrupt"]) == (1, 2)


def test_a_sync_downloads_nothing_that_is_there_and_loses_nothing(sandboxed: Run, failing: Sandbox, root: Path) -> None:
    result = sandboxed("sync", *DAYS, "--json")
    summary = json.loads(result.out.splitlines()[-1])
    assert result.status == 1, "one download fails"
    assert (summary["downloaded"], summary["bytes_downloaded"], summary["normalized"]) == (0, 0, 0)
    assert media_asked(failing) == set(world.audio_ids("unavailable"))
    assert outcomes(cataloged()) == world.outcomes(datetime.now(UTC))
    assert [
        (row["source_sha256"], row["audio_sha256"]) for row in cataloged() if isinstance(row["audio_sha256"], str)
    ] == [(row["source_sha256"], row["audio_sha256"]) for row in HAS_AUDIO]
    kept = ("mixed_audio", "normalized_audio", "_events")
    assert hashes(root, *kept) == hashes(STORED, *kept)


def test_a_second_sync_changes_no_row(sandboxed: Run, failing: Sandbox) -> None:
    sandboxed("sync", *DAYS)
    first = read_catalog()
    sandboxed("sync", *DAYS)
    assert read_catalog().equals(first)


def test_a_sync_leaves_the_time_of_what_was_forgotten(sandboxed: Run, failing: Sandbox) -> None:
    sandboxed("sync", *DAYS)
    times = {row["recording_id"]: row["cataloged_at"].isoformat() for row in cataloged()}
    before = {row["recording_id"]: row["cataloged_at"] for row in ROWS}
    (forgotten,) = world.recording_ids("let-go")
    assert times[forgotten] == before[forgotten]
    assert all(times[name] >= at for name, at in before.items())


def test_after_a_sync_verify_finds_nothing_wrong(sandboxed: Run, failing: Sandbox) -> None:
    sandboxed("sync", *DAYS)
    result = sandboxed("verify", *DAYS, "--json")
    assert (result.status, result.err, json.loads(result.out)["problems"]) == (0, "", [])


def test_what_could_not_be_downloaded_is_the_only_download_once_it_is_served(sandboxed: Run, sandbox: Sandbox) -> None:
    result = sandboxed("sync", *DAYS, "--json")
    assert (result.status, json.loads(result.out)["downloaded"]) == (0, 1)
    assert media_asked(sandbox) == set(world.audio_ids("unavailable"))
    assert outcomes(cataloged())[world.recording_ids("unavailable")[0]] == "ready"


def test_the_catalog_command_lists_every_row(run: Run) -> None:
    result = run("catalog", "--format", "json")
    assert (result.status, outcomes(json.loads(result.out))) == (0, outcomes(ROWS))


def test_an_export_names_files_of_the_copy(run: Run, root: Path, tmp_path: Path) -> None:
    assert run("export", "--to", "csv", "--out", str(tmp_path / "out")).status == 0
    (manifest,) = (tmp_path / "out").glob("*.csv")
    rows = list(csv.DictReader(manifest.read_text("utf-8").splitlines()))
    named = {
        row["recording_id"]: (manifest.parent / row["audio_path"].removeprefix("file://")).resolve() for row in rows
    }
    assert all(path.is_relative_to(root) for path in named.values())
    found = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in named.items()}
    assert found == {row["recording_id"]: row["audio_sha256"] for row in READY}


def test_forgetting_removes_both_versions_and_nothing_else(run: Run, root: Path) -> None:
    (recording_id,) = world.recording_ids("revised")
    assert run("forget", "--recording", recording_id, "--reason", "request 18", "--yes").status == 0
    audio = ("mixed_audio", "normalized_audio")
    gone = set(hashes(STORED, *audio)) - set(hashes(root, *audio))
    assert gone == {key for key in hashes(STORED, *audio) if recording_id in key}
    assert len(gone) == 3
    assert outcomes(cataloged()) == {**outcomes(ROWS), recording_id: "forgotten"}


def test_what_is_transcribed_is_not_transcribed_again(run: Run, root: Path) -> None:
    engine = TestEngine()
    resources = {"recall_catalog": RecallCatalog(), "transcription": Transcription(engine=lambda _: engine)}
    with dg.DagsterInstance.ephemeral() as instance:
        for day in (world.FIRST, world.LAST):
            assert dg.materialize([transcripts], resources=resources, instance=instance, partition_key=f"{day}").success
    tables = sorted(root.glob("transcripts/day=*/transcripts.parquet"))
    heard = [row for table in tables for row in pq.ParquetFile(table).read().to_pylist()]
    assert engine.calls == 0
    assert {row["audio_sha256"] for row in heard} == {row["audio_sha256"] for row in READY}
