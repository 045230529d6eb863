"""The columns `findings`, `source_key` and `audio_key` (docs/design/interface.md, section 4)."""

import dataclasses

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recall_pipeline.audio import AudioFindingCode
from recall_pipeline.catalog import CATALOG, FINDINGS, CatalogRow, FindingCode
from recall_pipeline.catalog.findings import DERIVED_AT_EVERY_SYNC, kept_with_file, ordered_findings
from recall_pipeline.storage import Layout
from recall_pipeline_tests.workspace import DAY, NINE, Workspace, an_id, talk

NEW_COLUMNS = ["source_key", "audio_key", "findings"]
ROW = CatalogRow(recording_id=an_id("one"), outcome="ready", created_at=NINE, findings=["overdue"])


def test_every_code_has_a_meaning_and_every_meaning_a_code() -> None:
    assert list(FINDINGS) == list(FindingCode)


def test_every_code_of_the_audio_engine_is_a_code_of_the_catalog() -> None:
    assert {str(code) for code in AudioFindingCode} <= {str(code) for code in FindingCode}


def test_the_new_columns_come_last() -> None:
    assert list(CATALOG.columns)[-3:] == NEW_COLUMNS


def test_the_stored_file_has_exactly_the_declared_types(workspace: Workspace) -> None:
    CATALOG.write(workspace.archive, DAY, [ROW])
    file = CATALOG.file(workspace.archive, DAY)
    assert file is not None
    assert file.columns == {name: kind for name, (kind, _) in CATALOG.columns.items()}
    assert CATALOG.read(workspace.archive, DAY) == [ROW]


def test_a_table_of_the_version_before_reads_as_null(workspace: Workspace) -> None:
    CATALOG.write(workspace.archive, DAY, [ROW])
    content = workspace.archive.read(CATALOG.key(DAY)) or b""
    older = pq.read_table(pa.BufferReader(content)).drop_columns(NEW_COLUMNS)
    with workspace.archive.staged_file() as staged:
        pq.write_table(older, staged)
        workspace.archive.publish(staged, CATALOG.key(DAY))
    assert CATALOG.read(workspace.archive, DAY) == [dataclasses.replace(ROW, findings=None)]
    assert CATALOG.read_days(workspace.archive).column("findings").to_pylist() == [None]


def test_a_row_names_its_files_relative_to_the_root(workspace: Workspace) -> None:
    [mp3] = workspace.meet("one", talk())
    [row] = workspace.sync().rows
    assert row.source_key == Layout.source(DAY, mp3.recording_id, mp3.id)
    assert row.audio_key == Layout.normalized(DAY, mp3.recording_id, mp3.id, "flac")
    assert (row.source_uri, row.audio_uri) == tuple(map(workspace.archive.uri, (row.source_key, row.audio_key)))


def test_a_recording_without_findings_has_an_empty_list(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    workspace.meet("two", platform="webex")
    assert [row.findings for row in workspace.sync().rows] == [[], []]


def test_a_row_that_was_written_before_gets_its_keys_and_findings_at_the_next_sync(workspace: Workspace) -> None:
    workspace.meet("one", talk())
    [row] = workspace.sync().rows
    CATALOG.write(
        workspace.archive, DAY, [dataclasses.replace(row, source_key=None, audio_key=None, findings=None)],
        CATALOG.facts(workspace.archive, DAY),
    )  # fmt: skip
    report = workspace.catalog()
    assert report.normalized == 0
    assert [dataclasses.replace(found, cataloged_at=row.cataloged_at) for found in report.rows] == [row]


@pytest.mark.parametrize("findings", [None, []])
def test_a_redacted_row_stays_as_it_is(findings: list[str] | None) -> None:
    redacted = dataclasses.replace(ROW.redacted(), findings=findings)
    assert redacted.redacted() == redacted


def test_codes_of_a_file_stay_with_it_and_others_are_derived_again() -> None:
    assert kept_with_file(map(str, FindingCode)) == tuple(
        str(code) for code in FindingCode if code not in DERIVED_AT_EVERY_SYNC
    )
    assert kept_with_file(["of_a_later_version", "overdue"]) == ("of_a_later_version",)
    assert kept_with_file(None) == ()


def test_codes_are_in_one_order_each_once() -> None:
    assert ordered_findings(["overdue", "later", "zero_runs", "overdue"]) == ["zero_runs", "overdue", "later"]
