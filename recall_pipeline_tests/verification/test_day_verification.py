"""Every referenced file is checked, and every other file is reported."""

import dataclasses
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from recall_pipeline.audio import run_tasks
from recall_pipeline.catalog import CATALOG, CatalogRow
from recall_pipeline.discovery import BOTS, RECORDINGS
from recall_pipeline.download import MIXED_AUDIO, MixedAudioRow
from recall_pipeline.settings import Settings
from recall_pipeline.storage import FolderName, Layout
from recall_pipeline.verification import Kind, stored_days, verify_days
from recall_pipeline.verification.absent import absent, expected_days
from recall_pipeline_tests.storages import BUCKET
from recall_pipeline_tests.verification.conftest import PAGE, REVIEW, STANDUP, Copy
from recall_pipeline_tests.workspace import DAY, Workspace, an_id, talk
from recall_sandbox import Sandbox

R = TypeVar("R", MixedAudioRow, CatalogRow)


def state_of(folder: Path) -> dict[str, int]:
    """Every file and folder below `folder`, with its modification time in ns."""
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_an_intact_archive_is_verified_and_nothing_is_written(copy: Copy, tmp_path: Path) -> None:
    before = state_of(tmp_path)
    report = copy.verify()
    assert report.problems == []
    # Three MP3s, one older version, and two normalized files.
    assert (report.days, report.files, report.verified_files, report.superseded) == ([DAY], 6, 6, 1)
    assert report.corrupt == {PAGE: DAY}
    assert state_of(tmp_path) == before


def test_each_kind_of_damage_is_reported(copy: Copy) -> None:
    lost, shorter, changed = copy.source(STANDUP), copy.source(REVIEW), copy.damage(copy.normalized(REVIEW))
    copy.path(lost).unlink()
    copy.put(shorter, copy.path(shorter).read_bytes()[:-1])
    assert copy.found() == {(Kind.MISSING, lost), (Kind.CHANGED, shorter), (Kind.CHANGED, changed)}


def restated(rows: list[R] | None, stated: dict[str, Any]) -> list[R]:
    """Replace values in the rows of the review."""
    return [dataclasses.replace(row, **stated) if row.recording_id == REVIEW else row for row in rows or []]


def test_bytes_that_match_their_row_and_are_not_audio_are_undecodable(copy: Copy) -> None:
    garbage = b"not audio data." * 1000
    key = copy.put(copy.source(REVIEW), garbage)
    stated: dict[str, Any] = {"source_sha256": hashlib.sha256(garbage).hexdigest(), "source_bytes": len(garbage)}
    MIXED_AUDIO.write(copy.archive, DAY, restated(MIXED_AUDIO.read(copy.archive, DAY), stated))
    CATALOG.write(copy.archive, DAY, restated(CATALOG.read(copy.archive, DAY), stated))
    assert copy.found() == {(Kind.UNDECODABLE, key)}


def test_an_unreferenced_file_is_an_orphan_unless_it_is_an_older_version(copy: Copy) -> None:
    audio_id = copy.mp3(REVIEW).audio_id
    older = talk(3).body()
    copy.put(Layout.source(DAY, REVIEW, audio_id, hashlib.sha256(older).hexdigest()[:8]), older)
    rotten = copy.put(Layout.source(DAY, REVIEW, audio_id, "0badcafe"), older)
    orphans = [
        Layout.source(DAY, REVIEW, an_id("another mp3")),
        Layout.source(DAY, an_id("another recording"), audio_id),
        Layout.normalized(DAY, REVIEW, audio_id, "wav"),
        f"mixed_audio/day={DAY}/{REVIEW}/.{audio_id}.mp3.k2j3h4",
        f"audio_catalog/day={DAY}/copy of audio_catalog.parquet",
        f"waveforms/day={DAY}/copy of waveforms.parquet",
    ]
    for key in orphans:
        copy.put(key, b"whatever")
    assert copy.found() == {(Kind.CHANGED, rotten), *((Kind.ORPHANED, key) for key in orphans)}


def test_a_day_with_files_and_without_tables_is_verified(copy: Copy) -> None:
    key = copy.put(f"normalized_audio/day=2026-02-01/{REVIEW}/{an_id('mp3')}.flac", b"whatever")
    assert copy.found() == {(Kind.ORPHANED, key)}


def test_an_unreadable_table_is_reported_and_its_files_are_not_orphans(copy: Copy) -> None:
    table = copy.put(Layout.table("mixed_audio", DAY), b"not parquet")
    [problem] = copy.verify().problems
    assert (problem.kind, problem.subject) == (Kind.UNREADABLE, table)
    assert "is not a readable Parquet file" in problem.line


@pytest.mark.parametrize("folder", ["recordings", "mixed_audio", "waveforms", "normalized_audio"])
def test_a_folder_of_a_day_that_cannot_be_listed_is_a_problem_of_this_day(copy: Copy, folder: FolderName) -> None:
    table = copy.put(Layout.table("mixed_audio", DAY.replace(day=4)), b"not parquet")
    path = copy.path(Layout.folder(folder, DAY))
    shutil.rmtree(path)
    path.symlink_to(path.name)
    found = {(problem.day, problem.kind, problem.subject) for problem in copy.verify().problems}
    assert (DAY, Kind.UNREADABLE, f"{folder}/day={DAY}") in found
    assert (DAY.replace(day=4), Kind.UNREADABLE, table) in found
    assert {day for day, *_ in found} == {DAY, DAY.replace(day=4)}
    list(absent(copy.archive, [DAY]))


def test_contradictions_between_tables_are_reported(copy: Copy) -> None:
    recordings = RECORDINGS.read(copy.archive, DAY) or []
    mp3s, catalog = MIXED_AUDIO.read(copy.archive, DAY) or [], CATALOG.read(copy.archive, DAY) or []
    RECORDINGS.write(copy.archive, DAY, [row for row in recordings if row.recording_id != STANDUP])
    MIXED_AUDIO.write(copy.archive, DAY, [row for row in mp3s if row.recording_id != STANDUP])
    CATALOG.write(copy.archive, DAY, [row for row in catalog if row.recording_id != REVIEW])
    report = copy.verify()
    lines = [problem.line for problem in report.problems if problem.kind is Kind.DISAGREEING]
    assert lines == [
        f"{DAY} disagreeing: recording {REVIEW} has no row in audio_catalog",
        f"{DAY} disagreeing: MP3 {copy.mp3(REVIEW).audio_id} has no row in audio_catalog",
        f"{DAY} disagreeing: recording {STANDUP} is cataloged, but missing in the table recordings",
        f"{DAY} disagreeing: recording {STANDUP} is cataloged with MP3 {an_id('standup mp3 0')}, "
        "which is missing in the table mixed_audio",
    ]
    # Its files are still referenced by the catalog; the older version of its MP3 is not recognized without its row.
    orphaned = [problem.subject for problem in report.problems if problem.kind is Kind.ORPHANED]
    assert [key for key in orphaned if STANDUP in key] == [Layout.source(DAY, STANDUP, an_id("standup mp3 0"))]


def test_a_problem_that_a_sync_resolves_during_the_checks_is_not_reported(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphan = copy.put(Layout.source(DAY, REVIEW, an_id("another mp3")), b"published, and not in the table yet")

    def read_while_a_sync_ends(*arguments: Any, **options: Any) -> Iterator[Any]:
        yield from run_tasks(*arguments, **options)
        copy.path(orphan).unlink()

    monkeypatch.setattr("recall_pipeline.verification.day_verification.run_tasks", read_while_a_sync_ends)
    assert copy.verify().problems == []


def test_every_day_with_a_stored_file_is_listed_and_both_bounds_are_included(copy: Copy) -> None:
    copy.put("bots/day=2026-03-04/bots.parquet", b"")
    copy.put("audio_catalog/notes/of someone", b"")
    later = DAY.replace(day=4)
    assert stored_days(copy.archive) == [DAY, later]
    assert stored_days(copy.archive, later) == stored_days(copy.archive, later, later) == [later]
    assert stored_days(copy.archive, None, DAY) == [DAY]


@pytest.fixture(params=[BUCKET])
def storage_url(request: pytest.FixtureRequest) -> str:
    """An S3 bucket."""
    return str(request.getfixturevalue(request.param))


def test_a_lost_table_and_a_lost_day_are_named_in_a_bucket_too(sandbox: Sandbox, settings: Settings) -> None:
    workspace = Workspace(sandbox, settings)
    assert list(absent(workspace.archive, expected_days(stored_days(workspace.archive), None, None))) == []
    workspace.meet("standup", talk())
    workspace.sync()
    BOTS.write(workspace.archive, DAY, [])
    BOTS.write(workspace.archive, DAY.replace(day=4), [])
    stored = stored_days(workspace.archive)
    expected = expected_days(stored, None, None)
    assert (stored, expected) == ([DAY, DAY.replace(day=4)], [DAY, DAY.replace(day=3), DAY.replace(day=4)])
    found = [(problem.day.day, problem.subject.partition("/")[0]) for problem in absent(workspace.archive, expected)]
    assert found == [(3, "day=2026-03-03"), (4, "recordings"), (4, "mixed_audio"), (4, "audio_catalog")]


def test_a_bucket_is_verified_like_a_folder(sandbox: Sandbox, settings: Settings) -> None:
    workspace = Workspace(sandbox, settings)
    workspace.meet("standup", talk())
    [review] = workspace.meet("review", talk(1))
    rows = workspace.sync().rows
    archive = workspace.archive
    lost = Layout.key_in(rows[0].audio_uri or "")
    archive.remove(lost)
    changed = workspace.row(review.id).source_key or ""
    with archive.staged_file() as written:
        written.write_bytes(workspace.content(changed)[:-4] + b"rot!")
        archive.publish(written, changed)
    archive.close_staging_folder()
    report = verify_days(archive, settings, stored_days(archive), lambda *_: None)
    found = {(problem.kind, problem.subject) for problem in report.problems}
    assert (report.files, found) == (4, {(Kind.MISSING, lost), (Kind.CHANGED, changed)})
    assert not archive.staging_folder.exists()
