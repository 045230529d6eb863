"""`verify` proves the archive against the catalog; `--repair` brings back what is lost, and lies about nothing."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.download import MIXED_AUDIO
from recall_pipeline.storage import Archive, Layout
from recall_pipeline_tests.cli.conftest import DAY_BEFORE, YESTERDAY, Run
from recall_sandbox import Sandbox
from recall_sandbox.content import ErrorPage

BOTH_DAYS = ("--from", f"{DAY_BEFORE}", "--to", f"{YESTERDAY}")


def answer(run: Run, status: int, *arguments: str) -> dict[str, Any]:
    """Run `verify --json`, and return its object."""
    said = run("verify", "--json", *arguments)
    assert said.status == status, said
    (line,) = said.out.splitlines()
    told: dict[str, Any] = json.loads(line)
    return told


def ready(archive: Archive, day: Any = YESTERDAY) -> CatalogRow:
    """The one recording of a day that can be listened to."""
    (row,) = [row for row in CATALOG.read(archive, day) or [] if row.outcome == "ready"]
    return row


def path_of(uri: str | None) -> Path:
    return Path((uri or "").removeprefix("file://"))


@pytest.fixture
def synced(sandboxed: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Both days are synced."""
    monkeypatch.setenv("RECALL_WORKERS", "1")
    assert sandboxed("sync", *BOTH_DAYS).status == 0
    return sandboxed


def test_a_sound_archive_is_proven_without_a_key_and_its_spool_is_counted(
    synced: Run, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    (archive.open_spool() / "some.part").write_bytes(bytes(100))
    (archive.spool / "scratch-of the killed").mkdir()
    (archive.spool / "scratch-of the killed" / "file.flac").write_bytes(bytes(30))
    with archive.scratch() as in_use, monkeypatch.context() as keyless:
        in_use.write_bytes(bytes(7))
        keyless.setenv("RECALL_API_KEY", "")
        told = answer(synced, 0)
    assert told.pop("bytes") > 0
    nothing = dict.fromkeys(("missing", "changed", "undecodable", "orphaned", "unreadable", "disagreeing", "erased"), 0)
    assert told == {
        "days": [f"{DAY_BEFORE}", f"{YESTERDAY}"],
        "files": 4,
        "proven": 4,
        **nothing,
        "repaired": 0,
        "superseded": 0,
        "corrupt": 0,
        "partial_files": 1,
        "partial_bytes": 100,
        "abandoned_files": 1,
        "abandoned_bytes": 30,
        "problems": [],
    }
    told = answer(synced, 0, "--repair")
    assert (told["partial_files"], told["abandoned_files"]) == (1, 0)


@pytest.mark.on_disk
def test_what_is_wrong_is_told_and_repaired_where_the_ui_sees_it(synced: Run, archive: Archive) -> None:
    first, second = ready(archive, DAY_BEFORE), ready(archive)
    source, normalized = path_of(first.source_uri), path_of(second.audio_uri)
    contents = source.read_bytes(), normalized.read_bytes()
    source.unlink()
    normalized.write_bytes(contents[1][:-4] + b"rot!")

    said = synced("verify")
    assert said.status == 1
    lost, changed = said.err.splitlines()
    assert lost == f"{DAY_BEFORE} missing: {Layout.key_in(first.source_uri or '')} is not there"
    assert changed == f"{YESTERDAY} changed: {Layout.key_in(second.audio_uri or '')} has another SHA-256"
    assert said.out.startswith(f"{DAY_BEFORE} to {YESTERDAY}: 2 of 4 files (")
    assert said.out.endswith(" proven, 1 missing, 1 changed.\n")

    told = answer(synced, 0, "--repair")
    assert (told["missing"], told["changed"], told["repaired"]) == (0, 0, 2)
    assert {problem["repaired"] for problem in told["problems"]} == {True}
    assert (source.read_bytes(), normalized.read_bytes()) == contents
    assert (ready(archive, DAY_BEFORE), ready(archive)) == (first, second)
    with dg.DagsterInstance.get() as instance:
        days = [run.tags["dagster/partition"] for run in instance.get_runs()]
    assert sorted(days) == sorted([f"{DAY_BEFORE}", f"{YESTERDAY}"] * 2)


@pytest.mark.on_disk
def test_what_nobody_can_bring_back_is_told_and_nothing_is_taken_away_for_it(
    synced: Run, sandbox: Sandbox, archive: Archive
) -> None:
    before = ready(archive)
    lost = path_of(before.source_uri)
    lost.unlink()
    sandbox.world.delete_recording(before.recording_id, "gone")
    orphan = lost.with_name("c1a5c4be-0d4a-4b55-8f6e-1a2b3c4d5e6f.mp3")
    orphan.write_bytes(b"the only record of something")
    said = synced("verify", "--from", f"{YESTERDAY}", "--repair")
    assert said.status == 1
    first, second = sorted(said.err.splitlines())
    assert first.endswith(f"{lost.name} is not there; Recall offers it no more: restore it from a backup")
    assert second.endswith(f"{orphan.name} is named by no row; look at it, and move it away by hand")
    after = ready(archive)
    assert (after.source_uri, after.source_sha256) == (before.source_uri, before.source_sha256)
    assert (after.audio_uri, after.upstream_status) == (before.audio_uri, "deleted")
    assert orphan.read_bytes() == b"the only record of something"


@pytest.mark.on_disk
def test_a_corrupt_recording_is_fetched_again(synced: Run, sandbox: Sandbox, archive: Archive) -> None:
    (mp3,) = MIXED_AUDIO.read(archive, YESTERDAY) or []
    good = sandbox.world.artifacts.get(mp3.audio_id)
    assert good
    assert good.content
    path_of(ready(archive).source_uri).unlink()
    archive.remove(Layout.table("mixed_audio", YESTERDAY))
    archive.remove(Layout.table("audio_catalog", YESTERDAY))
    sandbox.world.change_artifact(mp3.audio_id, content=ErrorPage())
    synced("sync", "--to", f"{YESTERDAY}")
    assert answer(synced, 1, "--from", f"{YESTERDAY}")["corrupt"] == 1  # and the file normalized before is an orphan

    sandbox.world.change_artifact(mp3.audio_id, content=good.content)
    told = answer(synced, 0, "--from", f"{YESTERDAY}", "--repair")
    assert (told["corrupt"], told["orphaned"]) == (0, 0)
    assert ready(archive).source_sha256 == mp3.source_sha256


def test_a_repair_needs_the_key_before_it_looks(run: Run) -> None:
    said = run("verify", "--repair")
    assert said.status == 2
    assert said.fault.startswith("recall-pipeline: RECALL_API_KEY is not set")


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--from", "2024-12-31"], "RECALL_START_DATE is 2025-01-01"),
        (["--to", "2999-01-01"], "the last day partition is today"),
        (["--from", f"{YESTERDAY}", "--to", f"{DAY_BEFORE}"], "swap them"),
    ],
)
def test_days_outside_the_partitions_are_wrong_usage(run: Run, arguments: list[str], names: str) -> None:
    said = run("verify", *arguments)
    assert said.status == 2
    assert names in said.fault


def test_an_archive_without_days_says_so(run: Run) -> None:
    assert run("verify").out == "The archive holds no such day.\n"
