"""The table `waveforms` follows the catalog: one row for each normalized file that a sync has made."""

import dataclasses
from array import array
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow.parquet as pq
import pytest

from recall_pipeline.audio import Peaks
from recall_pipeline.catalog import CATALOG, WAVEFORMS, CatalogRow, WaveformRow, normalization, read_recordings
from recall_pipeline.catalog.audio_columns import AudioColumns
from recall_pipeline.catalog.spooled_columns import SpooledColumns
from recall_pipeline.catalog.waveforms import write_waveforms
from recall_pipeline.download import decode_check
from recall_pipeline.errors import TableNewer
from recall_pipeline.migration import migrate_archive
from recall_pipeline.progress import no_step_progress
from recall_pipeline.storage import Archive, ArchiveDay, Table, open_day
from recall_pipeline_tests.catalog.test_checkpoints import Killed, interrupt
from recall_pipeline_tests.storages import FOLDER_AND_BUCKET
from recall_pipeline_tests.workspace import DAY, NINE, Workspace, an_id, talk
from recall_sandbox.content import ErrorPage


@pytest.fixture
def storage_url(folder_url: str) -> str:
    return folder_url


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decode and normalize in threads: starting processes takes most of the time of these tests."""
    monkeypatch.setattr(decode_check, "Worker", Thread)
    monkeypatch.setattr(normalization, "_executor", lambda _: ThreadPoolExecutor(1))


class Thread(ThreadPoolExecutor):
    """A thread in place of a worker process."""

    def __init__(self) -> None:
        super().__init__(1)

    def close(self) -> None:
        """End the thread."""
        self.shutdown()


def killed(*_: object) -> None:
    """Stand in for a kill when a table is written."""
    raise Killed


def rows(workspace: Workspace) -> list[WaveformRow]:
    return WAVEFORMS.read(workspace.archive, DAY) or []


def files(cataloged: list[CatalogRow]) -> set[tuple[str | None, ...]]:
    """The files in a catalog, as the rows of `waveforms` name them."""
    return {(row.recording_id, row.audio_id, row.audio_key, row.audio_sha256) for row in cataloged if row.audio_key}


def drawn(workspace: Workspace) -> set[tuple[str | None, ...]]:
    found = rows(workspace)
    assert len({row.audio_id for row in found}) == len(found)
    return {(row.recording_id, row.audio_id, row.audio_key, row.audio_sha256) for row in found}


class TestOnEitherStorage:
    @pytest.fixture(params=FOLDER_AND_BUCKET)
    def storage_url(self, request: pytest.FixtureRequest) -> str:
        return str(request.getfixturevalue(request.param))

    def test_each_file_has_a_row_that_shows_it(self, workspace: Workspace) -> None:
        workspace.meet("one", talk(), talk(1))
        workspace.meet("page", ErrorPage())
        workspace.meet("none", platform="webex")
        cataloged = workspace.sync().rows
        assert drawn(workspace) == files(cataloged)
        assert len(drawn(workspace)) == 2
        for row in rows(workspace):
            [recording] = [each for each in cataloged if each.audio_id == row.audio_id]
            spans = (recording.audio_samples or 0) / (recording.audio_sample_rate_hz or 1) / row.peak_seconds
            assert len(row.minima) == len(row.maxima) == pytest.approx(spans, abs=1)
            assert min(row.minima) < -20 < 20 < max(row.maxima)
            assert max(row.minima) <= min(row.maxima) + 127

    def test_rows_of_kept_files_stay_and_those_of_remade_files_are_replaced(self, workspace: Workspace) -> None:
        workspace.meet("one", talk())
        [mp3] = workspace.meet("two", talk(1))
        first = workspace.sync().rows
        [kept] = [row for row in rows(workspace) if row.recording_id == an_id("one")]
        workspace.world.replace_audio(mp3.id, talk(2))
        workspace.meet("three", talk(3))
        second = workspace.sync().rows
        assert kept in rows(workspace)
        assert drawn(workspace) == files(second)
        assert len(files(second) - files(first)) == 2


def test_the_columns_have_the_types_that_readers_rely_on(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    workspace.sync()
    schema = pq.read_schema(workspace.archive.local_path(WAVEFORMS.key(DAY)))
    assert {field.name: str(field.type) for field in schema} == {
        "recording_id": "string", "audio_id": "string", "audio_key": "string", "audio_sha256": "string",
        "peak_seconds": "double", "minima": "list<element: int8>", "maxima": "list<element: int8>",
    }  # fmt: skip


def test_a_large_table_is_ordered_and_has_small_row_groups_so_that_writing_takes_little_memory(
    archive: Archive,
) -> None:
    peaks = Peaks(0.5, array("b", [-127, -1]), array("b", [127, 1]))
    names = [an_id(f"talk {number}") for number in range(1100)]
    files: dict[str, dict[str, Any]] = {name: {"audio_key": f"{name}.flac", "audio_sha256": "ab"} for name in names}
    cataloged = [
        CatalogRow(recording_id=name, audio_id=name, outcome="ready", created_at=NINE, **file)
        for name, file in files.items()
    ]
    with open_day(archive, DAY) as day:
        for done, of in [(0, 700), (700, 1100)]:
            with SpooledColumns(archive) as columns:
                for row in cataloged[done:of]:
                    columns.put(row.key, AudioColumns(peaks=peaks))
                write_waveforms(day, cataloged[:done], cataloged[:of], columns)
    file = pq.ParquetFile(archive.local_path(WAVEFORMS.key(DAY)))
    assert [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)] == [100] * 11
    found = WAVEFORMS.read(archive, DAY) or []
    assert [row.recording_id for row in found] == sorted(names)
    assert {(tuple(row.minima), tuple(row.maxima)) for row in found} == {((-127, -1), (127, 1))}


def test_the_peaks_of_one_group_of_rows_are_in_memory_at_a_time(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    read_at_each_group: list[int] = []

    class Noting(SpooledColumns):
        def __getitem__(self, audio_id: str) -> AudioColumns:
            read.append(audio_id)
            return super().__getitem__(audio_id)

    def publish_groups(_: object, __: Archive, ___: str, groups: Iterable[object]) -> None:
        read_at_each_group.extend(len(read) for _ in groups)

    monkeypatch.setattr(Table, "publish_groups", publish_groups)
    file: dict[str, Any] = {"outcome": "ready", "created_at": NINE, "audio_key": "a.flac", "audio_sha256": "ab"}
    with open_day(archive, DAY) as day, Noting(archive) as columns:
        cataloged = [CatalogRow(recording_id=f"{n}", audio_id=f"{n}", **file) for n in range(250)]
        for row in cataloged:
            columns.put(row.key, AudioColumns(peaks=Peaks(0.5, array("b", [-1]), array("b", [1]))))
        write_waveforms(day, [], cataloged, columns)
    assert read_at_each_group == [100, 200, 250]


def test_a_new_target_replaces_all_rows(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    workspace.sync()
    [before] = rows(workspace)
    cataloged = workspace.catalog(target_lufs=-30.0).rows
    assert drawn(workspace) == files(cataloged)
    assert max(rows(workspace)[0].maxima) < max(before.maxima) / 2


def test_a_sync_without_changes_does_not_touch_the_table(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    workspace.sync()
    WAVEFORMS.write(workspace.archive, DAY, changed := [dataclasses.replace(rows(workspace)[0], peak_seconds=7.0)])
    workspace.sync()
    assert rows(workspace) == changed


def test_a_day_without_audio_has_no_table(workspace: Workspace) -> None:
    workspace.meet("none", platform="webex")
    workspace.sync()
    assert WAVEFORMS.read(workspace.archive, DAY) is None


@pytest.mark.parametrize("damage", ["lost", "damaged"])
def test_an_archive_without_waveforms_is_read_and_synced_as_before(workspace: Workspace, damage: str) -> None:
    workspace.meet("one", talk())
    [row] = workspace.sync().rows
    table = workspace.archive.local_path(WAVEFORMS.key(DAY))
    table.unlink() if damage == "lost" else table.write_bytes(b"damaged")
    assert [each.row for each in read_recordings(settings=workspace.settings)] == [row]
    assert workspace.sync().rows == [row]
    workspace.meet("two", talk(1))
    assert workspace.sync().normalized == 1
    assert [each.recording_id for each in rows(workspace)] == [an_id("two")]


def test_a_table_of_a_newer_version_is_refused_by_name(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace.meet("one", talk())
    workspace.capture()
    newer = dataclasses.replace(WAVEFORMS, version=2)
    newer.write(workspace.archive, DAY, [])
    with pytest.raises(TableNewer, match="update recall_pipeline"):
        workspace.catalog()


def test_an_interrupted_sync_keeps_the_peaks_of_what_it_made(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.meet("one", talk())
    workspace.capture()
    interrupt(workspace, monkeypatch)
    assert rows(workspace) == []
    report = workspace.catalog()
    assert report.normalized == 0
    assert drawn(workspace) == files(report.rows)
    [taken_up] = rows(workspace)
    workspace.archive.remove(CATALOG.key(DAY))
    workspace.catalog()
    assert rows(workspace) == [taken_up]


def test_a_kill_before_the_catalog_is_written_loses_no_row(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.meet("one", talk())
    workspace.capture()
    with monkeypatch.context() as patched:
        patched.setattr(ArchiveDay, "write", killed)
        with pytest.raises(Killed):
            workspace.catalog()
    assert len(rows(workspace)) == 1
    report = workspace.catalog()
    assert (report.normalized, drawn(workspace)) == (0, files(report.rows))


def test_migrate_leaves_a_present_table_as_it_is_and_upgrades_an_older_one(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    workspace.sync()
    stored = workspace.archive.local_path(WAVEFORMS.key(DAY))
    before = rows(workspace)
    assert migrate_archive(workspace.archive, no_step_progress).tables_rewritten == 0
    pq.write_table(pq.read_table(stored).replace_schema_metadata({}), stored)
    assert migrate_archive(workspace.archive, no_step_progress).tables_rewritten == 1
    assert rows(workspace) == before
