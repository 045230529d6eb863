"""`verify` checks the archive against the catalog; `--repair` downloads lost files again, and reports the rest."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.storage import Archive, Layout
from recall_pipeline_tests.cli.conftest import DAY_BEFORE, TODAY, YESTERDAY, Run
from recall_sandbox import Sandbox
from recall_sandbox.content import ErrorPage

BOTH_DAYS = ("--from", f"{DAY_BEFORE}", "--to", f"{YESTERDAY}")


def verify_json(run: Run, status: int, *arguments: str) -> dict[str, Any]:
    """Run `verify --json`, and return its object."""
    result = run("verify", "--json", *arguments)
    assert result.status == status, result
    (line,) = result.out.splitlines()
    report: dict[str, Any] = json.loads(line)
    return report


def ready(archive: Archive, day: Any = YESTERDAY) -> CatalogRow:
    """The only ready row of a day."""
    (row,) = [row for row in CATALOG.read(archive, day) or [] if row.outcome == "ready"]
    return row


def path_of(uri: str | None) -> Path:
    return Path((uri or "").removeprefix("file://"))


@pytest.fixture
def synced(sandboxed: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line, after a sync of both days."""
    monkeypatch.setenv("RECALL_WORKERS", "1")
    assert sandboxed("sync", *BOTH_DAYS).status == 0
    return sandboxed


def test_an_intact_archive_verifies_without_a_key_and_the_staging_folder_is_counted(
    synced: Run, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    (archive.open_staging_folder() / "some.part").write_bytes(bytes(100))
    (archive.staging_folder / "scratch-of a killed process").mkdir()
    (archive.staging_folder / "scratch-of a killed process" / "file.flac").write_bytes(bytes(30))
    with archive.staged_file() as in_use, monkeypatch.context() as keyless:
        in_use.write_bytes(bytes(7))
        keyless.setenv("RECALL_API_KEY", "")
        report = verify_json(synced, 0)
    assert report.pop("bytes") > 0
    assert {"due", "waiting", "never_requested"} <= report.keys()
    report = {name: value for name, value in report.items() if name not in ("due", "waiting", "never_requested")}
    kinds = ("missing", "changed", "undecodable", "orphaned", "unreadable", "disagreeing", "erased")
    no_problems = dict.fromkeys(kinds, 0)
    assert report == {
        "days": [f"{DAY_BEFORE}", f"{YESTERDAY}"],
        "files": 4,
        "proven": 4,
        **no_problems,
        "repaired": 0,
        "superseded": 0,
        "corrupt": 0,
        "partial_files": 1,
        "partial_bytes": 100,
        "abandoned_files": 1,
        "abandoned_bytes": 30,
        "problems": [],
    }
    report = verify_json(synced, 0, "--repair")
    assert (report["partial_files"], report["abandoned_files"]) == (1, 0)


@pytest.mark.on_disk
def test_problems_are_reported_and_repaired_by_runs_in_the_ui(synced: Run, archive: Archive) -> None:
    first, second = ready(archive, DAY_BEFORE), ready(archive)
    source, normalized = path_of(first.source_uri), path_of(second.audio_uri)
    contents = source.read_bytes(), normalized.read_bytes()
    source.unlink()
    normalized.write_bytes(contents[1][:-4] + b"rot!")

    result = synced("verify")
    assert result.status == 1
    lost, changed = result.err.splitlines()
    assert lost == f"{DAY_BEFORE} missing: {Layout.key_in(first.source_uri or '')} is not there"
    assert changed == f"{YESTERDAY} changed: {Layout.key_in(second.audio_uri or '')} has another SHA-256"
    assert result.out.startswith(f"{DAY_BEFORE} to {YESTERDAY}: 2 of 4 files (")
    assert result.out.splitlines()[0].endswith(" verified, 1 missing, 1 changed.")

    report = verify_json(synced, 0, "--repair")
    assert (report["missing"], report["changed"], report["repaired"]) == (0, 0, 2)
    assert {problem["repaired"] for problem in report["problems"]} == {True}
    assert (source.read_bytes(), normalized.read_bytes()) == contents
    assert (ready(archive, DAY_BEFORE), ready(archive)) == (first, second)
    with dg.DagsterInstance.get() as instance:
        days = [run.tags["dagster/partition"] for run in instance.get_runs()]
    assert sorted(days) == sorted([f"{DAY_BEFORE}", f"{YESTERDAY}"] * 2)


@pytest.mark.on_disk
def test_a_problem_that_cannot_be_repaired_is_reported_and_nothing_is_removed(
    synced: Run, sandbox: Sandbox, archive: Archive
) -> None:
    before = ready(archive)
    lost = path_of(before.source_uri)
    lost.unlink()
    sandbox.world.delete_recording(before.recording_id, "gone")
    orphan = lost.with_name("c1a5c4be-0d4a-4b55-8f6e-1a2b3c4d5e6f.mp3")
    orphan.write_bytes(b"the only record of something")
    result = synced("verify", "--from", f"{YESTERDAY}", "--repair")
    assert result.status == 1
    first, second = sorted(result.err.splitlines())
    assert first.endswith(f"{lost.name} is not there; it is no longer available at Recall.ai: restore it from a backup")
    assert second.endswith(f"{orphan.name} is not referenced by any row; inspect it, and move it out of the archive")
    after = ready(archive)
    assert (after.source_uri, after.source_sha256) == (before.source_uri, before.source_sha256)
    assert (after.audio_uri, after.upstream_status) == (before.audio_uri, "deleted")
    assert orphan.read_bytes() == b"the only record of something"


@pytest.mark.on_disk
def test_a_corrupt_recording_is_downloaded_again(synced: Run, sandbox: Sandbox, archive: Archive) -> None:
    (mp3,) = MIXED_AUDIO.read(archive, YESTERDAY) or []
    good = sandbox.world.artifacts.get(mp3.audio_id)
    assert good
    assert good.content
    path_of(ready(archive).source_uri).unlink()
    archive.remove(Layout.table("mixed_audio", YESTERDAY))
    archive.remove(Layout.table("audio_catalog", YESTERDAY))
    sandbox.world.change_artifact(mp3.audio_id, content=ErrorPage())
    synced("sync", "--to", f"{YESTERDAY}")
    assert verify_json(synced, 1, "--from", f"{YESTERDAY}")["corrupt"] == 1  # its normalized file is an orphan now

    sandbox.world.change_artifact(mp3.audio_id, content=good.content)
    report = verify_json(synced, 0, "--from", f"{YESTERDAY}", "--repair")
    assert (report["corrupt"], report["orphaned"]) == (0, 0)
    assert ready(archive).source_sha256 == mp3.source_sha256


def test_a_repair_without_a_key_stops_before_the_verification(run: Run) -> None:
    result = run("verify", "--repair")
    assert result.status == 2
    assert result.error_line.startswith("recall-pipeline: RECALL_API_KEY is not set")


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--from", "2024-12-31"], "RECALL_START_DATE is 2025-01-01"),
        (["--to", "2999-01-01"], "the last day partition is today"),
        (["--from", f"{YESTERDAY}", "--to", f"{DAY_BEFORE}"], "swap them"),
    ],
)
def test_days_outside_the_partitions_are_wrong_usage(run: Run, arguments: list[str], names: str) -> None:
    result = run("verify", *arguments)
    assert result.status == 2
    assert names in result.error_line


@pytest.mark.parametrize("repair", [(), ("--repair",)])
def test_an_archive_without_a_day_is_not_proven(sandboxed: Run, storage_url: str, repair: tuple[str, ...]) -> None:
    result = sandboxed("verify", *repair)
    assert (result.status, result.out.splitlines()[0]) == (1, "The archive has no matching days.")
    assert result.err.startswith(f"{storage_url} holds no day: check RECALL_STORAGE_URL")
    report = verify_json(sandboxed, 1, *repair)
    (problem,) = report["problems"]
    assert (report["days"], report["missing"], problem["day"]) == ([], 1, None)


def test_a_storage_url_with_a_spelling_mistake_is_not_proven(
    synced: Run, storage_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECALL_STORAGE_URL", f"{storage_url}-archive")
    result = synced("verify")
    assert result.status == 1
    assert f"{storage_url}-archive holds no day" in result.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--from", "-9"), range(3, 10)),
        (("--from", "-5", "--to", "-4"), (4, 5)),
        (("--to", "-4"), (4,)),
        (("--from", "-4", "--to", "-0"), (3, 4)),
        (("--from", "-0"), (0,)),
        (("--from", "-0", "--to", "-0"), (0,)),
    ],
)
def test_a_day_asked_for_that_is_not_there_is_named(synced: Run, arguments: tuple[str, ...], named: range) -> None:
    days = [f"{TODAY - timedelta(days=int(word[1:]))}" if word[1:].isdigit() else word for word in arguments]
    report = verify_json(synced, 1, *days)
    wrong = {problem["day"]: problem["says"] for problem in report["problems"]}
    assert set(wrong) == {f"{TODAY - timedelta(days=ago)}" for ago in named}
    assert all(f"recall-pipeline sync --from {day} --to {day}" in says for day, says in wrong.items())


def test_the_present_day_need_not_be_there_among_others(synced: Run) -> None:
    assert verify_json(synced, 0, "--from", f"{YESTERDAY}", "--to", f"{TODAY}")["days"] == [f"{YESTERDAY}"]


def test_a_hole_between_archived_days_is_named_and_repaired(synced: Run) -> None:
    old = TODAY - timedelta(days=4)
    assert synced("sync", "--from", f"{old}", "--to", f"{old}").status == 0
    result = synced("verify")
    hole = TODAY - timedelta(days=3)
    assert result.status == 1
    assert result.err.startswith(f"{hole} missing: day={hole} is not in ")
    assert result.err.endswith(f"run recall-pipeline sync --from {hole} --to {hole}\n")
    report = verify_json(synced, 0, "--repair")
    assert (report["missing"], report["repaired"], len(report["days"])) == (0, 1, 4)


def test_a_hole_before_the_start_date_or_older_than_retention_is_not_a_problem(
    synced: Run, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = TODAY - timedelta(days=6)
    assert synced("sync", "--from", f"{old}", "--to", f"{old}").status == 0
    assert verify_json(synced, 1)["missing"] == 3
    for name, value in (("RECALL_START_DATE", f"{DAY_BEFORE}"), ("RECALL_RETENTION_DAYS", "2")):
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            assert verify_json(synced, 0)["days"] == [f"{day}" for day in (old, DAY_BEFORE, YESTERDAY)]
    archive.remove(Layout.table("bots", old))
    monkeypatch.setenv("RECALL_START_DATE", f"{DAY_BEFORE}")
    (problem,) = verify_json(synced, 1)["problems"]
    assert f"set RECALL_START_DATE to {old} and run recall-pipeline sync --from {old}" in problem["says"]


def test_due_days_and_those_that_were_never_requested_are_information(
    synced: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECALL_START_DATE", f"{DAY_BEFORE - timedelta(days=9)}")
    report = verify_json(synced, 0)
    never = {"from": f"{DAY_BEFORE - timedelta(days=9)}", "to": f"{DAY_BEFORE - timedelta(days=6)}"}
    assert (report["due"][-1], report["waiting"], report["never_requested"]) == (f"{YESTERDAY}", [], never)
    lines = synced("verify").out.splitlines()
    assert lines[1].startswith("Due: ")
    assert lines[2].startswith(f"Never requested: {never['from']} to {never['to']} (4 days), ")
    monkeypatch.setenv("RECALL_START_DATE", f"{DAY_BEFORE}")
    assert verify_json(synced, 0)["never_requested"] is None


@pytest.mark.parametrize("table", ["bots", "recordings", "mixed_audio", "audio_catalog"])
def test_a_lost_table_is_named_and_repaired_and_no_file_goes(synced: Run, archive: Archive, table: Any) -> None:
    files = archive.sizes_below("mixed_audio") | archive.sizes_below("normalized_audio")
    archive.remove(Layout.table(table, YESTERDAY))
    report = verify_json(synced, 1)
    assert Layout.table(table, YESTERDAY) in [problem["what"] for problem in report["problems"]]
    assert report["orphaned"] == 0
    assert verify_json(synced, 0, "--repair")["missing"] == 0
    after = archive.sizes_below("mixed_audio") | archive.sizes_below("normalized_audio")
    assert {key for key in files if not key.endswith(".parquet")} <= after.keys()
